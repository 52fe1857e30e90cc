"""What a resource counts: a necessary one what can land only inside, any other what can touch it.

Looked up by the pools that something may land on: fleets have thousands of specifications and few
choices of pools.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import GpuSpecification, PoolId, ResourceId
from nvcfplan.plans import Basis, Bound, Resource, Unit

if TYPE_CHECKING:
    from nvcfplan.capacity.holdings import Held
    from nvcfplan.capacity.placements import Placement


@dataclass(frozen=True, slots=True)
class Index:
    """`by_pool`: resources that have the pool, sorted by id."""

    by_pool: Mapping[PoolId, tuple[Resource, ...]]

    def counting(self, pools: Sequence[PoolId]) -> Iterable[Resource]:
        """Resources that count what may land on these pools, each once."""
        if len(pools) == 1:
            return self.by_pool.get(pools[0], ())
        found = {
            one.id: one
            for pool in pools
            for one in self.by_pool.get(pool, ())
            if counts_inside(one, pools)
        }
        return found.values()


def index_of(resources: Iterable[Resource]) -> Index:
    by_pool: dict[PoolId, list[Resource]] = {}
    for one in resources:
        for pool in one.pools:
            by_pool.setdefault(pool, []).append(one)
    return Index({pool: tuple(some) for pool, some in by_pool.items()})


def counts_inside(resource: Resource, pools: Collection[PoolId]) -> bool:
    """Whether what may land on `pools` is counted by the resource."""
    if resource.bound is Bound.NECESSARY:
        return bool(pools) and set(pools).issubset(resource.pools)
    return any(pool in resource.pools for pool in pools)


def held_units(index: Index, held: Held) -> Counter[ResourceId]:
    """Units of HELD-basis resources that a live version takes up now."""
    found: Counter[ResourceId] = Counter()
    for pool, gpus in held.running:
        for one in index.counting((pool,)):
            if one.basis is Basis.HELD:
                found[one.id] += gpus
    for pending in held.pending:
        for one in index.counting(pending.pools):
            if one.basis is Basis.HELD:
                found[one.id] += pending.gpus
    return found


def placed_units(
    index: Index, specification: GpuSpecification, placement: Placement
) -> Counter[ResourceId]:
    """Units that a deployed specification takes up, by basis: its minimum, or its maximum."""
    low, high = specification.min_instances, specification.max_instances
    gpus = placement.gpus_each or 0
    return Counter(
        {
            one.id: (high if one.basis is Basis.MAX else low)
            * (1 if one.unit is Unit.INSTANCES else gpus)
            for one in index.counting(placement.pools)
            if _counts_type(one, specification.instance_type)
        }
    )


def _counts_type(resource: Resource, name: str) -> bool:
    wanted = resource.instance_type
    return wanted is None or wanted.casefold() == name.casefold()


def bounded_units(
    index: Index, specification: GpuSpecification, placement: Placement
) -> Counter[ResourceId]:
    """As `placed_units`, of quotas only: they do not look at what runs."""
    found = placed_units(index, specification, placement)
    for one in index.counting(placement.pools):
        if one.basis is Basis.HELD:
            del found[one.id]
    return found
