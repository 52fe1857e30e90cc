"""What is watched for after a run, and for how long."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nvcfplan.applying import RunOutcome, resume, start, state_after, undo
from nvcfplan.model import AccountIdentity, OperationId, RunId, State
from nvcfplan.plans import CreateVersion
from tests.applying.builders import CODEC, RUN, SETTINGS, Case, rolled, spec
from tests.applying.driver import Drive, Killed
from tests.applying.service import Fault

ROLLING = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMPTY = State(
    lineage="l",
    serial=3,
    account=AccountIdentity(endpoint="http://fake", org=None, nca_id=None),
    stack="demo",
    environment="default",
    secret_key="00",
)


def after(done: Drive, before: State = EMPTY, *, now: datetime = NOW) -> State:
    return state_after(before, ROLLING.plan, done.records, codec=CODEC, fingerprints={}, now=now)


def drive(**marks: int) -> Drive:
    return Drive(start(ROLLING.plan, RUN, SETTINGS, CODEC), ROLLING.service(), **marks)  # type: ignore[arg-type]  # only marks


def test_what_was_lost_is_watched_for_from_then_on_and_not_for_ever() -> None:
    done = drive()
    done.service.faults = {1: Fault.DROPPED}
    done.run()
    lost = done.calls[0].operation

    first = after(done)
    assert first.watched_since == ((lost, NOW),)

    other = replace(RUN, run=RunId("run-2"))
    clean = Drive(start(ROLLING.plan, other, SETTINGS, CODEC), ROLLING.service())
    clean.run()
    assert after(clean, first, now=NOW + timedelta(days=29)).watched == (lost,)
    assert after(clean, first, now=NOW + timedelta(days=30)).watched == ()


def test_one_of_which_it_is_not_known_since_when_is_watched_for_from_now_on() -> None:
    old = replace(EMPTY, watched=(OperationId("OLD"),))
    done = drive()
    done.run()
    assert after(done, old).watched_since == ((OperationId("OLD"), NOW),)


def test_a_call_that_a_resumed_run_finds_again_is_watched_for_no_more() -> None:
    """An interrupted run had written its state while the call was in doubt."""
    done = drive(dies_at=8)
    with contextlib.suppress(Killed):
        done.run()
    lost = next(one for one in done.calls if isinstance(one.task, CreateVersion)).operation
    in_doubt = replace(EMPTY, watched=(lost,), watched_since=((lost, NOW),))

    again = Drive(resume(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))
    assert again.run() is RunOutcome.APPLIED
    assert after(again, in_doubt).watched == ()


def test_a_call_whose_work_was_undone_is_watched_for_as_it_may_come_twice() -> None:
    done = drive()
    done.run()
    made = next(one for one in done.calls if isinstance(one.task, CreateVersion)).operation

    again = Drive(undo(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))
    assert again.run() is RunOutcome.ROLLED_BACK
    assert after(again).watched == (made,)
