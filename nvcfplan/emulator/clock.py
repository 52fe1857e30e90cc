"""Virtual time: in process sleeping alone advances the world, over HTTP the clock on the wall.

The world's time is kept with the world, so it stands still between processes.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_QUIET_TURNS = 20
"""Turns of the event loop without any request, before time may jump: every task has had its say."""


class WallClock:
    """Moves a world's time by real time, from wherever others have moved it meanwhile."""

    def __init__(
        self,
        world_time: float,
        *,
        speed: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`speed`: virtual seconds per second."""
        self.speed = speed
        self._monotonic = monotonic
        self._left_at = monotonic()
        self._left_world_at = world_time

    def due_time(self, world_time: float) -> float:
        """What time it is to be in a world that is at `world_time`. A reset world begins again."""
        now = self._monotonic()
        passed = (now - self._left_at) * self.speed
        self._left_at = now
        if world_time < self._left_world_at:
            return world_time + passed
        return max(world_time, self._left_world_at + passed)

    def leave(self, world_time: float) -> None:
        """The world was left at this time; from there on it goes."""
        self._left_world_at = world_time


class EmulatorClock:
    """As the port `Clock` of `applying`. `monotonic` counts from the world's start, in seconds."""

    def __init__(
        self,
        starts_at: Callable[[], datetime],
        time: Callable[[], float],
        advance_to: Callable[[float], None],
    ) -> None:
        self._starts_at = starts_at
        self._time = time
        self._advance_to = advance_to
        self._wake_at: list[float] = []
        self._in_flight = 0
        self._stirrings = 0

    def now(self) -> datetime:
        return self._starts_at() + timedelta(seconds=self._time())

    def monotonic(self) -> float:
        return self._time()

    @contextmanager
    def request_in_flight(self) -> Iterator[None]:
        """Time stands still meanwhile."""
        self._in_flight += 1
        self._stirrings += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._stirrings += 1

    async def sleep_until(self, monotonic: float) -> None:
        """Until the world is there: the earliest sleeper takes it there once all is quiet."""
        if monotonic <= self._time():
            await asyncio.sleep(0)
            return
        self._wake_at.append(monotonic)
        try:
            await self._sleep(monotonic)
        finally:
            self._wake_at.remove(monotonic)

    async def _sleep(self, until: float) -> None:
        quiet, seen = 0, self._stirrings
        while self._time() < until:
            await asyncio.sleep(0)
            if self._in_flight or seen != self._stirrings:
                quiet, seen = 0, self._stirrings
                continue
            quiet += 1
            if quiet > _QUIET_TURNS and until == min(self._wake_at):
                self._stirrings += 1
                self._advance_to(until)
