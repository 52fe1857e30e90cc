"""Small fleets against the truth: what can be done at all, and with how little downtime."""

from __future__ import annotations

from collections import Counter
from functools import cache

from nvcfplan.plans import Plan
from tests.budget import examples
from tests.ordering.bruteforce import least_downtime
from tests.ordering.by_name import name_order_works
from tests.ordering.downtime import interrupted
from tests.ordering.instances import narrow_fleet


@cache
def compared(count: int) -> Counter[str]:
    """How `count` plans compare with brute force."""
    found: Counter[str] = Counter()
    for seed in range(count):
        fleet = narrow_fleet(seed)
        plan, least = fleet.plan(), least_downtime(fleet)
        found["name order fails"] += not name_order_works(fleet)
        if least is None:
            found["impossible"] += 1
            found["impossible, and planned"] += isinstance(plan, Plan)
        elif not isinstance(plan, Plan):
            found["possible"] += 1
            found["missed"] += 1
        else:
            found["possible"] += 1
            found["best"] += len(interrupted(plan)) == least
            found["worse, and called minimal"] += (
                plan.is_proved_minimal and len(interrupted(plan)) > least
            )
    return found


def test_the_fleets_tried_are_possible_and_not_easy() -> None:
    count = examples(4_000)
    found = compared(count)
    assert found["possible"] >= 0.6 * count
    assert found["name order fails"] >= 0.3 * count


def test_nothing_impossible_is_planned_and_little_that_is_possible_is_missed() -> None:
    found = compared(examples(4_000))
    assert found["impossible, and planned"] == 0
    assert found["missed"] <= 0.01 * found["possible"]


def test_as_few_functions_are_interrupted_as_can_be() -> None:
    found = compared(examples(4_000))
    assert found["best"] >= 0.95 * found["possible"]
    assert found["worse, and called minimal"] == 0
