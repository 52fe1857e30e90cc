"""Who cannot renew the lease begins nothing while somebody else might hold it; time is virtual."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.applying import ApplyPorts, Interrupted, RunOutcome, execute, start
from nvcfplan.applying.tenure import Tenure
from nvcfplan.documents import encode_record
from nvcfplan.errors import StoreError
from tests.applying.builders import CODEC, RUN, SETTINGS, Case, rolled, spec
from tests.budget import examples
from tests.fakes import FakeClock, FakePerformer, FakeReader, MemoryStore

if TYPE_CHECKING:
    from nvcfplan.applying import Call, Done, Lease, ReadEverything, Refused, Survey, Unanswered
    from tests.applying.service import Service

CASE = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
LEASE, RENEW = 60.0, 15.0


class JumpingSelector(selectors.SelectSelector):
    """Nothing is waited for: the clock jumps to where the waiting would end."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def now() -> float:
    return asyncio.get_running_loop().time()


async def passed(seconds: float) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, ended.set)
    await ended.wait()


class PatchyStore(MemoryStore):
    """It does not renew within `gaps`; `is_silent`: nor does it answer until they are over."""

    gaps: tuple[tuple[float, float], ...] = ()
    is_silent = False
    renewed_at = -1.0

    async def renew(self, lease: Lease) -> Lease:
        begun = now()
        for begins, ends in self.gaps:
            if begins <= begun < ends:
                if not self.is_silent:
                    raise StoreError("the disk is gone")
                await passed(ends - begun)
        self.renewed_at = begun
        return await super().renew(lease)


class SlowPerformer(FakePerformer):
    """Each call takes its time; when each was begun, and how old the renewal was then."""

    def __init__(self, service: Service, store: PatchyStore, seconds: float) -> None:
        super().__init__(service)
        self._store = store
        self._seconds = seconds
        self.ages: list[float] = []

    async def perform(self, call: Call) -> Done | Refused | Unanswered:
        self.ages.append(now() - self._store.renewed_at)
        await passed(self._seconds)
        return await super().perform(call)


@dataclass
class Stage:
    gaps: tuple[tuple[float, float], ...] = ()
    is_silent: bool = False
    seconds: float = 10.0
    ages: list[float] = field(default_factory=list)
    ended_at: float = 0.0

    def run(self) -> RunOutcome:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(self._run())

    async def _run(self) -> RunOutcome:
        store, service = PatchyStore(), CASE.service()
        store.gaps, store.is_silent = self.gaps, self.is_silent
        performer = SlowPerformer(service, store, self.seconds)

        async def no_survey(_asked: ReadEverything) -> Survey:
            raise AssertionError("the stack has no ladder")

        ports = ApplyPorts(
            store=store,
            reader=FakeReader(service),
            performer=performer,
            clock=FakeClock(service),
            encode_record=encode_record,
            survey=no_survey,
            lease_seconds=LEASE,
            renew_seconds=RENEW,
        )
        interrupts: asyncio.Queue[Interrupted] = asyncio.Queue()
        try:
            return await execute(
                start(CASE.plan, RUN, SETTINGS, CODEC),
                ports,
                run=RUN.run,
                lease=await store.acquire("demo@default", "me", 60),
                sequence=0,
                interrupts=interrupts,
                listener=lambda _event: None,
            )
        finally:
            self.ages, self.ended_at = performer.ages, now()


def test_a_store_that_is_gone_for_a_moment_holds_calls_up_and_ends_nothing() -> None:
    stage = Stage(gaps=((12.0, 40.0),))

    assert stage.run() is RunOutcome.APPLIED
    assert stage.ages == [0.0, 10.0, 0.0]
    assert max(stage.ages) <= RENEW


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_store_that_stays_gone_ends_the_run_while_a_third_of_the_lease_is_left(
    is_silent: bool,
) -> None:
    stage = Stage(gaps=((12.0, 1e6),), is_silent=is_silent)

    with pytest.raises(StoreError, match=r"the disk is gone|could not be renewed in time"):
        stage.run()
    assert 39 <= stage.ended_at <= 40
    assert len(stage.ages) == 2, "what was due after the renewal failed was not begun"


@settings(max_examples=examples(300))
@given(
    st.lists(st.tuples(st.floats(0, 120), st.floats(1, 60)), max_size=4),
    st.booleans(),
    st.floats(0.5, 30),
)
def test_no_call_is_begun_in_the_last_third_of_a_lease(
    gaps: list[tuple[float, float]], is_silent: bool, seconds: float
) -> None:
    stage = Stage(tuple((at, at + lasts) for at, lasts in gaps), is_silent, seconds)
    try:
        outcome = stage.run()
    except StoreError:
        outcome = None

    assert all(age < LEASE * 2 / 3 for age in stage.ages)
    assert outcome in (RunOutcome.APPLIED, None)
    assert outcome or gaps


@settings(max_examples=examples(1000))
@given(st.integers(1, 10_000), st.integers(1, 100), st.integers(0, 10**6), st.integers(0, 10_000))
def test_whoever_may_begin_has_a_third_left_before_anybody_takes_over(
    thirds: int, renew: int, begun: int, later: int
) -> None:
    """Whoever waits sees the renewal when it is made, and that is not before it was begun."""
    fresh = Tenure(lease_seconds=3 * thirds, renew_seconds=renew)
    held, then = fresh.renewed(begun), begun + later

    assert not fresh.may_begin(then)
    if held.may_begin(then):
        assert then < begun + 2 * thirds
        assert held.seconds_left(then) > 0
    else:
        assert held.seconds_left(then) == 0
