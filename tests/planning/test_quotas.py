"""Quotas that a stack declares: in GPUs or instances, of one type, by the bound that they count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.checks import check_plan
from nvcfplan.model import (
    DeclaredQuota,
    Downtime,
    GpuCountSource,
    Quota,
    QuotaCount,
    QuotaUnit,
    Stack,
    UpdatePolicy,
    digest_of,
)
from nvcfplan.planning import Inputs, PlanOptions, find_alternatives, plan_stack
from nvcfplan.plans import AlternativeKind, Infeasible, Plan, Provenance, Unit
from nvcfplan.proving import prove
from tests.planning.builders import (
    ENVIRONMENT,
    STACK,
    START,
    account,
    cluster,
    feasible,
    running,
    specification,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import Account, DesiredFunction, LiveFunction


def quota(limit: int, *names: str, **more: object) -> Quota:
    base = Quota(gpu="H100", names=names, limit=limit, unit=QuotaUnit.INSTANCES)
    return replace(base, **more)  # type: ignore[arg-type]  # fields of a quota


def inputs_of(
    functions: Sequence[DesiredFunction],
    readings: Account,
    *quotas: Quota,
    live: Sequence[LiveFunction] = (),
) -> Inputs:
    declared = tuple(DeclaredQuota(f"q{n}", one) for n, one in enumerate(quotas))
    stack = Stack(name=STACK, environment=ENVIRONMENT, functions=tuple(functions), quotas=declared)
    return Inputs(
        stack=stack,
        account=readings,
        live=live,
        state=None,
        digest=digest_of("inputs"),
        provenance=Provenance(tool_version="test", created_at=START, read_at=(), actor="test"),
    )


def planned(
    functions: Sequence[DesiredFunction],
    readings: Account,
    *quotas: Quota,
    live: Sequence[LiveFunction] = (),
) -> Plan | Infeasible:
    inputs = inputs_of(functions, readings, *quotas, live=live)
    return check_plan(plan_stack(inputs, PlanOptions()), readings)


def shortages(result: Plan | Infeasible) -> list[tuple[str, int]]:
    assert isinstance(result, Infeasible)
    return [(one.resource, one.missing) for one in result.shortages]


def codes(result: Plan | Infeasible) -> set[str]:
    found = result.plan if isinstance(result, Infeasible) else result
    return {one.code for one in found.diagnostics}


CHAT = wanted("chat", specification(low=3, high=3, gpus=2))
ROOMY = account(cluster("a", gpus=16))


def test_instances_are_counted_whatever_their_size() -> None:
    result = feasible(planned([CHAT], ROOMY, quota(3, "a")))
    found = {one.id: one for one in result.resources if one.unit is Unit.INSTANCES}
    assert set(found) == {"instances:H100@a", "instances-min:H100@a"}
    taken = {str(one.resource): one.units for step in result.steps for one in step.acquire}
    assert (taken["instances:H100@a"], taken["pool:a/H100"]) == (3, 6)
    assert prove(result) == ()
    assert shortages(planned([CHAT], ROOMY, quota(2, "a"))) == [("instances-min:H100@a", 1)]


def test_the_same_number_of_gpus_is_another_limit() -> None:
    gpus = quota(3, "a", unit=QuotaUnit.GPUS)
    assert shortages(planned([CHAT], ROOMY, gpus)) == [("quota-min:H100@a", 3)]


def test_one_without_names_is_about_every_cluster() -> None:
    both = account(cluster("a", gpus=16), cluster("b", gpus=16))
    there = wanted("rank", specification(low=2, high=2, clusters=("b",)))
    assert shortages(planned([CHAT, there], both, quota(4))) == [("instances-min:H100@*", 1)]


def test_one_of_a_type_leaves_other_types_alone() -> None:
    other = wanted("rank", specification(low=2, high=2, gpus=1))
    tight = quota(3, instance_type="TYPE_2X")
    assert isinstance(planned([CHAT, other], ROOMY, tight), Plan)
    small = quota(1, instance_type="type_1x")
    assert shortages(planned([CHAT, other], ROOMY, small)) == [("instances-min:H100/type_1x@*", 1)]


def test_an_instance_of_unknown_size_still_counts_as_one() -> None:
    (one,) = ROOMY.clusters or ()
    (pool,) = one.pools
    blind = tuple(
        replace(kind, gpu_count=None, gpu_count_source=GpuCountSource.UNKNOWN)
        for kind in pool.instance_types
    )
    unsized = replace(ROOMY, clusters=(replace(one, pools=(replace(pool, instance_types=blind),)),))
    assert shortages(planned([CHAT], unsized, quota(2, "a"))) == [("instances-min:H100@a", 1)]


@pytest.mark.parametrize(
    ("counts", "limit", "fits"),
    [
        (QuotaCount.MAX, 4, True),
        (QuotaCount.MAX, 3, False),
        (QuotaCount.MIN, 1, True),
        (QuotaCount.MIN, 0, False),
    ],
)
def test_what_is_declared_to_count_is_a_limit_and_no_risk(
    counts: QuotaCount, limit: int, *, fits: bool
) -> None:
    scaling = wanted("chat", specification(low=1, high=4))
    result = planned([scaling], ROOMY, quota(limit, "a", counts=counts))
    assert isinstance(result, Plan) is fits
    assert "quota-at-risk" not in codes(result)
    if not fits:
        assert "quota-exceeded" in codes(result)


def test_a_declaration_says_what_a_rule_that_was_read_counts() -> None:
    rule = Quota(gpu="H100", names=("a",), limit=3)
    read = account(cluster("a"), quotas=(rule,))
    scaling = wanted("chat", specification(low=1, high=4))
    assert "quota-at-risk" in codes(planned([scaling], read))
    least = quota(9, "a", unit=QuotaUnit.GPUS, counts=QuotaCount.MIN)
    assert "quota-at-risk" not in codes(planned([scaling], read, least))
    most = quota(9, "a", unit=QuotaUnit.GPUS, counts=QuotaCount.MAX)
    assert shortages(planned([scaling], read, most)) == [("quota:H100@a", 1)]


def test_what_may_land_outside_of_it_too_is_at_risk_and_not_refused() -> None:
    two = account(cluster("a"), cluster("b"))
    either = wanted("chat", specification(low=4, high=4, clusters=("a", "b")))
    inside = quota(3, "a", counts=QuotaCount.MAX)
    result = planned([either], two, inside)
    assert "quota-at-risk" in codes(feasible(result))
    only = wanted("rank", specification(low=4, high=4))
    assert ("instances-within:H100@a", 1) in shortages(planned([either, only], two, inside))


def test_a_replacement_waits_for_instances_that_its_quota_has_not() -> None:
    live = running(CHAT)
    full = account(cluster("a", gpus=16, free=10))
    bump = wanted("chat", specification(low=3, high=3, gpus=2), image="app:2")
    none = UpdatePolicy(min_serving=1.0)
    strict = replace(bump, update=none)
    assert shortages(planned([strict], full, quota(3, "a"), live=[live]))
    lent = replace(bump, update=replace(none, downtime=Downtime.ALLOWED))
    result = feasible(planned([lent], full, quota(3, "a"), live=[live]))
    sources = {str(one.resource): one.source for one in result.funding if one.source}
    assert sources["instances-min:H100@a"] == "await-released:function.chat@old"
    assert prove(result) == ()


def test_a_declared_quota_that_is_too_low_is_written_anew_as_a_way_out() -> None:
    inputs = inputs_of([CHAT], ROOMY, quota(2, "a"))
    found = plan_stack(inputs, PlanOptions())
    raised = next(iter(find_alternatives(inputs, PlanOptions(), found))).alternative
    assert [(one.path, one.value) for one in raised.edits] == [
        ("instances-min:H100@a", "3"),
        ("quotas.q0.limit", "3"),
    ]


def test_no_way_out_asks_for_more_than_another_one() -> None:
    """Either may be down to let the other through; that both may adds nothing."""
    policy = UpdatePolicy(min_serving=1.0)
    old = [wanted(key, specification(low=4), policy=policy) for key in ("x", "y")]
    new = [wanted(key, specification(low=4), image="app:2", policy=policy) for key in ("x", "y")]
    inputs = inputs_of(new, account(cluster("a", free=0)), live=[running(one) for one in old])
    found = plan_stack(inputs, PlanOptions())
    ways = [one.alternative for one in find_alternatives(inputs, PlanOptions(), found)]
    down = [one.edits for one in ways if one.kind is AlternativeKind.DOWNTIME]
    assert [[edit.path for edit in edits] for edits in down] == [
        ["functions.x.update.downtime"],
        ["functions.y.update.downtime"],
    ]


def test_what_a_landing_may_count_against_a_quota_is_pinned_as_a_way_out() -> None:
    two = account(cluster("a"), cluster("b"))
    either = wanted("chat", specification(low=4, high=4, clusters=("a", "b")))
    inputs = inputs_of([either], two, quota(3, "a", counts=QuotaCount.MAX))
    found = plan_stack(inputs, PlanOptions())
    ways = [one.alternative for one in find_alternatives(inputs, PlanOptions(), found)]
    assert [(one.kind, one.edits[0].value) for one in ways] == [(AlternativeKind.PIN, '["b"]')]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (quota(9, gpu="H10"), "quotas.q0.gpu"),
        (quota(9, "aa"), "quotas.q0"),
        (quota(9, instance_type="type_3x"), "quotas.q0.instanceType"),
    ],
)
def test_a_name_that_is_not_offered_is_told(wrong: Quota, path: str) -> None:
    result = feasible(planned([CHAT], ROOMY, wrong))
    (told,) = [one for one in result.diagnostics if one.code == "quota-unknown-name"]
    assert told.subject is not None
    assert told.subject.path == path
