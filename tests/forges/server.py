"""A forge on this machine: refuses what the real one does not document, and keeps its limits.

Served by the standard library, so that what is tried shares no code with the client. A request that
no documented client would send is answered 400 *and* kept in `breaches`, which tests assert empty.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet


class Breach(Exception):
    """Not as documented."""


@dataclass(frozen=True, slots=True)
class Request:
    """Header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    value: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass(slots=True)
class Note:
    id: int
    author: str
    body: str
    request: int


@dataclass(slots=True)
class Filed:
    """An issue. `is_request`: GitHub lists requests to change among them."""

    number: int
    author: str
    title: str
    body: str
    labels: list[str]
    is_open: bool = True
    is_locked: bool = False
    is_request: bool = False


class FakeForge(ABC):
    """`tokens`: token -> who it is of. `scripted`: replies given instead, in order.

    `issues` None: they are turned off. `deleted`: numbers of issues that were there.
    `finds_authors`: a list asked for one author's issues has them.
    `before`: run before each request is answered: somebody else may be at work meanwhile.
    """

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {"token-of-bot": "plan-bot"}
        self.notes: list[Note] = []
        self.statuses: list[dict[str, object]] = []
        self.open: dict[int, tuple[str, str]] = {7: ("a" * 40, "main")}
        self.issues: dict[int, Filed] | None = {}
        self.deleted: set[int] = set()
        self.finds_authors = True
        self.scripted: list[Reply | None] = []
        self.seen: list[Request] = []
        self.breaches: list[str] = []
        self.before: Callable[[Request], None] = lambda _: None
        self._next_id = 100
        self._next_issue = 10
        self._lock = threading.RLock()

    def write(self, author: str, body: str, request: int = 7) -> Note:
        """By somebody, past the API."""
        self._next_id += 1
        note = Note(self._next_id, author, body, request)
        self.notes.append(note)
        return note

    def file(self, author: str, title: str, body: str, labels: Sequence[str] = ()) -> Filed:
        """By somebody, past the API."""
        assert self.issues is not None
        self._next_issue += 1
        filed = Filed(self._next_issue, author, title, body, list(labels))
        self.issues[filed.number] = filed
        return filed

    def delete_issue(self, number: int) -> None:
        assert self.issues is not None
        del self.issues[number]
        self.deleted.add(number)

    def bodies(self, request: int = 7) -> list[str]:
        return [one.body for one in self.notes if one.request == request]

    def calls(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.seen]

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.seen.append(request)
            self.before(request)
            if self.scripted and (found := self.scripted.pop(0)) is not None:
                return found
            try:
                return self._routed(request, self._author(request))
            except Breach as breach:
                self.breaches.append(f"{request.method} {request.path}: {breach}")
                return Reply(400, {"message": f"breach: {breach}"})

    @abstractmethod
    def _author(self, request: Request) -> str | None:
        """Whose token it is; None: nobody's. Raises: Breach."""

    @abstractmethod
    def _routed(self, request: Request, author: str | None) -> Reply:
        """Raises: Breach."""


def fields(
    body: object, required: set[str], optional: AbstractSet[str] = frozenset()
) -> dict[str, object]:
    """Raises: Breach, for a body that has others, or lacks one."""
    if not isinstance(body, dict):
        raise Breach("the body is no JSON object")
    if unknown := body.keys() - required - optional:
        raise Breach(f"unknown fields {sorted(unknown)}")
    if missing := required - body.keys():
        raise Breach(f"missing fields {sorted(missing)}")
    return body


def known(query: Mapping[str, str], names: set[str]) -> None:
    """Raises: Breach."""
    if unknown := query.keys() - names:
        raise Breach(f"unknown parameters {sorted(unknown)}")


def page_of(
    rows: list[object], query: Mapping[str, str], standard: int
) -> tuple[list[object], int]:
    """The rows of the page, and the number of the next one, or 0. Raises: Breach."""
    size, page = int(query.get("per_page", standard)), int(query.get("page", 1))
    if not 1 <= size <= 100 or page < 1:
        raise Breach("per_page is 1 to 100")
    start = (page - 1) * size
    return rows[start : start + size], page + 1 if start + size < len(rows) else 0


def listed(forge: FakeForge, author: str | None, *, states: set[bool]) -> list[Filed]:
    """Newest first, as both forges do by themselves."""
    found = [
        one
        for one in (forge.issues or {}).values()
        if one.is_open in states
        and (author is None or (forge.finds_authors and one.author == author))
    ]
    return sorted(found, key=lambda one: -one.number)


@contextmanager
def serving(forge: FakeForge) -> Iterator[str]:
    """The address of its root."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one go: else the body waits for the head's acknowledgement

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            reply = forge.answer(
                Request(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=json.loads(content) if content else None,
                )
            )
            if reply.status == 0:  # the line is cut
                self.close_connection = True
                return
            raw = reply.raw
            if raw is None:
                raw = b"" if reply.value is None else json.dumps(reply.value).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  # its names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
