"""Cluster groups and the allocator's view of clusters, put together. Pure.

The groups say what may be asked for, the allocator where it is and how much of it is free. Each
may be missing. Source: nvcf-api.md 2.2, 2.3, 8.1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.capacity_view import Seen, numbers_of, possible_sizes, seen_in
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
    from collections.abc import Iterable, Sequence

    from nvcfplan.wire.accounts import (
        AllocatorCluster,
        AllocatorGpu,
        ClusterGroupAnswer,
        GpuAnswer,
        QuotaRules,
    )
    from nvcfplan.wire.capacity_view import CapacityView

_SUFFIX = re.compile(r"_([1-9][0-9]{0,3})x$", re.IGNORECASE)
_READY = "READY"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSize:
    """GPUs per instance as a reading tells them, before names are looked at."""

    gpu_count: int | None
    source: GpuCountSource


Sizes = Mapping[tuple[str, str], InstanceSize]


def merged(
    groups: Sequence[ClusterGroupAnswer] | None, clusters: Sequence[AllocatorCluster] | None
) -> tuple[tuple[ClusterGroup, ...] | None, tuple[Cluster, ...] | None]:
    """None for what neither reading tells. Clusters that are not READY are left out of both.

    Where both are read, a group's clusters that the allocator does not list stay, with unknown
    region and capacity: clusterGroups alone decides what a deployment may name.
    """
    if groups is None and clusters is None:
        return None, None
    sizes = _allocator_sizes(clusters or ())
    unusable = {one.cluster_name for one in clusters or () if not _is_ready(one)}
    found_groups = None if groups is None else _groups(groups, sizes, unusable)
    found: dict[str, Cluster] = _from_groups(groups or (), sizes, unusable)
    for one in clusters or ():
        if _is_ready(one):
            found[one.cluster_name] = _from_allocator(one, found.get(one.cluster_name), sizes)
    return found_groups, tuple(found[name] for name in sorted(found))


def merged_with_view(
    groups: Sequence[ClusterGroupAnswer] | None, view: CapacityView
) -> tuple[tuple[ClusterGroup, ...] | None, tuple[Cluster, ...]]:
    """As `merged`, by the hosted view: without groups it does not know who is in which."""
    seen = seen_in(view)
    sizes = _view_sizes(seen)
    found_groups = None if groups is None else _groups(groups, sizes, set())
    found = _from_groups(groups or (), sizes, set())
    for name in sorted({one.pool.cluster for one in seen}):
        here = tuple(one for one in seen if one.pool.cluster == name)
        listed = found.get(name)
        found[name] = Cluster(
            name=name,
            groups=listed.groups if listed else None if groups is None else (),
            region=next((one.region for one in here if one.region), None),
            attributes=None,
            pools=_view_pools(here, listed, sizes),
        )
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


def _allocator_sizes(clusters: Iterable[AllocatorCluster]) -> Sizes:
    """Clusters that disagree leave it unknown: any one number would be wrong somewhere."""
    counts: dict[tuple[str, str], set[int]] = defaultdict(set)
    for cluster in clusters:
        for gpu in cluster.gpus or ():
            for one in gpu.instance_types or ():
                if one.gpu_count is not None and one.gpu_count > 0:
                    counts[gpu.name, one.name].add(one.gpu_count)
    return {
        key: InstanceSize(gpu_count=next(iter(said)), source=GpuCountSource.ALLOCATOR)
        if len(said) == 1
        else InstanceSize(gpu_count=None, source=GpuCountSource.UNKNOWN)
        for key, said in counts.items()
    }


def _view_sizes(seen: tuple[Seen, ...]) -> Sizes:
    """The one number that fits everywhere, or the name's where it is among those that fit."""
    found: dict[tuple[str, str], InstanceSize] = {}
    for key, sizes in possible_sizes(seen).items():
        named = _named_size(key[1])
        fitting = sizes if len(sizes) == 1 else sizes & {named}
        count = next(iter(fitting), None)
        source = GpuCountSource.UNKNOWN if count is None else GpuCountSource.VIEW
        found[key] = InstanceSize(gpu_count=count, source=source)
    return found


def _named_size(instance_type: str) -> int | None:
    """Source: nvcf-api.md 8.1, "the trailing `_<n>x` of the name"."""
    suffix = _SUFFIX.search(instance_type)
    return int(suffix.group(1)) if suffix else None


def _instance_type(gpu: str, name: str, sizes: Sizes, *, is_default: bool) -> InstanceType:
    """By name only where no reading says anything."""
    told = sizes.get((gpu, name))
    if told is None:
        named = _named_size(name)
        source = GpuCountSource.UNKNOWN if named is None else GpuCountSource.SUFFIX
        told = InstanceSize(gpu_count=named, source=source)
    return InstanceType(
        name=name,
        gpu_count=told.gpu_count,
        gpu_count_source=told.source,
        is_default=is_default,
    )


def _offered(gpu: GpuAnswer, sizes: Sizes) -> tuple[InstanceType, ...]:
    found = (
        _instance_type(gpu.name, one.name, sizes, is_default=bool(one.default))
        for one in gpu.instance_types or ()
    )
    return tuple(sorted(found, key=lambda one: one.name))


def _groups(
    groups: Iterable[ClusterGroupAnswer], sizes: Sizes, unusable: set[str]
) -> tuple[ClusterGroup, ...]:
    found = (
        ClusterGroup(
            name=group.name,
            clusters=tuple(sorted({one.name for one in group.clusters or ()} - unusable)),
            gpus=tuple(
                GpuOffer(name=gpu.name, instance_types=_offered(gpu, sizes))
                for gpu in sorted(group.gpus or (), key=lambda gpu: gpu.name)
            ),
        )
        for group in groups
    )
    return tuple(sorted(found, key=lambda one: one.name))


def _from_groups(
    groups: Iterable[ClusterGroupAnswer], sizes: Sizes, unusable: set[str]
) -> dict[str, Cluster]:
    """By name. What a group offers is offered by each of its clusters, as far as this tells."""
    named: dict[str, set[str]] = defaultdict(set)
    types: dict[str, dict[str, dict[str, InstanceType]]] = defaultdict(dict)
    for group in groups:
        for cluster in group.clusters or ():
            named[cluster.name].add(group.name)
            for gpu in group.gpus or ():
                known = types[cluster.name].setdefault(gpu.name, {})
                known.update({one.name: one for one in _offered(gpu, sizes)})
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


def _from_allocator(one: AllocatorCluster, listed: Cluster | None, sizes: Sizes) -> Cluster:
    groups = {*((listed.groups or ()) if listed else ()), *filter(None, (one.cluster_group_name,))}
    offered = {pool.id.gpu: pool.instance_types for pool in listed.pools} if listed else {}
    pools = (_pool(one, gpu, offered.get(gpu.name, ()), sizes) for gpu in one.gpus or ())
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
    sizes: Sizes,
) -> Pool:
    """Usage and capacity from one reading where there is one: their difference is others' use."""
    usage = (cluster.gpu_usage or {}).get(gpu.name)
    own = (
        _instance_type(gpu.name, one.name, sizes, is_default=bool(one.default))
        for one in gpu.instance_types or ()
    )
    known = tuple(sorted(own, key=lambda one: one.name))
    return Pool(
        id=PoolId(cluster.cluster_name, gpu.name),
        capacity=usage.capacity if usage else gpu.capacity,
        available=usage.available if usage else None,
        instance_types=known if gpu.instance_types is not None else offered,
    )


def _view_pools(here: Sequence[Seen], listed: Cluster | None, sizes: Sizes) -> tuple[Pool, ...]:
    """What the view does not show of a listed cluster stays, without numbers."""
    found = {pool.id: pool for pool in listed.pools} if listed else {}
    for pool, numbers in numbers_of(tuple(here)).items():
        names = {one.instance_type for one in here if one.pool == pool}
        known = {one.name: one for one in found[pool].instance_types} if pool in found else {}
        known |= {
            name: _instance_type(pool.gpu, name, sizes, is_default=False)
            for name in names - known.keys()
        }
        found[pool] = Pool(
            id=pool,
            capacity=numbers.capacity,
            available=numbers.available,
            instance_types=tuple(known[name] for name in sorted(known)),
        )
    return tuple(found[pool] for pool in sorted(found))
