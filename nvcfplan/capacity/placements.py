"""Where a specification may land: the pools of all clusters that match everything it asks for.

The service picks among them, not we. Source: nvcf-api.md 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import (
    Account,
    Cluster,
    GpuCountSource,
    GpuSpecification,
    InstanceType,
    Pool,
    PoolId,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Targeting = tuple[str, str, str | None, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
WORST_FIRST = tuple(reversed(GpuCountSource))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`gpus_each`: GPUs of one instance, None where unknown. Pools sorted.

    `is_partial`: a group, region or attribute was asked for that could not be judged on some
    cluster.
    """

    pools: tuple[PoolId, ...]
    gpus_each: int | None
    source: GpuCountSource
    is_partial: bool


@dataclass(frozen=True, slots=True)
class Atlas:
    """An account's pools by place, and where specifications that were asked about may land."""

    account: Account
    pools: Mapping[tuple[str, str], Pool]
    placements: Mapping[Targeting, Placement]

    def place(self, specification: GpuSpecification) -> Placement:
        known = self.placements.get(targeting_of(specification))
        return known or place(specification, self.account)

    def pool_at(self, cluster: str, gpu: str) -> Pool | None:
        return self.pools.get((cluster, gpu.casefold()))


def atlas_of(account: Account, specifications: Iterable[GpuSpecification]) -> Atlas:
    """Each way of targeting is looked up once: fleets repeat a few of them."""
    distinct = {targeting_of(one): one for one in specifications}
    return Atlas(
        account=account,
        pools={
            (cluster.name, pool.id.gpu.casefold()): pool
            for cluster in account.clusters or ()
            for pool in cluster.pools
        },
        placements={key: place(one, account) for key, one in distinct.items()},
    )


def targeting_of(one: GpuSpecification) -> Targeting:
    """All that decides where it may land."""
    return (one.gpu, one.instance_type, one.backend, one.clusters, one.regions, one.attributes)


def place(specification: GpuSpecification, account: Account) -> Placement:
    """Empty pools when nothing matches, or when the inventory could not be read."""
    matching = [
        (cluster, pool, found)
        for cluster in account.clusters or ()
        if matches_targeting(specification, cluster)
        for pool in cluster.pools
        if pool.id.gpu.casefold() == specification.gpu.casefold()
        if (found := find_instance_type(pool, specification.instance_type)) is not None
    ]
    counts = {found.gpu_count for _, _, found in matching}
    sources = {found.gpu_count_source for _, _, found in matching}
    is_known = bool(counts) and None not in counts
    return Placement(
        pools=tuple(sorted(pool.id for _, pool, _ in matching)),
        gpus_each=max(count for count in counts if count is not None) if is_known else None,
        source=_worst(sources) if len(counts) < 2 else GpuCountSource.SUFFIX,
        is_partial=any(_is_unjudged(specification, cluster) for cluster, _, _ in matching),
    )


def matches_targeting(specification: GpuSpecification, cluster: Cluster) -> bool:
    """Backend, clusters (any of), regions (any of), attributes (all of); the unknown matches.

    Only backend, GPU and instance type match without regard to case. Source: nvcf-api.md 4.3.
    """
    groups, backend = cluster.groups, specification.backend
    if backend and groups is not None and not contains(groups, backend):
        return False
    if specification.clusters and cluster.name not in specification.clusters:
        return False
    if (
        specification.regions
        and cluster.region is not None
        and cluster.region not in specification.regions
    ):
        return False
    attributes = cluster.attributes
    return attributes is None or set(attributes).issuperset(specification.attributes)


def find_instance_type(pool: Pool, name: str) -> InstanceType | None:
    wanted = name.casefold()
    return next((one for one in pool.instance_types if one.name.casefold() == wanted), None)


def contains(names: Iterable[str], name: str) -> bool:
    """Names match without regard to case. Source: nvcf-api.md 4.3."""
    return name.casefold() in (one.casefold() for one in names)


def _is_unjudged(specification: GpuSpecification, cluster: Cluster) -> bool:
    return (
        (bool(specification.backend) and cluster.groups is None)
        or (bool(specification.regions) and cluster.region is None)
        or (bool(specification.attributes) and cluster.attributes is None)
    )


def _worst(sources: Iterable[GpuCountSource]) -> GpuCountSource:
    return min(sources, key=WORST_FIRST.index, default=GpuCountSource.UNKNOWN)
