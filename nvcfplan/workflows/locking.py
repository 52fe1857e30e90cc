"""The lease of a stack: taken, waited for, looked at, and taken away from whoever is gone.

Clocks of other machines are never compared: whoever waits watches the holder's heartbeat, and only
one that has stood still for the lease's whole time, by our own clock, is taken to be dead.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import Clock, Errand, Lease, LeaseBreaker, LeaseSeen
from nvcfplan.errors import LockHeld, StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nvcfplan.applying import StateStore
    from nvcfplan.workflows.ports import Actor
    from nvcfplan.workflows.reading import Scope

LEASE_SECONDS: Final = 60
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a lease that another holds is waited for, in seconds of `clock`, a real one.

    `waits` is told once whom we wait for.
    """

    seconds: float
    locks: LeaseBreaker
    clock: Clock
    waits: Callable[[LeaseSeen], None]


class Pulse(StrEnum):
    """GONE: nobody holds it any more, or another. STILL: not a beat for the lease's whole time."""

    GONE = "gone"
    BEATING = "beating"
    STILL = "still"
    DEAD = "dead"


@asynccontextmanager
async def held(
    scope: Scope, store: StateStore, actor: Actor, *, operation: str, patience: Patience | None
) -> AsyncIterator[Lease]:
    """Raises: LockHeld; StoreError where the store cannot keep two writers apart."""
    await store.probe()
    errand = Errand(operation=operation, tool_version=actor.tool_version, link=actor.link)
    lease = await _acquired(scope, store, actor.name, errand=errand, patience=patience)
    try:
        yield lease
    finally:
        # A lease that cannot be given back runs out by itself; the result matters more.
        with suppress(StoreError):
            await store.release(lease)


async def take_pulse(scope: Scope, seen: LeaseSeen, locks: LeaseBreaker, clock: Clock) -> Pulse:
    """Of the holder that was seen; takes the lease's whole time where there is none."""
    if seen.is_dead:
        return Pulse.DEAD
    until = clock.monotonic() + seen.ttl_seconds
    while True:
        found = await locks.lease(str(scope))
        if found is None or found.token != seen.token:
            return Pulse.GONE
        if found.is_dead:
            return Pulse.DEAD
        if found.heartbeat != seen.heartbeat:
            return Pulse.BEATING
        now = clock.monotonic()
        if now >= until:
            return Pulse.STILL
        await clock.sleep_until(min(now + _LOOK_SECONDS, until))


async def wait_until_free(scope: Scope, store: StateStore, patience: Patience, owner: str) -> None:
    """Raises: LockHeld, once patience is out."""
    waiting = _Waiting(scope, patience, owner)
    while True:
        try:
            await store.refuse_held(str(scope))
        except LockHeld:
            if not await waiting.goes_on():
                raise
        else:
            return


async def _acquired(
    scope: Scope, store: StateStore, owner: str, *, errand: Errand, patience: Patience | None
) -> Lease:
    waiting = None if patience is None else _Waiting(scope, patience, owner)
    while True:
        try:
            return await store.acquire(str(scope), owner, LEASE_SECONDS, errand)
        except LockHeld:
            if waiting is None or not await waiting.goes_on():
                raise


class _Waiting:
    """For a lease that another holds; a holder that is gone loses it."""

    def __init__(self, scope: Scope, patience: Patience, owner: str) -> None:
        self._scope = scope
        self._patience = patience
        self._owner = owner
        self._deadline = patience.clock.monotonic() + patience.seconds
        self._watched: LeaseSeen | None = None
        self._beaten_at = 0.0

    async def goes_on(self) -> bool:
        """After a moment, or at once when there is something new. False: patience is out."""
        patience, clock = self._patience, self._patience.clock
        now = clock.monotonic()
        found = await patience.locks.lease(str(self._scope))
        if found is None:
            return True
        if self._watched is None:
            patience.waits(found)
        if self._watched is None or _beat(self._watched) != _beat(found):
            self._watched, self._beaten_at = found, now
        elif now - self._beaten_at >= found.ttl_seconds:
            by = f"{self._owner}, who saw no renewal for {found.ttl_seconds} s"
            await patience.locks.break_lease(str(self._scope), found, by)
            return True
        if now >= self._deadline:
            return False
        await clock.sleep_until(min(now + _LOOK_SECONDS, self._deadline))
        return True


def _beat(seen: LeaseSeen) -> tuple[str, int]:
    return seen.token, seen.heartbeat
