"""Fleets with all that a stack may ask for: no plan made of them is refused by the proof."""

from __future__ import annotations

from collections import Counter
from functools import cache

from nvcfplan.diagnostics import has_errors
from nvcfplan.planning import check_freshness
from nvcfplan.plans import Plan
from nvcfplan.proving import prove
from tests.budget import examples
from tests.ordering.by_name import name_order_works
from tests.ordering.rich import rich_fleet

FLEETS = 10_000


@cache
def planned(count: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in range(count):
        fleet = rich_fleet(seed)
        plan = fleet.plan()
        found["name order fails"] += not name_order_works(fleet)
        if isinstance(plan, Plan) and not has_errors(plan.diagnostics):
            assert prove(plan) == (), seed
            assert check_freshness(plan, fleet.account(), fleet.live(), None).is_fresh, seed
            found["feasible"] += 1
            found["proved"] += all(one.verdict is None for one in plan.diagnostics)
            found.update({one.code for one in plan.diagnostics})
    return found


def test_every_plan_is_proved_from_its_document_alone_and_is_fresh() -> None:
    found = planned(examples(FLEETS))
    print(dict(found))
    assert found["feasible"] >= 0.6 * examples(FLEETS)
    assert found["proved"] >= 0.6 * found["feasible"]


def test_the_order_of_names_fails_in_many_of_them() -> None:
    assert planned(examples(FLEETS))["name order fails"] >= 0.3 * examples(FLEETS)


def test_every_way_to_replace_a_version_is_taken_in_some() -> None:
    found = planned(examples(FLEETS))
    ways = ("warm-start", "proved-by-one", "quota-clamp", "stepped-replacement", "bounce-placement")
    assert all(found[way] >= 0.01 * examples(FLEETS) for way in ways)
