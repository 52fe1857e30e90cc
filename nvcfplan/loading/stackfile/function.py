"""One function of the stack file. Bounds are the API's. Source: nvcf-api.md 3.1."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field
from pydantic import Tag as Kind

from nvcfplan.loading.stackfile.base import (
    CHART,
    FUNCTION_NAME,
    MAPPING_KIND,
    RATES,
    TEXT_KIND,
    AccountId,
    DurationText,
    EnvironmentKey,
    Name,
    Port,
    SecretName,
    Strict,
    Tag,
    UrlPath,
    Word,
)
from nvcfplan.loading.stackfile.deployment import BounceFile, DeploymentFile
from nvcfplan.model import MOST_USER_TAGS


class SensitiveFile(Strict):
    """An environment variable of which it is said whether it is to be masked."""

    value: str = Field(description="The value; masked everywhere when it is sensitive.")
    sensitive: bool = Field(
        default=True, description="Mask the value in plans, reports and logs (keys that look "
        "secret are masked in any case).",
    )  # fmt: skip


def _kind(value: object) -> str:
    return MAPPING_KIND if isinstance(value, dict | SensitiveFile) else TEXT_KIND


EnvironmentValue: TypeAlias = Annotated[
    Annotated[str, Kind(TEXT_KIND)] | Annotated[SensitiveFile, Kind(MAPPING_KIND)],
    Discriminator(_kind),
]


class ArtifactFile(Strict):
    """A model or a resource of the registry."""

    name: Word = Field(description="The name under which it is mounted; unique in its list.")
    version: Word = Field(description="Its version.")
    uri: Word = Field(description="Where it is, such as `/v2/org/ORG/models/NAME/VERSION/files`.")


class HealthFile(Strict):
    """All five are needed, or leave `health` out: then the API derives them."""

    protocol: Literal["HTTP", "gRPC"] = Field(description="How readiness is asked.")
    uri: Word = Field(description="The path that answers when the container is ready.")
    port: Port = Field(description="The port of the health endpoint.")
    timeout: DurationText = Field(description="How long one check may take, such as `PT10S`.")
    expected_status_code: int = Field(ge=100, le=599, description="What a ready container answers.")


class RateLimitFile(Strict):
    """How many invocations are let through."""

    rate_limit: Annotated[str, Field(pattern=RATES)] = Field(
        description="Requests per unit of time: `100-S`, or several such as `100-S,5000-M`."
    )
    exempted_nca_ids: Annotated[list[Word], Field(max_length=32)] | None = Field(
        default=None, description="Accounts that are not limited; at most 32."
    )
    sync_check: bool = Field(default=False, description="Check before the request is queued.")


class TelemetriesFile(Strict):
    """Ids of telemetry endpoints of the account; one at least."""

    logs_telemetry_id: Word | None = Field(default=None, description="Where logs are sent.")
    metrics_telemetry_id: Word | None = Field(default=None, description="Where metrics are sent.")
    traces_telemetry_id: Word | None = Field(default=None, description="Where traces are sent.")


class SecretFile(Strict):
    """A reference, never a value: exactly one of the two."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    from_env: Word | None = Field(
        default=None, description="Environment variable that `apply` reads the value from."
    )
    from_file: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="File that `apply` reads the value from."
    )


class UpdateFile(Strict):
    """How a change of this function may be carried out."""

    order: Literal["auto", "create-first", "delete-first"] = Field(
        default="auto",
        description="Whether the new version is deployed before the old one goes. `auto`: "
        "create-first where both fit, else delete-first where downtime is allowed.",
    )
    downtime: Literal["never", "allowed"] = Field(
        default="never", description="May the function be without a serving version for a while?"
    )
    max_downtime: DurationText | None = Field(
        default=None,
        description="The longest gap in service that is taken, such as `20m`; absent: any.",
    )
    warm: Literal["match-running", "min"] = Field(
        default="match-running",
        description="Instances that a new version has when the old one goes: as many as that one "
        "runs, where they fit, or `minInstances`.",
    )
    prove: Literal["one", "none"] = Field(
        default="one",
        description="Whether a function whose minInstances are all 0 is shown to work, by one "
        "instance that is awaited, before it is left to scale to nothing.",
    )
    min_serving: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the running instances that serve at every moment of a stepped "
        "change; one at least.",
    )
    bounce: list[BounceFile] = Field(
        default_factory=list,
        description="Placements on which the function may live while its own room is made free.",
    )
    coexist: bool = Field(
        default=True,
        description="May two versions serve at once? false: the old one goes first, which needs "
        "`downtime: allowed`.",
    )
    pinned: bool = Field(
        default=False,
        description="Callers name the version's id, so that any new version is an outage to them.",
    )
    keep_versions: int = Field(
        default=1, ge=0, le=50, description="Old versions kept, undeployed, to go back to."
    )
    drain: bool = Field(default=True, description="Let queued work end before an undeploy.")
    drain_timeout: DurationText = Field(
        default="15m", description="How long draining may take, such as `15m`."
    )
    on_drain_timeout: Literal["force", "wait", "fail"] = Field(
        default="fail",
        description="When draining takes longer: undeploy at once and lose what is queued, wait "
        "for as long as a release may take at most, or fail and undo.",
    )


class LifecycleFile(Strict):
    prevent_destroy: bool = Field(
        default=False, description="Refuse every plan that deletes or undeploys this function."
    )
    on_remove: Literal["delete", "undeploy", "forget"] = Field(
        default="delete",
        description="What happens to the function when it is removed from the stack.",
    )
    keep_failed: DurationText | None = Field(
        default=None,
        description="For how long a version that failed is kept, undeployed, to look at, such as "
        "`24h`. Absent: it is deleted at once.",
    )


class FunctionFile(Strict):
    """A key that is absent is not managed and keeps its live value; null or empty is managed."""

    inference_url: UrlPath = Field(
        description="Path of the inference endpoint; `/grpc` makes it a gRPC function."
    )
    name: Annotated[str, Field(pattern=FUNCTION_NAME)] | None = Field(
        default=None, description="The function's name in NVCF. Absent: its key in this file."
    )
    description: Annotated[str, Field(max_length=256)] | None = Field(
        default=None, description="At most 256 characters."
    )
    inference_port: Port | None = Field(
        default=None, description="Port of the inference endpoint; the API's default is 8000."
    )
    container_image: Word | None = Field(
        default=None,
        description="Full reference with registry and tag or digest: `nvcr.io/acme/chat:2.1.0`. "
        "One of image, helm chart and models is needed.",
    )
    container_args: str | None = Field(
        default=None, description="Arguments of the container, as one line with shell quoting."
    )
    container_environment: dict[EnvironmentKey, EnvironmentValue] | None = Field(
        default=None,
        description="Environment variables: text, or `{value, sensitive}`. Managed as a whole.",
    )
    models: list[ArtifactFile] | None = Field(
        default=None, description="Models mounted into the container."
    )
    resources: list[ArtifactFile] | None = Field(
        default=None, description="Resources mounted into the container."
    )
    helm_chart: Annotated[str, Field(pattern=CHART)] | None = Field(
        default=None,
        description="Address of a helm chart, in place of an image. Needs helmChartServiceName.",
    )
    helm_chart_service_name: Word | None = Field(
        default=None, description="The chart's service that takes the requests."
    )
    health: HealthFile | None = Field(
        default=None, description="How readiness is checked; absent: derived by the API."
    )
    api_body_format: Literal["CUSTOM", "PREDICT_V2"] | None = Field(
        default=None, description="Form of the request body; the API's default is CUSTOM."
    )
    function_type: Literal["DEFAULT", "STREAMING"] | None = Field(
        default=None, description="Whether responses are streamed; the API's default is DEFAULT."
    )
    tags: Annotated[list[Tag], Field(max_length=MOST_USER_TAGS)] | None = Field(
        default=None, description=f"At most {MOST_USER_TAGS}; four more are nvcfplan's own."
    )
    rate_limit: RateLimitFile | None = Field(default=None, description="Limit of invocations.")
    telemetries: TelemetriesFile | None = Field(
        default=None, description="Telemetry endpoints of the account; at least one."
    )
    authorized_parties: list[AccountId] | None = Field(
        default=None,
        description="NVIDIA Cloud Account ids that may call every version of the function; `*` "
        "alone: everyone. Managed as a whole.",
    )
    secrets: dict[SecretName, SecretFile] | None = Field(
        default=None, description="Secrets by reference. Managed as a whole."
    )
    deployment: DeploymentFile | None = Field(
        default=None,
        description="Where and how often it runs. null: wanted undeployed; absent: not managed.",
    )
    update: UpdateFile = Field(
        default_factory=UpdateFile, description="How a change may be carried out."
    )
    lifecycle: LifecycleFile = Field(
        default_factory=LifecycleFile, description="What may never happen to it, and its end."
    )
    depends_on: list[Name] = Field(
        default_factory=list, description="Functions of this stack that must be ACTIVE first."
    )
