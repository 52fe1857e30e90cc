"""The clock on the wall, as the port that everything waits by; and one that runs faster."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from nvcfplan.applying import Clock


class WallClock(Clock):
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep_until(self, monotonic: float) -> None:
        await asyncio.sleep(max(0.0, monotonic - time.monotonic()))


class FastClock(Clock):
    """Of a served emulator: waits and time limits are as many times shorter as its time is faster.

    What day it is, the wall still says.
    """

    def __init__(self, speed: float) -> None:
        """`speed`: seconds for each real one, above 0."""
        self._speed = speed

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    async def sleep_until(self, monotonic: float) -> None:
        await asyncio.sleep(max(0.0, monotonic - self.monotonic()) / self._speed)
