"""The clock on the wall, as the port that everything waits by."""

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
