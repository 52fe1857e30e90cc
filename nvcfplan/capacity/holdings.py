"""What a live version holds now: GPUs of its running instances where they run, and what is still
asked for on its behalf up to its minimum. Source: nvcf-api.md 8.3; product rule: max(min, running).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.capacity.placements import Placement, gpus_of_instance, place
from nvcfplan.model import (
    Account,
    GpuSpecification,
    LiveInstance,
    LiveVersion,
    Pool,
    PoolId,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKS_FOR_MORE = frozenset(
    {Status.ACTIVE, Status.DEGRADING, Status.DEGRADED, Status.DEPLOYING, Status.UNKNOWN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """`gpus` that the service is still asking for, to land in any of the placement's pools."""

    placement: Placement
    gpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """`running`: GPUs by pool, sorted. Not `is_complete`: some instance has no known size."""

    running: tuple[tuple[PoolId, int], ...]
    pending: tuple[Pending, ...]
    is_complete: bool


def held_by(version: LiveVersion, account: Account) -> Held:
    pools = tuple(pool for cluster in account.clusters or () for pool in cluster.pools)
    running: Counter[PoolId] = Counter()
    is_complete = True
    for instance in version.instances or ():
        where = PoolId(instance.location, instance.gpu)
        gpus = gpus_of_instance(pools, where, instance.instance_type)
        is_complete = is_complete and gpus is not None
        running[where] += gpus or 0
    pending = tuple(_pending(version, account))
    return Held(
        running=tuple(sorted((pool, gpus) for pool, gpus in running.items() if gpus)),
        pending=tuple(one for one in pending if one.gpus),
        is_complete=is_complete and all(one.placement.gpus_each is not None for one in pending),
    )


def running_of(version: LiveVersion, specification: GpuSpecification) -> tuple[LiveInstance, ...]:
    """Instances do not say which specification they serve: those of its GPU and type, oldest first.

    The service deletes the surplus above a lowered maximum oldest first. Source: nvcf-api.md 3.5.
    """
    found = [
        one
        for one in version.instances or ()
        if one.gpu.casefold() == specification.gpu.casefold()
        and one.instance_type.casefold() == specification.instance_type.casefold()
        and (not specification.clusters or one.location in specification.clusters)
    ]
    return tuple(sorted(found, key=lambda one: (str(one.created_at), one.id)))


def account_pools(account: Account) -> tuple[Pool, ...]:
    return tuple(pool for cluster in account.clusters or () for pool in cluster.pools)


def _pending(version: LiveVersion, account: Account) -> Iterator[Pending]:
    if version.deployment is None or version.status not in ASKS_FOR_MORE:
        return
    for one in version.deployment.specifications:
        specification = one.specification
        placement = place(specification, account)
        missing = specification.min_instances - len(running_of(version, specification))
        yield Pending(placement=placement, gpus=max(0, missing) * (placement.gpus_each or 0))
