"""What a deployment's specifications must be like, whatever the account has to offer.

Source: nvcf-api.md 3.3, 3.5, 4.3 #0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.validation import (
    MIN_ABOVE_MAX,
    Fault,
    Faults,
    choice_faults,
    seconds_of,
)
from nvcfplan.wire.deployments import (
    AutoscalingEntry,
    DeployRequest,
    HelmPolicyEntry,
    KubernetesTypeEntry,
    ScalingDetailsEntry,
    SpecificationEntry,
    StickinessEntry,
    UpdateDeploymentRequest,
    UpdateSpecificationEntry,
    UpdateSpecificationRequest,
)
from nvcfplan.wire.shapes import BadShape, read_as

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCALING_POLICIES = ("CUSTOM_CONFIGURATION", "PLATFORM_CONFIGURATION")
HELM_POLICIES = ("Default", "Unrestricted")

_MOST_CONCURRENCY = 16384
_MOST_INT = 2**31 - 1
_LONGEST_STICKINESS = 3600.0


def deployment_faults(request: DeployRequest) -> Faults:
    if not request.deployment_specifications:
        yield Fault("deploymentSpecifications", "", "must not be empty")
    for one in request.deployment_specifications:
        yield from _specification_faults(one)


def _specification_faults(entry: SpecificationEntry) -> Faults:
    if not entry.gpu.strip():
        yield Fault("gpu", entry.gpu, "must not be blank")
    if not entry.instance_type.strip():
        yield Fault("instanceType", entry.instance_type, "must not be blank")
    yield from instance_count_faults(entry.min_instances, entry.max_instances, entry.gpu)
    yield from _concurrency_faults(entry.max_request_concurrency)
    if entry.preferred_order is not None and not 1 <= entry.preferred_order <= 99:
        yield Fault("preferredOrder", entry.preferred_order, "must be between 1 and 99")
    yield from autoscaling_faults(entry.autoscaling_configuration)
    yield from _policy_faults(entry.helm_validation_policy)


def update_faults(request: UpdateDeploymentRequest) -> Faults:
    if not request.deployment_specifications:
        yield Fault("deploymentSpecifications", "", "must not be empty")
    for one in request.deployment_specifications:
        yield from _update_faults(one)


def _update_faults(entry: UpdateSpecificationEntry) -> Faults:
    yield from instance_count_faults(entry.min_instances, entry.max_instances, entry.gpu or "")
    yield from _concurrency_faults(entry.max_request_concurrency)


def patch_faults(request: UpdateSpecificationRequest) -> Faults:
    """Of the fields alone; minimum against maximum needs what is stored."""
    if request.min_instances is not None:
        yield from _least_faults(request.min_instances)
    if request.max_instances is not None:
        yield from _most_faults(request.max_instances)
    yield from autoscaling_faults(request.autoscaling_configuration)
    yield from choice_faults(
        "autoscalingConfigurationPolicy",
        request.autoscaling_configuration_policy,
        SCALING_POLICIES,
    )


def instance_count_faults(least: int, most: int, gpu: str) -> Faults:
    yield from _least_faults(least)
    yield from _most_faults(most)
    if least > most:
        rejected = f"GpuSpecificationDto[gpu={gpu}, minInstances={least}, maxInstances={most}]"
        yield Fault("deploymentSpecifications", rejected, MIN_ABOVE_MAX)


def _least_faults(least: int) -> Faults:
    if not 0 <= least <= _MOST_INT:
        yield Fault("minInstances", least, "must be greater than or equal to 0")


def _most_faults(most: int) -> Faults:
    if not 0 < most <= _MOST_INT:
        yield Fault("maxInstances", most, "must be greater than 0")


def _concurrency_faults(concurrency: int | None) -> Faults:
    if concurrency is not None and not 1 <= concurrency <= _MOST_CONCURRENCY:
        message = f"must be between 1 and {_MOST_CONCURRENCY}"
        yield Fault("maxRequestConcurrency", concurrency, message)


def autoscaling_faults(configuration: Mapping[str, object] | None) -> Faults:
    """Source: nvcf-api.md 3.3."""
    where = "autoscalingConfiguration"
    if configuration is None:
        return
    try:
        read = read_as(AutoscalingEntry, configuration)
    except BadShape as error:
        yield from _inner_faults(where, error)
        return
    if read.scale_up_details is not None:
        yield from _scaling_faults(
            f"{where}.scaleUpDetails", read.scale_up_details, _above_one, "above 1.0"
        )
    if read.scale_down_details is not None:
        yield from _scaling_faults(
            f"{where}.scaleDownDetails", read.scale_down_details, _below_one, "below 1.0"
        )


def _inner_faults(where: str, error: BadShape) -> Faults:
    for one in error.misfits:
        rejected = "null" if one.is_missing else "***"
        yield Fault(f"{where}.{one.path}", rejected, one.message)


def _above_one(factor: float) -> bool:
    return 1 < factor < float("inf")


def _below_one(factor: float) -> bool:
    return 0 < factor < 1


def _scaling_faults(
    where: str, details: ScalingDetailsEntry, is_allowed: Callable[[float], bool], bound: str
) -> Faults:
    if not is_allowed(details.factor):
        yield Fault(f"{where}.factor", details.factor, f"must be {bound}")
    if not 0 <= details.threshold <= 100:
        yield Fault(f"{where}.threshold", details.threshold, "must be between 0 and 100")
    if details.stickiness is not None:
        yield from _stickiness_faults(f"{where}.stickiness", details.stickiness)


def _stickiness_faults(where: str, stickiness: StickinessEntry) -> Faults:
    size, threshold = seconds_of(stickiness.size), seconds_of(stickiness.threshold)
    if size is None or threshold is None:
        yield Fault(where, "***", "size and threshold must be ISO-8601 durations")
        return
    if size > _LONGEST_STICKINESS:
        yield Fault(f"{where}.size", stickiness.size, "must be at most PT1H")
    if threshold >= size:
        yield Fault(f"{where}.threshold", stickiness.threshold, "must be below size")


def _policy_faults(policy: Mapping[str, object] | None) -> Faults:
    where = "helmValidationPolicy"
    if policy is None:
        return
    try:
        read = read_as(HelmPolicyEntry, policy)
    except BadShape as error:
        yield from _inner_faults(where, error)
        return
    yield from choice_faults(f"{where}.name", read.name, HELM_POLICIES)
    if read.extra_kubernetes_types is not None and not read.extra_kubernetes_types:
        yield Fault(f"{where}.extraKubernetesTypes", "", "must not be empty")
    if any(_is_blank(one) for one in read.extra_kubernetes_types or ()):
        message = "group, version and kind must not be blank"
        yield Fault(f"{where}.extraKubernetesTypes", "***", message)


def _is_blank(one: KubernetesTypeEntry) -> bool:
    return not all(part.strip() for part in (one.group, one.version, one.kind))
