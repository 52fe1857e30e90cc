"""From a validated function to what is wanted: tuples sorted, durations read, secrets wrapped.

What stands in the file is managed, null and empty included; what does not is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.loading.ladder import laid_over, overlays
from nvcfplan.model import (
    AccountBinding,
    Artifact,
    DeclaredQuota,
    DesiredFunction,
    DesiredSpecification,
    Downtime,
    EnvironmentVariable,
    Fallback,
    FunctionConfig,
    GpuSpecification,
    Health,
    Json,
    LastResort,
    Lifecycle,
    OnDrainTimeout,
    OnNoCapacity,
    OnRemove,
    Prove,
    Quota,
    QuotaCount,
    QuotaUnit,
    RateLimit,
    Secret,
    SecretOrigin,
    SecretReference,
    Shrink,
    Telemetries,
    UpdateOrder,
    UpdatePolicy,
    Wait,
    Warm,
    canonical_json,
    is_sensitive_key,
    iso_duration,
    parse_duration,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from nvcfplan.loading.stackfile import (
        AccountFile,
        ArtifactFile,
        BounceFile,
        FunctionFile,
        HealthFile,
        LifecycleFile,
        QuotaFile,
        RateLimitFile,
        RungFile,
        ScalingFile,
        SecretFile,
        SensitiveFile,
        SpecificationFile,
        TelemetriesFile,
    )
    from nvcfplan.model import Rung


_NOT_CONFIG = frozenset({"update", "lifecycle", "depends_on"})


def desired_function(key: str, function: FunctionFile) -> DesiredFunction:
    """The function must have passed the rules."""
    secrets = function.secrets or {}
    specifications = function.deployment.specifications if function.deployment else {}
    return DesiredFunction(
        key=key,
        config=_config(key, function),
        managed=tuple(sorted(function.model_fields_set - _NOT_CONFIG)),
        secrets=tuple(_secret(name, secrets[name]) for name in sorted(secrets)),
        specifications=tuple(
            _specification(name, specifications[name]) for name in sorted(specifications)
        ),
        authorized_parties=_sorted_set(function.authorized_parties),
        update=_update(function),
        lifecycle=_lifecycle(function.lifecycle),
        depends_on=_sorted_set(function.depends_on),
        on_no_capacity=_ladder(function),
    )


def account_binding(account: AccountFile) -> AccountBinding:
    return AccountBinding(
        endpoint=account.endpoint.rstrip("/") if account.endpoint else None,
        org=account.org,
        nca_id=account.nca_id,
    )


def declared_quota(key: str, quota: QuotaFile) -> DeclaredQuota:
    return DeclaredQuota(
        key,
        Quota(
            gpu=quota.gpu,
            names=_sorted_set((*quota.backends, *quota.clusters)),
            limit=quota.limit,
            unit=QuotaUnit(quota.unit),
            instance_type=quota.instance_type,
            counts=None if quota.counts is None else QuotaCount(quota.counts),
        ),
    )


def _config(key: str, function: FunctionFile) -> FunctionConfig:
    return FunctionConfig(
        name=function.name or key,
        inference_url=function.inference_url,
        inference_port=function.inference_port,
        container_image=function.container_image,
        container_args=function.container_args or None,
        container_environment=_environment(key, function),
        models=_artifacts(function.models),
        resources=_artifacts(function.resources),
        helm_chart=function.helm_chart,
        helm_chart_service_name=function.helm_chart_service_name,
        health=_health(function.health) if function.health else None,
        api_body_format=function.api_body_format,
        function_type=function.function_type,
        tags=_sorted_set(function.tags),
        description=function.description or None,
        rate_limit=_rate_limit(function.rate_limit) if function.rate_limit else None,
        telemetries=_telemetries(function.telemetries) if function.telemetries else None,
    )


def _environment(key: str, function: FunctionFile) -> tuple[EnvironmentVariable, ...]:
    variables = function.container_environment or {}
    return tuple(_variable(key, name, variables[name]) for name in sorted(variables))


def _variable(key: str, name: str, value: str | SensitiveFile) -> EnvironmentVariable:
    text = value if isinstance(value, str) else value.value
    if not is_sensitive(name, value):
        return EnvironmentVariable(name, text)
    reference = SecretReference(name, SecretOrigin.STACK, f"{key}/{name}")
    return EnvironmentVariable(name, Secret(text, reference))


def is_sensitive(name: str, value: str | SensitiveFile) -> bool:
    return is_sensitive_key(name) or (not isinstance(value, str) and value.sensitive)


def _artifacts(artifacts: Iterable[ArtifactFile] | None) -> tuple[Artifact, ...]:
    ordered = sorted(artifacts or (), key=lambda one: one.name)
    return tuple(Artifact(one.name, one.version, one.uri) for one in ordered)


def _health(health: HealthFile) -> Health:
    return Health(
        protocol=health.protocol,
        uri=health.uri,
        port=health.port,
        timeout=_duration(health.timeout),
        expected_status_code=health.expected_status_code,
    )


def _rate_limit(limit: RateLimitFile) -> RateLimit:
    return RateLimit(
        rate_limit=limit.rate_limit,
        exempted_nca_ids=_sorted_set(limit.exempted_nca_ids),
        sync_check=limit.sync_check,
    )


def _telemetries(found: TelemetriesFile) -> Telemetries:
    return Telemetries(
        logs_telemetry_id=found.logs_telemetry_id,
        metrics_telemetry_id=found.metrics_telemetry_id,
        traces_telemetry_id=found.traces_telemetry_id,
    )


def _secret(name: str, secret: SecretFile) -> SecretReference:
    if secret.from_env is not None:
        return SecretReference(name, SecretOrigin.ENV, secret.from_env)
    assert secret.from_file is not None
    return SecretReference(name, SecretOrigin.FILE, secret.from_file)


def _specification(key: str, one: SpecificationFile) -> DesiredSpecification:
    specification = GpuSpecification(
        key=key,
        gpu=one.gpu,
        instance_type=one.instance_type,
        min_instances=one.min_instances,
        max_instances=one.max_instances,
        max_request_concurrency=one.max_request_concurrency,
        backend=one.backend,
        clusters=_sorted_set(one.clusters),
        regions=_sorted_set(one.regions),
        attributes=_sorted_set(one.attributes),
        configuration=None if one.configuration is None else canonical_json(one.configuration),
        autoscaling_configuration=_autoscaling(one),
    )
    return DesiredSpecification(
        specification=specification, managed=tuple(sorted(one.model_fields_set))
    )


def _ladder(function: FunctionFile) -> OnNoCapacity:
    deployment = function.deployment
    stated = deployment.on_no_capacity if deployment else None
    if deployment is None or not stated:
        return OnNoCapacity()
    last = stated[-1] if isinstance(stated[-1], str) else LastResort.ROLLBACK
    return OnNoCapacity(
        rungs=tuple(
            _rung(one, deployment.specifications) for one in stated if not isinstance(one, str)
        ),
        last=LastResort(last),
    )


def _rung(rung: RungFile, base: Mapping[str, SpecificationFile]) -> Rung:
    if rung.wait is not None:
        return Wait(duration=_duration(rung.wait))
    laid = overlays(rung)
    specifications = tuple(
        _specification(key, laid_over(base[key], laid.get(key))) for key in sorted(base)
    )
    if rung.fallback is not None:
        return Fallback(specifications=specifications)
    return Shrink(specifications=specifications)


def _autoscaling(one: SpecificationFile) -> Json | None:
    found = one.autoscaling_configuration
    if found is None:
        return None
    details = {
        "scaleUpDetails": found.scale_up_details,
        "scaleDownDetails": found.scale_down_details,
    }
    return canonical_json({key: _scaling(one) for key, one in details.items() if one is not None})


def _scaling(details: ScalingFile) -> dict[str, object]:
    """As the API writes it itself, so that what comes back is the same text."""
    content: dict[str, object] = details.model_dump(by_alias=True, exclude_none=True)
    if details.stickiness is not None:
        content["stickiness"] = {
            "size": iso_duration(_duration(details.stickiness.size)),
            "threshold": iso_duration(_duration(details.stickiness.threshold)),
        }
    return content


def _update(function: FunctionFile) -> UpdatePolicy:
    update = function.update
    return UpdatePolicy(
        order=UpdateOrder(update.order),
        downtime=Downtime(update.downtime),
        max_downtime=None if update.max_downtime is None else _duration(update.max_downtime),
        warm=Warm(update.warm),
        prove=Prove(update.prove),
        min_serving=float(update.min_serving),
        bounce=_bounce(function),
        coexist=update.coexist,
        is_pinned=update.pinned,
        keep_versions=update.keep_versions,
        drain=update.drain,
        drain_timeout=_duration(update.drain_timeout),
        on_drain_timeout=OnDrainTimeout(update.on_drain_timeout),
    )


def _bounce(function: FunctionFile) -> tuple[GpuSpecification, ...]:
    """Each laid over the first specification by key; a placement takes the place of all of it."""
    specifications = function.deployment.specifications if function.deployment else {}
    if not specifications:
        return ()
    key = min(specifications)
    base = _specification(key, specifications[key]).specification
    return tuple(
        _laid_over(base, one, f"bounce-{number}")
        for number, one in enumerate(function.update.bounce, start=1)
    )


def _laid_over(base: GpuSpecification, one: BounceFile, key: str) -> GpuSpecification:
    places = (one.backend, one.clusters, one.regions, one.attributes)
    if any(places):
        base = replace(
            base,
            backend=one.backend,
            clusters=_sorted_set(one.clusters),
            regions=_sorted_set(one.regions),
            attributes=_sorted_set(one.attributes),
        )
    least = one.min_instances or max(1, base.min_instances)
    return replace(
        base,
        key=key,
        gpu=one.gpu or base.gpu,
        instance_type=one.instance_type or base.instance_type,
        min_instances=least,
        max_instances=one.max_instances or max(least, base.max_instances),
    )


def _lifecycle(lifecycle: LifecycleFile) -> Lifecycle:
    kept = lifecycle.keep_failed
    return Lifecycle(
        prevent_destroy=lifecycle.prevent_destroy,
        on_remove=OnRemove(lifecycle.on_remove),
        keep_failed=None if kept is None else _duration(kept),
    )


def _duration(text: str) -> timedelta:
    duration = parse_duration(text)
    assert duration is not None
    return duration


def _sorted_set(names: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(sorted(set(names or ())))
