"""Looks again and again, at each account on its own time, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from nvcfplan.applying import Clock
from nvcfplan.drifting import Rota, Turn
from nvcfplan.reports import RoundReport

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

T = TypeVar("T")


class Post(Protocol):
    """An account, with the stacks in it."""

    @property
    def name(self) -> str: ...

    async def look(self) -> RoundReport:
        """Raises nothing of the world: what could not be looked at is in the report."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One round of a post. `seconds`: it took. `missed`: turns that had to be left out for it.

    `next_in`: seconds until the next one begins.
    """

    post: str
    report: RoundReport
    seconds: float
    missed: int
    next_in: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """`chance`: from 0 to below 1, anew each time. `heard` is told of each round that ended.

    `grace`: real seconds that a look in flight may go on once it is told to stop.
    """

    rota: Rota
    clock: Clock
    chance: Callable[[], float]
    heard: Callable[[Tick], None]
    grace: float = 5.0


async def watch(posts: Sequence[Post], settings: Watch, stop: asyncio.Event) -> None:
    """Until `stop` is set; what is in flight then has a few seconds more."""
    async with asyncio.TaskGroup() as group:
        for post in posts:
            group.create_task(_keep(post, settings, stop))


async def _keep(post: Post, settings: Watch, stop: asyncio.Event) -> None:
    clock = settings.clock
    turn = settings.rota.first(clock.monotonic())
    while await _reached(turn, clock, stop):
        began = clock.monotonic()
        report = await _unless_stopped(post.look(), stop, settings.grace)
        if report is None:
            return
        now = clock.monotonic()
        turn = settings.rota.next(turn, now, settings.chance())
        settings.heard(
            Tick(
                post=post.name,
                report=report,
                seconds=now - began,
                missed=turn.missed,
                next_in=max(0.0, turn.begins - now),
            )
        )


async def _reached(turn: Turn, clock: Clock, stop: asyncio.Event) -> bool:
    """False: told to stop before it was."""
    if stop.is_set():
        return False
    await _first(clock.sleep_until(turn.begins), stop)
    return not stop.is_set()


async def _unless_stopped(
    work: Coroutine[Any, Any, T], stop: asyncio.Event, grace: float
) -> T | None:
    """None: told to stop, and it did not end within the grace; what it wrote is whole."""
    task = await _first(work, stop, grace=grace)
    return None if task.cancelled() else task.result()


async def _first(
    work: Coroutine[Any, Any, T], stop: asyncio.Event, *, grace: float = 0.0
) -> asyncio.Task[T]:
    """Ended, or cancelled once `stop` was set and the grace was over."""
    task = asyncio.ensure_future(work)
    told = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=grace)
    finally:
        told.cancel()
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return task
