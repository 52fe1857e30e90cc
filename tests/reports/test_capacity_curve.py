from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.model import StepId, VersionId, canonical_json, function_address
from nvcfplan.plans import (
    After,
    AwaitActive,
    Bound,
    Deploy,
    Order,
    Plan,
    PreImage,
    Step,
    Undeploy,
    step_id,
)
from nvcfplan.reports import Fit, capacity_rows, find_exposures, find_interruptions
from tests.documents import builders
from tests.documents.builders import H100, L40S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.reports import CapacityRow


def row_of(plan: Plan, resource: str = H100) -> CapacityRow:
    return next(row for row in capacity_rows(plan) if row.resource.id == resource)


@st.composite
def small_plans(draw: st.DrawFn) -> Plan:
    """Up to six steps in any order that allows, each taking or giving or neither."""
    template = builders.rolling().steps[0]
    steps: list[Step] = []
    for index in range(draw(st.integers(0, 6))):
        before = [one.id for one in steps if draw(st.booleans())]
        taken, given_ = draw(st.integers(0, 4)), draw(st.integers(0, 4))
        steps.append(
            replace(
                template,
                id=StepId(f"s{index}"),
                depends_on=tuple(After(one, Order.REQUIRES) for one in before),
                acquire=builders.charges(taken) if taken else (),
                release=builders.charges(given_) if given_ else (),
            )
        )
    resource = builders.resource(H100, limit=8, before=draw(st.integers(0, 8)))
    return builders.plan(resources=(resource,), steps=tuple(steps))


def states(steps: tuple[Step, ...]) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Every (started, ended) that some interleaving can reach, by trying all."""
    names = [step.id for step in steps]
    needs = {step.id: {edge.step for edge in step.depends_on} for step in steps}
    subsets = [
        frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)
    ]
    for ended in subsets:
        if not all(needs[one] <= ended for one in ended):
            continue
        ready = {one for one in names if needs[one] <= ended}
        yield from ((started, ended) for started in subsets if ended <= started <= ready)


@settings(max_examples=120)
@given(plan=small_plans())
def test_the_peak_is_the_most_that_any_interleaving_can_use(plan: Plan) -> None:
    taken = {step.id: sum(charge.units for charge in step.acquire) for step in plan.steps}
    given_ = {step.id: sum(charge.units for charge in step.release) for step in plan.steps}
    worst = max(
        sum(taken[StepId(one)] for one in started) - sum(given_[StepId(one)] for one in ended)
        for started, ended in states(plan.steps)
    )
    row = row_of(plan)
    assert row.peak == row.resource.before + worst
    assert row.after == row.resource.before + sum(taken.values()) - sum(given_.values())


@settings(max_examples=60)
@given(plan=small_plans())
def test_the_peak_is_never_below_before_or_after(plan: Plan) -> None:
    row = row_of(plan)
    assert row.peak >= max(row.resource.before, row.after)


def test_a_step_that_waits_for_a_release_does_not_count_beside_it() -> None:
    row = row_of(builders.rolling())
    assert (row.resource.before, row.peak, row.after) == (6, 8, 6)
    assert row.fit is Fit.FITS


def test_without_the_funding_edge_both_count_at_once_and_the_plan_no_longer_fits() -> None:
    plan = builders.rolling()
    takes = step_id(Deploy(builders.version("rerank", "new"), ()))
    loose = tuple(
        replace(one, depends_on=one.depends_on[:1]) if one.id == takes else one
        for one in plan.steps
    )
    row = row_of(replace(plan, steps=loose))
    assert row.peak == 10
    assert row.fit is Fit.AT_RISK


def test_the_step_of_the_peak_is_the_one_that_takes_last() -> None:
    chat = step_id(Deploy(builders.version("chat", "new"), ()))
    assert row_of(builders.rolling()).peak_step == chat


def test_a_resource_that_only_shrinks_has_its_peak_before_any_step() -> None:
    row = row_of(builders.heterogeneous())
    assert (row.peak, row.peak_step, row.after) == (8, None, 2)


def test_a_resource_without_a_limit_is_not_checked() -> None:
    plan = builders.delete_first()
    unknown = tuple(replace(one, limit=None) for one in plan.resources)
    assert row_of(replace(plan, resources=unknown)).fit is Fit.NOT_CHECKED


def test_declared_headroom_counts_as_used() -> None:
    plan = builders.rolling()
    tight = tuple(replace(one, headroom=1) for one in plan.resources)
    assert row_of(replace(plan, resources=tight)).fit is Fit.AT_RISK


def test_a_pool_that_others_have_overfilled_fits_a_plan_that_takes_nothing() -> None:
    plan = builders.plan(resources=(builders.resource(H100, limit=8, before=11),))
    row = row_of(plan)
    assert row.fit is Fit.FITS
    assert not row.is_touched


def test_what_an_infeasible_plan_lacks_is_a_violation() -> None:
    row = capacity_rows(builders.infeasible())[0]
    assert row.fit is Fit.VIOLATION
    assert row.is_touched


def test_a_bound_that_depends_on_landing_is_at_risk_when_broken() -> None:
    row = row_of(builders.heterogeneous(), L40S)
    assert row.resource.bound is Bound.SUFFICIENT
    assert row.fit is Fit.AT_RISK


def test_a_long_chain_is_no_trouble() -> None:
    template = builders.rolling().steps[0]
    steps = tuple(
        replace(
            template,
            id=StepId(f"s{index:05}"),
            depends_on=(After(StepId(f"s{index - 1:05}"), Order.REQUIRES),) if index else (),
            acquire=builders.charges(1) if index % 2 == 0 else (),
            release=builders.charges(1) if index % 2 else (),
        )
        for index in range(2_000)
    )
    plan = builders.plan(resources=(builders.resource(H100, limit=8, before=0),), steps=steps)
    assert row_of(plan).peak == 1


def test_create_first_has_no_gap() -> None:
    plan = builders.rolling()
    assert find_interruptions(plan) == ()
    assert find_exposures(plan) == ()


def test_delete_first_has_a_gap_from_the_undeploy_to_the_end_of_the_wait() -> None:
    (gap,) = find_interruptions(builders.delete_first())
    assert gap.begins == step_id(Undeploy(builders.version("chat", "old"), graceful=True))
    assert gap.ends == step_id(AwaitActive(builders.version("chat", "new")))
    assert gap.expected_seconds == 5 + 360 + 5 + 180


def test_what_is_given_up_before_the_successor_is_safe_is_the_exposure() -> None:
    (exposure,) = find_exposures(builders.delete_first())
    assert (exposure.resource, exposure.units) == (H100, 4)


def test_a_removed_function_has_ended_which_is_no_gap() -> None:
    assert find_interruptions(builders.heterogeneous()) == ()


def test_replacing_a_version_that_is_in_error_is_no_gap() -> None:
    plan = builders.delete_first()
    dead = PreImage(
        address=function_address("chat"),
        function=builders.bound("chat").function_id,
        version=VersionId("1111-chat"),
        fields=canonical_json({"status": "ERROR"}),
    )
    assert (
        find_interruptions(replace(plan, fingerprint=replace(plan.fingerprint, live=(dead,)))) == ()
    )


def test_an_undeployed_surplus_version_leaves_the_function_serving() -> None:
    plan = builders.delete_first()
    surplus = Undeploy(builders.version("chat", "2222"), graceful=True)
    renamed = tuple(
        replace(one, task=surplus) if isinstance(one.task, Undeploy) else one for one in plan.steps
    )
    assert find_interruptions(replace(plan, steps=renamed)) == ()


def test_a_gap_lasts_at_most_as_long_as_all_that_its_end_waits_for_may_take() -> None:
    (gap,) = find_interruptions(builders.delete_first())
    assert gap.limit_seconds == 10 * (5 + 360 + 5 + 180)


def test_what_is_given_up_is_exposed_from_its_release_to_the_end_of_the_wait() -> None:
    (exposure,) = find_exposures(builders.delete_first())
    assert exposure.expected_seconds == 5 + 180
