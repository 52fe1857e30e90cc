"""What is not read would not have changed the plan; what is read follows from what changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.model import Account, DesiredFunction, LiveFunction, Readable, Stack, Status
from nvcfplan.planning import PlanNeeds
from nvcfplan.plans import Infeasible, Plan
from tests.budget import examples
from tests.planning import builders
from tests.planning.builders import cluster, running, specification, wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import GpuSpecification

NAMES = ("a", "b")


@dataclass(frozen=True, slots=True)
class World:
    account: Account
    live: tuple[LiveFunction, ...]
    wanted: tuple[DesiredFunction, ...]


def unread(live: Sequence[LiveFunction]) -> tuple[LiveFunction, ...]:
    return tuple(
        replace(
            one,
            versions=tuple(
                replace(version, instances=None, secret_names=None) for version in one.versions
            ),
        )
        for one in live
    )


def needs(functions: Sequence[DesiredFunction]) -> PlanNeeds:
    ordered = tuple(sorted(functions, key=lambda one: one.key))
    stack = Stack(name=builders.STACK, environment=builders.ENVIRONMENT, functions=ordered)
    return PlanNeeds(stack=stack, state=None)


def read_as_needed(world: World) -> tuple[LiveFunction, ...]:
    listed = unread(world.live)
    ids = {version for _, version in needs(world.wanted).outlook(listed).instances(world.account)}
    return tuple(
        full if full.versions[0].version_id in ids else bare
        for full, bare in zip(world.live, listed, strict=True)
    )


specifications = st.builds(
    specification,
    low=st.integers(1, 3),
    high=st.just(6),
    gpus=st.sampled_from([1, 2]),
    clusters=st.sampled_from([("a",), ("b",), NAMES]),
)


def changed(draw: st.DrawFn, key: str, before: GpuSpecification) -> DesiredFunction | None:
    """None: it leaves the stack."""
    match draw(st.sampled_from(["same", "same", "same", "grown", "shrunk", "image", "gone"])):
        case "grown":
            return wanted(key, replace(before, min_instances=before.min_instances + 2))
        case "shrunk":
            return wanted(key, replace(before, max_instances=max(1, before.min_instances)))
        case "image":
            return wanted(key, before, image="nvcr.io/acme/app:2")
        case "gone":
            return None
    return wanted(key, before)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    used = dict.fromkeys(NAMES, 0)
    live: list[LiveFunction] = []
    desired: list[DesiredFunction] = []
    for number in range(draw(st.integers(1, 5))):
        key, one = f"f{number}", draw(specifications)
        count = draw(st.integers(one.min_instances, 5))
        where = one.clusters[0]
        used[where] += count * int(one.instance_type[-2])
        live.append(running(wanted(key, one), instances=count, location=where))
        after = changed(draw, key, one)
        desired += [after] if after is not None else []
    desired += (
        wanted(f"n{number}", draw(specifications)) for number in range(draw(st.integers(0, 2)))
    )
    room = [
        cluster(name, gpus=used[name] + free + others, free=free)
        for name in NAMES
        for free, others in [(draw(st.integers(0, 12)), draw(st.integers(0, 3)))]
    ]
    return World(builders.account(*room), tuple(live), tuple(desired))


@settings(max_examples=examples(1000), deadline=None)
@given(worlds())
def test_a_plan_by_what_is_needed_is_the_plan_by_everything(world: World) -> None:
    less = builders.plan(world.wanted, world.account, read_as_needed(world))
    everything = builders.plan(world.wanted, world.account, world.live)
    assert type(less) is type(everything)
    if isinstance(less, Plan) and isinstance(everything, Plan):
        assert less.steps == everything.steps
        assert less.funding == everything.funding
    if isinstance(less, Infeasible) and isinstance(everything, Infeasible):
        assert {one.resource: one.missing for one in less.shortages} == {
            one.resource: one.missing for one in everything.shortages
        }


def functions(count: int) -> tuple[tuple[DesiredFunction, ...], tuple[LiveFunction, ...]]:
    desired = tuple(wanted(f"f{number}", specification()) for number in range(count))
    return desired, unread([running(one) for one in desired])


def test_nothing_to_do_needs_names_only() -> None:
    desired, live = functions(2)
    outlook = needs(desired).outlook(live)
    assert outlook.readings() == {Readable.INVENTORY}
    assert outlook.instances(builders.account(cluster("a"))) == ()


def test_a_new_function_needs_every_number() -> None:
    desired, live = functions(2)
    outlook = needs([*desired, wanted("new", specification())]).outlook(live)
    assert outlook.readings() == set(Readable)


def test_growth_needs_capacity_and_quota_but_not_the_version_limit() -> None:
    desired, live = functions(2)
    grown = wanted("f0", specification(low=2, high=2))
    outlook = needs([grown, desired[1]]).outlook(live)
    assert outlook.readings() == {Readable.INVENTORY, Readable.CAPACITY, Readable.QUOTA}


def test_a_pool_with_room_for_all_binds_nothing_and_a_full_one_all_that_is_in_it() -> None:
    desired, live = functions(4)
    outlook = needs([*desired, wanted("new", specification(low=2))]).outlook(live)
    roomy = builders.account(cluster("a", gpus=6, free=2))
    full = builders.account(cluster("a", gpus=5, free=1))
    assert outlook.instances(roomy) == ()
    assert {function for function, _ in outlook.instances(full)} == {"f-f0", "f-f1", "f-f2", "f-f3"}


def test_what_is_short_of_its_minimum_counts_as_still_to_come() -> None:
    """So a pool that looks roomy may bind after all."""
    desired, live = functions(2)
    late = replace(live[0], versions=(replace(live[0].versions[0], status=Status.DEGRADED),))
    outlook = needs([*desired, wanted("new", specification())]).outlook([late, live[1]])
    account = builders.account(cluster("a", gpus=3, free=2))
    assert {function for function, _ in outlook.instances(account)} == set()
    tight = builders.account(cluster("a", gpus=3, free=1))
    assert {function for function, _ in outlook.instances(tight)} == {"f-f0", "f-f1"}
