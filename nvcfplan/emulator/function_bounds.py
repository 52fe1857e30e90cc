"""What a function, its secrets, tags, rates and models must be like, whatever is stored.

Source: nvcf-api.md 3.1, 3.5, 4.2.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from nvcfplan.emulator.validation import Fault, Faults, choice_faults, seconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.wire.functions import (
        CreateFunctionRequest,
        HealthEntry,
        LlmInvocationConfigEntry,
        ModelEntry,
        ModelUpdate,
        PriorityEntry,
        RateLimitEntry,
        SecretEntry,
        UpdateFunctionRequest,
    )

API_BODY_FORMATS = ("CUSTOM", "PREDICT_V2")
FUNCTION_TYPES = ("DEFAULT", "STREAMING", "LLM")
HEALTH_PROTOCOLS = ("HTTP", "gRPC")
ROUTING_METHODS = (
    "power-of-two",
    "wait-and-widen",
    "round-robin",
    "random",
    "pulsar",
    "pulsar-wait-and-widen",
    "groq-multiregion",
    "pulsar-multiregion",
)
"""The last two are deprecated. In a body `_` stands for `-` as well, in any case."""

_NAME = re.compile(r"[a-z0-9A-Z][a-z0-9A-Z\-_]{0,127}", re.ASCII)
_TAG = re.compile(r"[a-zA-Z0-9\-_:=]{1,128}", re.ASCII)
_SECRET_NAME = re.compile(r"[a-z0-9A-Z][a-z0-9A-Z_.\-]{0,47}", re.ASCII)
_RATE = re.compile(r"[1-9][0-9]*-[SMHDW]", re.ASCII)
_REQUEST_UNITS = "SMHD"
_TOKEN_UNITS = "SMHDW"
_MOST_TAGS = 64
_MOST_DESCRIPTION = 256
_MOST_RATES = 32
_MOST_SECRET = 32768
_MOST_PRIORITY = 2**32 - 1
_MOST_PRIORITIES = 64


def creation_faults(request: CreateFunctionRequest) -> Faults:
    if not _NAME.fullmatch(request.name):
        yield Fault("name", request.name[:200], f"must match '{_NAME.pattern}'")
    if not request.inference_url.strip():
        yield Fault("inferenceUrl", request.inference_url, "must not be blank")
    yield from description_faults(request.description)
    yield from choice_faults("apiBodyFormat", request.api_body_format, API_BODY_FORMATS)
    yield from choice_faults("functionType", request.function_type, FUNCTION_TYPES)
    yield from _artifact_faults(request)
    yield from _model_faults(request.models or [], is_llm=is_llm(request))
    yield from health_faults(request.health)
    yield from tag_faults(request.tags)
    yield from rate_limit_faults(request.rate_limit)
    yield from secret_faults(request.secrets or [])
    yield from invocation_faults(request.llm_invocation_config)
    telemetries = request.telemetries
    if telemetries is not None and not telemetries.to_json():
        yield Fault("telemetries", "", "at least one telemetry id is required")


def is_llm(request: CreateFunctionRequest) -> bool:
    return (request.function_type or "").upper() == "LLM"


def description_faults(description: str | None) -> Faults:
    if description and len(description) > _MOST_DESCRIPTION:
        yield Fault("description", "...", f"size must be between 0 and {_MOST_DESCRIPTION}")


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
        if is_llm:
            yield from _llm_faults(one)
        elif not (one.version and one.uri):
            yield Fault("models", one.name, "a model needs 'version' and 'uri'")
    if is_llm and not models:
        yield Fault("models", "null", "a function of type LLM needs models")


def _llm_faults(model: ModelEntry) -> Faults:
    config = model.llm_config
    if config is None or not config.uris:
        yield Fault("models.llmConfig.uris", model.name, "a model of an LLM function needs 'uris'")
        return
    yield from token_rate_faults(config.token_rate_limit)
    yield from routing_faults(config.routing_method)


def token_rate_faults(limit: str | None) -> Faults:
    """Blank: the platform's."""
    if limit and limit.strip():
        yield from _rate_faults("llmConfig.tokenRateLimit", limit, units=_TOKEN_UNITS)


def routing_faults(method: str | None) -> Faults:
    """Blank: the router's own choice."""
    if not method or not method.strip():
        return
    if method.strip().lower().replace("_", "-") not in ROUTING_METHODS:
        message = f"must be one of {', '.join(ROUTING_METHODS)}"
        yield Fault("llmConfig.routingMethod", method[:100], message)


def _duplicate_faults(name: str, values: Sequence[str]) -> Faults:
    for value in sorted({one for one in values if values.count(one) > 1}):
        yield Fault(name, value[:200], "names must be unique")


def health_faults(health: HealthEntry | None) -> Faults:
    if health is None:
        return
    yield from choice_faults("health.protocol", health.protocol, HEALTH_PROTOCOLS)
    if not health.uri.strip():
        yield Fault("health.uri", health.uri, "must not be blank")
    if health.port <= 0:
        yield Fault("health.port", health.port, "must be greater than 0")
    if seconds_of(health.timeout) is None:
        yield Fault("health.timeout", health.timeout[:100], "must be an ISO-8601 duration")


def tag_faults(tags: Sequence[str] | None) -> Faults:
    for one in tags or ():
        if not _TAG.fullmatch(one):
            yield Fault("tags", one[:200], f"must match '{_TAG.pattern}'")
    if tags and len(set(tags)) > _MOST_TAGS:
        yield Fault("tags", len(set(tags)), f"size must be between 0 and {_MOST_TAGS}")


def rate_limit_faults(limit: RateLimitEntry | None) -> Faults:
    if limit is None:
        return
    exempted, by_account = limit.exempted_nca_ids or [], limit.per_nca_id_rate or {}
    if limit.rate_limit is None and limit.per_nca_id_rate is None and limit.per_user_rate is None:
        message = "one of 'rateLimit', 'perNcaIdRate' or 'perUserRate' must be specified"
        yield Fault("rateLimit", "null", message)
    if exempted and limit.rate_limit is None:
        yield Fault("rateLimit.exemptedNcaIds", "...", "exempted from no 'rateLimit'")
    for account in sorted(set(exempted) & by_account.keys()):
        message = "an account cannot both be exempted and have a rate of its own"
        yield Fault("rateLimit.perNcaIdRate", account[:100], message)
    if len(set(exempted)) > _MOST_RATES:
        yield Fault("rateLimit.exemptedNcaIds", "...", f"at most {_MOST_RATES}")
    if len(by_account) > _MOST_RATES:
        yield Fault("rateLimit.perNcaIdRate", "...", f"at most {_MOST_RATES}")
    yield from _request_rate_faults("rateLimit", limit.rate_limit)
    yield from _request_rate_faults("rateLimit.perUserRate", limit.per_user_rate)
    for rate in by_account.values():
        yield from _request_rate_faults("rateLimit.perNcaIdRate", rate)


def _request_rate_faults(name: str, rate: str | None) -> Faults:
    if rate is not None:
        yield from _rate_faults(name, rate, units=_REQUEST_UNITS)


def _rate_faults(name: str, limit: str, *, units: str) -> Faults:
    """Such as `100-S` or `100-S, 1000-M`: each unit once."""
    first, *others = limit.split(",")
    rates = [first, *(one.lstrip() for one in others)]
    if not all(_RATE.fullmatch(one) and one[-1] in units for one in rates):
        message = f"must be like '100-S', units {', '.join(units)}"
        yield Fault(name, limit[:100], message)
    elif len({one[-1] for one in rates}) != len(rates):
        yield Fault(name, limit[:100], "units must be distinct")


def secret_faults(secrets: Sequence[SecretEntry]) -> Faults:
    yield from _duplicate_faults("secrets", [one.name for one in secrets])
    for one in secrets:
        yield from one_secret_faults("secrets", one)


def one_secret_faults(field: str, secret: SecretEntry) -> Faults:
    if not _SECRET_NAME.fullmatch(secret.name):
        yield Fault(f"{field}.name", secret.name[:100], f"must match '{_SECRET_NAME.pattern}'")
    if not 1 <= len(secret_text(secret).strip()) <= _MOST_SECRET:
        yield Fault(f"{field}.value", "***", f"size must be between 1 and {_MOST_SECRET}")


def secret_text(secret: SecretEntry) -> str:
    value = secret.value
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def invocation_faults(config: LlmInvocationConfigEntry | None) -> Faults:
    if config is not None and config.priority is not None:
        yield from _priority_faults(config.priority)


def _priority_faults(priority: PriorityEntry) -> Faults:
    where = "llmInvocationConfig.priority"
    by_account = priority.per_account_priority or {}
    if by_account and priority.default_priority is None:
        message = "'defaultPriority' is required when 'perAccountPriority' has entries"
        yield Fault(f"{where}.defaultPriority", "null", message)
    if len(by_account) > _MOST_PRIORITIES:
        yield Fault(f"{where}.perAccountPriority", "...", f"at most {_MOST_PRIORITIES}")
    given = [] if priority.default_priority is None else [priority.default_priority]
    for value in (*given, *by_account.values()):
        if not 0 <= value <= _MOST_PRIORITY:
            yield Fault(where, value, f"must be between 0 and {_MOST_PRIORITY}")


def metadata_faults(request: UpdateFunctionRequest) -> Faults:
    """At least one thing to change. Source: nvcf-api.md 3.5."""
    updates = request.model_updates or []
    others = (request.tags, request.rate_limit, request.llm_invocation_config)
    if not updates and all(one is None for one in others):
        message = (
            "at least one property to update must be specified: 'tags', 'rateLimit',"
            " 'modelUpdates' or 'llmInvocationConfig'"
        )
        yield Fault("updateFunctionRequest", "null", message)
    yield from tag_faults(request.tags)
    yield from rate_limit_faults(request.rate_limit)
    yield from invocation_faults(request.llm_invocation_config)
    yield from _duplicate_faults("modelUpdates", [one.model_name for one in updates])
    for one in updates:
        yield from _update_faults(one)


def _update_faults(update: ModelUpdate) -> Faults:
    config = update.llm_config
    if not update.model_name.strip():
        yield Fault("modelUpdates.modelName", update.model_name, "must not be blank")
    if config is None or (config.token_rate_limit is None and config.routing_method is None):
        message = "at least one of 'tokenRateLimit' or 'routingMethod' must be specified"
        yield Fault("modelUpdates.llmConfig", "null", message)
        return
    yield from token_rate_faults(config.token_rate_limit)
    yield from routing_faults(config.routing_method)
