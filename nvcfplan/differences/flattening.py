"""Configurations as flat attributes: path -> value, in the words of the stack file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.differences.mutability import CONFIG_ROWS, PLACEMENT_ROWS, SPECIFICATION_ROWS
from nvcfplan.model import (
    Artifact,
    EnvironmentVariable,
    FunctionConfig,
    GpuSpecification,
    Health,
    Json,
    RateLimit,
    Telemetries,
    canonical_json,
    iso_duration,
    user_tags,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOTHING: Final = (None, (), "null", "{}")
"""An empty free-form value and none at all are the same: the service does not keep them apart."""
MASK: Final = canonical_json("(sensitive value)")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`text` is what may be shown; `value` is what is compared (a `Secret` where sensitive)."""

    field: str
    text: Json
    value: object
    is_sensitive: bool = False


def flatten_config(config: FunctionConfig) -> Mapping[str, Attribute]:
    """Absent attributes have no entry. Our own tags are left out."""
    return {
        path: attribute
        for name in CONFIG_ROWS
        for path, attribute in _entries(name, getattr(config, name))
    }


def flatten_specification(specification: GpuSpecification) -> Mapping[str, Attribute]:
    """Paths without the `deployment.specifications.KEY.` in front."""
    rows = {**PLACEMENT_ROWS, **SPECIFICATION_ROWS}
    found: dict[str, Attribute] = {}
    for name, row in rows.items():
        value = getattr(specification, name)
        if value in NOTHING:
            continue
        is_free_form = name in ("configuration", "autoscaling_configuration")
        text = Json(value) if is_free_form else canonical_json(value)
        found[row.path] = Attribute(name, text, text)
    return found


def _entries(name: str, value: object) -> Iterator[tuple[str, Attribute]]:
    path = CONFIG_ROWS[name].path
    match value:
        case None | ():
            return
        case Health() | RateLimit() | Telemetries():
            for part, inner in _parts(value):
                yield f"{path}.{part}", _plain(name, inner)
        case tuple() if name == "tags":
            tags = user_tags(value)
            if tags:
                yield path, _plain(name, list(tags))
        case tuple():
            for element in value:
                yield from _element(name, path, element)
        case _:
            yield path, _plain(name, value)


def _element(name: str, path: str, element: object) -> Iterator[tuple[str, Attribute]]:
    match element:
        case EnvironmentVariable(key=key, value=str() as value):
            yield f"{path}.{key}", _plain(name, value)
        case EnvironmentVariable(key=key, value=value):
            yield f"{path}.{key}", Attribute(name, MASK, value, is_sensitive=True)
        case Artifact():
            shown = {"uri": element.uri, "version": element.version}
            yield f"{path}.{element.name}", _plain(name, shown)
        case _:
            raise AssertionError(f"{name} holds {type(element).__name__}")


def _parts(value: Health | RateLimit | Telemetries) -> Iterator[tuple[str, object]]:
    match value:
        case Health():
            yield "expectedStatusCode", value.expected_status_code
            yield "port", value.port
            yield "protocol", value.protocol
            yield "timeout", iso_duration(value.timeout)
            yield "uri", value.uri
        case RateLimit():
            yield "rateLimit", value.rate_limit
            if value.exempted_nca_ids:
                yield "exemptedNcaIds", list(value.exempted_nca_ids)
            if value.sync_check:
                yield "syncCheck", True
        case Telemetries():
            for part, inner in (
                ("logsTelemetryId", value.logs_telemetry_id),
                ("metricsTelemetryId", value.metrics_telemetry_id),
                ("tracesTelemetryId", value.traces_telemetry_id),
            ):
                if inner is not None:
                    yield part, inner


def _plain(name: str, value: object) -> Attribute:
    text = canonical_json(value)
    return Attribute(name, text, text)
