"""The allocator's account views: what is offered where, how many fit, how many run.

Source: nvcf-api.md 2.3; ICMS `AccountInfoController`, `ClustersController`,
`NvcaAccountController`.
"""

from __future__ import annotations

from pydantic import Field, RootModel

from nvcfplan.wire.accounts import AllocatorCluster, ClusterAnswer
from nvcfplan.wire.protocol import Answer


class GroupInstanceType(Answer):
    name: str
    value: str
    description: str | None = None
    default: bool | None = None
    node_type: str


class GroupGpu(Answer):
    name: str
    instance_types: list[GroupInstanceType]


class AllocatorGroup(Answer):
    """As the public inventory shows it, with `value` and `nodeType` of each instance type."""

    id: str
    name: str
    nca_id: str
    authorized_nca_ids: list[str]
    gpus: list[GroupGpu]
    clusters: list[ClusterAnswer]


class AllocatorGroupList(Answer):
    cluster_groups: list[AllocatorGroup]


class GpuNames(Answer):
    gpus: list[str]


class RegionNames(Answer):
    regions: list[str]


class ClusterNames(Answer):
    cluster_names: list[str]


class AttributeNames(Answer):
    attributes: list[str]


class InstanceTypeDetails(Answer):
    """`available_capacity`: instances that fit now, over all its clusters."""

    name: str
    value: str
    description: str | None = None
    cpu_cores: int = 0
    gpu_count: int | None = None
    available_capacity: int
    clusters: list[str]
    regions: list[str]
    attributes: list[str]
    gpu_name: str
    defaultable: bool
    cpu_arch: str | None = None
    os: str | None = None
    driver_version: str | None = None
    node_type: str


class InstanceTypesByGpu(RootModel[dict[str, list[InstanceTypeDetails]]]):
    """GET `instanceTypes` is this map itself."""


class AvailableCluster(Answer):
    cluster_id: str
    cluster_name: str
    cloud_provider: str | None = None
    cluster_group: str | None = None
    is_default_instance_type: bool
    max_cluster_available_capacity: int
    attributes: list[str]


class AvailableRegion(Answer):
    region_name: str
    clusters: list[AvailableCluster]


class AvailableInstanceType(Answer):
    instance_name: str
    value: str
    description: str | None = None
    cpu_arch: str | None = None
    cpu_cores: int = 0
    gpu_count: int | None = None
    os: str | None = None
    driver_version: str | None = None
    node_type: str
    defaultable: bool
    regions: list[AvailableRegion]


class AvailableGpu(Answer):
    gpu_name: str
    instance_types: list[AvailableInstanceType]


class Availability(Answer):
    """GET `instanceTypes/availability`."""

    gpus: list[AvailableGpu]


class UsageStatus(Answer):
    active_instances: int
    pending_instances: int


class UsageCluster(Answer):
    cluster_id: str
    cluster_group_name: str
    status: UsageStatus


class UsageRegion(Answer):
    region_name: str
    clusters: list[UsageCluster]


class UsageInstanceType(Answer):
    instance_name: str
    regions: list[UsageRegion]


class UsageGpu(Answer):
    gpu_name: str
    instances: list[UsageInstanceType]


class GpuUsage(Answer):
    """GET `gpu/usage`; the capital letter is the allocator's."""

    gpus: list[UsageGpu] = Field(alias="Gpus")


class DeploymentUsage(Answer):
    deployment_id: str
    gpus: list[UsageGpu]


class DeploymentUsageList(Answer):
    """GET `deployments/{deploymentId}/gpu/usage`."""

    deployments: list[DeploymentUsage]


class ClusterArray(RootModel[list[AllocatorCluster]]):
    """GET `clusters`, of the allocator and of the front, is this array itself."""
