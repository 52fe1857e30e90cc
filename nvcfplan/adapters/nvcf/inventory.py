"""Cluster groups and the allocator's view of clusters, put together. Pure.

The groups say what may be asked for, the allocator where it is and how much of it is free. Each
may be missing. Source: nvcf-api.md 2.2, 2.3, 8.1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from nvcfplan.model import (
    Cluster,
    ClusterGroup,
    GpuCountSource,
    GpuOffer,
    InstanceType,
    Pool,
    PoolId,
    Quota,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nvcfplan.wire.accounts import (
        AllocatorCluster,
        AllocatorGpu,
        ClusterGroupAnswer,
        GpuAnswer,
        QuotaRules,
    )

_SUFFIX = re.compile(r"_([1-9][0-9]{0,3})x$", re.IGNORECASE)
_READY = "READY"

Counts = dict[tuple[str, str], set[int]]


def merged(
    groups: Sequence[ClusterGroupAnswer] | None, clusters: Sequence[AllocatorCluster] | None
) -> tuple[tuple[ClusterGroup, ...] | None, tuple[Cluster, ...] | None]:
    """None for what neither reading tells. Clusters that are not READY are left out of both.

    Where both are read, a group's clusters that the allocator does not list stay, with unknown
    region and capacity: clusterGroups alone decides what a deployment may name.
    """
    counts = _gpu_counts(clusters or ())
    unusable = {one.cluster_name for one in clusters or () if not _is_ready(one)}
    found_groups = None if groups is None else _groups(groups, counts, unusable)
    if groups is None and clusters is None:
        return None, None
    found: dict[str, Cluster] = _from_groups(groups or (), counts, unusable)
    for one in clusters or ():
        if _is_ready(one):
            found[one.cluster_name] = _from_allocator(one, found.get(one.cluster_name), counts)
    return found_groups, tuple(found[name] for name in sorted(found))


def twice_named(clusters: Iterable[AllocatorCluster]) -> tuple[str, ...]:
    """Names that stand for two usable clusters: their pools could not be told apart."""
    seen: dict[str, int] = defaultdict(int)
    for one in clusters:
        seen[one.cluster_name] += _is_ready(one)
    return tuple(sorted(name for name, times in seen.items() if times > 1))


def quotas_of(rules: QuotaRules) -> tuple[Quota, ...]:
    """A rule may name several clusters or groups, joined by commas; null clusters: no limit."""
    found = (
        Quota(
            gpu=gpu.name,
            names=tuple(sorted(filter(None, (name.strip() for name in one.names.split(","))))),
            limit=one.limit,
        )
        for gpu in rules.gpus
        for one in gpu.clusters or ()
    )
    return tuple(sorted(found, key=lambda one: (one.gpu, one.names, one.limit)))


def _is_ready(cluster: AllocatorCluster) -> bool:
    return (cluster.status or _READY).upper() == _READY


def _gpu_counts(clusters: Iterable[AllocatorCluster]) -> Counts:
    """What the allocator says of GPUs per instance, by GPU and instance type."""
    counts: Counts = defaultdict(set)
    for cluster in clusters:
        for gpu in cluster.gpus or ():
            for one in gpu.instance_types or ():
                if one.gpu_count is not None and one.gpu_count > 0:
                    counts[gpu.name, one.name].add(one.gpu_count)
    return counts


def _instance_type(
    gpu: str, name: str, counts: Mapping[tuple[str, str], set[int]], *, is_default: bool
) -> InstanceType:
    """Clusters that disagree leave it unknown: any one number would be wrong somewhere."""
    said = counts.get((gpu, name), set())
    suffix = _SUFFIX.search(name)
    count: int | None = None
    source = GpuCountSource.UNKNOWN
    if len(said) == 1:
        count, source = next(iter(said)), GpuCountSource.ALLOCATOR
    elif not said and suffix:
        count, source = int(suffix.group(1)), GpuCountSource.SUFFIX
    return InstanceType(name=name, gpu_count=count, gpu_count_source=source, is_default=is_default)


def _offered(gpu: GpuAnswer, counts: Counts) -> tuple[InstanceType, ...]:
    found = (
        _instance_type(gpu.name, one.name, counts, is_default=bool(one.default))
        for one in gpu.instance_types or ()
    )
    return tuple(sorted(found, key=lambda one: one.name))


def _groups(
    groups: Iterable[ClusterGroupAnswer], counts: Counts, unusable: set[str]
) -> tuple[ClusterGroup, ...]:
    found = (
        ClusterGroup(
            name=group.name,
            clusters=tuple(sorted({one.name for one in group.clusters or ()} - unusable)),
            gpus=tuple(
                GpuOffer(name=gpu.name, instance_types=_offered(gpu, counts))
                for gpu in sorted(group.gpus or (), key=lambda gpu: gpu.name)
            ),
        )
        for group in groups
    )
    return tuple(sorted(found, key=lambda one: one.name))


def _from_groups(
    groups: Iterable[ClusterGroupAnswer], counts: Counts, unusable: set[str]
) -> dict[str, Cluster]:
    """By name. What a group offers is offered by each of its clusters, as far as this tells."""
    named: dict[str, set[str]] = defaultdict(set)
    types: dict[str, dict[str, dict[str, InstanceType]]] = defaultdict(dict)
    for group in groups:
        for cluster in group.clusters or ():
            named[cluster.name].add(group.name)
            for gpu in group.gpus or ():
                known = types[cluster.name].setdefault(gpu.name, {})
                known.update({one.name: one for one in _offered(gpu, counts)})
    return {
        name: Cluster(
            name=name,
            groups=tuple(sorted(named[name])),
            region=None,
            attributes=None,
            pools=tuple(
                Pool(
                    id=PoolId(name, gpu),
                    capacity=None,
                    available=None,
                    instance_types=tuple(known[one] for one in sorted(known)),
                )
                for gpu, known in sorted(types[name].items())
            ),
        )
        for name in sorted(named.keys() - unusable)
    }


def _from_allocator(one: AllocatorCluster, listed: Cluster | None, counts: Counts) -> Cluster:
    groups = {*(listed.groups if listed else ()), *filter(None, (one.cluster_group_name,))}
    offered = {pool.id.gpu: pool.instance_types for pool in listed.pools} if listed else {}
    pools = (_pool(one, gpu, offered.get(gpu.name, ()), counts) for gpu in one.gpus or ())
    return Cluster(
        name=one.cluster_name,
        groups=tuple(sorted(groups)),
        region=one.region,
        attributes=tuple(sorted({*(one.attributes or ()), *(one.custom_attributes or ())})),
        pools=tuple(sorted(pools, key=lambda pool: pool.id)),
    )


def _pool(
    cluster: AllocatorCluster,
    gpu: AllocatorGpu,
    offered: tuple[InstanceType, ...],
    counts: Counts,
) -> Pool:
    """Usage and capacity from one reading where there is one: their difference is others' use."""
    usage = (cluster.gpu_usage or {}).get(gpu.name)
    own = (
        _instance_type(gpu.name, one.name, counts, is_default=bool(one.default))
        for one in gpu.instance_types or ()
    )
    known = tuple(sorted(own, key=lambda one: one.name))
    return Pool(
        id=PoolId(cluster.cluster_name, gpu.name),
        capacity=usage.capacity if usage else gpu.capacity,
        available=usage.available if usage else None,
        instance_types=known if gpu.instance_types is not None else offered,
    )
