"""A clock that is only moved, secrets from a mapping, and a service that answers from a script."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.applying import Clock, SecretSource
from nvcfplan.model import Secret, SecretOrigin, SecretReference

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from typing import TypeVar

    ResultT = TypeVar("ResultT")

CANARY = "nvapi-CANARY-do-not-show-0123456789"
BASE_URL = "http://nvcf.test/v2/nvcf"
START = datetime(2026, 1, 1, tzinfo=UTC)
_PAYLOADS = Path(__file__).parent / "payloads"


class FakeClock(Clock):
    """Sleeping moves it; `pauses` tells how long each sleep was."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep_until(self, monotonic: float) -> None:
        self.pauses.append(max(0.0, monotonic - self.seconds))
        self.seconds = max(self.seconds, monotonic)


class FakeSecrets(SecretSource):
    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def resolve(self, reference: SecretReference) -> Secret | None:
        value = self._values.get(reference.locator)
        return None if value is None else Secret(value, reference)

    def fingerprint(self, reference: SecretReference, key: bytes) -> str | None:
        secret = self.resolve(reference)
        if secret is None:
            return None
        return hashlib.sha256(key + secret.reveal().encode()).hexdigest()


class Script:
    """Answers by `METHOD /path` (below the host), each list in order, its last one for ever.

    An exception in a list is raised, as a broken connection would be. `sent` holds all requests.
    """

    def __init__(self, answers: Mapping[str, Sequence[httpx2.Response | Exception]]) -> None:
        self._answers = {route: list(rows) for route, rows in answers.items()}
        self.sent: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        route = f"{request.method} {request.url.path}"
        rows = self._answers.get(route)
        assert rows, f"unexpected request: {route}"
        answer = rows.pop(0) if len(rows) > 1 else rows[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def routes(self) -> list[str]:
        return [f"{one.method} {one.url.path}" for one in self.sent]

    def bodies(self) -> list[object]:
        return [json.loads(one.content) for one in self.sent if one.content]


def _ignore(_: str) -> None:
    return None


def client_of(
    script: Callable[[httpx2.Request], httpx2.Response],
    *,
    clock: FakeClock | None = None,
    org: str | None = "demo",
    nca_id: str | None = None,
    base_url: str = BASE_URL,
    listener: Callable[[str], None] = _ignore,
) -> Client:
    token = Secret(CANARY, SecretReference("NGC_API_KEY", SecretOrigin.ENV, "NGC_API_KEY"))
    target = Target(
        base_url=base_url,
        token=token,
        token_source="NGC_API_KEY",
        looked_at=("NVCF_TOKEN", "NGC_API_KEY"),
        org=org,
        nca_id=nca_id,
    )
    return Client(
        target,
        clock=clock or FakeClock(),
        transport=httpx2.MockTransport(script),
        listener=listener,
    )


def payload(name: str) -> object:
    value: object = json.loads((_PAYLOADS / name).read_text("utf-8"))
    return value


def answer(value: object, status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, json=value)


def problem(status: int, detail: str) -> httpx2.Response:
    return httpx2.Response(
        status,
        json={
            "type": "urn:nv-boot:problem-details:x",
            "title": "Title",
            "status": status,
            "detail": detail,
        },
        headers={"Content-Type": "application/problem+json"},
    )


def run(coroutine: Coroutine[object, object, ResultT]) -> ResultT:
    return asyncio.run(coroutine)


async def next_turn() -> None:
    """Until every other task has had its turn."""
    loop = asyncio.get_running_loop()
    turn = loop.create_future()
    loop.call_soon(turn.set_result, None)
    await turn
