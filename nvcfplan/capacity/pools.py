"""Pools as resources: single ones, sets inside which something can land only, and sets in which
there is sure to be room somewhere.

The service picks the cluster, so NECESSARY bounds count what can land only inside, SUFFICIENT ones
all that can touch the set at all. Where all users of a pool name it alone both are one: EXACT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity.holdings import Held, account_pools
from nvcfplan.capacity.unions import Pools, find_unions
from nvcfplan.model import GpuSpecification, Pool, PoolId, ResourceId
from nvcfplan.plans import Basis, Bound, Reading, Resource, Unit

if TYPE_CHECKING:
    from nvcfplan.capacity.placements import Atlas, Placement

BATCH: Final = 10
"""Instances that land together or not at all, at most. Source: nvcf-api.md 8.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the pools' resources are made from. `others`: GPUs by pool that are not ours."""

    pools: Mapping[PoolId, Pool]
    others: Mapping[PoolId, int]
    reading: Reading | None

    def is_known(self, pools: Iterable[PoolId]) -> bool:
        return all(
            self.pools[one].capacity is not None and self.pools[one].available is not None
            for one in pools
        )

    def free(self, pool: PoolId) -> int:
        """What others leave of it."""
        return (self.pools[pool].capacity or 0) - self.others[pool]


def survey(atlas: Atlas, held: Collection[Held], reading: Reading | None) -> Ground:
    running: Counter[PoolId] = Counter()
    for one in held:
        running.update(dict(one.running))
    pools = {pool.id: pool for pool in account_pools(atlas.account)}
    return Ground(
        pools=pools,
        others={
            name: max(0, (pool.capacity or 0) - (pool.available or 0) - running[name])
            for name, pool in pools.items()
        },
        reading=reading,
    )


def pool_resources(
    ground: Ground, placements: Collection[Placement], held: Collection[Held]
) -> Iterator[Resource]:
    """Every pool that something may land on or runs in; nothing of ours is counted yet."""
    choices = {placement.pools for placement in placements}
    choosing = {pool for pools in choices if len(pools) > 1 for pool in pools}
    touched = {pool for pools in choices for pool in pools}
    touched |= {pool for one in held for pool, _ in one.running}
    for pool in sorted(touched & ground.pools.keys()):
        bound = Bound.SUFFICIENT if pool in choosing else Bound.EXACT
        yield _resource(ground, ResourceId(f"pool:{pool}"), (pool,), bound)


def inner_resources(ground: Ground, placements: Collection[Placement]) -> Iterator[Resource]:
    """NECESSARY: every choice of several pools, every single pool that is also part of such a
    choice, and unions of choices that overlap (`find_unions`).
    """
    choices = {placement.pools for placement in placements if placement.pools}
    wide = {pools for pools in choices if len(pools) > 1}
    shared = {pool for pools in wide for pool in pools}
    narrow = {pools for pools in choices if len(pools) == 1 and pools[0] in shared}
    unions = find_unions(wide, lambda pools: sum(ground.free(pool) for pool in pools))
    for pools in sorted({*wide, *narrow, *unions}):
        yield _resource(ground, _name("within", pools), pools, Bound.NECESSARY)


def room_resources(
    ground: Ground, wanted: Sequence[tuple[GpuSpecification, Placement]]
) -> Iterator[Resource]:
    """SUFFICIENT: of each choice, what may be in use so that some pool of it has room for a batch.

    A batch of b GPUs finds none only when every pool has less than b free. So it is sure to land
    while all that can touch the choice, itself included, is at most the sum over its pools of what
    then must be taken, less one, and b. The rest of the capacity is kept as headroom. It need not
    grow with b: of a batch that is too large for any pool little is lost, and a function may begin
    with fewer.
    """
    batches: dict[Pools, set[int]] = {}
    for one, placement in wanted:
        if one.backend is None and len(placement.pools) > 1 and placement.gpus_each:
            each = placement.gpus_each
            largest = min(BATCH, one.min_instances) * each
            batches.setdefault(placement.pools, set()).update(range(each, largest + 1, each))
    for pools, sizes in sorted(batches.items()):
        if sizes:
            free = [max(0, ground.free(pool)) for pool in pools]
            yield _resource(
                ground,
                _name("room", pools),
                pools,
                Bound.SUFFICIENT,
                headroom=max(blocked_units(free, size) for size in sizes),
            )


def blocked_units(free: Sequence[int], batch: int) -> int:
    """GPUs of pools with so many free that may be of no use to one batch, wherever others land."""
    return max(0, sum(min(units, batch - 1) for units in free) + 1 - batch)


def _name(head: str, pools: Pools) -> ResourceId:
    return ResourceId(f"{head}:{'+'.join(pool.cluster for pool in pools)}/{pools[0].gpu}")


def _resource(
    ground: Ground, name: ResourceId, pools: Pools, bound: Bound, *, headroom: int = 0
) -> Resource:
    return Resource(
        id=name,
        pools=pools,
        unit=Unit.GPUS,
        bound=bound,
        basis=Basis.HELD,
        limit=sum(ground.pools[one].capacity or 0 for one in pools)
        if ground.is_known(pools)
        else None,
        before=sum(ground.others[one] for one in pools) if ground.is_known(pools) else 0,
        ours=0,
        headroom=headroom,
        reading=ground.reading,
    )
