"""What `drift watch` answers over HTTP: whether it still looks in time, and what it found."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from nvcfplan.errors import SettingsError
from nvcfplan.views.metrics import LookCount, render_metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from nvcfplan.applying import Clock
    from nvcfplan.reports import DriftReport
    from nvcfplan.workflows import Tick

_LATE_AFTER: Final = 2
"""Intervals without a look that ended."""
_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"


class Answers:
    """Only of each stack's last look: what it holds does not grow with time."""

    def __init__(self, *, every: float, posts: int, clock: Clock) -> None:
        """`every`: seconds. `posts`: accounts that are watched."""
        self._every, self._posts, self._clock = every, posts, clock
        self._began = clock.monotonic()
        self._heard: dict[str, float] = {}
        self._reports: dict[tuple[str, str], DriftReport] = {}
        self._looks: dict[tuple[str, str, str], LookCount] = {}

    def hear(self, tick: Tick) -> None:
        self._heard[tick.post] = self._clock.monotonic()
        for report in tick.report.looks:
            if report.drift is not None:
                self._reports[report.account, report.stack] = report
            self._count(report.stack, report.account, report)
        for failed in tick.report.failed:
            self._count(failed.label, tick.post, None)

    def reports(self) -> tuple[DriftReport, ...]:
        return tuple(self._reports.values())

    def health(self) -> tuple[int, str]:
        now, allowed = self._clock.monotonic(), _LATE_AFTER * self._every
        late = now - min(self._heard.values(), default=self._began)
        if len(self._heard) < self._posts:
            late = max(late, now - self._began)
        if late <= allowed:
            return 200, "ok\n"
        return (
            503,
            f"no look has ended for {late:.0f} s, and one is due every {self._every:.0f} s\n",
        )

    def metrics(self) -> str:
        return render_metrics(
            self.reports(), at=self._clock.now(), looks=tuple(self._looks.values())
        )

    def _count(self, stack: str, account: str, report: DriftReport | None) -> None:
        outcome = None if report is None else report.outcome
        key = (stack, account, outcome.value if outcome else "")
        before = self._looks.get(key)
        self._looks[key] = LookCount(
            stack=stack,
            account=account,
            outcome=outcome,
            number=1 + (before.number if before else 0),
        )


@asynccontextmanager
async def answering(
    place: tuple[str, int] | None, answers: Answers, say: Callable[[str], None]
) -> AsyncIterator[None]:
    """Serves meanwhile; `place` None: nothing. Raises: SettingsError."""
    if place is None:
        yield
        return
    listener = _listener(place)
    host, port = listener.getsockname()[:2]
    say(f"answering /healthz and /metrics on {host}:{port}")
    server = _server(answers)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
        listener.close()


def _listener(place: tuple[str, int]) -> socket.socket:
    try:
        return socket.create_server(
            place, family=socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        )
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {place[0]}:{place[1]}: {error.strerror or error}",
            remedy="give another -listen, such as 127.0.0.1:0 for a free port",
        ) from error


def _server(answers: Answers) -> Any:  # uvicorn's, which is loaded here alone
    import uvicorn

    class Server(uvicorn.Server):
        """Signals are the watch's own."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    async def app(scope: Any, receive: Any, send: Any) -> None:  # ASGI's own shapes
        del receive
        if scope["type"] != "http":
            return
        status, media_type, body = _answer(answers, scope["method"], scope["path"])
        headers = [(b"content-type", media_type.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        content = b"" if scope["method"] == "HEAD" else body.encode("utf-8")
        await send({"type": "http.response.body", "body": content})

    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        limit_concurrency=50,
    )
    return Server(config)


def _answer(answers: Answers, method: str, path: str) -> tuple[int, str, str]:
    if method not in ("GET", "HEAD"):
        return 405, _TEXT, "only GET and HEAD\n"
    if path == "/healthz":
        status, words = answers.health()
        return status, _TEXT, words
    if path == "/metrics":
        return 200, _METRICS, answers.metrics()
    return 404, _TEXT, "there is /healthz, and /metrics\n"
