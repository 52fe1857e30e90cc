"""What a proved plan promises, kept or broken by an emulated account that does its worst.

A real service never over-allocates, so "not over capacity" would prove nothing. The measure is the
demand ledger: with adversarial landing and late release, no request of ours is refused or waits.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from nvcfplan.applying import RunOutcome
from nvcfplan.diagnostics import Verdict
from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    Landing,
    QuotaRule,
    WorldFile,
)
from nvcfplan.errors import StalePlan
from nvcfplan.model import DesiredFunction, Downtime, GpuSpecification, StepId
from nvcfplan.plans import Deploy, Funded, Infeasible, Plan
from tests.budget import examples
from tests.planning.builders import specification, wanted
from tests.rehearsal import Account, account


def world(*capacities: int, quota: int | None = None) -> WorldFile:
    """Clusters a, b, ... of one group `all`, each with so many H100; a quota over all of them.

    Without traffic: what the autoscaler takes while a plan runs is a risk beside its proof.
    """
    types = tuple(InstanceTypeRule(name=f"type_{n}x", gpu_count=n) for n in (1, 2, 4, 8))
    return WorldFile(
        clusters=tuple(
            ClusterRule(
                name="abc"[number],
                groups=("all",),
                region="here",
                provider="GCP",
                gpus=(GpuRule(name="H100", capacity=capacity, instance_types=types),),
            )
            for number, capacity in enumerate(capacities)
        ),
        groups=(GroupRule(name="all", nca_id="nca-demo-0001"),),
        quotas=() if quota is None else (QuotaRule(gpu="H100", names=("all",), limit=quota),),
        landing=Landing.ADVERSARIAL,
        batch_size=2,
    )


@st.composite
def placements(draw: st.DrawFn, key: str) -> GpuSpecification:
    low = draw(st.integers(0, 3))
    where = draw(st.sampled_from(("a", "b", "a+b", "group")))
    return specification(
        key,
        low=low,
        high=max(1, low + draw(st.integers(0, 2))),
        gpus=draw(st.sampled_from((1, 2))),
        clusters=() if where == "group" else tuple(where.split("+")),
        backend="all" if where == "group" else None,
    )


@st.composite
def stacks(draw: st.DrawFn) -> list[DesiredFunction]:
    return [
        wanted(
            key,
            *(draw(placements(name)) for name in draw(st.sampled_from((("x",), ("x", "y"))))),
            image=f"app:{draw(st.integers(1, 2))}",
            downtime=draw(st.sampled_from(list(Downtime))),
        )
        for key in draw(st.lists(st.sampled_from("wxyz"), min_size=1, max_size=4, unique=True))
    ]


def is_proved(plan: Plan) -> bool:
    """Node packing is a risk of real nodes, autoscaling one of traffic; here are neither."""
    doubts = {one.code for one in plan.diagnostics if one.verdict is Verdict.AT_RISK}
    return not doubts - {"node-packing", "autoscaling-may-not-fit"}


def carried_out(where: Account, stack: list[DesiredFunction]) -> bool:
    """Applies the stack if it is proved; then another plan has nothing to do."""
    plan = where.plan(*stack)
    if not isinstance(plan, Plan) or not is_proved(plan):
        return False
    result = where.apply(plan)
    assert result.outcome is RunOutcome.APPLIED
    again = where.plan(*stack)
    assert isinstance(again, Plan)
    assert again.steps == ()
    return True


@settings(max_examples=examples(300))
@given(
    st.lists(stacks(), min_size=2, max_size=3),
    st.tuples(st.integers(4, 10), st.integers(4, 10)),
)
def test_nothing_a_proved_plan_asks_for_is_refused_or_waits(
    versions: list[list[DesiredFunction]], capacities: tuple[int, int]
) -> None:
    with account(world(*capacities)) as where:
        done = sum(carried_out(where, stack) for stack in versions)
        event(f"{done} of {len(versions)} applied")
        assume(done)
        assert where.unserved() == ()


@st.composite
def handovers(draw: st.DrawFn) -> tuple[list[DesiredFunction], list[DesiredFunction], int]:
    """What runs, what is wanted in its place, and a pool in which both do not fit at once."""
    leaving = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    taking = draw(st.integers(1, sum(leaving)))
    before = [wanted(f"leaver-{n}", specification(low=low)) for n, low in enumerate(leaving)]
    return before, [wanted("taker", specification(low=taking))], sum(leaving)


def without_funding(plan: Plan, taker: StepId) -> Plan:
    """The same plan, deliberately wrong: nothing waits for what it is funded by."""
    steps = tuple(
        replace(
            step,
            depends_on=tuple(edge for edge in step.depends_on if not isinstance(edge, Funded)),
        )
        if step.id == taker
        else step
        for step in plan.steps
    )
    return replace(plan, steps=steps)


@settings(max_examples=examples(100))
@given(handovers())
def test_a_plan_without_its_funding_edges_is_refused_before_anything_is_asked_for(
    handover: tuple[list[DesiredFunction], list[DesiredFunction], int],
) -> None:
    before, after, capacity = handover
    with account(world(capacity)) as where:
        assert carried_out(where, before)
        plan = where.plan(*after)
        assert isinstance(plan, Plan)
        (taker,) = [step.id for step in plan.steps if isinstance(step.task, Deploy)]
        with pytest.raises(StalePlan):
            where.apply(without_funding(plan, taker))
        assert where.unserved() == ()


@settings(max_examples=examples(100))
@given(handovers())
def test_the_same_handover_with_its_funding_edges_passes(
    handover: tuple[list[DesiredFunction], list[DesiredFunction], int],
) -> None:
    before, after, capacity = handover
    with account(world(capacity)) as where:
        assert carried_out(where, before)
        assert carried_out(where, after)
        assert where.unserved() == ()


def test_a_quota_counts_what_other_stacks_of_the_account_hold() -> None:
    with account(world(8, quota=4)) as where:
        other = where.plan(wanted("other", specification(low=3)), stack="theirs")
        assert isinstance(other, Plan)
        where.apply(other)
        assert isinstance(where.plan(wanted("chat", specification(low=2))), Infeasible)
        assert carried_out(where, [wanted("chat", specification(low=1))])
        assert where.unserved() == ()
