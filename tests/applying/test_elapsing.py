"""What has passed since a journal was written: of a release never more than is sure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.applying import (
    Elapsed,
    OnRung,
    RowGone,
    RunEnded,
    RungAwaited,
    RunOutcome,
    Stamp,
    Stamped,
    elapsed_of,
    resume,
    start,
)
from nvcfplan.model import StepId
from tests.applying.builders import CODEC, RUN, SETTINGS, Case, rolled, spec
from tests.applying.driver import Drive, Killed
from tests.budget import examples

if TYPE_CHECKING:
    from nvcfplan.applying import Record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STEP = StepId("await-released:function.chat@old")
GONE = RowGone(step=STEP, monotonic=1000.0)
RUNG = OnRung(function="chat", number=2)
INCOMPLETE = RunEnded(outcome=RunOutcome.INCOMPLETE, serial=4)
INTERRUPTED = RunEnded(outcome=RunOutcome.INTERRUPTED, serial=4)


def stamp(seconds: float, by: str = "ada@desk") -> Stamp:
    return Stamp(at=NOON + timedelta(seconds=seconds), by=by, epoch=1)


def written(record: Record, seconds: float = 0.0, by: str = "ada@desk") -> Stamped:
    return Stamped(record=record, stamp=stamp(seconds, by))


@pytest.mark.parametrize(
    ("wall", "process", "passed"),
    [(200, 1200, 200), (5000, 1200, 200), (200, 900, 0), (200, 9000, 200), (-5, 1200, 0)],
    ids=["alike", "wall set forward", "restarted", "another process clock", "wall set back"],
)
def test_of_a_release_the_clock_that_says_less_is_believed(
    wall: float, process: float, passed: float
) -> None:
    found = elapsed_of([written(GONE)], stamp(wall), process)

    assert found.gone == (((STEP, passed),) if passed else ())


def test_a_clock_that_was_set_back_in_between_is_not_believed_at_all() -> None:
    journal = [written(GONE), written(INTERRUPTED, -30)]

    assert elapsed_of(journal, stamp(300), 1300).gone == ()


def test_the_clock_of_another_machine_says_nothing_of_a_release() -> None:
    assert elapsed_of([written(GONE, by="ci@runner")], stamp(300), 1300).gone == ()
    assert elapsed_of([Stamped(record=GONE, stamp=None)], stamp(300), 1300).gone == ()


@settings(max_examples=examples(500))
@given(
    st.lists(st.integers(-1000, 1000), max_size=5), st.integers(0, 1000), st.integers(-5000, 5000)
)
def test_whatever_one_clock_does_no_more_counts_than_the_other_says(
    jumps: list[int], truly: int, process: int
) -> None:
    """Either the wall's clock is set, or the machine was started anew; not both at once."""
    times = [sum(jumps[: index + 1]) for index in range(len(jumps))]
    set_often = [written(GONE), *(written(INTERRUPTED, one) for one in times)]
    by_process = elapsed_of(set_often, stamp(sum(jumps) + truly), 1000 + truly)
    by_the_wall = elapsed_of([written(GONE)], stamp(truly), process)

    assert all(passed <= truly for _, passed in (*by_process.gone, *by_the_wall.gone))


def test_a_rung_is_waited_for_since_its_mark_until_the_run_ends() -> None:
    first = [written(RungAwaited(rung=RUNG))]

    assert elapsed_of(first, stamp(300), 0).awaited == ((RUNG, 300.0),)
    assert elapsed_of(first, stamp(-300), 0).awaited == ((RUNG, 0.0),)
    assert elapsed_of([*first, written(INTERRUPTED)], stamp(300), 0).awaited == ((RUNG, 300.0),)
    assert elapsed_of([*first, written(INCOMPLETE)], stamp(300), 0).awaited == ()


def killed_once_gone() -> Drive:
    case = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
    for moment in range(1, 100):
        made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service(), dies_at=moment)
        try:
            made.run()
        except Killed:
            if made.records and isinstance(made.records[-1], RowGone):
                return made
    raise AssertionError("no release was marked")


@pytest.mark.parametrize(("known", "until"), [(320.0, 360.0), (0.0, 320.0 + 360.0)])
def test_the_lag_of_a_release_ends_when_it_would_have_ended(known: float, until: float) -> None:
    made = killed_once_gone()
    gone_at = made.service.now
    made.service.advance_to(gone_at + 320)
    elapsed = Elapsed(gone=((STEP, known),) if known else ())
    context = replace(RUN, elapsed=elapsed)
    again = Drive(resume(made.records, context, SETTINGS, CODEC), made.service, list(made.records))

    assert again.run() is RunOutcome.APPLIED
    assert again.service.now - gone_at == pytest.approx(until)


def test_what_was_deployed_again_meanwhile_is_not_gone() -> None:
    made = killed_once_gone()
    case = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
    functions = case.service().functions
    for function, versions in functions.items():
        for version, stored in versions.items():
            made.service.functions[function][version] = stored
    context = replace(RUN, elapsed=Elapsed(gone=((STEP, 1000.0),)))
    again = Drive(resume(made.records, context, SETTINGS, CODEC), made.service, list(made.records))

    assert again.run() is not RunOutcome.APPLIED
    assert "deployed it again" in again.machine.causes[0].failure.message
