"""A service that allows so many requests a second: everything is read, and not by hammering."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pytest

from nvcfplan.adapters.nvcf import reads
from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.emulator.clock import EmulatorClock
from nvcfplan.model import FunctionId, VersionId
from nvcfplan.wire.functions import FunctionList
from tests.adapters.fakes import next_turn, run

if TYPE_CHECKING:
    from nvcfplan.adapters.nvcf.raw import RawRequest

READS = 1000


@dataclass(slots=True)
class Bucket(httpx2.AsyncBaseTransport):
    """Holds `rate` tokens at most and gains as many a second. Time moves when all sleep.

    Source: nvcf-api.md 7, "an optional bucket policy (200/s default)", without Retry-After.
    """

    rate: float
    asks_to_wait: str | None = None
    time: float = 0.0
    tokens: float = 0.0
    filled_at: float = 0.0
    served: int = 0
    refused: int = 0

    def clock(self) -> EmulatorClock:
        def advance(to: float) -> None:
            self.time = max(self.time, to)

        return EmulatorClock(
            starts_at=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            time=lambda: self.time,
            advance_to=advance,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await next_turn()
        self.tokens = min(self.rate, self.tokens + self.rate * (self.time - self.filled_at))
        self.filled_at = self.time
        if self.tokens < 1:
            self.refused += 1
            headers = {"Retry-After": self.asks_to_wait} if self.asks_to_wait else {}
            return httpx2.Response(429, headers=headers, request=request)
        self.tokens -= 1
        self.served += 1
        return httpx2.Response(200, json={"functions": []}, request=request)


def a_read(number: int) -> RawRequest:
    return reads.get_version(FunctionId(f"f{number}"), VersionId("v"))


@pytest.mark.parametrize("asks_to_wait", [None, "1"])
def test_a_thousand_reads_get_through_a_limit_of_two_hundred_a_second(
    asks_to_wait: str | None,
) -> None:
    bucket = Bucket(rate=200, asks_to_wait=asks_to_wait, tokens=200)
    target = Target(base_url="http://nvcf.test/v2/nvcf", token=None)

    async def read_all() -> None:
        async with Client(target, clock=bucket.clock(), transport=bucket) as client:
            several = (client.read(a_read(number), FunctionList) for number in range(READS))
            await asyncio.gather(*several)

    run(read_all())
    assert bucket.served == READS
    assert bucket.refused <= READS / 2
    assert bucket.time <= 3 * READS / bucket.rate
