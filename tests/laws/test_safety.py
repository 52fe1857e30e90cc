"""A plan that claims to fit does so in every state its edges permit, counted by brute force."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from nvcfplan.model import (
    DesiredFunction,
    Downtime,
    GpuSpecification,
    LiveFunction,
    ResourceId,
    StepId,
)
from nvcfplan.plans import Funded, Infeasible, Plan
from nvcfplan.proving import prove
from tests.budget import examples
from tests.planning.builders import account, cluster, feasible, plan, running, specification, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

POOLS = ("a", "b")


@st.composite
def fleets(
    draw: st.DrawFn,
) -> tuple[list[DesiredFunction], list[LiveFunction], dict[str, int]]:
    """Up to four functions that are new, gone, scaled, replaced or moved; and free GPUs by pool."""
    functions: list[DesiredFunction] = []
    live: list[LiveFunction] = []
    for key in draw(st.lists(st.sampled_from("wxyz"), min_size=1, max_size=4, unique=True)):
        before = draw(st.none() | _specification())
        after = draw(st.none() | _specification()) if before else draw(_specification())
        image = draw(st.sampled_from(("app:1", "app:2")))
        downtime = draw(st.sampled_from(list(Downtime)))
        if before is not None:
            instances = draw(st.integers(before.min_instances, before.max_instances))
            live.append(running(wanted(key, before, image="app:1"), instances=instances))
        if after is not None:
            functions.append(wanted(key, after, image=image, downtime=downtime))
    return functions, live, {pool: draw(st.integers(0, 5)) for pool in POOLS}


def _specification() -> st.SearchStrategy[GpuSpecification]:
    return st.builds(
        lambda low, more, gpus, pool: specification(
            low=low, high=max(1, low + more), gpus=gpus, clusters=(pool,)
        ),
        st.integers(0, 3),
        st.integers(0, 2),
        st.sampled_from((1, 2)),
        st.sampled_from(POOLS),
    )


def planned(fleet: tuple[list[DesiredFunction], list[LiveFunction], dict[str, int]]) -> Plan:
    result = attempted(fleet)
    event("infeasible" if isinstance(result, Infeasible) else "feasible")
    assume(isinstance(result, Plan))
    assert isinstance(result, Plan)
    return result


def attempted(
    fleet: tuple[list[DesiredFunction], list[LiveFunction], dict[str, int]],
) -> Plan | Infeasible:
    functions, live, free = fleet
    held: Counter[str] = Counter()
    for function in live:
        for version in function.versions:
            for one in version.instances or ():
                held[one.location] += int(one.instance_type[5])
    clusters = [cluster(pool, gpus=free[pool] + held[pool], free=free[pool]) for pool in POOLS]
    return plan(functions, account(*clusters), live)


def states(plan: Plan) -> Iterator[Counter[ResourceId]]:
    """Use per resource in every reachable state: steps not started, running, or ended."""
    steps = {step.id: step for step in plan.steps}
    base = Counter({one.id: one.before for one in plan.resources})
    seen: set[tuple[frozenset[StepId], frozenset[StepId]]] = set()
    pending = [(frozenset[StepId](), frozenset[StepId]())]
    while pending:
        state = pending.pop()
        if state in seen:
            continue
        seen.add(state)
        started, ended = state
        use = Counter(base)
        for name in started:
            use.update({one.resource: one.units for one in steps[name].acquire})
        for name in ended:
            use.subtract({one.resource: one.units for one in steps[name].release})
        yield use
        for step in plan.steps:
            if step.id not in started and all(edge.step in ended for edge in step.depends_on):
                pending.append((started | {step.id}, ended))
        pending += [(started, ended | {name}) for name in started - ended]


def breaches(plan: Plan) -> bool:
    limits = {one.id: one.limit for one in plan.resources if one.limit is not None}
    return any(
        use[name] > max(limit, next(o.before for o in plan.resources if o.id == name))
        for use in states(plan)
        for name, limit in limits.items()
    )


@settings(max_examples=examples(300))
@given(fleets())
def test_no_reachable_state_exceeds_a_limit_and_the_proof_agrees(
    fleet: tuple[list[DesiredFunction], list[LiveFunction], dict[str, int]],
) -> None:
    result = planned(fleet)
    assert prove(result) == ()
    assume(len(result.steps) <= 12)
    assert not breaches(result)


@st.composite
def tight_fleets(
    draw: st.DrawFn,
) -> tuple[list[DesiredFunction], list[LiveFunction], dict[str, int]]:
    """Takers in one pool that fit only with what leavers give."""
    leaving = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    free = draw(st.integers(0, 2))
    live = [
        running(wanted(f"leaver-{number}", specification(low=low)))
        for number, low in enumerate(leaving)
    ]
    taking = draw(st.integers(free + 1, free + sum(leaving)))
    cut = draw(st.integers(0, taking - 1))
    takers = [
        wanted(f"taker-{number}", specification(low=low))
        for number, low in enumerate((cut, taking - cut))
        if low
    ]
    return takers, live, {"a": free, "b": 0}


@settings(max_examples=examples(300))
@given(tight_fleets(), st.data())
def test_a_plan_that_lost_a_funding_edge_is_refused(
    fleet: tuple[list[DesiredFunction], list[LiveFunction], dict[str, int]], data: st.DataObject
) -> None:
    result = planned(fleet)
    funded = [
        (step, edge)
        for step in result.steps
        for edge in step.depends_on
        if isinstance(edge, Funded)
    ]
    step, edge = data.draw(st.sampled_from(funded))
    edges = tuple(one for one in step.depends_on if one.step != edge.step)
    weaker = replace(step, depends_on=edges)
    broken = replace(result, steps=tuple(weaker if one is step else one for one in result.steps))
    event("breach" if breaches(broken) else "harmless: another source gives enough")
    assert "plan-not-proved" in {one.code for one in prove(broken)}


def test_without_its_only_funding_edge_a_plan_does_breach() -> None:
    """The brute force can tell: else the laws above would hold for anything."""
    leaver = running(wanted("leaver", specification(low=2)))
    fleet = ([wanted("taker", specification(low=2))], [leaver], {"a": 0, "b": 0})
    result = feasible(attempted(fleet))
    freed = tuple(
        replace(
            step,
            depends_on=tuple(edge for edge in step.depends_on if not isinstance(edge, Funded)),
        )
        for step in result.steps
    )
    assert not breaches(result)
    assert breaches(replace(result, steps=freed))
