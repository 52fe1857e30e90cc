"""Who lends room gets it back: tight plans carried out against an emulated account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import RunOutcome
from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    Landing,
    TrafficRule,
    WorldFile,
)
from nvcfplan.model import Downtime
from nvcfplan.plans import Plan, Undeploy
from tests.ordering.downtime import interrupted
from tests.planning.builders import specification, wanted, whole
from tests.rehearsal import Account, account

if TYPE_CHECKING:
    from nvcfplan.model import DesiredFunction


def world(*pools: tuple[str, int], traffic: tuple[TrafficRule, ...] = ()) -> WorldFile:
    types = tuple(InstanceTypeRule(name=f"type_{n}x", gpu_count=n) for n in (1, 2, 4, 8))
    return WorldFile(
        clusters=tuple(
            ClusterRule(
                name=name,
                groups=("all",),
                region="here",
                provider="GCP",
                gpus=(GpuRule(name="H100", capacity=capacity, instance_types=types),),
            )
            for name, capacity in pools
        ),
        groups=(GroupRule(name="all", nca_id="nca-demo-0001"),),
        landing=Landing.ADVERSARIAL,
        traffic=traffic,
    )


def on(
    key: str, pool: str, *, low: int = 2, high: int | None = None, may_pause: bool = False
) -> DesiredFunction:
    one = specification(low=low, high=high, clusters=(pool,))
    downtime = Downtime.ALLOWED if may_pause else Downtime.NEVER
    return wanted(key, one, image="app:1", policy=whole(downtime))


def bumped(function: DesiredFunction) -> DesiredFunction:
    return replace(function, config=replace(function.config, container_image="app:2"))


def carried_out(where: Account, *stack: DesiredFunction) -> Plan:
    """Proved, applied without any request that waits, and then there is nothing left to do."""
    plan = where.plan(*stack)
    assert isinstance(plan, Plan), [one.summary for one in plan.plan.diagnostics]
    result = where.apply(plan)
    assert result.outcome is RunOutcome.APPLIED
    assert where.unserved() == ()
    again = where.plan(*stack)
    assert isinstance(again, Plan)
    assert again.steps == ()
    return plan


def test_a_function_that_stays_goes_down_for_one_that_may_not_and_comes_back() -> None:
    batch, chat = on("batch", "a", may_pause=True), on("chat", "a")
    with account(world(("a", 4))) as where:
        carried_out(where, batch, chat)
        plan = carried_out(where, batch, bumped(chat))
    assert interrupted(plan) == {"function.batch"}


def test_the_surplus_of_one_that_is_busy_makes_room_and_nobody_is_down() -> None:
    busy, chat = on("busy", "a", low=1, high=4), on("chat", "a")
    traffic = (TrafficRule(function="busy", running=3),)
    with account(world(("a", 5), traffic=traffic)) as where:
        carried_out(where, busy, chat)
        plan = carried_out(where, busy, bumped(chat))
    assert interrupted(plan) == frozenset()
    assert any(step.address == "function.busy" for step in plan.steps)


@pytest.mark.parametrize("length", [2, 3])
def test_a_circle_of_moves_through_full_pools_stops_the_one_that_may(length: int) -> None:
    pools = [f"p{number}" for number in range(length)]
    before = [on(f"f{n}", pools[n], may_pause=n == 0) for n in range(length)]
    after = [on(f"f{n}", pools[(n + 1) % length], may_pause=n == 0) for n in range(length)]
    with account(world(*((pool, 2) for pool in pools))) as where:
        carried_out(where, *before)
        plan = carried_out(where, *after)
    assert interrupted(plan) == {"function.f0"}


def test_eight_new_images_pass_through_room_for_one() -> None:
    before = [on(f"f{n}", "a", low=1) for n in range(8)]
    with account(world(("a", 9))) as where:
        carried_out(where, *before)
        plan = carried_out(where, *map(bumped, before))
    assert interrupted(plan) == frozenset()
    assert sum(isinstance(step.task, Undeploy) for step in plan.steps) == 8
