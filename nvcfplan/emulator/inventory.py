"""What the account sees of groups, clusters and GPUs, and where a specification may land.

Source: nvcf-api.md 2.2, 2.3, 8.2.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from nvcfplan.emulator.rules import ClusterRule, GroupRule, InstanceTypeRule, Usage, WorldFile
from nvcfplan.emulator.world import Specification, World, pool_of


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleGpu:
    name: str
    instance_types: tuple[InstanceTypeRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleGroup:
    """Listed only while one of its clusters is READY."""

    rule: GroupRule
    clusters: tuple[ClusterRule, ...]
    gpus: tuple[VisibleGpu, ...]


def lasting_id(name: str) -> str:
    """The id of a group or cluster: the same in every world that names it so."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def may_use(rules: WorldFile, group: GroupRule) -> bool:
    open_to = group.authorized
    return group.nca_id == rules.nca_id or "*" in open_to or rules.nca_id in open_to


def visible_groups(world: World, usage: Usage = Usage.HELM) -> tuple[VisibleGroup, ...]:
    """With the instance types for container or for Helm functions; the API shows the latter's."""
    rules = world.rules
    groups = (_visible(world, group, usage) for group in rules.groups if may_use(rules, group))
    return tuple(group for group in groups if group.clusters)


def _visible(world: World, group: GroupRule, usage: Usage) -> VisibleGroup:
    clusters = tuple(
        one for one in world.rules.clusters if world.is_listed(one) and group.name in one.groups
    )
    return VisibleGroup(rule=group, clusters=clusters, gpus=_gpus_of(clusters, usage))


def _gpus_of(clusters: tuple[ClusterRule, ...], usage: Usage) -> tuple[VisibleGpu, ...]:
    """A GPU none of whose types is for this use is not there."""
    types: dict[str, dict[str, InstanceTypeRule]] = {}
    for cluster in clusters:
        for gpu in cluster.gpus:
            known = types.setdefault(gpu.name, {})
            for one in gpu.instance_types:
                if one.usage in (Usage.ANY, usage):
                    known.setdefault(one.name, one)
    return tuple(
        VisibleGpu(name=name, instance_types=tuple(known.values()))
        for name, known in types.items()
        if known
    )


def usable_clusters(rules: WorldFile) -> tuple[ClusterRule, ...]:
    """Clusters of the groups that the account may use, READY or not."""
    usable = {group.name for group in rules.groups if may_use(rules, group)}
    return tuple(one for one in rules.clusters if usable.intersection(one.groups))


def offers(cluster: ClusterRule, gpu: str, instance_type: str) -> bool:
    """Not what is only listed."""
    pool = pool_of(cluster, gpu)
    wanted = instance_type.casefold()
    return pool is not None and any(
        one.name.casefold() == wanted and not one.is_phantom for one in pool.instance_types
    )


def offering(world: World, specification: Specification) -> tuple[ClusterRule, ...]:
    """READY clusters with the GPU and type, of the `backend` if there is one."""
    return tuple(one for one in _offering(world.rules, specification) if world.is_ready(one))


def matching(world: World, specification: Specification) -> tuple[ClusterRule, ...]:
    """Of those, the ones in its clusters and regions that have all its attributes."""
    return tuple(one for one in reachable(world.rules, specification) if world.is_ready(one))


def reachable(rules: WorldFile, specification: Specification) -> tuple[ClusterRule, ...]:
    """As `matching`, but READY or not."""
    return tuple(one for one in _offering(rules, specification) if _matches(one, specification))


def _offering(rules: WorldFile, specification: Specification) -> tuple[ClusterRule, ...]:
    group = specification.backend.casefold() if specification.backend else None
    return tuple(
        one
        for one in usable_clusters(rules)
        if offers(one, specification.gpu, specification.instance_type)
        and (group is None or group in {name.casefold() for name in one.groups})
    )


def _matches(cluster: ClusterRule, specification: Specification) -> bool:
    return (
        (not specification.clusters or cluster.name in specification.clusters)
        and (not specification.regions or cluster.region in specification.regions)
        and set(specification.attributes) <= set(cluster.attributes)
    )
