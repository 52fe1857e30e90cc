"""Where a run stands: counts, what is in flight, how long it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import Event, RollbackBegan, StepStarted, StepWaiting
from nvcfplan.plans import AwaitActive, Step, Task
from nvcfplan.reports import Progress, follow
from tests.documents import builders
from tests.views import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLLING = builders.rolling()
FIRST = ROLLING.steps[0]
ACTIVE = next(step for step in ROLLING.steps if isinstance(step.task, AwaitActive))


def _nothing(task: Task, planned: Sequence[Step]) -> float | None:
    del task, planned
    return None


def _stand(*events: Event) -> Progress:
    progress = Progress()
    for event in events:
        progress = follow(progress, event, _nothing)
    return progress


def _started(step: Step, at: float) -> StepStarted:
    return StepStarted(at=at, step=step.id, address=step.address, task=step.task)


def test_what_an_earlier_part_of_the_run_did_is_done() -> None:
    stand = _stand(runs.began(ROLLING, FIRST))
    assert (stand.done, stand.total) == (1, len(ROLLING.steps))


def test_a_step_is_in_flight_from_its_start_to_its_end() -> None:
    stand = _stand(runs.began(ROLLING), _started(FIRST, 1.0))
    assert [one.step for one in stand.in_flight] == [FIRST.id]
    stand = follow(stand, runs.succeeded(FIRST, 3.0), _nothing)
    assert (stand.in_flight, stand.done) == ((), 1)


def test_the_last_reason_seen_is_the_one_shown() -> None:
    waiting = StepWaiting(
        at=30.0,
        step=ACTIVE.id,
        address=ACTIVE.address,
        task=ACTIVE.task,
        reason="DEPLOYING, 0 of 2 instances running",
        elapsed_seconds=29.0,
    )
    stand = _stand(runs.began(ROLLING), _started(ACTIVE, 1.0), waiting)
    assert stand.in_flight[0].reason == waiting.reason
    assert stand.in_flight[0].elapsed(31.0) == 30.0


def test_the_whole_plan_is_expected_to_take_its_longest_chain() -> None:
    ends: dict[str, float] = {}
    for step in ROLLING.steps:
        after = max((ends[edge.step] for edge in step.depends_on), default=0.0)
        ends[step.id] = after + step.expected_seconds
    assert _stand(runs.began(ROLLING)).left(0.0) == max(ends.values())


def test_what_has_run_for_a_while_has_less_to_go() -> None:
    done = ROLLING.steps[: ROLLING.steps.index(ACTIVE)]
    events: list[Event] = [runs.began(ROLLING), *(runs.succeeded(step, 2.0) for step in done)]
    stand = _stand(*events, _started(ACTIVE, 10.0))
    before, after = stand.left(10.0), stand.left(40.0)
    assert before is not None
    assert after == before - 30.0


def test_history_is_trusted_more_than_the_plan() -> None:
    began = runs.began(ROLLING)
    usual = follow(Progress(), began, lambda _task, _planned: 1.0)
    assert usual.expected == (1.0,) * len(ROLLING.steps)


def test_a_step_that_takes_longer_than_expected_has_no_end_in_sight() -> None:
    stand = _stand(runs.began(ROLLING), _started(ACTIVE, 0.0))
    assert stand.in_flight[0].left(ACTIVE.expected_seconds + 1.0) is None


@pytest.mark.parametrize("is_failed", [True, False])
def test_once_something_fails_or_is_undone_nobody_knows_how_long(is_failed: bool) -> None:
    undo = RollbackBegan(at=5.0, cause=None, steps=(runs.UNDO,))
    event: Event = runs.failed(FIRST, 5.0) if is_failed else undo
    assert _stand(runs.began(ROLLING), event).left(5.0) is None


def test_undo_steps_are_counted_apart() -> None:
    events = runs.rolled_back(ROLLING)
    stand = _stand(*events[:-1])
    assert (stand.aside_done, len(stand.aside), stand.done) == (1, 1, 1)


def test_after_the_end_nothing_is_in_flight() -> None:
    stand = _stand(*runs.interrupted(ROLLING))
    assert stand.is_over
    assert stand.in_flight == ()
