"""POSTs a notice as signed JSON to one address, which is itself a secret.

Asked again within bounds while the receiver is not well: it tells a repetition by its id.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2

from nvcfplan import __version__
from nvcfplan.adapters.notices.signing import signature_headers, signing_keys
from nvcfplan.documents import encode_notice
from nvcfplan.errors import NoticeUndelivered, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.applying import Clock
    from nvcfplan.model import Secret
    from nvcfplan.reports import DriftReport, Notice

URL: Final = "NVCFPLAN_WEBHOOK_URL"
SECRET: Final = "NVCFPLAN_WEBHOOK_SECRET"  # the name of a variable
_ATTEMPTS: Final = 4
_LONGEST_WAIT_SECONDS: Final = 60.0
_TIMEOUT: Final = httpx2.Timeout(10.0, connect=5.0)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """`status` None: no answer came. `wait_seconds`: how long the receiver asks to wait."""

    status: int | None
    why: str
    is_sent: bool = True
    wait_seconds: float = 0.0

    @property
    def is_passing(self) -> bool:
        return self.status is None or self.status == 429 or self.status >= 500

    @property
    def maybe_received(self) -> bool:
        return self.is_sent and (self.status is None or self.status >= 500)


class Webhook:
    """`transport`: what requests go through; None: the network."""

    def __init__(
        self,
        url: Secret,
        secret: Secret,
        clock: Clock,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises: SettingsError."""
        self._url = url
        self._host = _checked_host(url)
        self._keys = signing_keys(secret, SECRET)
        self._clock = clock
        self._transport = transport
        _quieten_loggers()

    def __repr__(self) -> str:
        return f"Webhook({self._host!r})"

    @property
    def name(self) -> str:
        return f"webhook:{self._host}"

    async def tell(self, notice: Notice, report: DriftReport) -> None:
        """Raises: NoticeUndelivered."""
        del report
        if not notice.is_quiet:
            await self.post(notice.id, encode_notice(notice, tool_version=__version__))

    async def post(self, notice: str, body: bytes) -> None:
        """Raises: NoticeUndelivered."""
        waited, maybe_received = 0.0, False
        async with self._client() as client:
            for attempt in range(1, _ATTEMPTS + 1):
                found = await self._outcome(client, notice, body)
                if found.status is not None and 200 <= found.status < 300:
                    return
                maybe_received = maybe_received or found.maybe_received
                pause = max(0.5 * 2.0**attempt, found.wait_seconds)
                waited += pause
                if not found.is_passing or attempt == _ATTEMPTS or waited > _LONGEST_WAIT_SECONDS:
                    break
                await self._clock.sleep_until(self._clock.monotonic() + pause)
        raise self._undelivered(found, maybe_received=maybe_received)

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=self._transport,
            headers={"User-Agent": f"nvcfplan/{__version__}", "Content-Type": "application/json"},
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=urlsplit(self._url.reveal()).hostname not in _LOOPBACK,
        )

    async def _outcome(self, client: httpx2.AsyncClient, notice: str, body: bytes) -> _Outcome:
        """Of what it answers, the status is read and no more."""
        at = int(self._clock.now().timestamp())
        headers = signature_headers(self._keys, body, notice=notice, at=at)
        try:
            async with client.stream(
                "POST", self._url.reveal(), content=body, headers=headers
            ) as response:
                return _Outcome(
                    status=response.status_code,
                    why=f"it answered {response.status_code}",
                    wait_seconds=_asked_to_wait(response.headers),
                )
        except _NOT_SENT as error:
            return _Outcome(status=None, why=type(error).__name__, is_sent=False)
        except httpx2.RequestError as error:
            return _Outcome(status=None, why=type(error).__name__)

    def _undelivered(self, found: _Outcome, *, maybe_received: bool) -> NoticeUndelivered:
        match found.status:
            case None if not found.is_sent:
                summary, remedy = "cannot be reached", f"check {URL}, and the proxy settings"
            case None:
                summary, remedy = "gave no answer", "see what its receiver says of it"
            case 401 | 403:
                summary = "does not take the signature"
                remedy = f"give its receiver the secret that is in {SECRET}"
            case 404 | 410:
                summary, remedy = "is not there", f"check {URL}"
            case status if 300 <= status < 400:
                summary, remedy = "points elsewhere", f"put the address it moved to into {URL}"
            case _:
                summary, remedy = "did not take the notice", "see what its receiver says of it"
        return NoticeUndelivered(
            f"the webhook at {self._host} {summary}",
            detail=found.why,
            remedy=remedy,
            maybe_received=maybe_received,
        )


def _checked_host(url: Secret) -> str:
    """With its port, if it has one; the rest of an address is nobody's to see."""
    try:
        httpx2.URL(url.reveal())
        parts = urlsplit(url.reveal())
        host, port = parts.hostname or "", parts.port
    except (ValueError, httpx2.InvalidURL) as error:
        raise _unusable("it is no address of the web") from error
    if not host or parts.scheme not in ("http", "https") or not host.isprintable():
        raise _unusable("it is no address of the web")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise _unusable("it is not https: over plain http anybody on the way reads what is sent")
    return host if port is None else f"{host}:{port}"


def _unusable(why: str) -> SettingsError:
    return SettingsError(
        f"{URL} cannot be used",
        detail=why,
        remedy="give the https address that the receiver waits at",
    )


def _asked_to_wait(headers: Mapping[str, str]) -> float:
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else 0.0


def _quieten_loggers() -> None:
    """At INFO they write whole addresses."""
    for name in ("httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
