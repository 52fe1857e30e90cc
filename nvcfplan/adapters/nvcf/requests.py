"""Every request that changes something: paths, bodies and the permission each needs. Pure.

Source: nvcf-api.md 1.2 (scopes), 2.1 (paths), 3 (bodies).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from nvcfplan.adapters.nvcf.raw import RawRequest
from nvcfplan.adapters.nvcf.reads import DEPLOY, version_path
from nvcfplan.model import (
    Secret,
    SecretReference,
    iso_duration,
    kept_until,
    operation_of,
    operation_tag,
    own_tags,
    parse_json,
)
from nvcfplan.wire.deployments import (
    DeployRequest,
    SpecificationEntry,
    UpdateSpecificationRequest,
)
from nvcfplan.wire.functions import (
    CreateFunctionRequest,
    EnvironmentEntry,
    HealthEntry,
    ModelEntry,
    RateLimitEntry,
    ResourceEntry,
    SecretEntry,
    SecretsRequest,
    TelemetriesEntry,
    UpdateFunctionRequest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.model import (
        FunctionConfig,
        FunctionId,
        GpuSpecification,
        Json,
        Metadata,
        OperationId,
        RateLimit,
        VersionId,
    )


def create_function(
    config: FunctionConfig,
    secrets: Sequence[SecretReference],
    operation: OperationId,
    values: Mapping[SecretReference, str],
) -> RawRequest:
    """`values` must hold every reference of `config` and `secrets`."""
    body = _function_body(config, secrets, operation, values)
    return RawRequest(
        method="POST", path="/functions", body=body, scope="the scope register_function"
    )


def create_version(
    function: FunctionId,
    config: FunctionConfig,
    secrets: Sequence[SecretReference],
    *,
    operation: OperationId,
    values: Mapping[SecretReference, str],
) -> RawRequest:
    body = _function_body(config, secrets, operation, values)
    return RawRequest(
        method="POST",
        path=f"/functions/{quote(function, safe='')}/versions",
        body=body,
        scope="the scope register_function",
    )


def update_metadata(
    function: FunctionId, version: VersionId, metadata: Metadata, live_tags: Sequence[str]
) -> RawRequest:
    """The operation tag of the live version is sent again: by it a lost create is found.

    Not where no tag of ours is to stay: then the version is forgotten; nor where it failed.
    """
    made_by = operation_of(live_tags)
    tags = metadata.tags
    is_known_otherwise = operation_of(tags or ()) is not None or kept_until(tags or ()) is not None
    if tags and own_tags(tags) and made_by is not None and not is_known_otherwise:
        tags = tuple(sorted((*tags, operation_tag(made_by))))
    entry = UpdateFunctionRequest(
        tags=None if tags is None else list(tags), rate_limit=_rate_limit(metadata.rate_limit)
    )
    return RawRequest(
        method="PUT",
        path=version_path(function, version),
        body=entry.to_json(),
        scope="the scope update_function",
    )


def set_secrets(
    function: FunctionId,
    version: VersionId,
    secrets: Sequence[SecretReference],
    values: Mapping[SecretReference, str],
) -> RawRequest:
    entry = SecretsRequest(secrets=_secrets(secrets, values))
    return RawRequest(
        method="PUT",
        path="/secrets" + version_path(function, version),
        body=entry.to_json(),
        scope="the scope update_secrets",
    )


def set_authorizations(function: FunctionId, parties: Sequence[str]) -> RawRequest:
    """Replaces the function's whole list; an empty one clears it. Source: nvcf-api.md 2.4."""
    path = f"/authorizations/functions/{quote(function, safe='')}"
    scope = "the scope authorize_clients"
    if not parties:
        return RawRequest(method="DELETE", path=path, scope=scope)
    body: dict[str, object] = {"authorizedParties": [{"ncaId": party} for party in parties]}
    return RawRequest(method="POST", path=path, body=body, scope=scope)


def deploy(
    function: FunctionId, version: VersionId, specifications: Sequence[GpuSpecification]
) -> RawRequest:
    entry = DeployRequest(deployment_specifications=[_specification(one) for one in specifications])
    return RawRequest(
        method="POST",
        path="/deployments" + version_path(function, version),
        body=entry.to_json(),
        scope=DEPLOY,
    )


def patch_specification(
    deployment_id: str, specification_id: str, update: UpdateSpecificationRequest
) -> RawRequest:
    path = f"/deployments/{quote(deployment_id, safe='')}/gpu-specifications"
    return RawRequest(
        method="PATCH",
        path=f"{path}/{quote(specification_id, safe='')}",
        body=update.to_json(),
        scope=DEPLOY,
    )


def put_deployment(
    function: FunctionId, version: VersionId, entries: Sequence[SpecificationEntry]
) -> RawRequest:
    body = DeployRequest(deployment_specifications=list(entries)).to_json()
    return RawRequest(
        method="PUT",
        path="/deployments" + version_path(function, version),
        body=body,
        scope=DEPLOY,
    )


def undeploy(function: FunctionId, version: VersionId, *, graceful: bool) -> RawRequest:
    return RawRequest(
        method="DELETE",
        path="/deployments" + version_path(function, version),
        query=(("graceful", "true"),) if graceful else (),
        scope=DEPLOY,
    )


def delete_version(function: FunctionId, version: VersionId) -> RawRequest:
    return RawRequest(
        method="DELETE",
        path=version_path(function, version),
        scope="the scope delete_function",
    )


def freeform(text: Json | None) -> dict[str, object] | None:
    return None if text is None else cast("dict[str, object]", parse_json(text))


def references_of(config: FunctionConfig) -> tuple[SecretReference, ...]:
    """Environment values that are only named, in the order of their variables."""
    return tuple(
        one.value for one in config.container_environment if isinstance(one.value, SecretReference)
    )


def revealed_secrets(config: FunctionConfig) -> tuple[str, ...]:
    """Environment values that are held in memory, for redaction of what comes back."""
    return tuple(
        one.value.reveal() for one in config.container_environment if isinstance(one.value, Secret)
    )


def _function_body(
    config: FunctionConfig,
    secrets: Sequence[SecretReference],
    operation: OperationId,
    values: Mapping[SecretReference, str],
) -> dict[str, object]:
    made_by = operation_of(config.tags)
    stale = {operation_tag(made_by)} if made_by else set()
    tags = {*config.tags, operation_tag(operation)} - (stale - {operation_tag(operation)})
    entry = CreateFunctionRequest(
        name=config.name,
        inference_url=config.inference_url,
        inference_port=config.inference_port,
        container_image=config.container_image,
        container_args=config.container_args,
        container_environment=_environment(config, values) or None,
        models=[_model(one.name, one.version, one.uri) for one in config.models] or None,
        resources=[
            ResourceEntry(name=one.name, version=one.version, uri=one.uri)
            for one in config.resources
        ]
        or None,
        helm_chart=config.helm_chart,
        helm_chart_service_name=config.helm_chart_service_name,
        health=_health(config),
        api_body_format=config.api_body_format,
        function_type=config.function_type,
        tags=sorted(tags),
        description=config.description,
        secrets=_secrets(secrets, values) or None,
        rate_limit=_rate_limit(config.rate_limit),
        telemetries=_telemetries(config),
    )
    return entry.to_json()


def _environment(
    config: FunctionConfig, values: Mapping[SecretReference, str]
) -> list[EnvironmentEntry]:
    def revealed(value: str | Secret | SecretReference) -> str:
        match value:
            case str():
                return value
            case Secret():
                return value.reveal()
            case SecretReference():
                return values[value]

    return [
        EnvironmentEntry(key=one.key, value=revealed(one.value))
        for one in config.container_environment
    ]


def _model(name: str, version: str, uri: str) -> ModelEntry:
    return ModelEntry(name=name, version=version or None, uri=uri or None)


def _secrets(
    references: Sequence[SecretReference], values: Mapping[SecretReference, str]
) -> list[SecretEntry]:
    return [SecretEntry(name=one.name, value=values[one]) for one in references]


def _health(config: FunctionConfig) -> HealthEntry | None:
    health = config.health
    if health is None:
        return None
    return HealthEntry(
        protocol=health.protocol,
        uri=health.uri,
        port=health.port,
        timeout=iso_duration(health.timeout),
        expected_status_code=health.expected_status_code,
    )


def _rate_limit(limit: RateLimit | None) -> RateLimitEntry | None:
    if limit is None:
        return None
    return RateLimitEntry(
        rate_limit=limit.rate_limit,
        exempted_nca_ids=list(limit.exempted_nca_ids),
        sync_check=limit.sync_check,
    )


def _telemetries(config: FunctionConfig) -> TelemetriesEntry | None:
    found = config.telemetries
    if found is None:
        return None
    return TelemetriesEntry(
        logs_telemetry_id=found.logs_telemetry_id,
        metrics_telemetry_id=found.metrics_telemetry_id,
        traces_telemetry_id=found.traces_telemetry_id,
    )


def _specification(one: GpuSpecification) -> SpecificationEntry:
    return SpecificationEntry(
        gpu=one.gpu,
        instance_type=one.instance_type,
        min_instances=one.min_instances,
        max_instances=one.max_instances,
        max_request_concurrency=one.max_request_concurrency,
        backend=one.backend,
        clusters=list(one.clusters) or None,
        regions=list(one.regions) or None,
        attributes=list(one.attributes) or None,
        configuration=freeform(one.configuration),
        autoscaling_configuration=freeform(one.autoscaling_configuration),
    )
