"""The hosted view of capacity by GPU and instance type, and all deployments of an organisation.

Source: nvcf-api.md 1.1 (hosted-only endpoints), 2.3.
"""

from __future__ import annotations

from nvcfplan.wire.deployments import DeploymentAnswer
from nvcfplan.wire.protocol import Answer


class ViewUsage(Answer):
    """`available_gpus` is of the cluster and GPU; the active ones are of this instance type."""

    min_instances: int | None = None
    max_instances: int | None = None
    active_instances: int | None = None
    available_instances: int | None = None
    active_gpus: int | None = None
    available_gpus: int | None = None


class ViewCluster(Answer):
    cluster_id: str | None = None
    cluster_name: str
    usage: ViewUsage | None = None


class ViewRegion(Answer):
    region_name: str | None = None
    clusters: list[ViewCluster] | None = None


class ViewInstanceType(Answer):
    instance_name: str
    value: str | None = None
    regions: list[ViewRegion] | None = None


class CapacityView(Answer):
    """GET `/v3/orgs/{org}/ngc/nvcf/deployments/instanceTypes` is this map itself, by GPU name."""

    gpus: dict[str, list[ViewInstanceType]]


class DeploymentList(Answer):
    """GET `/v2/orgs/{org}/nvcf/deployments`."""

    deployments: list[DeploymentAnswer]
