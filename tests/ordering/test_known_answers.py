"""Fleets whose best plan is known by construction, found in every case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvcfplan.model import DesiredFunction, Downtime, LiveFunction, Quota, UpdateOrder
from nvcfplan.plans import Action, Funded, Infeasible, Means, Plan, UpdateDeployment
from nvcfplan.proving import prove
from tests.ordering.downtime import interrupted
from tests.planning.builders import (
    account,
    cluster,
    feasible,
    plan,
    running,
    specification,
    wanted,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NEVER, ALLOWED = Downtime.NEVER, Downtime.ALLOWED


def at(
    key: str,
    pool: str,
    low: int = 2,
    *,
    image: str = "app:1",
    downtime: Downtime = NEVER,
    depends_on: tuple[str, ...] = (),
) -> DesiredFunction:
    one = specification(low=low, clusters=(pool,))
    return wanted(key, one, image=image, policy=whole(downtime), depends_on=depends_on)


def bumped(
    count: int, free: int, *, policies: Sequence[Downtime] = (NEVER,)
) -> tuple[list[DesiredFunction], list[LiveFunction], int]:
    """`count` functions of 2 in one pool with so many GPUs free, all with a new image."""
    policy = [policies[number % len(policies)] for number in range(count)]
    functions = [
        at(f"f{number}", "a", image="app:2", downtime=policy[number]) for number in range(count)
    ]
    return functions, [running(at(f"f{number}", "a")) for number in range(count)], free


def planned_bumps(
    count: int, free: int, *, policies: Sequence[Downtime] = (NEVER,)
) -> Plan | Infeasible:
    functions, live, _ = bumped(count, free, policies=policies)
    return plan(functions, account(cluster("a", gpus=2 * count + free, free=free)), live)


def proved(result: Plan | Infeasible) -> Plan:
    made = feasible(result)
    assert prove(made) == ()
    return made


def test_a_roomy_rollout_waits_for_nothing() -> None:
    made = proved(planned_bumps(8, 16, policies=(NEVER, ALLOWED)))
    assert interrupted(made) == frozenset()
    assert not any(isinstance(edge, Funded) for step in made.steps for edge in step.depends_on)


def test_room_for_one_more_is_enough_for_all_one_after_the_other() -> None:
    made = proved(planned_bumps(8, 2, policies=(NEVER, ALLOWED)))
    assert interrupted(made) == frozenset()
    assert made.is_proved_minimal


def test_without_room_one_that_may_pause_lends_to_all_that_may_not() -> None:
    made = proved(planned_bumps(8, 0, policies=(NEVER, NEVER, NEVER, ALLOWED)))
    assert len(interrupted(made)) == 1
    assert interrupted(made) < {"function.f3", "function.f7"}
    assert made.is_proved_minimal


def test_without_room_and_without_a_lender_there_is_no_order() -> None:
    result = planned_bumps(4, 0)
    assert isinstance(result, Infeasible)
    assert [(one.resource, one.missing) for one in result.shortages] == [("pool:a/H100", 2)]


def test_many_that_may_pause_are_down_one_at_a_time_only_if_they_must() -> None:
    made = proved(planned_bumps(30, 0, policies=(ALLOWED,)))
    assert len(interrupted(made)) == 1


@pytest.mark.parametrize("spare", [0, 2])
def test_a_quota_over_several_pools_is_passed_on(spare: int) -> None:
    """Each pool is roomy; together they may hold no more than what runs, and `spare`."""
    functions = [
        at(f"f{n}", "ab"[n % 2], image="app:2", downtime=ALLOWED if n == 3 else NEVER)
        for n in range(6)
    ]
    live = [running(at(f"f{n}", "ab"[n % 2])) for n in range(6)]
    clusters = (cluster("a", gpus=20, free=14), cluster("b", gpus=20, free=14))
    limit = Quota(gpu="H100", names=("a", "b"), limit=12 + spare)
    made = proved(plan(functions, account(*clusters, quotas=(limit,)), live))
    assert interrupted(made) == (frozenset() if spare else {"function.f3"})


def cycle(length: int, free: Sequence[int], *, may_pause: Sequence[int] = ()) -> Plan | Infeasible:
    """Function n moves from pool n to the next, round in a circle; `free` GPUs by pool."""
    pools = [f"p{number}" for number in range(length)]
    functions = [
        at(
            f"f{n}",
            pools[(n + 1) % length],
            downtime=ALLOWED if n in may_pause else NEVER,
        )
        for n in range(length)
    ]
    live = [running(at(f"f{n}", pools[n])) for n in range(length)]
    clusters = (
        cluster(pool, gpus=2 + more, free=more) for pool, more in zip(pools, free, strict=True)
    )
    return plan(functions, account(*clusters), live)


@pytest.mark.parametrize("length", [2, 3, 4, 5])
def test_a_circle_of_moves_goes_round_through_a_spare(length: int) -> None:
    made = proved(cycle(length, [0] * (length - 1) + [2], may_pause=range(length)))
    assert interrupted(made) == frozenset()


@pytest.mark.parametrize("length", [2, 3, 4, 5])
def test_a_circle_without_a_spare_stops_one_function_and_the_one_that_may(length: int) -> None:
    assert isinstance(cycle(length, [0] * length), Infeasible)
    made = proved(cycle(length, [0] * length, may_pause=(length - 1,)))
    assert interrupted(made) == {f"function.f{length - 1}"}
    assert made.is_proved_minimal


def test_two_circles_stop_two_functions_that_share_nothing() -> None:
    swaps = {"a": "b", "b": "a", "c": "d", "d": "c"}
    functions = [at(f"f{was}", will, downtime=ALLOWED) for was, will in swaps.items()]
    live = [running(at(f"f{was}", was)) for was in swaps]
    full = account(*(cluster(name, gpus=2, free=0) for name in swaps))
    made = proved(plan(functions, full, live))
    assert len(interrupted(made)) == 2
    assert made.is_proved_minimal


def test_a_chain_of_dependencies_passes_its_room_along() -> None:
    """Each waits for the one it uses, and there is room for one more at a time."""
    keys = ["a", "b", "c", "d"]
    used = [(), ("a",), ("b",), ("c",)]
    functions = [
        at(key, "p", image="app:2", depends_on=uses) for key, uses in zip(keys, used, strict=True)
    ]
    live = [running(at(key, "p")) for key in keys]
    made = proved(plan(functions, account(cluster("p", gpus=10, free=2)), live))
    assert interrupted(made) == frozenset()
    order = [step.address for step in made.steps if step.id.startswith("deploy:")]
    assert order == [f"function.{key}" for key in keys]


def test_holes_of_several_lenders_add_up() -> None:
    functions = [
        at("big", "a", 6, image="app:2"),
        *(at(f"small{n}", "a", 2, image="app:2", downtime=ALLOWED) for n in range(3)),
    ]
    live = [running(at("big", "a", 6)), *(running(at(f"small{n}", "a", 2)) for n in range(3))]
    made = proved(plan(functions, account(cluster("a", gpus=12, free=0)), live))
    assert interrupted(made) == {f"function.small{n}" for n in range(3)}


def lent() -> Plan:
    """`chat` may not pause and the pool is full; `batch` does not change and may pause."""
    functions = [at("batch", "a", downtime=ALLOWED), at("chat", "a", image="app:2")]
    live = [running(at("batch", "a")), running(at("chat", "a"))]
    return proved(plan(functions, account(cluster("a", gpus=4, free=0)), live))


def test_a_function_with_nothing_to_do_lends_and_comes_back_the_same() -> None:
    made = lent()
    assert interrupted(made) == {"function.batch"}
    batch = next(one for one in made.changes if one.address == "function.batch")
    assert (batch.action, batch.means, batch.reason) == (
        Action.UPDATE,
        (Means.REDEPLOY,),
        "lends-room",
    )
    mine = [step.id for step in made.steps if step.address == "function.batch"]
    assert mine == [
        "undeploy:function.batch@old",
        "await-released:function.batch@old",
        "deploy:function.batch@old",
        "await-active:function.batch@old",
    ]


def test_who_is_used_by_others_or_may_not_pause_does_not_lend() -> None:
    def attempt(**fields: object) -> Plan | Infeasible:
        batch = at("batch", "a", **fields)  # type: ignore[arg-type]  # one keyword of `at`
        user = at("user", "b", depends_on=("batch",))
        functions = [batch, at("chat", "a", image="app:2"), user]
        live = [running(batch), running(at("chat", "a")), running(user)]
        full = account(cluster("a", gpus=4, free=0), cluster("b", gpus=2, free=0))
        return plan(functions, full, live)

    assert isinstance(attempt(), Infeasible)
    assert isinstance(attempt(downtime=ALLOWED), Infeasible)


def test_one_that_changes_anyway_is_stopped_before_one_that_would_stay() -> None:
    functions = [
        at("batch", "a", downtime=ALLOWED),
        at("chat", "a", image="app:2"),
        at("docs", "a", image="app:2", downtime=ALLOWED),
    ]
    live = [running(at(key, "a")) for key in ("batch", "chat", "docs")]
    made = proved(plan(functions, account(cluster("a", gpus=6, free=0)), live))
    assert interrupted(made) == {"function.docs"}


def test_an_owner_who_wants_delete_first_gets_it_even_where_there_is_room() -> None:
    one = specification(low=2, clusters=("a",))
    order = UpdateOrder.DELETE_FIRST
    new = wanted("chat", one, image="app:2", order=order, downtime=ALLOWED)
    made = proved(plan([new], account(cluster("a", gpus=8, free=6)), [running(at("chat", "a"))]))
    assert interrupted(made) == {"function.chat"}


def scaled_out() -> Plan | Infeasible:
    """`chat` may not pause and the pool is full; `busy` runs 3 though 1 is its minimum."""
    busy = wanted("busy", specification(low=1, high=4, clusters=("a",)))
    functions = [busy, at("chat", "a", image="app:2")]
    live = [running(busy, instances=3), running(at("chat", "a"))]
    return plan(functions, account(cluster("a", gpus=5, free=0)), live)


def test_what_runs_above_its_minimum_is_lent_without_downtime_and_may_come_back() -> None:
    made = proved(scaled_out())
    assert interrupted(made) == frozenset()
    assert made.is_proved_minimal
    mine = [step for step in made.steps if step.address == "function.busy"]
    assert [step.id for step in mine] == [
        "update-deployment:function.busy@old.main.lent",
        "await-released:function.busy@old",
        "update-deployment:function.busy@old.main",
    ]
    updates = [step.task for step in mine if isinstance(step.task, UpdateDeployment)]
    assert [one.specification.max_instances for one in updates] == [1, 4]
    (change,) = (one for one in made.changes if one.address == "function.busy")
    assert (change.means, change.reason) == ((Means.SPECIFICATION,), "lends-room")


def test_few_changes_are_searched_through_beside_many_that_could_lend() -> None:
    """The least downtime is certain although thirty functions with nothing to do may pause."""
    idle = [at(f"idle{n}", "a", 1, downtime=ALLOWED) for n in range(30)]
    functions = [at("big", "a", 3, image="app:2"), *idle]
    live = [running(at("big", "a", 3)), *(running(one) for one in idle)]
    made = proved(plan(functions, account(cluster("a", gpus=34, free=1)), live))
    assert len(interrupted(made)) == 2
