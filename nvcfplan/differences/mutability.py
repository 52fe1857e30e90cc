"""Which change is carried out by what: the difference table, one row per attribute.

Source for every row: nvcf-api.md 3.5 (change matrix).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from nvcfplan.plans import Means

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """`path`: the name in the stack file. `waits`: never the reason for a new version by itself."""

    path: str
    means: Means
    waits: bool = False


CONFIG_ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "name": Row("name", Means.NEW_VERSION, waits=True),
        "inference_url": Row("inferenceUrl", Means.NEW_VERSION),
        "inference_port": Row("inferencePort", Means.NEW_VERSION),
        "container_image": Row("containerImage", Means.NEW_VERSION),
        "container_args": Row("containerArgs", Means.NEW_VERSION),
        "container_environment": Row("containerEnvironment", Means.NEW_VERSION),
        "models": Row("models", Means.NEW_VERSION),
        "resources": Row("resources", Means.NEW_VERSION),
        "helm_chart": Row("helmChart", Means.NEW_VERSION),
        "helm_chart_service_name": Row("helmChartServiceName", Means.NEW_VERSION),
        "health": Row("health", Means.NEW_VERSION),
        "api_body_format": Row("apiBodyFormat", Means.NEW_VERSION),
        "function_type": Row("functionType", Means.NEW_VERSION),
        "tags": Row("tags", Means.METADATA),
        "description": Row("description", Means.NEW_VERSION, waits=True),
        "rate_limit": Row("rateLimit", Means.METADATA),
        "telemetries": Row("telemetries", Means.NEW_VERSION),
    }
)
"""Keyed by field of `FunctionConfig`. Removing a rate limit needs a new version: PUT cannot."""

PLACEMENT_ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "gpu": Row("gpu", Means.NEW_VERSION),
        "instance_type": Row("instanceType", Means.NEW_VERSION),
        "backend": Row("backend", Means.NEW_VERSION),
        "clusters": Row("clusters", Means.NEW_VERSION),
        "regions": Row("regions", Means.NEW_VERSION),
        "attributes": Row("attributes", Means.NEW_VERSION),
    }
)
"""Fields of `GpuSpecification` by which a live specification is recognised."""

SPECIFICATION_ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "min_instances": Row("minInstances", Means.SPECIFICATION),
        "max_instances": Row("maxInstances", Means.SPECIFICATION),
        "max_request_concurrency": Row("maxRequestConcurrency", Means.DEPLOYMENT),
        "autoscaling_configuration": Row("autoscalingConfiguration", Means.SPECIFICATION),
        "configuration": Row("configuration", Means.NEW_VERSION),
    }
)
"""The other fields of `GpuSpecification`."""

SHARING: Final = Row("authorizedParties", Means.SHARING)
"""Of the function, not of a version: a new version takes over what the function has.

Source: nvcf-api.md 2.4.
"""

FOLDED: Final = frozenset({"gpu", "instance_type", "backend"})
"""Names that the service matches without regard to case. Source: nvcf-api.md 4.3."""
