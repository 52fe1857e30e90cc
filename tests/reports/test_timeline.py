"""How much of each resource is in use as time goes on: as it was expected, and as it really was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvcfplan.plans import Deploy, Infeasible
from nvcfplan.reports import Curve, Operation, apply_report, find_curves, plan_report
from tests.documents import builders
from tests.views import runs
from tests.views.situations import SITUATIONS

PLANS = {
    name: plan
    for name, plan in SITUATIONS.items()
    if not isinstance(plan, Infeasible) and plan.steps
}


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("factor", [1.0, 2.5])
def test_a_run_that_takes_its_time_uses_what_was_expected_later(name: str, factor: float) -> None:
    plan = PLANS[name]
    run = apply_report(Operation.APPLY, plan, runs.slower(plan, factor=factor))
    for curve in find_curves(plan_report(plan), run):
        assert [replace(one, at=one.at / factor) for one in curve.actual] == list(curve.levels)


def test_without_a_run_there_is_nothing_that_was() -> None:
    assert all(one.actual == () for one in find_curves(plan_report(builders.rolling())))


def _of_the_pool(curves: tuple[Curve, ...]) -> list[int]:
    (found,) = [one for one in curves if one.row.resource.id == builders.H100]
    return [level.used for level in found.actual]


def test_a_step_that_failed_has_taken_nothing() -> None:
    plan = builders.delete_first()
    run = apply_report(Operation.APPLY, plan, runs.incomplete(plan))
    assert any(isinstance(one.task, Deploy) and one.acquire for one in plan.steps)
    assert _of_the_pool(find_curves(plan_report(plan), run)) == [8, 4]


def test_what_was_done_before_is_there_from_the_start() -> None:
    plan = builders.delete_first()
    events = (runs.began(plan, *plan.steps[:3]), *runs.slower(plan)[4:])
    run = apply_report(Operation.RESUME, plan, events)
    (found,) = [one for one in find_curves(plan_report(plan), run) if one.actual]
    assert [(level.at == 0.0, level.used) for level in found.actual] == [
        (True, 8), (True, 4), (False, 8),
    ]  # fmt: skip
