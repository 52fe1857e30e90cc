"""HTTP to one NVCF endpoint: reads are repeated within bounds, writes are sent exactly once.

It knows nothing of functions: `exchange` makes requests, `translation` reads bodies. Time comes
from the injected clock, so that waiting before a retry costs nothing in a rehearsal.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx2

from nvcfplan import __version__
from nvcfplan.adapters.nvcf.answers import NotJson, fit, garbled, read_json
from nvcfplan.adapters.nvcf.connections import Connections
from nvcfplan.adapters.nvcf.raw import Lost, NotSent, RawAnswer, RawOutcome, RawRequest
from nvcfplan.adapters.nvcf.refusals import remote_error, route_of, unanswered_read
from nvcfplan.adapters.nvcf.target import Patience, Target, refuse_plain_http
from nvcfplan.adapters.nvcf.words import KnownSecrets, Redaction
from nvcfplan.errors import RequestsSpent
from nvcfplan.wire.protocol import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from nvcfplan.applying import Clock

AnswerT = TypeVar("AnswerT", bound=Answer)

_log = logging.getLogger(__name__)

MOST_BYTES: Final = 32 * 1024 * 1024
_READ_ATTEMPTS: Final = 5
_LIMITED_ATTEMPTS: Final = 12
"""Told to slow down, a read of many may lose several times in a row; only the time is short."""
_UNSENT_ATTEMPTS: Final = 3
"""A wrong address is told soon; a name server that stumbled once is forgiven."""
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 60.0
_LONGEST_ASKED_SECONDS: Final = 3600.0
_JSON: Final = ("Content-Type", "application/json")
_FELT_SECONDS: Final = 5.0
_TOLD_SECONDS: Final = 10.0
_QUIET_SECONDS: Final = 0.5
_LONGEST_QUIET_SECONDS: Final = 10.0
_RETRIED_STATUS: Final = frozenset({502, 503, 504})
_NOT_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Allowance:
    """How many requests may be sent; None: any number. `spent`: were sent so far."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.spent = 0

    def take(self, route: str) -> None:
        """Raises: RequestsSpent."""
        if self.most is not None and self.spent >= self.most:
            raise RequestsSpent(
                f"{route} was not sent: the {self.most} requests of this look are spent",
                route=route,
                detail="repetitions after a failure count, too",
                remedy="raise -max-requests, or look at fewer stacks in one process",
            )
        self.spent += 1


class Client:
    """One pool of connections to one target. Use as an asynchronous context manager."""

    def __init__(
        self,
        target: Target,
        *,
        clock: Clock,
        transport: httpx2.AsyncBaseTransport | None = None,
        listener: Callable[[str], None] = _log.info,
        known: KnownSecrets | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        """`listener` is told of waits that can be felt, in words; `known` learns what is secret;
        reads go by the `allowance`.

        Raises: SettingsError, for a key that would travel in the clear.
        """
        if transport is None:
            refuse_plain_http(target)
        _quieten_loggers()
        token = target.token.reveal() if target.token else ""
        self.target = target
        self.clock = clock
        self.known = known or KnownSecrets()
        self.known.learn(token)
        self._allowance = allowance or Allowance()
        self._listener = listener
        self._told_until = 0.0
        self._quiet_until = 0.0
        self._connections = Connections(target, transport)
        self._headers = _headers(token, target)
        self._timeout = _timeout(target.patience)

    def __repr__(self) -> str:
        return f"Client({self.target.base_url!r})"

    @property
    def redaction(self) -> Redaction:
        return self.known.redaction

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._connections.aclose()

    async def send(self, request: RawRequest) -> RawOutcome:
        """Once, whatever comes. Never raises for what the network or the service did."""
        outcome, _ = await self._attempt(request, self.target.patience.whole)
        return outcome

    async def read(
        self, request: RawRequest, model: type[AnswerT], *, attempts: int | None = None
    ) -> AnswerT:
        """Raises: RemoteError; RemoteMissing when the service itself says 404."""
        value = await self.read_json(request, attempts=attempts)
        return fit(model, value, route_of(request, self.target))

    async def read_json(self, request: RawRequest, *, attempts: int | None = None) -> object:
        """`attempts`: no more than so many, whatever comes. Raises: as `read`."""
        answer = await self._read_answer(request, attempts)
        try:
            return read_json(answer.body)
        except NotJson as fault:
            route = route_of(request, self.target)
            raise garbled(route, self.redaction.shown(str(fault)), answer.status) from None

    async def _read_answer(self, request: RawRequest, attempts: int | None) -> RawAnswer:
        patience, spent, most = self.target.patience, 0.0, attempts or _LIMITED_ATTEMPTS
        for attempt in range(1, most + 1):
            self._allowance.take(route_of(request, self.target))
            outcome, took = await self._attempt(
                request, min(patience.whole, patience.total - spent)
            )
            spent += took
            pause = _pause_seconds(request, attempt, outcome)
            is_last = attempt >= min(most, _worth_attempts(outcome))
            if is_last or spent + pause >= patience.total:
                break
            self._tell(request, outcome, pause, spent)
            await self.clock.sleep_until(self.clock.monotonic() + pause)
            spent += pause
        if isinstance(outcome, RawAnswer) and outcome.is_success:
            return outcome
        tried = f"asked {attempt} times in {spent:.0f} s" if attempt > 1 else ""
        if isinstance(outcome, RawAnswer):
            raise remote_error(request, outcome, (self.target, self.redaction), tried=tried)
        raise unanswered_read(outcome, request, self.target, tried=tried)

    async def _attempt(self, request: RawRequest, limit: float) -> tuple[RawOutcome, float]:
        """With the seconds it took; waiting for a turn is not among them."""
        async with self._connections.one() as connection:
            await self._keep_quiet()
            begun = asyncio.get_running_loop().time()
            outcome = await self._outcome(connection, request, limit)
            took = asyncio.get_running_loop().time() - begun
            _log_exchange(route_of(request, self.target), outcome, took)
            if isinstance(outcome, RawAnswer) and outcome.status == 429:
                pause = min(outcome.retry_after_seconds or _QUIET_SECONDS, _LONGEST_QUIET_SECONDS)
                self._quiet_until = max(self._quiet_until, self.clock.monotonic() + pause)
            return outcome, took

    async def _keep_quiet(self) -> None:
        """Who is told to slow down slows all down: the limit is of the account, not of a route."""
        if self.clock.monotonic() < self._quiet_until:
            await self.clock.sleep_until(self._quiet_until)

    async def _outcome(
        self, connection: httpx2.AsyncClient, request: RawRequest, limit: float
    ) -> RawOutcome:
        try:
            async with asyncio.timeout(limit):
                return await self._exchange(connection, self._request(request))
        except TimeoutError:
            return Lost(f"no whole answer within {limit:.3g} s")
        except _NOT_SENT as error:
            return NotSent(self.redaction.shown(_cause(error)))
        except httpx2.RequestError as error:
            return Lost(self.redaction.shown(_cause(error)))

    def _tell(self, request: RawRequest, outcome: RawOutcome, pause: float, spent: float) -> None:
        """Of a wait that can be felt; of many at once only the first."""
        now = self.clock.monotonic()
        if spent + pause < _FELT_SECONDS or now < self._told_until:
            return
        self._told_until = now + _TOLD_SECONDS
        what = outcome.status if isinstance(outcome, RawAnswer) else outcome.why
        route = route_of(request, self.target)
        self._listener(f"waiting for the service: {route}: {what}; asking again in {pause:.0f} s")

    def _request(self, request: RawRequest) -> httpx2.Request:
        """Whole as it is: what a library would merge into every request is said here once."""
        content = request.content()
        prefix = self.target.root if request.is_rooted else self.target.base_url.rstrip("/")
        query = f"?{urlencode(request.query)}" if request.query else ""
        return httpx2.Request(
            request.method,
            f"{prefix}{request.path}{query}",
            headers=self._headers if content is None else [*self._headers, _JSON],
            content=content,
            extensions={"timeout": self._timeout},
        )

    async def _exchange(
        self, connection: httpx2.AsyncClient, request: httpx2.Request
    ) -> RawOutcome:
        response = await connection.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    why = f"the answer is larger than {MOST_BYTES // 1_048_576} MiB"
                    return Lost(why, is_repeatable=False)
        finally:
            await response.aclose()
        retry_after = _retry_after(response.headers.get("Retry-After"), self.clock.now())
        return RawAnswer(
            status=response.status_code, body=bytes(body), retry_after_seconds=retry_after
        )


def _log_exchange(route: str, outcome: RawOutcome, seconds: float) -> None:
    """Never a body, a header or a query: the route and what came of it."""
    if not isinstance(outcome, RawAnswer):
        _log.info("%s: %s after %.0f ms", route, outcome.why, seconds * 1000)
        return
    _log.info("%s: %d in %.0f ms", route, outcome.status, seconds * 1000)
    size, asked = len(outcome.body), outcome.retry_after_seconds
    _log.debug("%s: %d bytes, Retry-After %s", route, size, "none" if asked is None else asked)


def _headers(token: str, target: Target) -> list[tuple[str, str]]:
    """The host comes first, as HTTP asks for."""
    return [
        ("Host", target.host or urlsplit(target.base_url).netloc),
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip, deflate"),
        ("User-Agent", f"nvcfplan/{__version__}"),
        *([("Authorization", f"Bearer {token}")] if token else []),
    ]


def _timeout(patience: Patience) -> dict[str, float]:
    return {
        "connect": patience.connect,
        "read": patience.read,
        "write": patience.write,
        "pool": patience.pool,
    }


def _worth_attempts(outcome: RawOutcome) -> int:
    match outcome:
        case RawAnswer(status=429):
            return _LIMITED_ATTEMPTS
        case RawAnswer():
            return _READ_ATTEMPTS if outcome.status in _RETRIED_STATUS else 1
        case NotSent():
            return _UNSENT_ATTEMPTS
        case Lost():
            return _READ_ATTEMPTS if outcome.is_repeatable else 1


def _pause_seconds(request: RawRequest, attempt: int, outcome: RawOutcome) -> float:
    """Doubling, spread by route so that a fan-out does not come back as one burst; no less than
    the service asks for, which may be more than anybody waits.

    The spread is a checksum, not chance: the same run waits the same way.
    """
    asked = outcome.retry_after_seconds if isinstance(outcome, RawAnswer) else None
    spread = 1 + (zlib.crc32(f"{request.path}#{attempt}".encode()) % 1000) / 2000
    wanted = _FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1) * spread
    return max(min(wanted, _LONGEST_PAUSE_SECONDS), asked or 0.0)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds, or a date; anything else is as if it were not there."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), _LONGEST_ASKED_SECONDS)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return min(max(0.0, (until - now).total_seconds()), _LONGEST_ASKED_SECONDS)


def _cause(error: httpx2.RequestError) -> str:
    """The innermost words: httpx's own are often empty."""
    inner: BaseException = error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    return str(error) or str(inner) or type(error).__name__


def _quieten_loggers() -> None:
    """At INFO they write whole addresses, at DEBUG headers: neither belongs in a log of ours."""
    for name in ("httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
