"""What the account has to deploy on: the public inventory, and the allocator's clusters.

Source: nvcf-api.md 2.2, 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.inventory import (
    VisibleGpu,
    VisibleGroup,
    lasting_id,
    usable_clusters,
    visible_groups,
)
from nvcfplan.emulator.refusals import Refusal
from nvcfplan.emulator.rules import EmptyInventory
from nvcfplan.wire.accounts import (
    AllocatorCluster,
    AllocatorGpu,
    AllocatorInstanceType,
    AllocatorUsage,
    ClusterAnswer,
    ClusterGroupAnswer,
    ClusterGroupList,
    GpuAnswer,
    InstanceTypeAnswer,
    SupportedGpu,
)

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import ClusterRule, GpuRule
    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import World

INVENTORY = "inventory"
CAPACITY = "capacity"
QUOTA = "quota"
VERSION_LIMIT = "versionLimit"
READINGS = (INVENTORY, CAPACITY, QUOTA, VERSION_LIMIT)

_UNREADABLE = {403: "Access Denied", 502: "Failed to get response from 'ICMS' after retries."}


def refuse_unreadable(world: World, reading: str) -> None:
    """By the world's rules, or because the allocator is down; the inventory is kept for a while."""
    kept = {CAPACITY: 0.0, INVENTORY: world.rules.inventory_cache}.get(reading)
    since = world.down_since
    if kept is not None and since is not None and world.time >= since + kept:
        raise Refusal(502, _UNREADABLE[502])
    for name, status in world.rules.unreadable:
        if name == reading:
            raise Refusal(status, _UNREADABLE.get(status, f"{reading} cannot be read"))


def inventory(turn: Turn) -> dict[str, object]:
    refuse_unreadable(turn.world, INVENTORY)
    groups = [_group(one) for one in visible_groups(turn.world)]
    if not groups and turn.world.rules.empty_inventory is EmptyInventory.ERROR:
        raise Refusal(502, _UNREADABLE[502])
    return ClusterGroupList(cluster_groups=groups).to_json()


def _group(group: VisibleGroup) -> ClusterGroupAnswer:
    return ClusterGroupAnswer(
        id=lasting_id(group.rule.name),
        name=group.rule.name,
        nca_id=group.rule.nca_id,
        authorized_nca_ids=list(group.rule.authorized),
        gpus=[_gpu(one) for one in group.gpus],
        clusters=[
            ClusterAnswer(id=lasting_id(one.name), name=one.name, k8s_version=one.k8s_version)
            for one in group.clusters
        ],
    )


def _gpu(gpu: VisibleGpu) -> GpuAnswer:
    return GpuAnswer(
        name=gpu.name,
        instance_types=[
            InstanceTypeAnswer(
                name=one.name,
                description=f"{one.gpu_count} x {gpu.name}",
                default=one.is_default,
            )
            for one in gpu.instance_types
        ],
    )


def capacity(turn: Turn) -> list[object]:
    """The allocator's clusters: an array, without a name around it."""
    world = turn.world
    refuse_unreadable(world, CAPACITY)
    return [cluster_answer(world, one).to_json() for one in usable_clusters(world.rules)]


def cluster_answer(world: World, cluster: ClusterRule) -> AllocatorCluster:
    """Of terminated instances, GPUs still count as allocated until their release."""
    return AllocatorCluster(
        cluster_id=lasting_id(cluster.name),
        cluster_name=cluster.name,
        cluster_group_name=cluster.groups[0] if cluster.groups else None,
        cloud_provider=cluster.provider,
        region=cluster.region,
        status=world.status(cluster),
        attributes=list(cluster.attributes),
        gpus=[_pool(world, one) for one in cluster.gpus],
        gpu_usage={one.name: _usage(world, cluster, one) for one in cluster.gpus},
        k8s_version=cluster.k8s_version,
    )


def _pool(world: World, gpu: GpuRule) -> AllocatorGpu:
    hides = world.rules.hide_gpu_count
    return AllocatorGpu(
        name=gpu.name,
        capacity=gpu.capacity,
        instance_types=[
            AllocatorInstanceType(
                name=one.name,
                value=one.name,
                gpu_count=None if hides else one.gpu_count,
                default=one.is_default,
            )
            for one in gpu.instance_types
        ],
    )


def _usage(world: World, cluster: ClusterRule, gpu: GpuRule) -> AllocatorUsage:
    allocated = world.shown_held(cluster, gpu)
    return AllocatorUsage(
        available=gpu.capacity - allocated, capacity=gpu.capacity, allocated=allocated
    )


def supported_gpus(turn: Turn) -> list[object]:
    """Deprecated: GPUs by cloud provider, without anything else."""
    pairs = {
        (gpu.name, cluster.provider)
        for group in visible_groups(turn.world)
        for cluster in group.clusters
        for gpu in cluster.gpus
    }
    found = [SupportedGpu(gpu=gpu, backend=provider) for gpu, provider in sorted(pairs)]
    return [one.to_json() for one in found]
