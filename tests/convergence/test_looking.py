"""Commands that only look, typed against an account over HTTP: what they send, they only ask."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from nvcfplan.applying import RunOutcome
from nvcfplan.emulator.messages import Incoming
from nvcfplan.plans import Plan
from tests.convergence.documents import ENVIRONMENT, history
from tests.convergence.places import PATIENT, account, literals_of, read, telemetries_of
from tests.scenarios.conftest import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from nvcfplan.emulator.serving import Emulator
    from nvcfplan.model import Stack
    from tests.rehearsal import Account

LOOKING = (
    ("validate",),
    ("plan",),
    ("plan", "-json"),
    ("drift",),
    ("plan", "-destroy"),
    ("plan", "-out", "saved.json"),
    ("plan", "--check", "saved.json"),
    ("verify", "saved.json"),
    ("show", "saved.json"),
    ("graph", "saved.json"),
    ("simulate", "saved.json"),
    ("simulate", "-inject", "kill@1", "saved.json"),
    ("snapshot", "-out", "snapshot.json"),
    ("simulate", "-offline", "snapshot.json", "saved.json"),
)
ASKING = {"plan", "drift", "simulate", "snapshot"}


@contextmanager
def served(emulator: Emulator, methods: list[str]) -> Iterator[str]:
    """Its address; `methods` gets one for every request."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            methods.append(self.command)
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            reply = emulator.exchange(
                Incoming(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query)),
                    authorization=self.headers.get("Authorization"),
                    body=self.rfile.read(length),
                )
            ).reply
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 # names of its base

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 # as its base
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_only_looks_sends_nothing_that_could_change_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shop, methods = Workshop(tmp_path), list[str]()
    with account() as where, served(where.emulator, methods) as address:
        environment = {**ENVIRONMENT, "NGC_API_KEY": "any-key", "NVCF_BASE_HTTP_URL": address}
        first, second, *_ = history(3, telemetries_of(where))
        _apply(where, read(first, tmp_path).stack)
        shop.write("stack.yaml", json.dumps(second))
        for words in LOOKING:
            methods.clear()
            said = shop.type(*words, environment=environment)
            assert said.code == 0, (words, said)
            asks = words[0] in ASKING and "-offline" not in words
            assert set(methods) == ({"GET"} if asks else set()), words


def _apply(where: Account, stack: Stack) -> None:
    """By way of this process, on the account's own clock."""
    where.literals = literals_of(stack)
    plan = where.plan_stack(stack)
    assert isinstance(plan, Plan)
    assert where.apply(plan, PATIENT).outcome is RunOutcome.APPLIED
