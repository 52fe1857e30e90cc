"""The shell over fakes of the ports: what is performed, renewed, given up, and raised."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from nvcfplan.applying import (
    ApplyPorts,
    Event,
    Intent,
    Interrupted,
    Outcome,
    ReadEverything,
    Record,
    RunEnded,
    RunOutcome,
    StepWaiting,
    Survey,
    Unanswered,
    execute,
    resume,
    start,
)
from nvcfplan.documents import decode_record, encode_record
from nvcfplan.errors import Forbidden, RemoteError, RemoteUnavailable, StoreError, Unauthorized
from tests.applying.builders import CODEC, RUN, SETTINGS, Case, rolled, spec
from tests.applying.service import Service
from tests.fakes import FakeClock, FakePerformer, FakeReader, MemoryStore

CASE = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
HASTY = replace(SETTINGS, interrupt_grace=0.05)


@dataclass
class Stage:
    """`hangs`: the call of that number is never answered. Interrupts as often as `presses`."""

    hangs: int | None = None
    presses: int = 0
    store: MemoryStore = field(default_factory=MemoryStore)
    service: Service = field(default_factory=CASE.service)
    blind: int = 0
    trouble: RemoteError = field(
        default_factory=lambda: RemoteUnavailable("bad gateway", route="GET /functions", status=502)
    )
    renew_seconds: float = 0
    events: list[Event] = field(default_factory=list)
    outcome: RunOutcome | None = None

    def run(self) -> Stage:
        asyncio.run(self._run())
        return self

    @property
    def records(self) -> list[Record]:
        decoded = [decode_record(one) for one in self.store.journals.get(RUN.run, ())]
        return [one for one in decoded if one is not None]

    async def _survey(self, _asked: ReadEverything) -> Survey:
        return Survey(self.service.account(), self.service.live())

    async def _run(self) -> None:
        performer = FakePerformer(self.service, hangs=self.hangs)
        ports = ApplyPorts(
            store=self.store,
            reader=FakeReader(self.service, [self.trouble] * self.blind),
            performer=performer,
            clock=FakeClock(self.service),
            encode_record=encode_record,
            survey=self._survey,
            renew_seconds=self.renew_seconds,
        )
        lease = self.store.lease or await self.store.acquire("demo@default", "me", 60)
        records = self.records
        machine = (
            resume(records, RUN, HASTY, CODEC) if records else start(CASE.plan, RUN, HASTY, CODEC)
        )
        interrupts: asyncio.Queue[Interrupted] = asyncio.Queue()

        async def press() -> None:
            await performer.hung.wait()
            for times in range(1, self.presses + 1):
                interrupts.put_nowait(Interrupted(times))

        pressing = asyncio.create_task(press())
        try:
            self.outcome = await execute(
                machine,
                ports,
                run=RUN.run,
                lease=lease,
                sequence=len(records),
                interrupts=interrupts,
                listener=self.events.append,
            )
        finally:
            pressing.cancel()


def test_a_plan_is_applied_over_the_ports() -> None:
    stage = Stage().run()

    assert stage.outcome is RunOutcome.APPLIED
    assert stage.service.names() == ["chat"]
    assert isinstance(stage.records[-1], RunEnded)


def test_the_journal_reads_back_as_it_was_asked_for() -> None:
    stage = Stage().run()

    intents = [one.operation for one in stage.records if isinstance(one, Intent)]
    assert intents == [call.operation for call in stage.service.calls]


def test_the_lease_is_renewed_while_waiting() -> None:
    stage = Stage().run()

    assert stage.service.now > 120
    assert stage.store.renewals > 3


def test_the_lease_lasts_in_real_time_however_fast_the_clock_runs() -> None:
    stage = Stage(renew_seconds=15).run()

    assert stage.service.now > 120
    assert stage.store.renewals == 1, "verified once before anything is sent"


def test_an_interrupt_leaves_the_call_in_flight_to_be_settled() -> None:
    stage = Stage(hangs=2, presses=1).run()

    assert stage.outcome is RunOutcome.INTERRUPTED
    last = stage.records[-2]
    assert isinstance(last, Outcome)
    assert isinstance(last.result, Unanswered)
    assert len(stage.service.calls) == 1


def test_an_interrupted_run_is_resumed_to_its_end() -> None:
    stage = Stage(hangs=2, presses=1).run()
    stage.hangs, stage.presses = None, 0

    assert stage.run().outcome is RunOutcome.APPLIED
    assert len(stage.service.calls) == 3


def test_a_second_interrupt_leaves_at_once() -> None:
    stage = Stage(hangs=2, presses=2).run()

    assert stage.outcome is RunOutcome.INTERRUPTED
    assert isinstance(stage.records[-1], Intent)


def test_nothing_is_sent_once_the_lease_is_lost() -> None:
    stage = Stage(store=MemoryStore(stolen_at=4)).run()

    assert stage.outcome is RunOutcome.INCOMPLETE
    assert len(stage.service.calls) == 1
    assert len(stage.records) == 4


def test_a_journal_that_cannot_be_written_ends_the_run_with_the_reason() -> None:
    stage = Stage(store=MemoryStore(full_at=2))

    with pytest.raises(StoreError, match="no space left"):
        stage.run()
    assert stage.service.calls == [], "the intent was not written, so nothing was sent"


def test_a_lease_that_cannot_be_renewed_ends_the_run_with_the_reason() -> None:
    stage = Stage(store=MemoryStore(is_deaf=True))

    with pytest.raises(StoreError, match="the disk is gone"):
        stage.run()
    assert stage.service.now < 60, "it did not go on without its lease"


def test_reads_that_fail_for_a_while_are_repeated() -> None:
    stage = Stage(blind=3).run()

    assert stage.outcome is RunOutcome.APPLIED
    reasons = [event.reason for event in stage.events if isinstance(event, StepWaiting)]
    assert any("cannot be read: bad gateway" in reason for reason in reasons)


@pytest.mark.parametrize(("error", "status"), [(Forbidden, 403), (Unauthorized, 401)])
def test_a_key_that_is_not_accepted_any_more_is_not_waited_out(
    error: type[RemoteError], status: int
) -> None:
    denied = error("Access Denied", route="GET /functions", status=status)
    stage = Stage(blind=10_000, trouble=denied).run()

    assert stage.outcome is not RunOutcome.APPLIED
    assert stage.service.now < 5 * HASTY.denied_limit
    reasons = [event.reason for event in stage.events if isinstance(event, StepWaiting)]
    assert any("Access Denied" in reason for reason in reasons)


def test_a_gateway_that_forgets_the_key_for_a_moment_ends_nothing() -> None:
    denied = Unauthorized("Access Denied", route="GET /functions", status=401)
    assert Stage(blind=2, trouble=denied).run().outcome is RunOutcome.APPLIED
