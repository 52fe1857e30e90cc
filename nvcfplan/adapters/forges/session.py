"""HTTP to one forge: reads and edits are repeated within bounds, a comment is made once.

It waits as long as the forge says, up to a limit, and follows no redirect: the token goes to the
address it was given for and nowhere else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import httpx2

from nvcfplan import __version__
from nvcfplan.adapters.forges.target import ForgeTarget, is_loopback, refuse_unusable
from nvcfplan.errors import (
    Forbidden,
    RateLimited,
    RemoteError,
    RemoteGarbled,
    RemoteMissing,
    RemoteUnavailable,
    Unauthorized,
    Unreachable,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from nvcfplan.model import Secret

MOST_BYTES: Final = 32 * 1024 * 1024
_ATTEMPTS: Final = 5
_UNTOLD_WAIT_SECONDS: Final = 60.0
"""Where a forge that has had enough says nothing of when to come back. Source: docs.github.com,
"Troubleshooting the REST API", "Rate limit errors"."""
_TIMEOUT: Final = httpx2.Timeout(30.0, connect=5.0)
_UNSETTLED: Final = frozenset({500, 502, 503, 504})
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How time passes: seconds since 1970 in UTC, by which forges count, and how to wait.

    `longest_wait_seconds`: for one request, in all.
    """

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    tell: Callable[[str], None] = logging.getLogger(__name__).info
    longest_wait_seconds: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    value: object
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`path` below the base. `is_repeatable`: a second time does no harm. `needs`: the permission
    it takes, in the forge's words. `missing`: what a 404 or 410 stands for.
    """

    method: str
    path: str
    needs: str
    missing: str = "it is not there, or the token may not see it"
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, object] | None = None
    is_repeatable: bool = True
    accepted: frozenset[int] = field(default_factory=frozenset)

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"


class Session:
    """One connection pool to one forge. Use as an asynchronous context manager."""

    def __init__(
        self,
        target: ForgeTarget,
        pace: Pace,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises: SettingsError, for an address or a token that is none, or would be seen."""
        refuse_unusable(target)
        _quieten_loggers()
        self._target = target
        self._pace = pace
        name, scheme = target.header
        value = f"{scheme} {target.token.reveal()}".strip()
        self._client = httpx2.AsyncClient(
            transport=transport,
            headers=[
                ("User-Agent", f"nvcfplan/{__version__}"),
                *target.headers,
                (name, value),
            ],
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=not is_loopback(target.base_url),
        )

    def __repr__(self) -> str:
        return f"Session({self._target.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def ask(self, asked: Asked) -> Answer:
        """An answer of 2xx, or of a status in `accepted`. Raises: RemoteError."""
        waited = 0.0
        for attempt in range(1, _ATTEMPTS + 1):
            found = await self._outcome(asked)
            pause = self._pause(asked, found, attempt)
            if pause is None or attempt == _ATTEMPTS:
                break
            waited += pause
            if waited > self._pace.longest_wait_seconds:
                raise _limited(asked, self._target, pause)
            if pause > 5.0:
                self._pace.tell(f"waiting {pause:.0f} s for {self._target.base_url}: {found}")
            await self._pace.sleep(pause)
        if isinstance(found, _Lost):
            raise _unanswered(asked, self._target, found)
        if found.status in asked.accepted or 200 <= found.status < 300:
            return Answer(status=found.status, value=_read(found, asked), headers=found.headers)
        raise _refused(asked, self._target, found, now=self._pace.now())

    async def _outcome(self, asked: Asked) -> _Raw | _Lost:
        content = None if asked.body is None else json.dumps(asked.body).encode("utf-8")
        query = f"?{urlencode(asked.query)}" if asked.query else ""
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            async with self._client.stream(
                asked.method,
                f"{self._target.base_url}{asked.path}{query}",
                content=content,
                headers=headers,
            ) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        return _Lost("the answer has no end", is_sent=True, is_final=True)
                lowered = {name.lower(): value for name, value in response.headers.items()}
                return _Raw(response.status_code, bytes(body), lowered)
        except _NOT_SENT as error:
            return _Lost(str(error) or type(error).__name__, is_sent=False)
        except httpx2.RequestError as error:
            return _Lost(str(error) or type(error).__name__, is_sent=True)

    def _pause(self, asked: Asked, found: _Raw | _Lost, attempt: int) -> float | None:
        """Seconds until it is asked again; None: it is not."""
        backoff = 0.5 * 2.0**attempt
        if isinstance(found, _Lost):
            is_harmless = asked.is_repeatable or not found.is_sent
            return backoff if is_harmless and not found.is_final else None
        if found.is_limited:
            return max(backoff, found.wait_seconds(self._pace.now(), attempt))
        if found.status in _UNSETTLED and asked.is_repeatable:
            return backoff
        return None


@dataclass(frozen=True, slots=True)
class _Lost:
    why: str
    is_sent: bool
    is_final: bool = False

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class _Raw:
    """Header names are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"status {self.status}"

    @property
    def is_limited(self) -> bool:
        """A forge says 403 for a limit too: by its headers, or in words alone."""
        if self.status != 403:
            return self.status == 429
        is_spent = self.headers.get("x-ratelimit-remaining") == "0"
        return is_spent or "retry-after" in self.headers or b"secondary rate limit" in self.body

    def wait_seconds(self, now: float, attempt: int) -> float:
        """By Retry-After, else until the window ends if nothing is left of it, else longer each
        time: GitHub tells the end of the window also where another limit was hit.
        """
        asked = self.headers.get("retry-after", "")
        if asked.isdecimal():
            return float(asked)
        for name in ("x-ratelimit", "ratelimit"):
            reset = self.headers.get(f"{name}-reset", "")
            if reset.isdecimal() and self.headers.get(f"{name}-remaining", "0") == "0":
                return max(0.0, float(reset) - now) + 1.0
        return _UNTOLD_WAIT_SECONDS * 2.0 ** (attempt - 1)


def _read(found: _Raw, asked: Asked) -> object:
    if not found.body.strip():
        return None
    try:
        value: object = json.loads(found.body)
    except (ValueError, RecursionError) as error:
        raise garbled(asked.route, "it is not JSON", found.status) from error
    return value


def garbled(route: str, why: str, status: int | None = None) -> RemoteGarbled:
    return RemoteGarbled(
        f"{route}: the answer is not what the forge documents: {why}",
        route=route,
        status=status,
        remedy="check the address of the API: a proxy or a login page may have answered",
    )


def _unanswered(asked: Asked, target: ForgeTarget, found: _Lost) -> RemoteError:
    if not found.is_sent:
        return Unreachable(
            f"{asked.route}: {target.base_url} cannot be reached",
            route=asked.route,
            detail=_one_line(found.why),
            remedy="check the address of the forge's API, and the proxy settings",
        )
    return RemoteUnavailable(
        f"{asked.route}: no answer came",
        route=asked.route,
        detail=_one_line(found.why),
        remedy="run it again: a comment that was made meanwhile is found and edited",
    )


def _limited(asked: Asked, target: ForgeTarget, pause: float) -> RateLimited:
    return RateLimited(
        f"{asked.route}: {target.base_url} asks to wait {pause:.0f} s",
        route=asked.route,
        status=429,
        retry_after_seconds=pause,
        remedy="run it again later, or give it a token with a limit of its own",
    )


def _refused(asked: Asked, target: ForgeTarget, found: _Raw, *, now: float) -> RemoteError:
    said = _said(found, target.token)
    facts = f"the forge said {found.status}" + (f": {said}" if said else "")
    head = asked.route
    match found.status:
        case 401:
            remedy = f"put a token that is good into {target.token_source}"
            return Unauthorized(
                f"{head}: the token is not accepted",
                route=head,
                status=401,
                detail=facts,
                remedy=remedy,
            )
        case 403 | 429 if found.is_limited:
            return _limited(asked, target, found.wait_seconds(now, 1))
        case 403:
            return Forbidden(
                f"{head}: the token may not do this",
                route=head,
                status=403,
                detail=facts,
                remedy=f"give the token of {target.token_source} the permission {asked.needs}",
            )
        case 404 | 410:
            return RemoteMissing(
                f"{head}: {asked.missing}",
                route=head,
                status=found.status,
                detail=facts,
                remedy=f"check repository and number; the token needs {asked.needs}",
            )
        case status if status >= 500:
            return RemoteUnavailable(
                f"{head}: the forge is not well ({status})",
                route=head,
                status=status,
                detail=facts,
                remedy="run it again later",
            )
        case status:
            return RemoteError(
                f"{head}: refused",
                route=head,
                status=status,
                detail=facts,
                remedy="see what the forge said",
            )


def _said(found: _Raw, token: Secret) -> str:
    """Its own words, of what it documents as `message`, `errors` and `error`."""
    try:
        value: object = json.loads(found.body)
    except (ValueError, RecursionError):
        return ""
    parts: list[str] = []
    if isinstance(value, dict):
        for name in ("message", "error"):
            if value.get(name):
                parts.append(_words(value[name]))
        errors = value.get("errors")
        if isinstance(errors, list):
            parts += [_words(one.get("message")) for one in errors[:3] if isinstance(one, dict)]
    return _one_line("; ".join(filter(None, parts)).replace(token.reveal(), "(sensitive value)"))


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value) if value else ""


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return "".join(one if one.isprintable() else "?" for one in flat[:300])


def _quieten_loggers() -> None:
    """At INFO they write whole addresses, at DEBUG headers: neither belongs in a log of ours."""
    for name in ("httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
