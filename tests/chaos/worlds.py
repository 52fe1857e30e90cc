"""Random stacks, the pools they live in, and how people change them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.model import (
    DesiredFunction,
    DesiredSpecification,
    Downtime,
    FunctionConfig,
    GpuSpecification,
    PoolId,
    SecretOrigin,
    SecretReference,
    UpdateOrder,
    UpdatePolicy,
)
from tests.chaos.ladders import laid, make_ladder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

Functions = dict[str, DesiredFunction]

GPU: Final = "H100"
CLUSTERS: Final = ("a", "b")
_KEYS: Final = ("chat", "embed", "rank", "tag")
_FIELDS: Final = ("clusters", "gpu", "instance_type", "max_instances", "min_instances")
_ALWAYS: Final = ("container_image", "deployment", "inference_url", "name")


@dataclass(frozen=True, slots=True)
class World:
    """`stacks`: one after the other, as people write them; the first is applied in peace.

    `is_scarce`: others will be after the GPUs, and every function has a ladder.
    """

    capacity: dict[PoolId, int]
    stacks: tuple[Functions, ...]
    is_scarce: bool


def make_world(random: Random) -> World:
    is_scarce = random.random() < 0.4
    is_tight = random.random() < 0.35
    first = {key: _function(random, key, is_tight) for key in _some(random, 1, 3)}
    stacks = [first]
    for _ in range(2 if random.random() < 0.25 else 1):
        # One that comes back may lack the secrets that its function has kept: that is refused.
        unused = sorted(set(_KEYS) - {key for stack in stacks for key in stack})
        edited = _edited(random, stacks[-1], unused, is_tight)
        stacks.append(_bumped(random, edited) if is_scarce else edited)
    ladders = tuple(_laddered(random, stacks, share=1.0 if is_scarce else 0.5))
    return World(_capacity(random, stacks, is_tight), ladders, is_scarce)


def _bumped(random: Random, stack: Functions) -> Functions:
    key = random.choice(sorted(stack))
    one = stack[key]
    return {**stack, key: replace(one, config=replace(one.config, container_image=_image(random)))}


def _laddered(random: Random, stacks: list[Functions], *, share: float) -> Iterator[Functions]:
    """`share` of all functions have a ladder. What it is laid over changes; now and then it does,
    too.
    """
    ladders = {key: make_ladder(random, share) for key in _KEYS}
    for stack in stacks:
        if random.random() < 0.2:
            ladders[random.choice(_KEYS)] = make_ladder(random, share)
        yield {key: laid(one, ladders[key]) for key, one in stack.items()}


def _some(random: Random, least: int, most: int) -> list[str]:
    return sorted(random.sample(_KEYS, random.randint(least, most)))


def _capacity(random: Random, stacks: list[Functions], is_tight: bool) -> dict[PoolId, int]:
    """Roomy: two of everything fit. Tight: what is wanted fits, and little beside it."""
    needs = {
        cluster: max(
            sum(_gpus(one) for function in stack.values() for one in _rows(function)
                if one.clusters == (cluster,))
            for stack in stacks
        )
        for cluster in CLUSTERS
    }  # fmt: skip
    room = {
        cluster: need + random.randint(0, 1) if is_tight else 2 * need + 2
        for cluster, need in needs.items()
    }
    return {PoolId(cluster, GPU): max(room[cluster], 2) for cluster in CLUSTERS}


def _gpus(one: GpuSpecification) -> int:
    return one.max_instances * int(one.instance_type.rpartition("_")[2][:-1])


def _rows(function: DesiredFunction) -> tuple[GpuSpecification, ...]:
    return tuple(one.specification for one in function.specifications)


def _function(random: Random, key: str, is_tight: bool) -> DesiredFunction:
    rows = [_row(random, "main")]
    if random.random() < 0.2:
        rows.append(_beside(rows[0], _row(random, "more")))
    managed = list(_ALWAYS)
    parties: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    secrets: tuple[SecretReference, ...] = ()
    if random.random() < 0.4:
        managed.append("tags")
        tags = (f"team-{random.randint(1, 3)}",)
    if random.random() < 0.3:
        managed.append("authorized_parties")
        parties = (f"nca-{random.randint(1, 3)}",)
    if random.random() < 0.3:
        managed.append("secrets")
        secrets = (_secret("TOKEN", random.randint(1, 3)),)
    return DesiredFunction(
        key=key,
        config=FunctionConfig(
            name=key, inference_url="/v1", container_image=_image(random), tags=tags
        ),
        managed=tuple(sorted(managed)),
        specifications=tuple(rows),
        authorized_parties=parties,
        secrets=secrets,
        update=_policy(random, is_tight),
    )


def _beside(one: DesiredSpecification, other: DesiredSpecification) -> DesiredSpecification:
    """In the other cluster: two of one placement cannot be told apart, and are refused."""
    (elsewhere,) = (name for name in CLUSTERS if (name,) != one.specification.clusters)
    return replace(other, specification=replace(other.specification, clusters=(elsewhere,)))


def _row(random: Random, key: str) -> DesiredSpecification:
    least = random.randint(0, 2)
    return DesiredSpecification(
        specification=GpuSpecification(
            key=key,
            gpu=GPU,
            instance_type=f"{GPU}_{random.choice((1, 1, 2))}x",
            min_instances=least,
            max_instances=max(1, least) + random.randint(0, 1),
            clusters=(random.choice(CLUSTERS),),
        ),
        managed=_FIELDS,
    )


def _policy(random: Random, is_tight: bool) -> UpdatePolicy:
    may_stop = random.random() < (0.9 if is_tight else 0.3)
    orders = [UpdateOrder.AUTO, UpdateOrder.CREATE_FIRST]
    orders += [UpdateOrder.DELETE_FIRST] if may_stop else []
    return UpdatePolicy(
        downtime=Downtime.ALLOWED if may_stop else Downtime.NEVER,
        order=UpdateOrder.AUTO if is_tight else random.choice(orders),
        keep_versions=random.randint(0, 1),
    )


def _image(random: Random) -> str:
    return f"nvcr.io/acme/app:{random.randint(1, 99)}"


def _secret(name: str, number: int) -> SecretReference:
    return SecretReference(name, SecretOrigin.ENV, f"{name}_{number}")


def _edited(random: Random, before: Functions, unused: list[str], is_tight: bool) -> Functions:
    after = dict(before)
    for _ in range(random.randint(1, 3)):
        what = random.random()
        if what < 0.15 and unused:
            key = unused.pop(random.randrange(len(unused)))
            after[key] = _function(random, key, is_tight)
        elif what < 0.25 and len(after) > 1:
            del after[random.choice(sorted(after))]
        else:
            key = random.choice(sorted(after))
            after[key] = _changed(random, after[key])
    return after


def _changed(random: Random, one: DesiredFunction) -> DesiredFunction:
    what = random.random()
    if what < 0.35:
        return replace(one, config=replace(one.config, container_image=_image(random)))
    if what < 0.55:
        return replace(one, specifications=(_scaled(random, one.specifications[0]),
                                            *one.specifications[1:]))  # fmt: skip
    if what < 0.7:
        moved = _row(random, one.specifications[0].specification.key)
        rest = tuple(_beside(moved, other) for other in one.specifications[1:])
        return replace(one, specifications=(moved, *rest))
    if what < 0.8 and "tags" in one.managed:
        return replace(one, config=replace(one.config, tags=(f"team-{random.randint(4, 9)}",)))
    if what < 0.9 and "authorized_parties" in one.managed:
        return replace(one, authorized_parties=(f"nca-{random.randint(4, 9)}",))
    if "secrets" in one.managed:
        return replace(one, secrets=(_secret("TOKEN", random.randint(4, 9)),))
    return replace(one, config=replace(one.config, container_image=_image(random)))


def _scaled(random: Random, one: DesiredSpecification) -> DesiredSpecification:
    row = one.specification
    least = random.randint(0, 3)
    most = max(1, least) + random.randint(0, 1)
    return replace(one, specification=replace(row, min_instances=least, max_instances=most))
