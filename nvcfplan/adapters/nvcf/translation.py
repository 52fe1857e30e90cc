"""The API's JSON as our nouns, and back: the one place that knows both.

It also fills in what the API assumes where nothing is said, so that "absent" and "default" never
differ in what was read. Source: nvcf-api.md 3.1 to 3.4.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.answers import garbled
from nvcfplan.model import (
    DEFAULT_CONCURRENCY,
    DEFAULT_PORT,
    Artifact,
    DeploymentId,
    EnvironmentVariable,
    FunctionConfig,
    FunctionId,
    GpuSpecification,
    GpuSpecificationId,
    Health,
    HealthNote,
    Json,
    LiveDeployment,
    LiveFunction,
    LiveInstance,
    LiveSpecification,
    LiveVersion,
    RateLimit,
    Secret,
    SecretOrigin,
    SecretReference,
    Status,
    Telemetries,
    VersionId,
    canonical_json,
    derived_health,
    is_sensitive_key,
    parse_duration,
    with_defaults,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from nvcfplan.wire.deployments import DeploymentAnswer, SpecificationAnswer
    from nvcfplan.wire.functions import (
        EnvironmentEntry,
        FunctionAnswer,
        HealthEntry,
        InstanceAnswer,
        RateLimitEntry,
        TelemetriesEntry,
    )


_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


def live_functions(answers: Iterable[FunctionAnswer], route: str) -> tuple[LiveFunction, ...]:
    """Own ones only; functions by id, versions oldest first.

    Raises: RemoteGarbled, for an id that could not stand in an address.
    """
    versions = [live_version(one, route) for one in answers if not is_foreign(one)]
    versions.sort(key=lambda one: (one.function_id, _age(one.created_at), one.version_id))
    grouped: dict[FunctionId, list[LiveVersion]] = {}
    for version in versions:
        grouped.setdefault(version.function_id, []).append(version)
    return tuple(LiveFunction(id=id_, versions=tuple(found)) for id_, found in grouped.items())


def is_foreign(answer: FunctionAnswer) -> bool:
    """Shared with us by another account: never ours to see or touch. Source: nvcf-api.md 3.2."""
    return answer.owned_by_different_account is True


def live_version_in_full(answer: FunctionAnswer, route: str) -> LiveVersion:
    """From the GET of one version: what it leaves out there is empty, not unread.

    Raises: RemoteGarbled.
    """
    read = live_version(answer, route)
    return replace(read, instances=read.instances or (), secret_names=read.secret_names or ())


def live_version(answer: FunctionAnswer, route: str) -> LiveVersion:
    """Raises: RemoteGarbled."""
    instances = answer.active_instances
    return LiveVersion(
        function_id=FunctionId(checked_id(answer.id, route)),
        version_id=VersionId(checked_id(answer.version_id, route)),
        nca_id=answer.nca_id or "",
        status=_status(answer.status),
        config=_config(answer, route),
        created_at=answer.created_at,
        instances=None if instances is None else _instances(instances),
        secret_names=None if answer.secrets is None else tuple(sorted(answer.secrets)),
    )


def live_deployment(answer: DeploymentAnswer, route: str) -> LiveDeployment:
    """Specifications sorted by id: their order is not kept by the service.

    Raises: RemoteGarbled.
    """
    rows = [
        LiveSpecification(
            id=GpuSpecificationId(checked_id(one.gpu_specification_id, route)),
            specification=live_specification(one),
        )
        for one in answer.deployment_specifications
    ]
    return LiveDeployment(
        function_id=FunctionId(checked_id(answer.function_id, route)),
        version_id=VersionId(checked_id(answer.function_version_id, route)),
        deployment_id=DeploymentId(checked_id(answer.deployment_id, route)),
        status=_status(answer.function_status),
        specifications=tuple(sorted(rows, key=lambda row: row.id)),
        health=tuple(
            HealthNote(instance_type=one.instance_type or one.gpu or "", error=one.error)
            for one in answer.health_info or ()
            if one.error
        ),
        created_at=answer.created_at,
        updated_at=answer.last_updated_at,
    )


def live_specification(answer: SpecificationAnswer) -> GpuSpecification:
    """Its key is its id until a stack file's key is found for it."""
    return GpuSpecification(
        key=answer.gpu_specification_id,
        gpu=answer.gpu,
        instance_type=answer.instance_type,
        min_instances=answer.min_instances,
        max_instances=answer.max_instances,
        max_request_concurrency=answer.max_request_concurrency or DEFAULT_CONCURRENCY,
        backend=answer.backend or None,
        clusters=_set(answer.clusters),
        regions=_set(answer.regions),
        attributes=_set(answer.attributes),
        configuration=_freeform(answer.configuration),
        autoscaling_configuration=_freeform(answer.autoscaling_configuration),
    )


def live_reference(function: str, version: str, key: str) -> SecretReference:
    """An environment value that stays where it is: read again when it has to be carried on."""
    return SecretReference(key, SecretOrigin.LIVE, f"{function}/{version}/{key}")


def _config(answer: FunctionAnswer, route: str) -> FunctionConfig:
    port = answer.inference_port or DEFAULT_PORT
    inference_url = answer.inference_url or ""
    read = FunctionConfig(
        name=answer.name,
        inference_url=inference_url,
        inference_port=port,
        container_image=answer.container_image or None,
        container_args=answer.container_args or None,
        container_environment=_environment(answer, answer.container_environment or ()),
        models=_artifacts((one.name, one.version, one.uri) for one in answer.models or ()),
        resources=_artifacts((one.name, one.version, one.uri) for one in answer.resources or ()),
        helm_chart=answer.helm_chart or None,
        helm_chart_service_name=answer.helm_chart_service_name or None,
        health=_health(answer.health, route)
        or derived_health(inference_url, port, answer.health_uri),
        api_body_format=answer.api_body_format,
        function_type=answer.function_type,
        tags=_set(answer.tags),
        description=answer.description or None,
        rate_limit=_rate_limit(answer.rate_limit),
        telemetries=_telemetries(answer.telemetries),
    )
    return with_defaults(read)


def _environment(
    answer: FunctionAnswer, entries: Iterable[EnvironmentEntry]
) -> tuple[EnvironmentVariable, ...]:
    variables = (
        EnvironmentVariable(
            one.key,
            Secret(one.value, live_reference(answer.id, answer.version_id, one.key))
            if is_sensitive_key(one.key)
            else one.value,
        )
        for one in entries
    )
    return tuple(sorted(variables, key=lambda one: one.key))


def _artifacts(rows: Iterable[tuple[str, str | None, str | None]]) -> tuple[Artifact, ...]:
    found = (Artifact(name, version or "", uri or "") for name, version, uri in rows)
    return tuple(sorted(found, key=lambda one: one.name))


def _health(entry: HealthEntry | None, route: str) -> Health | None:
    if entry is None:
        return None
    timeout = parse_duration(entry.timeout)
    if timeout is None:
        raise garbled(route, "health.timeout: not an ISO-8601 duration")
    return Health(
        protocol=entry.protocol,
        uri=entry.uri,
        port=entry.port,
        timeout=timeout,
        expected_status_code=entry.expected_status_code,
    )


def _rate_limit(entry: RateLimitEntry | None) -> RateLimit | None:
    """None, too, where only accounts or users have a rate: a stack file has none of these."""
    if entry is None or entry.rate_limit is None:
        return None
    return RateLimit(
        rate_limit=entry.rate_limit,
        exempted_nca_ids=_set(entry.exempted_nca_ids),
        sync_check=bool(entry.sync_check),
    )


def _telemetries(entry: TelemetriesEntry | None) -> Telemetries | None:
    if entry is None:
        return None
    return Telemetries(
        logs_telemetry_id=entry.logs_telemetry_id,
        metrics_telemetry_id=entry.metrics_telemetry_id,
        traces_telemetry_id=entry.traces_telemetry_id,
    )


def _instances(answers: Iterable[InstanceAnswer]) -> tuple[LiveInstance, ...]:
    """Only those that hold GPUs. Source: nvcf-api.md 3.2, "InstanceDto"."""
    found = (
        LiveInstance(
            id=one.instance_id,
            gpu=one.gpu or "",
            instance_type=one.instance_type or "",
            location=one.location or "",
            is_running=(one.instance_status or "").upper() in ("RUNNING", "ACTIVE"),
            created_at=one.instance_created_at,
        )
        for one in answers
        if (one.instance_status or "").upper() in ("STARTING", "RUNNING", "ACTIVE")
    )
    return tuple(sorted(found, key=lambda one: one.id))


def _status(word: str) -> Status:
    try:
        return Status(word.upper())
    except ValueError:
        return Status.UNKNOWN


def _set(values: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(sorted(set(values or ())))


def _freeform(value: dict[str, object] | None) -> Json | None:
    """An empty object says nothing more than an absent one."""
    return canonical_json(value) if value else None


def checked_id(text: str, route: str) -> str:
    """Ids go into paths of later requests."""
    if not _ID.fullmatch(text):
        raise garbled(route, "an id that is not one")
    return text


def _age(created_at: datetime | None) -> tuple[bool, float]:
    """Unknown times come first: such a version is at least not taken for the newest."""
    return (created_at is not None, created_at.timestamp() if created_at else 0.0)
