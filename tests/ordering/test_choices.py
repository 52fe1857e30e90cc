"""Strategies, the commit barrier and ways out, on seeded fleets: what each promises it keeps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import has_errors
from nvcfplan.model import digest_of
from nvcfplan.planning import Inputs, PlanOptions, find_alternatives, plan_stack
from nvcfplan.plans import AwaitActive, Basis, Infeasible, Plan, Provenance, Strategy, Undeploy
from nvcfplan.proving import ancestry, prove
from nvcfplan.reports import capacity_rows, find_interruptions
from tests.budget import examples
from tests.ordering.downtime import interrupted
from tests.ordering.instances import narrow_fleet, wide_fleet
from tests.planning.builders import START, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.model import ResourceId
    from tests.ordering.fleets import Fleet

SEEDS = range(examples(700))


def planned(fleet: Fleet, options: PlanOptions) -> Plan | Infeasible:
    return plan(fleet.desired(), fleet.account(), fleet.live(), options=options)


def sound(found: Plan | Infeasible) -> Plan | None:
    """None: there is no such plan, and it says why."""
    if isinstance(found, Infeasible):
        assert found.shortages
        return None
    if has_errors(found.diagnostics):
        assert not found.steps
        return None
    assert prove(found) == ()
    return found


def by_strategy(strategy: Strategy) -> Iterator[tuple[Fleet, Plan]]:
    for seed in SEEDS:
        fleet = wide_fleet(seed)
        made = sound(planned(fleet, PlanOptions(strategy=strategy)))
        if made is not None:
            yield fleet, made


def lent(made: Plan, resource: ResourceId) -> int:
    """What runs above its minimum lends and takes again by itself once its maximum is back."""
    return sum(
        charge.units
        for step in made.steps
        for charge in step.release
        if charge.resource == resource
        if any(edge.step.endswith(".lent") for edge in step.depends_on)
    )


def test_a_loan_of_what_the_autoscaler_takes_again_is_no_room_that_is_gone() -> None:
    """Fleet 488: 33 GPUs before, 34 after and 2 of them lent meanwhile; 35 at the most."""
    fleet = wide_fleet(488)
    made = sound(planned(fleet, PlanOptions(strategy=Strategy.NO_EXTRA_GPUS)))
    assert made is not None
    (row,) = (one for one in capacity_rows(made) if one.resource.id == "pool:p0/H100")
    assert row.resource.before < row.peak <= row.after + lent(made, row.resource.id)


def test_without_downtime_nobody_is_down_and_without_extra_gpus_none_are_used() -> None:
    feasible: Counter[Strategy] = Counter()
    for _, made in by_strategy(Strategy.NO_DOWNTIME):
        feasible[Strategy.NO_DOWNTIME] += 1
        assert interrupted(made) == frozenset()
    for _, made in by_strategy(Strategy.NO_EXTRA_GPUS):
        feasible[Strategy.NO_EXTRA_GPUS] += 1
        for row in capacity_rows(made):
            one = row.resource
            if one.basis is Basis.HELD and one.id.startswith("pool:") and one.bound == "exact":
                assert row.peak <= max(one.before, row.after + lent(made, one.id))
    assert min(feasible.values()) >= len(SEEDS) // 4


def test_the_barrier_keeps_the_proof_and_puts_what_nobody_waits_for_after_all_that_serves() -> None:
    moved = 0
    for seed in SEEDS:
        plain = sound(planned(narrow_fleet(seed), PlanOptions()))
        safe = sound(planned(narrow_fleet(seed), PlanOptions(is_safe=True)))
        assert (plain is None) == (safe is None)
        if plain is None or safe is None:
            continue
        assert {step.id for step in plain.steps} == {step.id for step in safe.steps}
        assert interrupted(safe) == interrupted(plain)
        order = ancestry(safe.steps)
        serving = [one.id for one in safe.steps if isinstance(one.task, AwaitActive)]
        for step in safe.steps:
            is_late = isinstance(step.task, Undeploy) and not any(
                order.precedes(step.id, one.id) and one.acquire for one in safe.steps
            )
            if is_late and not any(order.precedes(step.id, one) for one in serving):
                assert all(order.precedes(one, step.id) for one in serving)
                moved += 1
    assert moved > len(SEEDS) // 2


def test_downtime_is_told_of_those_who_are_down_in_some_order_and_of_nobody_else() -> None:
    told = 0
    for seed in SEEDS:
        made = sound(planned(wide_fleet(seed), PlanOptions()))
        if made is not None:
            gaps = find_interruptions(made)
            assert {one.address for one in gaps} == interrupted(made)
            assert all(0 < one.expected_seconds <= one.limit_seconds for one in gaps)
            told += len(gaps)
    assert told > 5


def inputs_of(fleet: Fleet) -> Inputs:
    found = planned(fleet, PlanOptions())
    desired = (found.plan if isinstance(found, Infeasible) else found).desired
    wanted = tuple(sorted(fleet.desired(), key=lambda one: one.key))
    return Inputs(
        stack=replace(desired, functions=wanted),
        account=fleet.account(),
        live=fleet.live(),
        state=None,
        digest=digest_of("inputs"),
        provenance=Provenance(tool_version="test", created_at=START, read_at=(), actor="test"),
    )


def test_an_infeasible_plan_has_ways_out_each_of_them_proved_and_always_the_same() -> None:
    kinds: Counter[str] = Counter()
    stuck = 0
    for seed in range(examples(500)):
        inputs = inputs_of(narrow_fleet(seed))
        found = plan_stack(inputs, PlanOptions())
        if not isinstance(found, Infeasible):
            continue
        stuck += 1
        tried = find_alternatives(inputs, PlanOptions(), found)
        assert tried == find_alternatives(inputs, PlanOptions(), found)
        for one in tried:
            assert prove(one.plan) == ()
            assert set(interrupted(one.plan)) == {o.address for o in find_interruptions(one.plan)}
        kinds.update({one.alternative.kind.value for one in tried})
        assert tried, seed
    assert kinds["raise-limit"] == stuck
    assert kinds["allow-downtime"] > 0
