"""Functions and versions. Source: nvcf-api.md 3.1, 3.2, 3.5."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from nvcfplan.wire.protocol import Answer, Instant, Request


class EnvironmentEntry(Request):
    key: str
    value: str


class LlmConfigEntry(Request):
    """`uris`: at least one. `token_rate_limit` and `routing_method` change in place."""

    uris: list[str] | None = None
    token_rate_limit: str | None = None
    tokenizer: str | None = None
    routing_method: str | None = None


class ModelEntry(Request):
    """`version` and `uri` are required, or `llm_config` if the function is an LLM one."""

    name: str
    version: str | None = None
    uri: str | None = None
    llm_config: LlmConfigEntry | None = None


class ResourceEntry(Request):
    name: str
    version: str
    uri: str


class HealthEntry(Request):
    """All five are required once one is given. `timeout` is an ISO-8601 duration."""

    protocol: str
    uri: str
    port: int
    timeout: str
    expected_status_code: int


class RateLimitEntry(Request):
    """At least one rate. `per_nca_id_rate` is keyed by account."""

    rate_limit: str | None = None
    exempted_nca_ids: list[str] | None = None
    per_nca_id_rate: dict[str, str] | None = None
    per_user_rate: str | None = None
    sync_check: bool | None = None


class PriorityEntry(Request):
    """0 is the highest. `per_account_priority` is keyed by account and needs a default."""

    default_priority: int | None = None
    per_account_priority: dict[str, int] | None = None


class LlmInvocationConfigEntry(Request):
    priority: PriorityEntry | None = None


class TelemetriesEntry(Request):
    logs_telemetry_id: str | None = None
    metrics_telemetry_id: str | None = None
    traces_telemetry_id: str | None = None


class SecretEntry(Request):
    """`repr` hides the value: these reach logs and tracebacks otherwise."""

    name: str
    value: str | dict[str, object] = Field(repr=False)


class CreateFunctionRequest(Request):
    """POST functions and POST versions. There is no placement in it."""

    name: str
    inference_url: str
    inference_port: int | None = None
    container_image: str | None = None
    container_args: str | None = None
    container_environment: list[EnvironmentEntry] | None = None
    models: list[ModelEntry] | None = None
    resources: list[ResourceEntry] | None = None
    helm_chart: str | None = None
    helm_chart_service_name: str | None = None
    health: HealthEntry | None = None
    health_uri: str | None = None
    api_body_format: str | None = None
    function_type: str | None = None
    tags: list[str] | None = None
    description: str | None = None
    secrets: list[SecretEntry] | None = None
    rate_limit: RateLimitEntry | None = None
    telemetries: TelemetriesEntry | None = None
    llm_invocation_config: LlmInvocationConfigEntry | None = None


class LlmConfigUpdate(Request):
    """At least one of them; omitted is kept."""

    token_rate_limit: str | None = None
    routing_method: str | None = None


class ModelUpdate(Request):
    model_name: str
    llm_config: LlmConfigUpdate | None = None


class UpdateFunctionRequest(Request):
    """Metadata PUT: at least one; omitted is kept."""

    tags: list[str] | None = None
    rate_limit: RateLimitEntry | None = None
    model_updates: list[ModelUpdate] | None = None
    llm_invocation_config: LlmInvocationConfigEntry | None = None


class SecretsRequest(Request):
    """Merged by name by the service."""

    secrets: list[SecretEntry]


class InstanceAnswer(Answer):
    """`backend` is the cloud provider here, `location` the cluster."""

    instance_id: str
    function_id: str | None = None
    function_version_id: str | None = None
    instance_type: str | None = None
    instance_status: str | None = None
    icms_request_id: str | None = Field(
        default=None, validation_alias=AliasChoices("icmsRequestId", "sisRequestId")
    )
    nca_id: str | None = None
    gpu: str | None = None
    backend: str | None = None
    location: str | None = None
    instance_created_at: Instant | None = None
    instance_updated_at: Instant | None = None


class FunctionAnswer(Answer):
    """One element per version; `active_instances` and `secrets` only in GET of one version."""

    id: str
    nca_id: str | None = None
    version_id: str
    name: str
    status: str
    inference_url: str | None = None
    inference_port: int | None = None
    owned_by_different_account: bool | None = None
    container_image: str | None = None
    container_args: str | None = None
    container_environment: list[EnvironmentEntry] | None = None
    models: list[ModelEntry] | None = None
    resources: list[ResourceEntry] | None = None
    helm_chart: str | None = None
    helm_chart_service_name: str | None = None
    health: HealthEntry | None = None
    health_uri: str | None = None
    api_body_format: str | None = None
    function_type: str | None = None
    tags: list[str] | None = None
    description: str | None = None
    secrets: list[str] | None = None
    rate_limit: RateLimitEntry | None = None
    telemetries: TelemetriesEntry | None = None
    llm_invocation_config: LlmInvocationConfigEntry | None = None
    active_instances: list[InstanceAnswer] | None = None
    created_at: Instant | None = None


class FunctionIds(Answer):
    """Each once, whatever versions it has."""

    function_ids: list[str]


class OneFunction(Answer):
    function: FunctionAnswer


class FunctionList(Answer):
    functions: list[FunctionAnswer]
