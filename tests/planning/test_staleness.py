"""A saved plan holds as long as its proof does with fresh readings, and what it touches stays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from nvcfplan.capacity import Involved, find_limits
from nvcfplan.model import (
    Account,
    Cluster,
    DesiredFunction,
    GpuCountSource,
    GpuSpecificationId,
    InstanceType,
    LiveFunction,
    LiveVersion,
    ManagedFunction,
    Quota,
    Readable,
    ResourceId,
    State,
    Status,
    Unread,
    VersionId,
    VersionLimit,
)
from nvcfplan.planning import Freshness, check_freshness, recharge
from nvcfplan.plans import Deploy, Plan, UpdateDeployment
from tests.budget import examples
from tests.laws.test_safety import breaches, fleets, planned
from tests.planning.builders import (
    ENVIRONMENT,
    STACK,
    account,
    cluster,
    feasible,
    plan,
    running,
    specification,
    wanted,
)


@dataclass
class World:
    """What a plan was made from; tests say what it has become since."""

    functions: list[DesiredFunction]
    account: Account
    live: list[LiveFunction] = field(default_factory=list)
    state: State | None = None

    def plan(self) -> Plan:
        return feasible(plan(self.functions, self.account, self.live, state=self.state))

    def since(
        self,
        *,
        account: Account | None = None,
        live: list[LiveFunction] | None = None,
        state: State | None = None,
    ) -> Freshness:
        """The plan of this world, looked at in another."""
        now = self.live if live is None else live
        return check_freshness(self.plan(), account or self.account, now, state or self.state)


def short(found: Freshness) -> dict[str, int]:
    return {one.resource: one.missing for one in found.shortages}


def moved(found: Freshness) -> set[tuple[str, str, str]]:
    return {(one.address, one.field, one.found) for one in found.moved}


# -- capacity, proved again ------------------------------------------------------------------------


def leaver(instances: int) -> LiveFunction:
    return running(wanted("gone", specification(low=1, high=6)), instances=instances)


def handover() -> World:
    """`here` takes the 6 GPUs that `gone` runs on."""
    return World(
        [wanted("here", specification(low=6))], account(cluster("a", gpus=6, free=0)), [leaver(6)]
    )


def test_a_release_that_gives_less_than_was_counted_on_is_a_shortage() -> None:
    found = handover().since(live=[leaver(1)])
    assert (short(found), found.moved) == ({"pool:a/H100": 5}, ())


def test_a_release_that_gives_less_is_no_shortage_where_the_rest_is_free_now() -> None:
    now = account(cluster("a", gpus=6, free=5))
    assert handover().since(account=now, live=[leaver(1)]).is_fresh


def test_a_raised_minimum_that_ran_already_needs_units_once_fewer_run() -> None:
    def chat(low: int) -> DesiredFunction:
        return wanted("chat", specification(low=low, high=8))

    world = World([chat(4)], account(cluster("a", gpus=4, free=0)), [running(chat(1), instances=4)])
    assert world.plan().steps[0].acquire == ()
    fewer = [running(chat(1), instances=2)]
    assert short(world.since(live=fewer)) == {"pool:a/H100": 2}
    assert world.since(account=account(cluster("a", gpus=4, free=2)), live=fewer).is_fresh


def test_a_pool_that_shrank_is_a_shortage_though_only_releases_pay() -> None:
    smaller = account(cluster("a", gpus=5, free=0))
    assert short(handover().since(account=smaller)) == {"pool:a/H100": 1}


def test_units_that_others_took_meanwhile_are_a_shortage() -> None:
    world = World([wanted("chat", specification(low=4))], account(cluster("a", free=6)))
    assert world.since(account=account(cluster("a", free=4))).is_fresh
    assert short(world.since(account=account(cluster("a", free=3)))) == {"pool:a/H100": 1}


def test_a_quota_that_is_new_is_proved_too() -> None:
    world = World([wanted("chat", specification(low=4))], account(cluster("a")))
    tight = account(cluster("a"), quotas=(Quota(gpu="H100", names=("a",), limit=3),))
    assert short(world.since(account=tight))["quota-min:H100@a"] == 1


def test_a_quota_that_is_gone_limits_nothing() -> None:
    tight = account(cluster("a"), quotas=(Quota(gpu="H100", names=("a",), limit=4),))
    world = World([wanted("chat", specification(low=4))], tight)
    assert world.since(account=account(cluster("a"))).is_fresh


def test_the_version_limit_is_proved_again() -> None:
    world = World(
        [wanted("chat", specification())],
        account(cluster("a"), limit=VersionLimit(limit=5, stored=4)),
    )
    full = account(cluster("a"), limit=VersionLimit(limit=5, stored=5))
    assert short(world.since(account=full)) == {"limit:versions": 1}


def test_what_was_at_risk_when_it_was_planned_is_not_held_against_it() -> None:
    chat = wanted("chat", specification(low=4, backend="g"))
    tight = account(cluster("a", group="g", free=2), cluster("b", group="g"))
    assert World([chat], tight).since().is_fresh


@pytest.mark.parametrize("is_listed", [True, False])
def test_capacity_that_cannot_be_read_any_more_proves_nothing(is_listed: bool) -> None:
    world = World([wanted("chat", specification(low=4))], account(cluster("a")))
    blind = replace(
        world.account,
        clusters=(without_numbers(cluster("a")),) if is_listed else None,
        unread=(
            Unread(what=Readable.CAPACITY, source="/pools", reason="403", remedy="ask for it"),
        ),
    )
    assert moved(world.since(account=blind)) == {("pool:a/H100", "capacity reading", "403")}


def without_numbers(found: Cluster) -> Cluster:
    return replace(
        found, pools=tuple(replace(one, capacity=None, available=None) for one in found.pools)
    )


@settings(max_examples=examples(300))
@given(fleets(), st.integers(0, 5), st.integers(0, 5))
def test_a_plan_is_short_exactly_when_some_order_of_its_steps_would_breach(
    fleet: tuple[list[DesiredFunction], list[LiveFunction], dict[str, int]], a: int, b: int
) -> None:
    result = planned(fleet)
    assume(0 < len(result.steps) <= 12)
    _, live, _ = fleet
    held = {one.id: one.ours for one in result.resources}
    now = account(
        *(
            cluster(pool, gpus=free + held.get(ResourceId(f"pool:{pool}/H100"), 0), free=free)
            for pool, free in (("a", a), ("b", b))
        )
    )
    found = check_freshness(result, now, live, None)
    event("short" if found.shortages else "fresh")
    versions = [version for one in live for version in one.versions]
    wanted_now = [
        specification
        for step in result.steps
        if isinstance(step.task, Deploy)
        for specification in step.task.specifications
    ]
    limits = find_limits(now, Involved(wanted=tuple(wanted_now), ours=tuple(versions), others=()))
    steps = recharge(result, limits, {one.version_id: one for one in versions})
    again = replace(result, steps=steps, resources=limits.resources)
    assert bool(found.shortages) is breaches(again)


# -- versions of what changes ----------------------------------------------------------------------


def chat(image: str = "app:1", *, low: int = 1, high: int | None = None) -> DesiredFunction:
    return wanted("chat", specification(low=low, high=high), image=image)


def stored(name: str) -> LiveVersion:
    (version,) = running(chat(), status=Status.INACTIVE).versions
    return replace(version, version_id=VersionId(name))


def deployed(name: str) -> LiveVersion:
    (version,) = running(chat()).versions
    return replace(version, version_id=VersionId(name))


def of(*versions: LiveVersion) -> list[LiveFunction]:
    return [LiveFunction(id=versions[0].function_id, versions=versions)]


def remembering(version: str) -> State:
    return State(
        lineage="lineage",
        serial=1,
        account=account().identity,
        stack=STACK,
        environment=ENVIRONMENT,
        secret_key="ab",
        functions=(
            ManagedFunction(
                key="chat",
                function_id=deployed("").function_id,
                version_id=VersionId(version),
                applied=chat(),
            ),
        ),
    )


def bump(*versions: LiveVersion, state: State | None = None) -> World:
    return World([chat("app:2")], account(cluster("a", free=6)), of(*versions), state)


@pytest.mark.parametrize("appeared", [deployed("v2"), stored("v2")])
def test_a_version_of_ours_that_appeared_is_named(appeared: LiveVersion) -> None:
    found = bump(deployed("v1")).since(live=of(deployed("v1"), appeared))
    assert ("function.chat", "version", "v2") in moved(found)


def test_a_stored_version_that_somebody_deployed_is_named_by_its_status() -> None:
    world = bump(stored("v0"), deployed("v1"))
    found = world.since(live=of(deployed("v0"), deployed("v1")))
    assert ("function.chat", "status", Status.ACTIVE) in moved(found)


def test_a_stored_version_that_is_gone_is_named() -> None:
    found = bump(stored("v0"), deployed("v1")).since(live=of(deployed("v1")))
    assert moved(found) == {("function.chat", "version", "not there")}


def test_a_state_that_remembers_another_version_moves_what_carries_the_function() -> None:
    both = (deployed("v1"), deployed("v2"))
    world = bump(*both, state=remembering("v1"))
    found = world.since(state=remembering("v2"))
    assert moved(found) == {("function.chat", "current version", "v2")}


def test_a_function_that_is_new_in_the_plan_and_there_by_now_is_named() -> None:
    world = World([chat()], account(cluster("a")))
    found = world.since(live=of(deployed("v1")))
    assert moved(found) == {("function.chat", "function", "there")}


def test_a_second_function_that_claims_the_same_key_is_told() -> None:
    world = bump(deployed("v1"))
    twin = replace(deployed("w1"), function_id=running(wanted("other")).id)
    found = world.since(live=[*world.live, LiveFunction(id=twin.function_id, versions=(twin,))])
    assert {field for _, field, _ in moved(found)} == {"function"}


def test_a_row_that_was_deployed_anew_is_not_the_one_an_update_means() -> None:
    world = World([chat(low=2, high=4)], account(cluster("a", free=7)), [running(chat(high=4))])
    assert isinstance(world.plan().steps[0].task, UpdateDeployment)
    again = [with_row(world.live[0], "another")]
    assert moved(world.since(live=again)) == {("function.chat", "specification main", "not there")}


def with_row(function: LiveFunction, row: str) -> LiveFunction:
    (version,) = function.versions
    assert version.deployment is not None
    (one,) = version.deployment.specifications
    rows = (replace(one, id=GpuSpecificationId(row)),)
    return replace(
        function,
        versions=(replace(version, deployment=replace(version.deployment, specifications=rows)),),
    )


# -- what may move ---------------------------------------------------------------------------------


def edited(version: LiveVersion) -> LiveVersion:
    return replace(version, config=replace(version.config, tags=(*version.config.tags, "by-hand")))


def test_an_edit_of_a_function_that_does_not_change_is_nothing_to_a_plan() -> None:
    other = wanted("other", specification())
    world = World(
        [chat("app:2"), other], account(cluster("a", free=6)), [*of(deployed("v1")), running(other)]
    )
    now = running(other)
    touched = replace(now, versions=tuple(edited(one) for one in now.versions))
    assert world.since(live=[*of(deployed("v1")), touched]).is_fresh
    assert not world.since(live=[*of(edited(deployed("v1"))), now]).is_fresh


def test_an_edit_of_a_stored_version_that_stays_is_nothing_to_a_plan() -> None:
    world = World([chat("app:2")], account(cluster("a", free=6)), of(stored("v0"), deployed("v1")))
    world.functions = [with_kept(one, 2) for one in world.functions]
    assert world.since(live=of(edited(stored("v0")), deployed("v1"))).is_fresh


def with_kept(function: DesiredFunction, count: int) -> DesiredFunction:
    return replace(function, update=replace(function.update, keep_versions=count))


@pytest.mark.parametrize("instances", [0, 1])
def test_a_row_that_has_drained_by_itself_is_nothing_to_a_plan(instances: int) -> None:
    (version,) = running(chat(), instances=instances).versions
    draining = replace(version, status=Status.INACTIVE)
    world = World([chat()], account(cluster("a", gpus=1, free=1 - instances)), of(draining))
    gone = replace(draining, deployment=None, instances=())
    assert "await-released:function.chat@old" in {one.id for one in world.plan().steps}
    assert world.since(account=account(cluster("a", gpus=1, free=1)), live=of(gone)).is_fresh


def test_a_row_that_drains_by_now_is_in_the_way() -> None:
    (version,) = running(chat(), instances=0).versions
    draining = replace(version, status=Status.INACTIVE)
    gone = replace(draining, deployment=None, instances=())
    world = World([chat()], account(cluster("a")), of(gone))
    assert {field for _, field, _ in moved(world.since(live=of(draining)))} == {
        "deployment.specifications"
    }


def offering(*counts: int) -> Account:
    (pool,) = cluster("a").pools
    types = tuple(
        InstanceType(name=f"type_{one}x", gpu_count=one, gpu_count_source=GpuCountSource.ALLOCATOR)
        for one in counts
    )
    found = replace(cluster("a"), pools=(replace(pool, instance_types=types),))
    return account(found, cluster("b"))


@pytest.mark.parametrize(
    ("counts", "is_fresh"), [((1, 2, 4, 8, 16), True), ((1,), True), ((2, 4, 8), False)]
)
@pytest.mark.parametrize("low", [0, 1])
def test_types_come_and_go_but_for_those_that_are_asked_for(
    counts: tuple[int, ...], low: int, *, is_fresh: bool
) -> None:
    world = World([chat(low=low)], offering(1, 2, 4, 8))
    assert world.since(account=offering(*counts)).is_fresh is is_fresh


def test_a_cluster_that_is_gone_and_was_not_used_is_nothing_to_a_plan() -> None:
    world = World([chat()], account(cluster("a"), cluster("b")))
    assert world.since(account=account(cluster("a"))).is_fresh
    assert not world.since(account=account(cluster("b"))).is_fresh
