"""The allocator's own views of the account: names, instance types, room and running instances.

Source: nvcf-api.md 2.3; ICMS `AccountInfoService`, `GpuUsageService`, `ClustersService`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.emulator.inventory import lasting_id, visible_groups
from nvcfplan.emulator.offers import (
    CPU_ARCH,
    CPU_CORES_PER_GPU,
    DRIVER_VERSION,
    NODE_TYPE,
    OS,
    Offer,
    Wanted,
    by,
    description,
    gpu_of,
    kind_of,
    offers,
    region_of,
)
from nvcfplan.emulator.readings import CAPACITY, refuse_unreadable
from nvcfplan.emulator.refusals import bad_request
from nvcfplan.emulator.rules import Usage
from nvcfplan.emulator.world import Phase
from nvcfplan.wire.accounts import ClusterAnswer
from nvcfplan.wire.allocator import (
    AllocatorGroup,
    AllocatorGroupList,
    AttributeNames,
    Availability,
    AvailableCluster,
    AvailableGpu,
    AvailableInstanceType,
    AvailableRegion,
    ClusterNames,
    DeploymentUsage,
    DeploymentUsageList,
    GpuNames,
    GpuUsage,
    GroupGpu,
    GroupInstanceType,
    InstanceTypeDetails,
    RegionNames,
    UsageCluster,
    UsageGpu,
    UsageInstanceType,
    UsageRegion,
    UsageStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvcfplan.emulator.inventory import VisibleGpu, VisibleGroup
    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import Instance, World

_UNKNOWN = "UNKNOWN"


def groups(turn: Turn) -> dict[str, object]:
    usage = _usage_of(turn)
    refuse_unreadable(turn.world, CAPACITY)
    found = [_group(one) for one in visible_groups(turn.world, usage)]
    return AllocatorGroupList(cluster_groups=found).to_json()


def _usage_of(turn: Turn) -> Usage:
    """Raises Refusal."""
    match turn.query.get("instanceTypeUsage", ""):
        case "" | "DEFAULT":
            return Usage.HELM
        case "CONTAINER":
            return Usage.CONTAINER
        case other:
            raise bad_request(
                f"Invalid {other[:100]} value for instanceTypeUsage provided, expected values:"
                " DEFAULT | CONTAINER"
            )


def _group(group: VisibleGroup) -> AllocatorGroup:
    return AllocatorGroup(
        id=lasting_id(group.rule.name),
        name=group.rule.name,
        nca_id=group.rule.nca_id,
        authorized_nca_ids=list(group.rule.authorized),
        gpus=[_group_gpu(one) for one in group.gpus],
        clusters=[
            ClusterAnswer(id=lasting_id(one.name), name=one.name, k8s_version=one.k8s_version)
            for one in group.clusters
        ],
    )


def _group_gpu(gpu: VisibleGpu) -> GroupGpu:
    return GroupGpu(
        name=gpu.name,
        instance_types=[
            GroupInstanceType(
                name=one.name,
                value=one.name,
                description=description(gpu.name, one),
                default=one.is_default,
                node_type=NODE_TYPE,
            )
            for one in gpu.instance_types
        ],
    )


def _offered(turn: Turn) -> tuple[Offer, ...]:
    """As the query wants it: by default what has room for an instance."""
    wanted = Wanted.of(turn.query, is_fitting=turn.flag("capacityValidation", default=True))
    wanted = replace(wanted, usage=_usage_of(turn))
    refuse_unreadable(turn.world, CAPACITY)
    return offers(turn.world, wanted)


def gpus(turn: Turn) -> dict[str, object]:
    return GpuNames(gpus=_names(one.gpu.name for one in _offered(turn))).to_json()


def regions(turn: Turn) -> dict[str, object]:
    found = (one.cluster.region.lower() for one in _offered(turn))
    return RegionNames(regions=_names(found)).to_json()


def cluster_names(turn: Turn) -> dict[str, object]:
    found = (one.cluster.name for one in _offered(turn))
    return ClusterNames(cluster_names=_names(found)).to_json()


def attributes(turn: Turn) -> dict[str, object]:
    found = (word for one in _offered(turn) for word in one.cluster.attributes)
    return AttributeNames(attributes=_names(found)).to_json()


def _names(found: Iterable[str]) -> list[str]:
    return sorted(set(found))


def instance_types(turn: Turn) -> dict[str, object]:
    hides = turn.world.rules.hide_gpu_count
    return {
        gpu: [_details(same, hides=hides).to_json() for _, same in by(kind_of, rows)]
        for gpu, rows in by(gpu_of, _offered(turn))
    }


def _details(same: list[Offer], *, hides: bool) -> InstanceTypeDetails:
    """One instance type of one GPU, over all its clusters."""
    first = same[0]
    return InstanceTypeDetails(
        name=first.kind.name,
        value=first.kind.name,
        description=first.description,
        cpu_cores=CPU_CORES_PER_GPU * first.kind.gpu_count,
        gpu_count=None if hides else first.kind.gpu_count,
        available_capacity=sum(one.fitting for one in same),
        clusters=_names(one.cluster.name for one in same),
        regions=_names(one.cluster.region for one in same),
        attributes=_names(word for one in same for word in one.cluster.attributes),
        gpu_name=first.gpu.name,
        defaultable=any(one.kind.is_default for one in same),
        cpu_arch=CPU_ARCH,
        os=OS,
        driver_version=DRIVER_VERSION,
        node_type=NODE_TYPE,
    )


def availability(turn: Turn) -> dict[str, object]:
    refuse_unreadable(turn.world, CAPACITY)
    hides = turn.world.rules.hide_gpu_count
    found = [
        AvailableGpu(
            gpu_name=gpu,
            instance_types=[_available(same, hides=hides) for _, same in by(kind_of, rows)],
        )
        for gpu, rows in by(gpu_of, offers(turn.world, Wanted(is_fitting=True)))
    ]
    return Availability(gpus=found).to_json()


def _available(same: list[Offer], *, hides: bool) -> AvailableInstanceType:
    first = same[0]
    return AvailableInstanceType(
        instance_name=first.kind.name,
        value=first.kind.name,
        description=first.description,
        cpu_arch=CPU_ARCH,
        cpu_cores=CPU_CORES_PER_GPU * first.kind.gpu_count,
        gpu_count=None if hides else first.kind.gpu_count,
        os=OS,
        driver_version=DRIVER_VERSION,
        node_type=NODE_TYPE,
        defaultable=any(one.kind.is_default for one in same),
        regions=[
            AvailableRegion(region_name=name, clusters=[_available_in(one) for one in there])
            for name, there in by(region_of, same)
        ],
    )


def _available_in(offer: Offer) -> AvailableCluster:
    return AvailableCluster(
        cluster_id=lasting_id(offer.cluster.name),
        cluster_name=offer.cluster.name,
        cloud_provider=offer.cluster.provider,
        cluster_group=offer.group,
        is_default_instance_type=offer.kind.is_default,
        max_cluster_available_capacity=offer.fitting,
        attributes=sorted(offer.cluster.attributes),
    )


def usage(turn: Turn) -> dict[str, object]:
    refuse_unreadable(turn.world, CAPACITY)
    found = _usage(turn.world, turn.world.instances.shown())
    return GpuUsage.model_validate({"Gpus": found}).to_json()


def deployment_usage(turn: Turn) -> dict[str, object]:
    """Of a deployment that is unknown: nothing, like of one without instances."""
    refuse_unreadable(turn.world, CAPACITY)
    id_ = turn.target.deployment or ""
    version = turn.world.outlook.deployments.get(id_, "")
    instances = turn.world.instances.shown_of("version", version)
    found = DeploymentUsage(deployment_id=id_, gpus=_usage(turn.world, instances))
    return DeploymentUsageList(deployments=[found]).to_json()


def _usage(world: World, instances: Iterable[Instance]) -> list[UsageGpu]:
    live = sorted((one for one in instances if one.is_live), key=lambda one: _used(world, one))
    return [
        UsageGpu(
            gpu_name=gpu,
            instances=[
                UsageInstanceType(instance_name=kind, regions=_usage_regions(world, same))
                for kind, same in by(lambda one: one.instance_type, rows)
            ],
        )
        for gpu, rows in by(lambda one: one.gpu, live)
    ]


def _used(world: World, instance: Instance) -> tuple[str, str, str, str]:
    return (instance.gpu, instance.instance_type, _region(world, instance), instance.cluster)


def _region(world: World, instance: Instance) -> str:
    cluster = world.cluster(instance.cluster)
    return cluster.region if cluster else _UNKNOWN


def _usage_regions(world: World, same: list[Instance]) -> list[UsageRegion]:
    return [
        UsageRegion(
            region_name=region,
            clusters=[
                _usage_cluster(world, cluster, there)
                for cluster, there in by(lambda one: one.cluster, rows)
            ],
        )
        for region, rows in by(lambda one: _region(world, one), same)
    ]


def _usage_cluster(world: World, name: str, instances: list[Instance]) -> UsageCluster:
    cluster = world.cluster(name)
    running = sum(one.phase is Phase.RUNNING for one in instances)
    return UsageCluster(
        cluster_id=lasting_id(name),
        cluster_group_name=cluster.groups[0] if cluster and cluster.groups else _UNKNOWN,
        status=UsageStatus(active_instances=running, pending_instances=len(instances) - running),
    )
