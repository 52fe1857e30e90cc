"""What a stack may hold of each pool once it is as wanted: from its minima to its maxima.

A specification that may land on several clusters counts to none's least and to each one's most.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.plans import Demand

if TYPE_CHECKING:
    from nvcfplan.capacity import Limits
    from nvcfplan.model import PoolId, Stack


def find_demand(stack: Stack, limits: Limits) -> tuple[Demand, ...]:
    """By pool; of types of unknown size nothing is counted."""
    least: Counter[PoolId] = Counter()
    most: Counter[PoolId] = Counter()
    for function in stack.functions:
        for one in function.specifications:
            placement = limits.atlas.place(one.specification)
            gpus = placement.gpus_each or 0
            for pool in placement.pools:
                most[pool] += one.specification.max_instances * gpus
                if len(placement.pools) == 1:
                    least[pool] += one.specification.min_instances * gpus
    return tuple(
        Demand(pool=pool, least=least[pool], most=most[pool], capacity=_capacity(limits, pool))
        for pool in sorted(most)
        if most[pool]
    )


def _capacity(limits: Limits, pool: PoolId) -> int | None:
    found = limits.atlas.pool_at(pool.cluster, pool.gpu)
    return None if found is None else found.capacity
