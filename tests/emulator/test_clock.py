"""Virtual time: it moves only when everybody waits, and stands still between processes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2

from nvcfplan.emulator.clock import WallClock
from nvcfplan.emulator.rules import WorldFile
from nvcfplan.emulator.serving import Emulator
from tests.emulator.account import world

if TYPE_CHECKING:
    from pathlib import Path


def test_time_starts_where_the_world_says_and_moves_by_sleeping() -> None:
    emulator = Emulator.open(None, WorldFile(starts_at="2026-03-01T12:00:00Z"))
    assert emulator.clock.now() == datetime(2026, 3, 1, 12, tzinfo=UTC)
    asyncio.run(emulator.clock.sleep_until(90))
    assert emulator.clock.monotonic() == 90
    assert emulator.clock.now() == datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC)
    asyncio.run(emulator.clock.sleep_until(10))
    assert emulator.clock.monotonic() == 90


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    emulator = Emulator.open(None, world())
    woke: list[tuple[float, float]] = []

    async def sleeper(until: float) -> None:
        await emulator.clock.sleep_until(until)
        woke.append((until, emulator.clock.monotonic()))

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            for until in (300.0, 60.0, 120.0, 60.0):
                group.create_task(sleeper(until))

    asyncio.run(everybody())
    assert woke == [(60, 60), (60, 60), (120, 120), (300, 300)]


def test_what_an_early_sleeper_does_next_comes_before_a_later_one_wakes() -> None:
    emulator = Emulator.open(None, world())
    seen: list[tuple[str, float]] = []

    async def poller() -> None:
        async with httpx2.AsyncClient(transport=emulator.transport()) as http:
            for until in (10.0, 20.0, 30.0):
                await emulator.clock.sleep_until(until)
                await http.get("http://emulator.local/health")
                seen.append(("poll", emulator.clock.monotonic()))

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(poller())
            group.create_task(emulator.clock.sleep_until(1000))

    asyncio.run(everybody())
    assert seen == [("poll", 10), ("poll", 20), ("poll", 30)]
    assert emulator.clock.monotonic() == 1000


def test_requests_in_flight_are_served_before_time_moves() -> None:
    emulator = Emulator.open(None, world())
    served_at: list[float] = []

    async def request() -> None:
        async with httpx2.AsyncClient(transport=emulator.transport()) as http:
            await http.get("http://emulator.local/health")
            served_at.append(emulator.clock.monotonic())

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(emulator.clock.sleep_until(60))
            for _ in range(20):
                group.create_task(request())

    asyncio.run(everybody())
    assert served_at == [0.0] * 20


def test_time_waits_for_tasks_that_are_still_on_their_way_to_a_request() -> None:
    emulator = Emulator.open(None, world())
    served_at: list[float] = []

    async def request(detours: int) -> None:
        if detours:
            await asyncio.create_task(request(detours - 1))
            return
        async with httpx2.AsyncClient(transport=emulator.transport()) as http:
            await http.get("http://emulator.local/health")
            served_at.append(emulator.clock.monotonic())

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(emulator.clock.sleep_until(60))
            group.create_task(request(8))

    asyncio.run(everybody())
    assert served_at == [0.0]


def test_cancelled_sleeper_holds_nobody_back() -> None:
    emulator = Emulator.open(None, world())

    async def everybody() -> None:
        early = asyncio.create_task(emulator.clock.sleep_until(10))
        late = asyncio.create_task(emulator.clock.sleep_until(20))
        early.cancel()
        await late

    asyncio.run(everybody())
    assert emulator.clock.monotonic() == 20


def test_time_stands_still_between_processes(tmp_path: Path) -> None:
    first = Emulator.open(tmp_path / "world.db", None)
    asyncio.run(first.clock.sleep_until(77))
    first.close()
    second = Emulator.open(tmp_path / "world.db", None)
    assert second.clock.monotonic() == 77
    second.close()


def test_time_never_goes_back() -> None:
    emulator = Emulator.open(None, world())
    emulator.advance(100)
    emulator.advance_to(50)
    emulator.advance(-30)
    assert emulator.clock.monotonic() == 100


def test_wall_clock_goes_on_from_wherever_others_have_moved_the_world() -> None:
    at = [100.0]
    wall = WallClock(7.0, speed=60.0, monotonic=lambda: at[0])
    assert wall.due_time(7.0) == 7.0
    wall.leave(7.0)
    at[0] += 1
    assert wall.due_time(7.0) == 67.0
    wall.leave(667.0)  # an advance was asked for in that turn
    at[0] += 1
    assert wall.due_time(667.0) == 727.0
    wall.leave(727.0)
    at[0] += 1
    assert wall.due_time(9000.0) == 9000.0  # another process was ahead
    wall.leave(9000.0)
    at[0] += 1
    assert wall.due_time(9000.0) == 9060.0
    wall.leave(9060.0)
    at[0] += 1
    assert wall.due_time(0.0) == 60.0  # it was reset


def test_two_wall_clocks_at_one_world_do_not_double_its_speed() -> None:
    at, time = [0.0], 0.0
    walls = [WallClock(0.0, speed=10.0, monotonic=lambda: at[0]) for _ in range(2)]
    for _ in range(50):
        at[0] += 0.5
        for wall in walls:
            time = wall.due_time(time)
            wall.leave(time)
    assert time == 250.0
