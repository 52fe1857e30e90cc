"""Seeded fleets with everything that a stack may ask for: several specifications a function, all
policies of `update`, minima of 0, busy functions, choices of clusters, quotas over several pools.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from nvcfplan.model import Downtime, Prove, QuotaUnit, UpdateOrder, UpdatePolicy, Warm
from tests.ordering.fleets import Cap, Fleet, Function, Place, held, wanted_units
from tests.planning.builders import specification

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.model import GpuSpecification

TIGHTNESS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
KINDS = (
    *("create", "delete", "scale", "scale", "keep", "keep"),
    *("bump", "bump", "bump", "bump", "move", "move", "reshape"),
)
KEYS = ("h100", "long", "main")


def rich_fleet(seed: int) -> Fleet:
    throw = random.Random(seed)
    pools = [f"p{number}" for number in range(throw.randint(1, 6))]
    functions: list[Function] = []
    for number in range(throw.randint(3, 8)):
        stays = [one.key for one in functions if one.after]
        functions.append(_function(throw, pools, number, stays))
    tightness = throw.choice(TIGHTNESS)
    before, after = held(functions), wanted_units(functions)
    capacity = {name: ceil(max(before[name], after[name]) / tightness) for name in pools}
    quotas = tuple(_quota(throw, functions, pools) for _ in range(throw.choice((0, 0, 1, 1, 2))))
    by_kind = {(one.names, one.unit): one for one in quotas}
    return Fleet(
        functions=tuple(functions),
        capacity=capacity,
        quotas=tuple(by_kind[kind] for kind in sorted(by_kind)),
    )


def _function(
    throw: random.Random, pools: Sequence[str], number: int, stays: Sequence[str]
) -> Function:
    kind = throw.choice(KINDS)
    before = tuple(_places(throw, pools))
    after = before
    if kind == "scale" or (kind == "bump" and throw.random() < 0.3):
        after = tuple(_scaled(throw, one) for one in before)
    elif kind == "move":
        after = tuple(_moved(throw, pools, one) for one in before)
    elif kind == "reshape":
        after = tuple(_places(throw, pools))
    busy = throw.random() < 0.4
    return Function(
        key=f"{throw.choice('abcdefgh')}{number}",
        before=() if kind == "create" else tuple(_running(throw, one, busy) for one in before),
        after=() if kind == "delete" else after,
        bumps=kind in ("bump", "reshape"),
        policy=_policy(throw, pools),
        uses=(throw.choice(stays),) if stays and throw.random() < 0.15 else (),
    )


def _places(throw: random.Random, pools: Sequence[str]) -> Iterator[Place]:
    for key in KEYS[: throw.choices((1, 2, 3), (6, 3, 1))[0]]:
        instances = throw.choice((0, 1, 1, 2, 2, 3, 4))
        place = Place(
            key=key,
            pools=(throw.choice(pools),),
            instances=instances,
            gpus=throw.choice((1, 1, 2, 4)),
            most=instances + throw.choice((0, 0, 1, 2, 3)),
        )
        yield _moved(throw, pools, place)


def _moved(throw: random.Random, pools: Sequence[str], place: Place) -> Place:
    """To another cluster, to a choice of two, or to the group of them all."""
    odds = throw.random()
    if odds < 0.15 and len(pools) > 1:
        return replace(place, pools=tuple(sorted(throw.sample(list(pools), 2))), is_backend=False)
    if odds < 0.22:
        return replace(place, pools=tuple(pools), is_backend=True)
    return replace(place, pools=(throw.choice(pools),), is_backend=False)


def _scaled(throw: random.Random, place: Place) -> Place:
    instances = max(0, place.instances + throw.choice((-2, -1, 0, 1, 2)))
    return replace(place, instances=instances, most=instances + throw.choice((0, 1, 2)))


def _running(throw: random.Random, place: Place, busy: bool) -> Place:
    runs = throw.randint(place.instances, max(place.instances, place.most)) if busy else 0
    return replace(place, runs=max(place.instances, runs))


def _policy(throw: random.Random, pools: Sequence[str]) -> UpdatePolicy:
    downtime = Downtime.ALLOWED if throw.random() < 0.35 else Downtime.NEVER
    orders = (UpdateOrder.AUTO, UpdateOrder.CREATE_FIRST, UpdateOrder.DELETE_FIRST)
    longest = throw.choice((None, None, None, timedelta(minutes=20), timedelta(hours=2)))
    return UpdatePolicy(
        downtime=downtime,
        order=throw.choices(orders, (8, 1, 1))[0],
        max_downtime=longest if downtime is Downtime.ALLOWED else None,
        warm=throw.choice((Warm.MATCH_RUNNING, Warm.MATCH_RUNNING, Warm.MIN)),
        prove=throw.choice((Prove.ONE, Prove.ONE, Prove.NONE)),
        min_serving=throw.choice((0.0, 0.25, 0.5, 0.5, 0.75, 1.0)),
        bounce=tuple(_bounces(throw, pools)) if throw.random() < 0.25 else (),
        coexist=throw.random() >= 0.08,
        keep_versions=throw.choice((0, 1, 1, 2)),
    )


def _bounces(throw: random.Random, pools: Sequence[str]) -> Iterator[GpuSpecification]:
    for number in range(throw.choice((1, 1, 2))):
        yield specification(
            f"bounce-{number + 1}",
            low=1,
            high=4,
            gpus=throw.choice((1, 1, 2)),
            clusters=(throw.choice(pools),),
        )


def _quota(throw: random.Random, functions: Sequence[Function], pools: Sequence[str]) -> Cap:
    """Over some pools: all that runs before may be deployed, and all that is wanted."""
    names = tuple(sorted(throw.sample(list(pools), throw.randint(1, len(pools)))))
    cap = Cap(names, 0, throw.choice((QuotaUnit.GPUS, QuotaUnit.GPUS, QuotaUnit.INSTANCES)))
    sides = ([p for f in functions for p in f.before], [p for f in functions for p in f.after])
    least = max(sum(cap.counts(one.pools, one.highest, one.gpus) for one in side) for side in sides)
    return replace(cap, limit=ceil(least / throw.choice((0.6, 0.8, 0.9, 1.0))))
