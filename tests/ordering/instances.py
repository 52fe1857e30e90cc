"""Seeded fleets that are to be changed: who runs where, what is wanted, and how tight it is.

The wanted end always fits where single clusters are named, so that only the order is in question.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from nvcfplan.model import Address, Downtime, GpuSpecification, Quota, function_address
from tests.planning.builders import account, cluster, plan, running, specification, wanted, whole

if TYPE_CHECKING:
    from nvcfplan.model import Account, DesiredFunction, LiveFunction
    from nvcfplan.plans import Infeasible, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`pools`: one, or all that the service may choose from; by `backend` or by their names."""

    pools: tuple[str, ...]
    instances: int
    gpus: int
    is_backend: bool = False
    most: int = 0

    @property
    def units(self) -> int:
        return self.instances * self.gpus

    def specification(self) -> GpuSpecification:
        found = specification(
            low=self.instances,
            high=max(self.instances, self.most, 1),
            gpus=self.gpus,
            clusters=self.pools,
        )
        return replace(found, clusters=(), backend="all") if self.is_backend else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """`before` None: new. `after` None: to be removed. `bumps`: gets a new image.

    `runs`: instances now, on the first of its pools.
    """

    key: str
    before: Place | None
    after: Place | None
    bumps: bool
    may_pause: bool
    runs: int = 0
    uses: tuple[str, ...] = ()

    @property
    def desired_address(self) -> Address:
        return function_address(self.key)

    @property
    def is_replaced(self) -> bool:
        if self.before is None or self.after is None:
            return False
        now, then = self.before, self.after
        return self.bumps or (now.pools, now.gpus, now.is_backend) != (
            then.pools,
            then.gpus,
            then.is_backend,
        )

    def desired(self) -> DesiredFunction:
        assert self.after is not None, "only of one that stays"
        return wanted(
            self.key,
            self.after.specification(),
            image="app:2" if self.bumps else "app:1",
            policy=whole(Downtime.ALLOWED if self.may_pause else Downtime.NEVER),
            depends_on=self.uses,
        )

    def live(self) -> LiveFunction:
        assert self.before is not None, "only of one that is there"
        found = running(
            wanted(self.key, self.before.specification(), image="app:1"), instances=self.runs
        )
        (version,) = found.versions
        instances = tuple(
            replace(one, location=self.before.pools[0]) for one in version.instances or ()
        )
        return replace(found, versions=(replace(version, instances=instances),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """`capacity`: GPUs by pool. `quotas`: limits over sets of pools."""

    functions: tuple[Function, ...]
    capacity: Mapping[str, int]
    quotas: tuple[tuple[tuple[str, ...], int], ...] = ()

    def account(self) -> Account:
        used = held(self.functions)
        quotas = tuple(Quota(gpu="H100", names=names, limit=limit) for names, limit in self.quotas)
        return account(
            *(
                replace(cluster(name, gpus=gpus, free=gpus - used[name]), groups=(name, "all"))
                for name, gpus in self.capacity.items()
            ),
            quotas=quotas,
        )

    def desired(self) -> list[DesiredFunction]:
        return [one.desired() for one in self.functions if one.after is not None]

    def live(self) -> list[LiveFunction]:
        return [one.live() for one in self.functions if one.before is not None]

    def plan(self) -> Plan | Infeasible:
        return plan(self.desired(), self.account(), self.live())


def held(functions: Sequence[Function]) -> Counter[str]:
    """GPUs by pool now."""
    used: Counter[str] = Counter()
    for one in functions:
        if one.before is not None:
            used[one.before.pools[0]] += one.runs * one.before.gpus
    return used


def wanted_units(functions: Sequence[Function]) -> Counter[str]:
    """GPUs by pool in the end; of a choice, on its first pool."""
    used: Counter[str] = Counter()
    for one in functions:
        if one.after is not None:
            used[one.after.pools[0]] += _end_units(one, one.after)
    return used


def _end_units(one: Function, after: Place) -> int:
    """What an update leaves running counts too."""
    if one.before is None or one.is_replaced:
        return after.units
    return max(after.instances, min(one.runs, max(after.most, after.instances))) * after.gpus


def narrow_fleet(seed: int, *, most: int = 7) -> Fleet:
    """4 to `most` functions over single pools, all at their minimum, and perhaps a quota."""
    throw = random.Random(seed)
    pools = [f"p{number}" for number in range(throw.randint(1, 3))]
    functions: list[Function] = []
    for number in range(throw.randint(4, most)):
        functions.append(_narrow_function(throw, pools, number, functions))
    return _sized(throw, functions, pools, quota_odds=0.4)


def wide_fleet(seed: int) -> Fleet:
    """As narrow ones, with choices of pools, backends and functions above their minimum."""
    throw = random.Random(seed)
    pools = [f"p{number}" for number in range(throw.randint(1, 6))]
    functions: list[Function] = []
    for number in range(throw.randint(3, 10)):
        one = _narrow_function(throw, pools, number, functions)
        functions.append(_widened(throw, one, pools))
    return _sized(throw, functions, pools, quota_odds=0.3)


def large_fleet(seed: int, *, functions: int, pools: int, tightness: float = 0.9) -> Fleet:
    """So many functions that all change: replaced in place or moved, new, gone or scaled.

    A fifth may land on either of two pools, a tenth uses another, half may not pause. No function
    is larger than an eighth of what its pool holds on average.
    """
    throw = random.Random(seed)
    names = [f"p{number:02}" for number in range(pools)]
    largest = max(1, functions * 4 // pools // 8)
    found: list[Function] = []
    for number in range(functions):
        found.append(_large_function(throw, names, number, (largest, found)))
    before, after = held(found), wanted_units(found)
    capacity = {name: ceil(max(before[name], after[name], 1) / tightness) for name in names}
    return Fleet(functions=tuple(found), capacity=capacity)


def _large_function(
    throw: random.Random, names: Sequence[str], number: int, others: tuple[int, Sequence[Function]]
) -> Function:
    largest, found = others
    home, gpus = throw.choice(names), throw.choice((1, 1, 2, 4))
    instances = throw.randint(1, max(1, min(4, largest // gpus)))
    place = Place(pools=(home,), instances=instances, gpus=min(gpus, largest))
    kind = throw.choices(("bump", "move", "delete", "create", "scale"), (42, 18, 15, 15, 10))[0]
    after = place
    if kind == "move":
        after = replace(place, pools=(throw.choice(names),))
    elif kind == "scale":
        after = replace(place, instances=max(1, min(4, instances + throw.choice((-1, 1)))))
    if throw.random() < 0.2:
        other = throw.choice(names)
        after = replace(after, pools=tuple(dict.fromkeys((*after.pools, other))))
        place = replace(place, pools=after.pools) if kind in ("bump", "scale") else place
    stays = [one.key for one in found[-50:] if one.after is not None]
    return Function(
        key=f"f{number:05}",
        before=None if kind == "create" else place,
        after=None if kind == "delete" else after,
        bumps=kind in ("bump", "move"),
        may_pause=throw.random() < 0.5,
        runs=0 if kind == "create" else instances,
        uses=(throw.choice(stays),) if stays and throw.random() < 0.1 else (),
    )


def _narrow_function(
    throw: random.Random, pools: Sequence[str], number: int, others: Sequence[Function]
) -> Function:
    place = Place(
        pools=(throw.choice(pools),),
        instances=throw.randint(1, 3),
        gpus=throw.choice((1, 1, 2, 4)),
    )
    kind = throw.choice(("create", "delete", "scale", "bump", "bump", "move", "move", "keep"))
    after = place
    if kind == "scale":
        after = replace(place, instances=throw.randint(1, 4))
    elif kind == "move":
        after = replace(place, pools=(throw.choice(pools),))
    stays = [one.key for one in others if one.after is not None]
    return Function(
        key=f"{throw.choice('abcdefgh')}{number}",
        before=None if kind == "create" else place,
        after=None if kind == "delete" else after,
        bumps=kind in ("bump", "move"),
        may_pause=throw.random() < 0.4,
        runs=0 if kind == "create" else place.instances,
        uses=(throw.choice(stays),) if stays and throw.random() < 0.12 else (),
    )


def _widened(throw: random.Random, one: Function, pools: Sequence[str]) -> Function:
    """Perhaps with a choice of pools, then the same before and after unless it moves."""
    before, after, runs = one.before, one.after, one.runs
    if throw.random() < 0.3 and len(pools) > 1:
        choice = tuple(sorted(throw.sample(list(pools), 2)))
        is_backend = throw.random() < 0.4
        names = tuple(pools) if is_backend else choice
        if after is not None:
            after = replace(after, pools=names, is_backend=is_backend)
        if before is not None and throw.random() < 0.5:
            before = replace(before, pools=names, is_backend=is_backend)
    if before is not None and throw.random() < 0.3:
        more = throw.randint(1, 2)
        before = replace(before, most=before.instances + more)
        runs = before.instances + throw.randint(0, more)
        if after is not None and throw.random() < 0.7:
            after = replace(after, most=after.instances + more)
    return replace(one, before=before, after=after, runs=runs)


def _sized(
    throw: random.Random, functions: Sequence[Function], pools: Sequence[str], *, quota_odds: float
) -> Fleet:
    tightness = throw.choice((0.5, 0.7, 0.8, 0.9, 0.95, 1.0))
    before, after = held(functions), wanted_units(functions)
    capacity = {name: ceil(max(before[name], after[name]) / tightness) for name in pools}
    quotas: list[tuple[tuple[str, ...], int]] = []
    if throw.random() < quota_odds:
        names = tuple(sorted(throw.sample(list(pools), throw.randint(1, len(pools)))))
        least = max(sum(some[name] for name in names) for some in (before, after))
        quotas.append((names, ceil(least / throw.choice((0.7, 0.9, 1.0)))))
    return Fleet(functions=tuple(functions), capacity=capacity, quotas=tuple(quotas))
