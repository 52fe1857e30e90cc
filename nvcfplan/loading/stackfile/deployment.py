"""The stack file's `deployment`: GPU specifications and their bounds. Source: nvcf-api.md 3.3."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field
from pydantic import Tag as Kind

from nvcfplan.loading.stackfile.base import (
    MAPPING_KIND,
    TEXT_KIND,
    DurationText,
    Name,
    Strict,
    Word,
)


class StickinessFile(Strict):
    """How long a metric must stay beyond its threshold before it counts."""

    size: DurationText = Field(description="The window that is looked at; at most 1 hour.")
    threshold: DurationText = Field(
        description="How much of the window the metric must be beyond its threshold; below `size`."
    )


class ScalingFile(Strict):
    """One direction of the autoscaler."""

    factor: float = Field(
        gt=0, description="By what the instances are multiplied: above 1 up, below 1 down."
    )
    threshold: int = Field(ge=0, le=100, description="Per cent of the metric.")
    metric: Word | None = Field(default=None, description="The metric; absent: the platform's.")
    stickiness: StickinessFile | None = Field(
        default=None, description="How long the metric must stay beyond the threshold."
    )


class AutoscalingFile(Strict):
    """The autoscaler's rules for one GPU specification."""

    scale_up_details: ScalingFile | None = Field(
        default=None, description="When and how fast instances are added (factor above 1)."
    )
    scale_down_details: ScalingFile | None = Field(
        default=None, description="When and how fast instances are removed (factor below 1)."
    )


class SpecificationFile(Strict):
    """One placement of a function: which GPU, where, and how many instances."""

    gpu: Word = Field(description="GPU name of the inventory, such as `H100` or `L40S`.")
    instance_type: Word = Field(
        description="Instance type of the inventory, such as `a3-highgpu-8g_1x`."
    )
    min_instances: int = Field(
        ge=0, description="Instances kept at all times; 0 lets the function scale to nothing."
    )
    max_instances: int = Field(ge=1, description="Instances the autoscaler may reach.")
    max_request_concurrency: int | None = Field(
        default=None,
        ge=1,
        le=16384,
        description="Requests one instance takes at a time. Absent: not managed (the API's is 1).",
    )
    backend: Word | None = Field(
        default=None,
        description="Cluster group; the service picks one of its clusters. Excludes `clusters`.",
    )
    clusters: list[Word] | None = Field(
        default=None, description="Clusters that may be used, by name. Excludes `backend`."
    )
    regions: list[Word] | None = Field(
        default=None, description="Regions that may be used; a cluster in any of them matches."
    )
    attributes: list[Word] | None = Field(
        default=None, description="Attributes a cluster must have, all of them, such as `SOC2`."
    )
    autoscaling_configuration: AutoscalingFile | None = Field(
        default=None, description="Rules of the autoscaler in place of the platform's."
    )
    configuration: dict[str, object] | None = Field(
        default=None, description="Values laid over those of the helm chart. Helm functions only."
    )


class BounceFile(Strict):
    """Where a function may live for a while; what is left out is as in its first specification."""

    gpu: Word | None = Field(default=None, description="GPU name of the inventory.")
    instance_type: Word | None = Field(default=None, description="Instance type of the inventory.")
    min_instances: int | None = Field(
        default=None, ge=1, description="Instances at least; raised to what must serve."
    )
    max_instances: int | None = Field(default=None, ge=1, description="Instances at most.")
    backend: Word | None = Field(
        default=None,
        description="Cluster group. Any of backend, clusters, regions and attributes takes the "
        "place of all four.",
    )
    clusters: list[Word] | None = Field(default=None, description="Clusters that may be used.")
    regions: list[Word] | None = Field(default=None, description="Regions that may be used.")
    attributes: list[Word] | None = Field(
        default=None, description="Attributes a cluster must have, all of them."
    )


class ElsewhereFile(Strict):
    """A partial specification: what is left out is as in the base one of the same key."""

    gpu: Word | None = Field(
        default=None, description="GPU name of the inventory; needs `instanceType` beside it."
    )
    instance_type: Word | None = Field(default=None, description="Instance type of the inventory.")
    min_instances: int | None = Field(default=None, ge=0, description="Instances at least.")
    max_instances: int | None = Field(default=None, ge=1, description="Instances at most.")
    max_request_concurrency: int | None = Field(
        default=None, ge=1, le=16384, description="Requests one instance takes at a time."
    )
    backend: Word | None = Field(
        default=None, description="Cluster group, in place of the base's `backend` or `clusters`."
    )
    clusters: list[Word] | None = Field(
        default=None, description="Clusters, in place of the base's `backend` or `clusters`."
    )
    regions: list[Word] | None = Field(
        default=None, description="Regions; absent: those of the base, which stay hard."
    )
    attributes: list[Word] | None = Field(
        default=None, description="Attributes; those of the base stay hard and must be among them."
    )


class FewerFile(Strict):
    """Fewer instances of one specification."""

    min_instances: int | None = Field(default=None, ge=0, description="Instances at least.")
    max_instances: int | None = Field(default=None, ge=1, description="Instances at most.")


class RungFile(Strict):
    """One rung of the ladder: exactly one of the three."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    fallback: Annotated[dict[Name, ElsewhereFile], Field(min_length=1)] | None = Field(
        default=None, description="Other placements, by key of the specification they stand for."
    )
    wait: DurationText | None = Field(
        default=None, description="How long the same is tried again, such as `20m`."
    )
    shrink: Annotated[dict[Name, FewerFile], Field(min_length=1)] | None = Field(
        default=None, description="Fewer instances, by key of the specification they stand for."
    )


def _kind(value: object) -> str:
    return MAPPING_KIND if isinstance(value, dict | RungFile) else TEXT_KIND


RungValue: TypeAlias = Annotated[
    Annotated[Literal["rollback", "keep"], Kind(TEXT_KIND)]
    | Annotated[RungFile, Kind(MAPPING_KIND)],
    Discriminator(_kind),
]


class DeploymentFile(Strict):
    """The GPU specifications that a function is deployed with."""

    specifications: Annotated[dict[Name, SpecificationFile], Field(min_length=1)] = Field(
        description="GPU specifications under keys of your own: identity survives reordering."
    )
    on_no_capacity: list[RungValue] | None = Field(
        default=None,
        description="What is done where there is no capacity: each rung once, in order, each laid "
        "over `specifications`; `rollback` (the default) or `keep` ends it.",
    )
