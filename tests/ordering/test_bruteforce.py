"""The verifier against every state that a small plan permits and every landing in each of them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from nvcfplan.plans import Plan
from nvcfplan.proving import ancestry, missing_units, prove, unproved_resources
from tests.budget import examples
from tests.ordering.every_state import (
    ancestors_of,
    events_of,
    has_room,
    operations,
)
from tests.ordering.fleets import Fleet, Place
from tests.ordering.instances import narrow_fleet, wide_fleet
from tests.ordering.rich import rich_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.model import ResourceId, StepId

MOST_OPERATIONS = 10
MOST_EVENTS = 14
"""An operation on several specifications is several events."""
BATCH = 10
"""The service's own; the self-hosted profile has 1."""


def swollen(fleet: Fleet, by: int) -> Fleet:
    """The same with so many times the instances and GPUs: more than one batch for most."""

    def grown(places: tuple[Place, ...]) -> tuple[Place, ...]:
        return tuple(
            replace(one, instances=one.instances * by, most=one.most * by, runs=one.runs * by)
            for one in places
        )

    return Fleet(
        functions=tuple(
            replace(one, before=grown(one.before), after=grown(one.after))
            for one in fleet.functions
        ),
        capacity={name: gpus * by for name, gpus in fleet.capacity.items()},
        quotas=tuple(replace(one, limit=one.limit * by) for one in fleet.quotas),
    )


def fleet_and_batch(seed: int) -> tuple[Fleet, int]:
    """Half with all that a stack may ask for; most with choices of clusters, of these some of more
    than one full batch.
    """
    match seed % 8:
        case 0:
            return narrow_fleet(seed), BATCH
        case 2:
            return wide_fleet(seed), throw_of(seed).choice((1, 2, BATCH))
        case 4:
            return swollen(wide_fleet(seed), 4), BATCH
        case 6:
            return swollen(rich_fleet(seed), 3), BATCH
        case _:
            return rich_fleet(seed), throw_of(seed).choice((1, 2, BATCH))


def throw_of(seed: int) -> random.Random:
    return random.Random(f"batch {seed}")


@cache
def small_plan(seed: int) -> tuple[Fleet, Plan, int] | None:
    """With a batch size; None where there is no plan, or it has many operations."""
    fleet, batch = fleet_and_batch(seed)
    plan = fleet.plan()
    is_tried = isinstance(plan, Plan) and is_small(fleet, plan)
    return (fleet, plan, batch) if is_tried and isinstance(plan, Plan) else None


def small_plans(count: int) -> Iterator[tuple[Fleet, Plan, int]]:
    for seed in range(count):
        found = small_plan(seed)
        if found is not None:
            yield found


def is_small(fleet: Fleet, plan: Plan) -> bool:
    return 0 < operations(plan) <= MOST_OPERATIONS and events_of(fleet, plan) <= MOST_EVENTS


def is_proved(plan: Plan) -> bool:
    """Holds, and calls nothing at risk or not checked."""
    return prove(plan) == () and all(one.verdict is None for one in plan.diagnostics)


def is_short(plan: Plan) -> bool:
    """Refused, among others, because some unit that is taken has no source."""
    return any("certificate" in one.detail for one in prove(plan))


def without_one_edge(plan: Plan) -> Iterator[Plan]:
    """The plan once for every edge of every step, and that edge gone."""
    for at, step in enumerate(plan.steps):
        for edge in step.depends_on:
            left = tuple(one for one in step.depends_on if one != edge)
            weaker = replace(step, depends_on=left)
            yield replace(plan, steps=(*plan.steps[:at], weaker, *plan.steps[at + 1 :]))


def with_one_foreign_grant(plan: Plan, throw: random.Random) -> Iterator[Plan]:
    """The plan once for every grant, and that one from a step that may not have ended by then."""
    before = ancestors_of(plan.steps)
    for at, grant in enumerate(plan.funding):
        strangers = [one.id for one in plan.steps if one.id not in before[grant.step]]
        givers = [one for one in strangers if one in _givers(plan, grant.resource)] or strangers
        moved = replace(grant, source=throw.choice(givers))
        yield replace(plan, funding=(*plan.funding[:at], moved, *plan.funding[at + 1 :]))


def _givers(plan: Plan, resource: ResourceId) -> set[StepId]:
    return {
        step.id
        for step in plan.steps
        if any(charge.resource == resource for charge in step.release)
    }


@cache
def compared(count: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for fleet, plan, batch in small_plans(count):
        word = "proved" if is_proved(plan) else "at risk"
        found[word] += 1
        found[f"{word}, several clusters"] += any(len(one.pools) > 1 for one in plan.placements)
        found[f"{word}, lacks room"] += not has_room(fleet, plan, batch=batch)
    return found


def test_what_is_proved_has_room_in_every_state_wherever_things_land() -> None:
    found = compared(examples(5_000))
    assert found["proved, lacks room"] == 0
    assert found["proved, several clusters"] >= 0.03 * found["proved"]


def test_little_is_called_at_risk_that_is_not() -> None:
    found = compared(examples(5_000))
    needless = found["at risk"] - found["at risk, lacks room"]
    print(f"at risk though always served: {needless} of {found['at risk']} plans; all: {found}")
    assert found["at risk, lacks room"] > 0
    assert needless <= 0.3 * found["at risk"]


def lacks_units(plan: Plan) -> bool:
    """No funding whatever makes it safe on all that it claims to keep."""
    order, unproved = ancestry(plan.steps), unproved_resources(plan)
    return any(
        missing_units(one, plan.steps, order, plan.funding)
        for one in plan.resources
        if one.limit is not None and one.id not in unproved
    )


def test_no_edge_that_room_depends_on_can_be_taken_away() -> None:
    found: Counter[tuple[bool, bool]] = Counter()
    for fleet, plan, batch in small_plans(examples(1_000)):
        if not is_proved(plan):
            continue
        for weaker in without_one_edge(plan):
            is_served = has_room(fleet, weaker, batch=batch)
            assert is_served or prove(weaker) != (), weaker.steps
            found[is_served, prove(weaker) == ()] += 1
    print(f"(always served, proved) without one edge: {found}")
    assert found[True, True] > 0.2 * found.total()
    assert found[False, False] > 0.05 * found.total()


def test_single_clusters_are_safe_without_an_edge_exactly_where_some_funding_is_left() -> None:
    """Theorem 1: of edges that nothing but room needs. The funding that is written names its
    sources, so where one of them is an ancestor no more the plan is refused all the same.
    """
    found: Counter[tuple[bool, bool]] = Counter()
    for seed in range(examples(600)):
        fleet = narrow_fleet(seed)
        plan = fleet.plan()
        if not isinstance(plan, Plan) or not is_small(fleet, plan) or not is_proved(plan):
            continue
        for weaker in without_one_edge(plan):
            if all("certificate" in one.detail for one in prove(weaker)):
                is_served = has_room(fleet, weaker)
                assert is_served != lacks_units(weaker), seed
                found[is_served, is_short(weaker)] += 1
    print(f"(always served, written funding broken) without one edge: {found}")
    assert found[False, True] > 0.05 * found.total()
    assert found[False, False] == 0
    assert found[True, True] <= 0.05 * found.total()


def test_a_grant_from_a_step_that_may_not_have_ended_is_refused() -> None:
    throw, tried = random.Random(0), 0
    for _, plan, _ in small_plans(examples(1_000)):
        for forged in with_one_foreign_grant(plan, throw):
            assert is_short(forged)
            tried += 1
    assert tried > examples(1_000)
