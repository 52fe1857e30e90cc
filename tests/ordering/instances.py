"""Seeded fleets that are to be changed, from a few functions in one pool to thousands in fifty.

The wanted end always fits where single clusters are named, so that only the order is in question.
"""

from __future__ import annotations

import random
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from nvcfplan.model import Downtime
from tests.ordering.fleets import Cap, Fleet, Function, Place, held, wanted_units
from tests.planning.builders import whole

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    stays = [one.key for one in found[-50:] if one.after]
    return Function(
        key=f"f{number:05}",
        before=() if kind == "create" else (replace(place, runs=instances),),
        after=() if kind == "delete" else (after,),
        bumps=kind in ("bump", "move"),
        policy=whole(Downtime.ALLOWED if throw.random() < 0.5 else Downtime.NEVER),
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
    stays = [one.key for one in others if one.after]
    return Function(
        key=f"{throw.choice('abcdefgh')}{number}",
        before=() if kind == "create" else (replace(place, runs=place.instances),),
        after=() if kind == "delete" else (after,),
        bumps=kind in ("bump", "move"),
        policy=whole(Downtime.ALLOWED if throw.random() < 0.4 else Downtime.NEVER),
        uses=(throw.choice(stays),) if stays and throw.random() < 0.12 else (),
    )


def _widened(throw: random.Random, one: Function, pools: Sequence[str]) -> Function:
    """Perhaps with a choice of pools, then the same before and after unless it moves."""
    before, after = list(one.before), list(one.after)
    if throw.random() < 0.3 and len(pools) > 1:
        choice = tuple(sorted(throw.sample(list(pools), 2)))
        is_backend = throw.random() < 0.4
        names = tuple(pools) if is_backend else choice
        after = [replace(place, pools=names, is_backend=is_backend) for place in after]
        if before and throw.random() < 0.5:
            before = [replace(place, pools=names, is_backend=is_backend) for place in before]
    if before and throw.random() < 0.3:
        more = throw.randint(1, 2)
        (now,) = before
        runs = now.instances + throw.randint(0, more)
        before = [replace(now, most=now.instances + more, runs=runs)]
        if after and throw.random() < 0.7:
            after = [replace(place, most=place.instances + more) for place in after]
    return replace(one, before=tuple(before), after=tuple(after))


def _sized(
    throw: random.Random, functions: Sequence[Function], pools: Sequence[str], *, quota_odds: float
) -> Fleet:
    tightness = throw.choice((0.5, 0.7, 0.8, 0.9, 0.95, 1.0))
    before, after = held(functions), wanted_units(functions)
    capacity = {name: ceil(max(before[name], after[name]) / tightness) for name in pools}
    quotas: list[Cap] = []
    if throw.random() < quota_odds:
        names = tuple(sorted(throw.sample(list(pools), throw.randint(1, len(pools)))))
        least = max(sum(some[name] for name in names) for some in (before, after))
        quotas.append(Cap(names, ceil(least / throw.choice((0.7, 0.9, 1.0)))))
    return Fleet(functions=tuple(functions), capacity=capacity, quotas=tuple(quotas))
