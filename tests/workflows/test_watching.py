"""Each account is looked at on its own time, never twice at once, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from nvcfplan.applying import Clock
from nvcfplan.drifting import Rota
from nvcfplan.reports import RoundReport
from nvcfplan.workflows import Post, Tick, Watch, watch
from tests.fakes import START

if TYPE_CHECKING:
    from datetime import datetime


async def a_turn() -> None:
    """For all others that wait."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(done.set_result, None)
    await done


class Time(Clock):
    """Goes on only when somebody waits, to where they wait for."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep_until(self, monotonic: float) -> None:
        await a_turn()
        self.seconds = max(self.seconds, monotonic)


@dataclass
class Look(Post):
    """Does what it is given; `began`: when."""

    time: Time
    does: Callable[[int], Awaitable[None]]
    began: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "acme"

    async def look(self) -> RoundReport:
        self.began.append(self.time.seconds)
        await self.does(len(self.began))
        return RoundReport(began=self.time.now(), looks=(), failed=(), requests=0)


def watched(
    does: Callable[[int], Awaitable[None]], time: Time, stop: asyncio.Event, *, grace: float = 0.0
) -> tuple[Look, list[Tick]]:
    look, ticks = Look(time, does), list[Tick]()
    settings = Watch(
        rota=Rota(every=900), clock=time, chance=lambda: 0.5, heard=ticks.append, grace=grace
    )
    asyncio.run(watch((look,), settings, stop))
    return look, ticks


def test_it_looks_at_once_and_then_every_so_often_a_little_late() -> None:
    stop = asyncio.Event()

    async def does(number: int) -> None:
        if number == 4:
            stop.set()

    look, ticks = watched(does, Time(), stop, grace=1.0)
    assert look.began == [0.0, 915.0, 1815.0, 2715.0]
    assert [one.missed for one in ticks] == [0, 0, 0, 0]


def test_a_look_that_takes_long_is_not_overtaken_by_the_next() -> None:
    stop, time = asyncio.Event(), Time()

    async def does(number: int) -> None:
        if number == 1:
            time.seconds += 2000
        else:
            stop.set()

    look, ticks = watched(does, time, stop, grace=1.0)
    assert look.began == [0.0, 2715.0]
    assert (ticks[0].missed, ticks[0].seconds, ticks[0].next_in) == (2, 2000.0, 715.0)


def test_told_to_stop_while_it_waits_it_looks_no_more() -> None:
    stop = asyncio.Event()
    stop.set()
    look, ticks = watched(lambda _: a_turn(), Time(), stop)
    assert (look.began, ticks) == ([], [])


def test_a_look_in_flight_is_cut_off_when_the_grace_is_over() -> None:
    stop = asyncio.Event()
    was_cut = False

    async def does(number: int) -> None:
        nonlocal was_cut
        del number
        stop.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            was_cut = True
            raise

    _, ticks = watched(does, Time(), stop)
    assert was_cut
    assert ticks == []
