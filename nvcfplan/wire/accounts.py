"""What the account may use: inventory, the allocator's view of clusters, quota rules, limits.

Source: nvcf-api.md 2.2, 2.3, 2.8.
"""

from __future__ import annotations

from pydantic import Field, RootModel

from nvcfplan.wire.protocol import SENT_AS_NULL, Answer


class InstanceTypeAnswer(Answer):
    name: str
    description: str | None = None
    default: bool | None = None


class GpuAnswer(Answer):
    name: str
    instance_types: list[InstanceTypeAnswer] | None = None


class ClusterAnswer(Answer):
    id: str | None = None
    name: str
    k8s_version: str | None = Field(default=None, alias="k8sVersion")


class ClusterGroupAnswer(Answer):
    id: str | None = None
    name: str
    nca_id: str | None = None
    authorized_nca_ids: list[str] | None = None
    gpus: list[GpuAnswer] | None = None
    clusters: list[ClusterAnswer] | None = None


class ClusterGroupList(Answer):
    cluster_groups: list[ClusterGroupAnswer]


class SupportedGpu(Answer):
    """`backend`: a cloud provider."""

    gpu: str
    backend: str


class SupportedGpus(RootModel[list[SupportedGpu]]):
    """GET `/supportedGpus`, deprecated: the only answer that is an array."""


class AllocatorInstanceType(Answer):
    """`gpu_count`: GPUs of one instance, absent where the cluster does not say."""

    name: str
    value: str | None = None
    gpu_count: int | None = None
    default: bool | None = None


class AllocatorGpu(Answer):
    """`capacity`: whole GPUs of this name in the cluster."""

    name: str
    capacity: int | None = None
    instance_types: list[AllocatorInstanceType] | None = None


class AllocatorUsage(Answer):
    available: int
    capacity: int
    allocated: int


class AllocatorCluster(Answer):
    """`gpu_usage` is keyed by GPU name and lags by a heartbeat. Source: nvcf-api.md 2.3, 5."""

    cluster_id: str | None = None
    cluster_name: str
    cluster_group_name: str | None = None
    cloud_provider: str | None = None
    region: str | None = None
    status: str | None = None
    attributes: list[str] | None = None
    custom_attributes: list[str] | None = None
    gpus: list[AllocatorGpu] | None = None
    gpu_usage: dict[str, AllocatorUsage] | None = None
    k8s_version: str | None = Field(default=None, alias="k8sVersion")


class AllocatorClusterList(Answer):
    """GET `/v1/si/accounts/{ncaId}/clusters`."""

    clusters: list[AllocatorCluster]


class QuotaCluster(Answer):
    """`names`: a cluster or cluster group, or several joined by commas; `limit` in GPUs."""

    names: str
    limit: int


class QuotaGpu(Answer):
    """`clusters` None: no limit is recorded for this GPU (inferred)."""

    name: str
    clusters: list[QuotaCluster] | None = Field(default=None, json_schema_extra=SENT_AS_NULL)


class QuotaRules(Answer):
    """GET `/v2/orgs/{org}/ngc/nvcf/gpu/quota/rules`."""

    gpus: list[QuotaGpu]


class AccountAnswer(Answer):
    """GET `/v2/nvcf/accounts/{ncaId}`; the number counts versions."""

    nca_id: str
    name: str | None = None
    max_functions_allowed: int | None = None
    max_tasks_allowed: int | None = None
    max_telemetries_allowed: int | None = None
    max_registry_credentials_allowed: int | None = None
    current_number_functions: int | None = None
