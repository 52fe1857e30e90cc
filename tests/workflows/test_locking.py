"""A lock is waited for, watched and taken away by our own clock, over the store on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.applying import Errand, Lease, LeaseSeen
from nvcfplan.errors import LockHeld
from nvcfplan.workflows import Actor, Patience, Pulse, Scope, take_pulse
from nvcfplan.workflows.locking import held
from tests.adapters.fakes import FakeClock, run

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("shop", "default")
ME = Actor(name="me@here", tool_version="1", link="https://ci.example/7")
ADA = "ada@desk"


class Beating(FakeClock):
    """While it sleeps the holder renews, or gives the lock back, at the second that is named."""

    def __init__(self, store: LocalStore, lease: Lease) -> None:
        super().__init__()
        self.store, self.lease = store, lease
        self.beats_every: float | None = None
        self.gives_back_at: float | None = None

    async def sleep_until(self, monotonic: float) -> None:
        before = self.seconds
        await super().sleep_until(monotonic)
        if self.beats_every and before // self.beats_every != self.seconds // self.beats_every:
            await self.store.renew(self.lease)
        if self.gives_back_at is not None and self.seconds >= self.gives_back_at:
            await self.store.release(self.lease)


def _holder(root: Path, *, elsewhere: bool = True) -> tuple[LocalStore, Beating]:
    """Held by another machine's process: whether that lives cannot be known."""
    store = LocalStore(root)
    lease = run(store.acquire(str(SCOPE), ADA, 60, Errand(operation="apply")))
    if elsewhere:
        path = root / ".nvcfplan" / "state" / str(SCOPE) / "lease.json"
        fields = json.loads(path.read_text())
        fields["process"]["machine"] = "elsewhere"
        path.write_text(json.dumps(fields))
    return store, Beating(store, lease)


def _seen(store: LocalStore) -> LeaseSeen:
    found = run(store.lease(str(SCOPE)))
    assert found is not None
    return found


def _take(store: LocalStore, clock: Beating, seconds: float) -> tuple[Lease, list[str]]:
    told: list[str] = []
    patience = Patience(
        seconds=seconds, locks=store, clock=clock, waits=lambda one: told.append(one.holder)
    )

    async def take() -> Lease:
        async with held(SCOPE, store, ME, operation="apply", patience=patience) as lease:
            return lease

    return run(take()), told


def test_a_heartbeat_that_rises_is_a_life(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path)
    clock.beats_every = 15
    assert run(take_pulse(SCOPE, _seen(store), store, clock)) is Pulse.BEATING
    assert clock.seconds == 15


def test_a_heartbeat_that_stands_still_is_watched_for_the_whole_time(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path)
    assert run(take_pulse(SCOPE, _seen(store), store, clock)) is Pulse.STILL
    assert clock.seconds == 60


def test_a_lock_given_back_meanwhile_needs_no_breaking(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path)
    clock.gives_back_at = 7
    assert run(take_pulse(SCOPE, _seen(store), store, clock)) is Pulse.GONE
    assert clock.seconds == 7


def test_a_process_known_to_have_ended_is_not_watched(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path)
    dead = replace(_seen(store), is_dead=True)
    assert run(take_pulse(SCOPE, dead, store, clock)) is Pulse.DEAD
    assert clock.seconds == 0


def test_who_waits_gets_the_lock_as_soon_as_it_is_given_back(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path, elsewhere=False)
    clock.beats_every, clock.gives_back_at = 15, 90
    lease, told = _take(store, clock, seconds=600)
    assert (lease.owner, lease.epoch, clock.seconds) == ("me@here", 2, 90)
    assert len(told) == 1
    assert told[0].startswith(ADA)


def test_patience_ends_while_the_holder_lives(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path)
    clock.beats_every = 15
    with pytest.raises(LockHeld) as caught:
        _take(store, clock, seconds=300)
    assert clock.seconds == 300
    assert caught.value.holder.startswith(ADA)


def test_who_waits_takes_the_lock_of_a_holder_that_stands_still(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path)
    lease, _ = _take(store, clock, seconds=600)
    assert clock.seconds == 60
    assert lease.epoch == 3, "breaking it raised the epoch, and so did taking it"


def test_a_holder_that_stands_still_keeps_the_lock_until_its_time_is_over(tmp_path: Path) -> None:
    store, clock = _holder(tmp_path)
    with pytest.raises(LockHeld):
        _take(store, clock, seconds=59)


def test_what_a_lock_is_held_for_can_be_read(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)

    async def look() -> LeaseSeen | None:
        async with held(SCOPE, store, ME, operation="destroy", patience=None):
            return await store.lease(str(SCOPE))

    seen = run(look())
    assert seen is not None
    assert seen.errand == Errand(operation="destroy", tool_version="1", link=ME.link)
    assert run(store.lease(str(SCOPE))) is None
