"""Deployments and GPU specifications. Source: nvcf-api.md 3.3 to 3.5."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from nvcfplan.wire.protocol import Answer, Instant, Request


class SpecificationEntry(Request):
    """One GPU specification as sent. PUT with several must send each id back."""

    gpu_specification_id: str | None = None
    gpu: str
    instance_type: str
    min_instances: int
    max_instances: int
    max_request_concurrency: int | None = None
    backend: str | None = None
    clusters: list[str] | None = None
    regions: list[str] | None = None
    attributes: list[str] | None = None
    availability_zones: list[str] | None = None
    preferred_order: int | None = None
    configuration: dict[str, object] | None = None
    helm_validation_policy: dict[str, object] | None = None
    autoscaling_configuration: dict[str, object] | None = None


class DeployRequest(Request):
    """POST and PUT of a deployment: the whole list, at least one."""

    deployment_specifications: list[SpecificationEntry]


class UpdateSpecificationEntry(Request):
    """`gpu` and `instance_type` are not looked at; `backend` and `clusters` must be the same."""

    gpu_specification_id: str | None = None
    gpu: str | None = None
    instance_type: str | None = None
    min_instances: int
    max_instances: int
    max_request_concurrency: int | None = None
    backend: str | None = None
    clusters: list[str] | None = None


class UpdateDeploymentRequest(Request):
    """PUT of a deployment as the service reads it: as many as are deployed."""

    deployment_specifications: list[UpdateSpecificationEntry]


class StickinessEntry(Request):
    """ISO-8601 durations: `size` at most PT1H, `threshold` below it."""

    size: str
    threshold: str


class ScalingDetailsEntry(Request):
    """`threshold`: percent at which the count of instances is multiplied by `factor`."""

    metric: str | None = None
    factor: float
    threshold: int
    stickiness: StickinessEntry | None = None


class AutoscalingEntry(Request):
    """What `autoscaling_configuration` holds."""

    scale_up_details: ScalingDetailsEntry | None = None
    scale_down_details: ScalingDetailsEntry | None = None


class KubernetesTypeEntry(Request):
    group: str
    version: str
    kind: str


class HelmPolicyEntry(Request):
    """What `helm_validation_policy` holds."""

    name: str
    extra_kubernetes_types: list[KubernetesTypeEntry] | None = None


class UpdateSpecificationRequest(Request):
    """PATCH of one specification: at least one field."""

    min_instances: int | None = None
    max_instances: int | None = None
    autoscaling_configuration: dict[str, object] | None = None
    autoscaling_configuration_policy: str | None = None


class SpecificationAnswer(Answer):
    gpu_specification_id: str
    gpu: str
    instance_type: str
    min_instances: int
    max_instances: int
    max_request_concurrency: int | None = None
    backend: str | None = None
    clusters: list[str] | None = None
    regions: list[str] | None = None
    attributes: list[str] | None = None
    availability_zones: list[str] | None = None
    preferred_order: int | None = None
    configuration: dict[str, object] | None = None
    helm_validation_policy: dict[str, object] | None = None
    autoscaling_configuration: dict[str, object] | None = None
    cpu_arch: str | None = None
    os: str | None = None
    driver_version: str | None = None
    storage: str | None = None
    system_memory: str | None = None
    gpu_memory: str | None = None


class HealthInfoAnswer(Answer):
    """In the asynchronous path `gpu` holds the instance type: classify by `error`."""

    icms_request_id: str | None = Field(
        default=None, validation_alias=AliasChoices("icmsRequestId", "sisRequestId")
    )
    gpu: str | None = None
    backend: str | None = None
    instance_type: str | None = None
    error: str | None = None


class DeploymentAnswer(Answer):
    function_id: str
    function_version_id: str
    deployment_id: str
    function_name: str | None = None
    nca_id: str | None = None
    function_status: str
    health_info: list[HealthInfoAnswer] | None = None
    deployment_specifications: list[SpecificationAnswer]
    created_at: Instant | None = None
    last_updated_at: Instant | None = None


class OneDeployment(Answer):
    deployment: DeploymentAnswer


class OneSpecification(Answer):
    gpu_specification: SpecificationAnswer
