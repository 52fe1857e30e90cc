from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from nvcfplan.model import FunctionId, VersionId, canonical_json, function_address
from nvcfplan.plans import (
    AwaitActive,
    Charge,
    Deploy,
    Grant,
    Plan,
    PreImage,
    Undeploy,
    expected_ends,
    step_id,
)
from nvcfplan.reports import Moment, critical_path, find_retaken, find_traffic
from tests.documents import builders
from tests.documents.builders import H100, QUOTA


def shares(plan: Plan, key: str = "chat") -> list[tuple[str | None, str, dict[str, float]]]:
    return [
        (one.step, one.moment.value, {each.version: each.share for each in one.shares})
        for one in find_traffic(plan)
        if one.address == function_address(key)
    ]


ACTIVE = step_id(AwaitActive(builders.version("chat", "new")))
UNDEPLOY = step_id(Undeploy(builders.version("chat", "old"), graceful=True))


def test_a_new_version_takes_half_the_calls_until_the_old_one_goes() -> None:
    assert shares(builders.rolling()) == [
        (None, "start", {"old": 1.0}),
        (ACTIVE, "end", {"old": 0.5, "new": 0.5}),
        (UNDEPLOY, "start", {"new": 1.0}),
    ]


def test_nobody_serves_between_the_old_version_and_the_new_one_when_the_old_one_goes_first() -> (
    None
):
    assert shares(builders.delete_first()) == [
        (None, "start", {"old": 1.0}),
        (UNDEPLOY, "start", {}),
        (ACTIVE, "end", {"new": 1.0}),
    ]


def test_a_version_of_somebody_else_takes_its_part_too() -> None:
    plan = builders.rolling()
    foreign = PreImage(
        address=function_address("chat"),
        function=FunctionId("0000-chat"),
        version=VersionId("9999"),
        fields=canonical_json({"status": "ACTIVE"}),
    )
    seen = replace(plan, fingerprint=replace(plan.fingerprint, live=(foreign,)))
    assert [part for _, _, part in shares(seen)] == [
        {"old": 0.5, "9999": 0.5},
        {"old": 0.3333, "9999": 0.3333, "new": 0.3333},
        {"9999": 0.5, "new": 0.5},
    ]


def test_a_function_whose_versions_stay_is_not_told_of() -> None:
    plan = builders.rolling()
    quiet = tuple(
        one for one in plan.steps if not isinstance(one.task, Deploy | AwaitActive | Undeploy)
    )
    assert find_traffic(replace(plan, steps=tuple(replace(o, depends_on=()) for o in quiet))) == ()


def test_moments_are_ends_of_waits_and_starts_of_undeploys() -> None:
    moments = {one.step: one.moment for one in find_traffic(builders.rolling()) if one.step}
    assert {one for name, one in moments.items() if name.startswith("undeploy")} == {Moment.START}
    assert {one for name, one in moments.items() if name.startswith("await")} == {Moment.END}


@pytest.mark.parametrize("make", [builders.rolling, builders.delete_first, builders.heterogeneous])
def test_the_longest_chain_takes_as_long_as_the_plan(make: builders.Make) -> None:
    plan = make()
    by_id = {step.id: step for step in plan.steps}
    chain = [by_id[one] for one in critical_path(plan.steps)]
    assert sum(step.expected_seconds for step in chain) == max(expected_ends(plan.steps).values())
    for before, after in pairwise(chain):
        assert before.id in {edge.step for edge in after.depends_on}


def test_a_plan_without_steps_has_no_longest_chain() -> None:
    assert critical_path(()) == ()


def test_gpus_that_are_given_back_and_taken_again_are_added_up_and_quotas_are_not() -> None:
    plan = builders.rolling()
    (given,) = [one for one in plan.funding if one.source is not None]
    of_quota = Grant(step=given.step, resource=QUOTA, units=5, source=given.source)
    more = replace(plan, funding=(*plan.funding, given, of_quota))
    assert find_retaken(more) == (Charge(resource=H100, units=4),)
