"""State -> the API's JSON, by the wire models. Source: nvcf-api.md 3.1 to 3.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.function_bounds import API_BODY_FORMATS, FUNCTION_TYPES, HEALTH_PROTOCOLS
from nvcfplan.emulator.validation import canonical, shown_duration
from nvcfplan.wire.deployments import (
    AutoscalingEntry,
    DeploymentAnswer,
    HealthInfoAnswer,
    OneDeployment,
    OneSpecification,
    SpecificationAnswer,
    SpecificationEntry,
)
from nvcfplan.wire.functions import CreateFunctionRequest, HealthEntry, InstanceAnswer
from nvcfplan.wire.shapes import read_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.emulator.world import Deployment, Instance, Specification, Version, World

DEFAULT_PORT = 8000
DEFAULT_HEALTH_URI = "/v2/health/ready"
MODEL_SERVER = (
    "tritonserver --model-repository /config/models --model-control-mode none --allow-metrics 1"
    " --allow-gpu-metrics 1 --allow-cpu-metrics 1 --metrics-interval-ms 500"
)
"""What serves models that come without an image. Source: nvcf-api.md 3.1."""

_HARDWARE: dict[str, object] = {
    "cpuArch": "amd64",
    "os": "linux",
    "driverVersion": "550.90.07",
}


def stamp(world: World, time: float) -> str:
    """ISO-8601 UTC with a fraction. Source: nvcf-api.md 1.3."""
    return world.moment(time).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def described(
    world: World, request: CreateFunctionRequest, *, function_id: str, version_id: str
) -> dict[str, object]:
    """A new version as the API will show it, without its status; secrets are not in it.

    What was sent empty is not shown: the service does not tell it from what was not sent.
    """
    content = {key: value for key, value in request.to_json().items() if value not in ("", [])}
    content.pop("secrets", None)
    health = _health(request)
    content |= {
        "id": function_id,
        "versionId": version_id,
        "ncaId": world.rules.nca_id,
        "ownedByDifferentAccount": False,
        "apiBodyFormat": canonical(request.api_body_format or "CUSTOM", API_BODY_FORMATS),
        "functionType": canonical(request.function_type or "DEFAULT", FUNCTION_TYPES),
        "health": health.to_json(),
        "healthUri": health.uri,
        "description": request.description or request.name,
        "createdAt": stamp(world, world.time),
    }
    if request.tags:
        content["tags"] = distinct(request.tags)
    if request.models and not (request.container_image or request.helm_chart):
        content.setdefault("containerArgs", MODEL_SERVER)
    if request.telemetries is not None:
        ids = request.telemetries.to_json().items()
        content["telemetries"] = {key: str(value).lower() for key, value in ids}
    return content


def distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _health(request: CreateFunctionRequest) -> HealthEntry:
    """The block given, else the derived one, which shows in responses all the same."""
    if request.health is not None:
        protocol = canonical(request.health.protocol, HEALTH_PROTOCOLS)
        timeout = shown_duration(request.health.timeout)
        return request.health.model_copy(update={"protocol": protocol, "timeout": timeout})
    return HealthEntry(
        protocol="gRPC" if request.inference_url == "/grpc" else "HTTP",
        uri=request.health_uri or DEFAULT_HEALTH_URI,
        port=request.inference_port or DEFAULT_PORT,
        timeout="PT10S",
        expected_status_code=200,
    )


def function_json(version: Version) -> dict[str, object]:
    """One element of a list of functions."""
    return {**version.answer, "status": str(version.status)}


def one_function(version: Version) -> dict[str, object]:
    return {"function": function_json(version)}


def detailed_function(world: World, version: Version, *, with_secrets: bool) -> dict[str, object]:
    """With instances, and the names of secrets when asked for."""
    content = function_json(version)
    instances = [
        _instance(world, one).to_json()
        for one in world.instances.shown_of("version", version.id)
        if one.is_live
    ]
    if instances:
        content["activeInstances"] = instances
    if with_secrets and version.secrets:
        content["secrets"] = sorted(version.secrets)
    return {"function": content}


def _instance(world: World, instance: Instance) -> InstanceAnswer:
    version = world.versions[instance.version]
    cluster = world.cluster(instance.cluster)
    return InstanceAnswer(
        instance_id=instance.id,
        function_id=version.function_id,
        function_version_id=version.id,
        instance_type=instance.instance_type,
        instance_status=str(instance.phase),
        icms_request_id=instance.request,
        nca_id=world.rules.nca_id,
        gpu=instance.gpu,
        backend=cluster.provider if cluster else None,
        location=instance.cluster,
        instance_created_at=world.moment(instance.created_at),
        instance_updated_at=world.moment(instance.updated_at),
    )


def entry_answer(entry: SpecificationEntry) -> dict[str, object]:
    """The part of a specification that only a redeployment changes, as it is shown."""
    content: dict[str, object] = {
        "gpu": entry.gpu,
        "instanceType": entry.instance_type,
        "preferredOrder": entry.preferred_order or 1,
        **_HARDWARE,
    }
    optional: dict[str, object] = {
        "backend": entry.backend,
        "clusters": distinct(entry.clusters or []),
        "regions": distinct(entry.regions or []),
        "attributes": distinct(entry.attributes or []),
        "availabilityZones": entry.availability_zones or [],
        "configuration": entry.configuration,
        "helmValidationPolicy": entry.helm_validation_policy,
        "autoscalingConfiguration": scaling_answer(entry.autoscaling_configuration),
    }
    sent = {key: value for key, value in optional.items() if value not in (None, "", [])}
    return content | sent


def scaling_answer(configuration: Mapping[str, object] | None) -> dict[str, object] | None:
    """Read and written by the service, so numbers and durations come back in its own forms."""
    if configuration is None:
        return None
    content = read_as(AutoscalingEntry, configuration).to_json()
    for details in content.values():
        assert isinstance(details, dict)
        stickiness = details.get("stickiness", {})
        stickiness.update({key: shown_duration(text) for key, text in stickiness.items()})
    return content


def _specification(specification: Specification) -> SpecificationAnswer:
    return SpecificationAnswer.model_validate(
        {
            **specification.answer,
            "gpuSpecificationId": specification.id,
            "minInstances": specification.min,
            "maxInstances": specification.max,
            "maxRequestConcurrency": specification.concurrency,
        }
    )


def one_specification(specification: Specification) -> dict[str, object]:
    return OneSpecification(gpu_specification=_specification(specification)).to_json()


def one_deployment(world: World, version: Version, deployment: Deployment) -> dict[str, object]:
    health = [HealthInfoAnswer.model_validate(one) for one in deployment.health]
    answer = DeploymentAnswer(
        function_id=version.function_id,
        function_version_id=version.id,
        deployment_id=deployment.id,
        function_name=version.name,
        nca_id=world.rules.nca_id,
        function_status=str(version.status),
        health_info=health or None,
        deployment_specifications=[_specification(one) for one in deployment.specifications],
        created_at=world.moment(deployment.created_at),
        last_updated_at=world.moment(deployment.updated_at),
    )
    return OneDeployment(deployment=answer).to_json()
