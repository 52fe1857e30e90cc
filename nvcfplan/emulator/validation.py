"""Bean validation of request bodies: what is refused before anything is looked up.

Source: nvcf-api.md 3.1, 3.3, 3.5, 4.1, 4.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from nvcfplan.emulator.refusals import Refusal
from nvcfplan.wire.deployments import (
    DeployRequest,
    SpecificationEntry,
    UpdateSpecificationRequest,
)
from nvcfplan.wire.functions import (
    CreateFunctionRequest,
    HealthEntry,
    ModelEntry,
    RateLimitEntry,
    SecretEntry,
    SecretsRequest,
    UpdateFunctionRequest,
)
from nvcfplan.wire.protocol import Request
from nvcfplan.wire.shapes import BadShape, Misfit, read_as

R = TypeVar("R", bound=Request)

_NAME = re.compile(r"[a-z0-9A-Z][a-z0-9A-Z\-_]{0,127}", re.ASCII)
_TAG = re.compile(r"[a-zA-Z0-9\-_:=]{1,128}", re.ASCII)
_SECRET_NAME = re.compile(r"[a-z0-9A-Z][a-z0-9A-Z_.\-]{0,47}", re.ASCII)
_RATE = re.compile(r"[1-9][0-9]*-[SMHD]", re.ASCII)
_DURATION = re.compile(r"P(?=[\dT])(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.]\d{1,9})?S)?)?", re.ASCII)
_MOST_TAGS = 64
_MOST_DESCRIPTION = 256
_MOST_EXEMPTED = 32
_MOST_SECRET = 32768
_MOST_CONCURRENCY = 16384
_MOST_INT = 2**31 - 1

MIN_ABOVE_MAX = "Invalid request: 'minInstances' must be lesser than or equal to 'maxInstances'"


@dataclass(frozen=True, slots=True)
class Fault:
    """`rejected` never holds the value of a secret."""

    field: str
    rejected: object
    message: str


Faults = Iterator[Fault]


def parsed(kind: type[R], body: dict[str, object]) -> R:
    """Raises Refusal with all faults of shape: `Validation failed: ...`."""
    given = {key: value for key, value in body.items() if value is not None}
    try:
        return read_as(kind, given)
    except BadShape as error:
        faults = [fault for one in error.misfits for fault in _shape_faults(one)]
    raise refusal_of(kind, faults)


def _shape_faults(misfit: Misfit) -> Faults:
    rejected = "null" if misfit.is_missing else "***"
    yield Fault(misfit.path, rejected, misfit.message)
    if misfit.is_missing and misfit.path.endswith((".minInstances", ".maxInstances")):
        yield Fault("deploymentSpecifications", "null", MIN_ABOVE_MAX)


def require(kind: type[Request], faults: Iterator[Fault]) -> None:
    """Raises Refusal if there is any fault."""
    found = list(faults)
    if found:
        raise refusal_of(kind, found)


def refusal_of(kind: type[Request], faults: Sequence[Fault]) -> Refusal:
    name = _OBJECTS.get(kind, kind.__name__)
    groups = ", ".join(
        f"[object={name}, field={one.field}, rejected=[{one.rejected}], message={one.message}]"
        for one in faults
    )
    return Refusal(400, f"Validation failed: {groups}", is_validation=True)


_OBJECTS: dict[type[Request], str] = {
    CreateFunctionRequest: "createFunctionRequest",
    UpdateFunctionRequest: "updateFunctionRequest",
    SecretsRequest: "updateSecretsRequest",
    DeployRequest: "functionDeploymentRequest",
    UpdateSpecificationRequest: "updateGpuSpecificationRequest",
}


def creation_faults(request: CreateFunctionRequest) -> Faults:
    if not _NAME.fullmatch(request.name):
        yield Fault("name", request.name, f"must match '{_NAME.pattern}'")
    if not request.inference_url.strip():
        yield Fault("inferenceUrl", request.inference_url, "must not be blank")
    if request.description and len(request.description) > _MOST_DESCRIPTION:
        yield Fault("description", "...", f"size must be between 0 and {_MOST_DESCRIPTION}")
    yield from _choice_faults("apiBodyFormat", request.api_body_format, API_BODY_FORMATS)
    yield from _choice_faults("functionType", request.function_type, FUNCTION_TYPES)
    yield from _artifact_faults(request)
    yield from _model_faults(request.models or [], is_llm=is_llm(request))
    yield from health_faults(request.health)
    yield from tag_faults(request.tags)
    yield from rate_limit_faults(request.rate_limit)
    yield from secret_faults(request.secrets or [])
    telemetries = request.telemetries
    if telemetries is not None and not telemetries.to_json():
        yield Fault("telemetries", "", "at least one telemetry id is required")


API_BODY_FORMATS = ("CUSTOM", "PREDICT_V2")
FUNCTION_TYPES = ("DEFAULT", "STREAMING", "LLM")
HEALTH_PROTOCOLS = ("HTTP", "gRPC")


def canonical(value: str, choices: Sequence[str]) -> str | None:
    """Enums parse in any case. Source: nvcf-api.md 1.3."""
    return next((one for one in choices if one.casefold() == value.casefold()), None)


def is_llm(request: CreateFunctionRequest) -> bool:
    return (request.function_type or "").upper() == "LLM"


def _choice_faults(name: str, value: str | None, choices: Sequence[str]) -> Faults:
    if value is not None and canonical(value, choices) is None:
        yield Fault(name, value, f"must be one of {', '.join(choices)}")


def _artifact_faults(request: CreateFunctionRequest) -> Faults:
    chart, service = request.helm_chart, request.helm_chart_service_name
    if not (request.container_image or chart or request.models):
        message = "one of 'containerImage', 'helmChart' or 'models' must be specified"
        yield Fault("containerImage", "null", message)
    if bool(chart) != bool(service):
        message = "'helmChart' and 'helmChartServiceName' must be specified together"
        yield Fault("helmChart", chart, message)
    has_container = (
        request.container_image or request.container_args or request.container_environment
    )
    if chart and has_container:
        message = (
            "'helmChart' excludes 'containerImage', 'containerArgs' and 'containerEnvironment'"
        )
        yield Fault("helmChart", chart, message)


def _model_faults(models: Sequence[ModelEntry], *, is_llm: bool) -> Faults:
    yield from _duplicate_faults("models", [one.name for one in models])
    for one in models:
        if not is_llm and not (one.version and one.uri):
            yield Fault("models", one.name, "a model needs 'version' and 'uri'")
    if is_llm and not models:
        yield Fault("models", "null", "a function of type LLM needs models")


def _duplicate_faults(name: str, values: Sequence[str]) -> Faults:
    for value in sorted({one for one in values if values.count(one) > 1}):
        yield Fault(name, value, "names must be unique")


def health_faults(health: HealthEntry | None) -> Faults:
    if health is None:
        return
    yield from _choice_faults("health.protocol", health.protocol, HEALTH_PROTOCOLS)
    if health.port <= 0:
        yield Fault("health.port", health.port, "must be greater than 0")
    if not _DURATION.fullmatch(health.timeout):
        yield Fault("health.timeout", health.timeout, "must be an ISO-8601 duration")


def tag_faults(tags: Sequence[str] | None) -> Faults:
    for one in tags or ():
        if not _TAG.fullmatch(one):
            yield Fault("tags", one, f"must match '{_TAG.pattern}'")
    if tags and len(set(tags)) > _MOST_TAGS:
        yield Fault("tags", len(set(tags)), f"size must be between 0 and {_MOST_TAGS}")


def rate_limit_faults(limit: RateLimitEntry | None) -> Faults:
    if limit is None:
        return
    rates = [part.strip() for part in limit.rate_limit.split(",")]
    if not all(_RATE.fullmatch(one) for one in rates):
        yield Fault("rateLimit", limit.rate_limit, "must be like '100-S', units S, M, H, D")
    elif len({one[-1] for one in rates}) != len(rates):
        yield Fault("rateLimit", limit.rate_limit, "units must be distinct")
    if len(limit.exempted_nca_ids or ()) > _MOST_EXEMPTED:
        yield Fault("rateLimit.exemptedNcaIds", "...", f"at most {_MOST_EXEMPTED}")


def secret_faults(secrets: Sequence[SecretEntry]) -> Faults:
    yield from _duplicate_faults("secrets", [one.name for one in secrets])
    for one in secrets:
        if not _SECRET_NAME.fullmatch(one.name):
            yield Fault("secrets.name", one.name, f"must match '{_SECRET_NAME.pattern}'")
        if not 1 <= len(secret_text(one)) <= _MOST_SECRET:
            yield Fault("secrets.value", "***", f"size must be between 1 and {_MOST_SECRET}")


def secret_text(secret: SecretEntry) -> str:
    value = secret.value
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def deployment_faults(request: DeployRequest) -> Faults:
    name = "deploymentSpecifications"
    if not request.deployment_specifications:
        yield Fault(name, "", "must not be empty")
    for one in request.deployment_specifications:
        yield from _specification_faults(one)


def _specification_faults(entry: SpecificationEntry) -> Faults:
    if not entry.gpu.strip():
        yield Fault("gpu", entry.gpu, "must not be blank")
    if not entry.instance_type.strip():
        yield Fault("instanceType", entry.instance_type, "must not be blank")
    yield from instance_count_faults(entry.min_instances, entry.max_instances, entry.gpu)
    concurrency = entry.max_request_concurrency
    if concurrency is not None and not 1 <= concurrency <= _MOST_CONCURRENCY:
        message = f"must be between 1 and {_MOST_CONCURRENCY}"
        yield Fault("maxRequestConcurrency", concurrency, message)
    if entry.preferred_order is not None and not 1 <= entry.preferred_order <= 99:
        yield Fault("preferredOrder", entry.preferred_order, "must be between 1 and 99")
    yield from autoscaling_faults(entry.autoscaling_configuration)


def instance_count_faults(least: int, most: int, gpu: str) -> Faults:
    if not 0 <= least <= _MOST_INT:
        yield Fault("minInstances", least, "must be greater than or equal to 0")
    if not 0 < most <= _MOST_INT:
        yield Fault("maxInstances", most, "must be greater than 0")
    if least > most:
        rejected = f"GpuSpecificationDto[gpu={gpu}, minInstances={least}, maxInstances={most}]"
        yield Fault("deploymentSpecifications", rejected, MIN_ABOVE_MAX)


def autoscaling_faults(configuration: dict[str, object] | None) -> Faults:
    """Source: nvcf-api.md 3.3."""
    for name, is_up in (("scaleUpDetails", True), ("scaleDownDetails", False)):
        details = (configuration or {}).get(name)
        if details is None:
            continue
        where = f"autoscalingConfiguration.{name}"
        if not isinstance(details, dict):
            yield Fault(where, "***", "must be an object")
            continue
        factor, threshold = details.get("factor"), details.get("threshold")
        if not _is_number(factor) or (factor <= 1 if is_up else not 0 <= factor < 1):
            yield Fault(f"{where}.factor", factor, f"must be {'above' if is_up else 'below'} 1.0")
        if not _is_number(threshold) or not 0 <= threshold <= 100:
            yield Fault(f"{where}.threshold", threshold, "must be between 0 and 100")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
