"""Sets of pools inside which more than one specification can land, and nowhere else.

What can land only inside a set must fit in it, however the service chooses. By Hall's theorem it is
enough to ask this of the unions of choices that overlap, directly or through others: a set that
falls apart into unconnected ones asks no more than its parts do.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from nvcfplan.model import PoolId

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Pools = tuple[PoolId, ...]

UNION_LIMIT: Final = 512
"""So many unions are looked at, those with least room first."""
KEPT_LIMIT: Final = 48
"""So many of them are kept, those with least room, besides the choices themselves."""


def find_unions(choices: Collection[Pools], room: Callable[[Pools], int]) -> tuple[Pools, ...]:
    """Proper unions of connected choices; all of them where there are few.

    `room`: free GPUs in a set. What is left out could only have shown that something is impossible:
    a plan called proved does not rest on it.
    """
    wide = sorted({pools for pools in choices if len(pools) > 1})
    near: dict[PoolId, list[Pools]] = {}
    for pools in wide:
        for pool in pools:
            near.setdefault(pool, []).append(pools)
    seen = set(wide)
    queue = [(room(pools), pools) for pools in wide]
    heapq.heapify(queue)
    found: list[tuple[int, Pools]] = []
    while queue and len(found) < UNION_LIMIT:
        _, pools = heapq.heappop(queue)
        for other in sorted({one for pool in pools for one in near[pool]}):
            union = tuple(sorted({*pools, *other}))
            if union not in seen and len(found) < UNION_LIMIT:
                seen.add(union)
                found.append((room(union), union))
                heapq.heappush(queue, found[-1])
    return tuple(sorted(pools for _, pools in heapq.nsmallest(KEPT_LIMIT, found)))
