"""What a live version holds now: GPUs of its running instances where they run, and what is still
asked for on its behalf up to its minimum. Source: nvcf-api.md 8.3; product rule: max(min, running).

Instances do not say which specification they serve. Where several of one GPU and type may own an
instance, only bounds are known: what is certain counts as running, what may be missing as pending.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.capacity.placements import Atlas, Placement, find_instance_type
from nvcfplan.model import (
    Account,
    LiveInstance,
    LiveSpecification,
    LiveVersion,
    Pool,
    PoolId,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ASKS_FOR_MORE = frozenset(
    {Status.ACTIVE, Status.DEGRADING, Status.DEGRADED, Status.DEPLOYING, Status.UNKNOWN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """`gpus` that the service is still asking for, to land in any of the pools."""

    pools: tuple[PoolId, ...]
    gpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """`running`: GPUs by pool, sorted. `unknown`: pools with an instance of unknown size."""

    running: tuple[tuple[PoolId, int], ...]
    pending: tuple[Pending, ...]
    unknown: frozenset[PoolId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A live specification. `certain`: the instances that only it may own."""

    live: LiveSpecification
    placement: Placement
    certain: tuple[LiveInstance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Rows of one GPU and type whose pools overlap, directly or through others."""

    rows: tuple[Row, ...]
    instances: tuple[LiveInstance, ...]

    @property
    def pools(self) -> tuple[PoolId, ...]:
        return tuple(sorted({pool for row in self.rows for pool in row.placement.pools}))


def held_by(version: LiveVersion, atlas: Atlas) -> Held:
    running = _supposed(version, atlas)
    unknown: set[PoolId] = set()
    for instance in version.instances or ():
        pool = pool_of(instance, atlas)
        if pool is None:
            continue
        found = find_instance_type(pool, instance.instance_type)
        if found is None or found.gpu_count is None:
            unknown.add(pool.id)
        else:
            running[pool.id] += found.gpu_count
    return Held(
        running=tuple(sorted(running.items())),
        pending=tuple(one for one in _pending(version, atlas) if one.gpus),
        unknown=frozenset(unknown),
    )


def _supposed(version: LiveVersion, atlas: Atlas) -> Counter[PoolId]:
    """Where instances were not read: an ACTIVE version runs its minima, as far as it is certain
    where. Source: nvcf-api.md 5, "every spec has RUNNING instances >= its min".
    """
    found: Counter[PoolId] = Counter()
    if not _is_supposed(version):
        return found
    for row in version.deployment.specifications if version.deployment else ():
        placement = atlas.place(row.specification)
        if len(placement.pools) == 1:
            gpus = row.specification.min_instances * (placement.gpus_each or 0)
            found[placement.pools[0]] += gpus
    return +found


def _is_supposed(version: LiveVersion) -> bool:
    return version.instances is None and version.status is Status.ACTIVE


def pool_of(instance: LiveInstance, atlas: Atlas) -> Pool | None:
    """None: on a cluster that is not listed, so it takes nothing that we count."""
    return atlas.pool_at(instance.location, instance.gpu)


def families_of(version: LiveVersion, atlas: Atlas) -> tuple[Family, ...]:
    """All rows of a version, each in one family; instances oldest first."""
    rows = version.deployment.specifications if version.deployment else ()
    placed = [(row, atlas.place(row.specification)) for row in rows]
    groups: list[list[tuple[LiveSpecification, Placement]]] = []
    for one in placed:
        near = [group for group in groups if any(_overlaps(one, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([one, *(member for group in near for member in group)])
    return tuple(_family(group, version.instances or ()) for group in groups)


def account_pools(account: Account) -> tuple[Pool, ...]:
    return tuple(pool for cluster in account.clusters or () for pool in cluster.pools)


def _overlaps(
    one: tuple[LiveSpecification, Placement], other: tuple[LiveSpecification, Placement]
) -> bool:
    return _kind(one[0]) == _kind(other[0]) and not set(one[1].pools).isdisjoint(other[1].pools)


def _kind(row: LiveSpecification) -> tuple[str, str]:
    one = row.specification
    return (one.gpu.casefold(), one.instance_type.casefold())


def _family(
    group: Sequence[tuple[LiveSpecification, Placement]], instances: Sequence[LiveInstance]
) -> Family:
    """The service deletes the surplus above a maximum oldest first. Source: nvcf-api.md 3.5."""
    ordered = sorted(group, key=lambda one: one[0].id)
    mine = [
        one
        for one in sorted(instances, key=lambda one: (str(one.created_at), one.id))
        if (one.gpu.casefold(), one.instance_type.casefold()) == _kind(ordered[0][0])
    ]
    owners = {
        one.id: [row.id for row, placement in ordered if _may_own(placement, one)] for one in mine
    }
    return Family(
        rows=tuple(
            Row(
                live=row,
                placement=placement,
                certain=tuple(one for one in mine if owners[one.id] == [row.id]),
            )
            for row, placement in ordered
        ),
        instances=tuple(one for one in mine if owners[one.id]),
    )


def _may_own(placement: Placement, instance: LiveInstance) -> bool:
    return any(
        pool.cluster == instance.location and pool.gpu.casefold() == instance.gpu.casefold()
        for pool in placement.pools
    )


def _pending(version: LiveVersion, atlas: Atlas) -> Iterator[Pending]:
    """While ACTIVE every row has its minimum, so only a sum over the family can be short."""
    if version.status not in ASKS_FOR_MORE or _is_supposed(version):
        return
    for family in families_of(version, atlas):
        each = family.rows[0].placement.gpus_each or 0
        if version.status is Status.ACTIVE:
            least = sum(row.live.specification.min_instances for row in family.rows)
            missing = max(0, least - len(family.instances))
            yield Pending(pools=family.pools, gpus=missing * each)
            continue
        for row in family.rows:
            missing = max(0, row.live.specification.min_instances - len(row.certain))
            yield Pending(pools=row.placement.pools, gpus=missing * each)
