"""What has to be kept so that a specification is sure of room wherever the service lands others.

A targeted one lands where there is room for a batch: one pool that keeps everything that can touch
it is enough, or a choice with so much room that it cannot be blocked. `backend` is tied to one
cluster of its group before anybody looks for room: every cluster that may be picked must keep
everything. Source: nvcf-api.md 8.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.capacity.limits import pool_resource_id
from nvcfplan.plans import Basis, Bound

if TYPE_CHECKING:
    from nvcfplan.capacity.limits import Limits
    from nvcfplan.model import GpuSpecification, PoolId, ResourceId

Covers = tuple[tuple["ResourceId", ...], ...]
"""Alternatives: one of them is enough, and all resources of it must be kept."""


def covers_of(limits: Limits, specification: GpuSpecification) -> Covers:
    """Empty where it cannot be told: nothing matches, or its size is not known."""
    placement = limits.atlas.place(specification)
    if not placement.pools or placement.gpus_each is None:
        return ()
    singles = [pool_resource_id(pool) for pool in placement.pools]
    if specification.backend is not None:
        return (tuple(pool_resource_id(pool) for pool in _pickable(limits, placement.pools)),)
    rooms = (
        one.id
        for one in limits.index.by_pool.get(placement.pools[0], ())
        if one.pools == placement.pools
        and one.bound is Bound.SUFFICIENT
        and one.basis is Basis.HELD
        and len(one.pools) > 1
    )
    return tuple((one,) for one in (*singles, *rooms))


def _pickable(limits: Limits, pools: tuple[PoolId, ...]) -> tuple[PoolId, ...]:
    """The service picks a cluster that has some GPU free: one that others fill never has."""
    found = tuple(
        pool
        for pool in pools
        for one in (limits.resource(pool_resource_id(pool)),)
        if one.limit is None or one.ours or one.before - one.ours < one.limit
    )
    return found or pools
