"""What the OpenAPI document says beyond the wire models: bounds, words, forms of ids.

The models are the client's too, which must read what it does not expect; a service that writes and
checks can promise more. `tests/schemas` holds each promise against the emulator.
Source: nvcf-api.md 3.1 to 3.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.wire.schemas import Schema

_UUID: Schema = {"format": "uuid"}
_COUNT: Schema = {"minimum": 0, "maximum": 2**31 - 1}
_NOT_BLANK: Schema = {"pattern": r"\S"}
_HEALTH_PROTOCOLS: Schema = {"enum": ["HTTP", "gRPC"]}
_TAGS: Schema = {"maxItems": 64, "items": {"type": "string", "pattern": "^[a-zA-Z0-9_:=-]{1,128}$"}}
_STATUSES: Schema = {"enum": ["INACTIVE", "DEPLOYING", "ACTIVE", "DEGRADING", "DEGRADED", "ERROR"]}
_FUNCTION: Mapping[str, Schema] = {
    "apiBodyFormat": {"enum": ["CUSTOM", "PREDICT_V2"]},
    "functionType": {"enum": ["DEFAULT", "STREAMING", "LLM"]},
    "tags": _TAGS,
}
_SPECIFICATION: Mapping[str, Schema] = {
    "gpuSpecificationId": _UUID,
    "gpu": _NOT_BLANK,
    "instanceType": _NOT_BLANK,
    "minInstances": _COUNT,
    "maxInstances": {**_COUNT, "minimum": 1},
    "maxRequestConcurrency": {"minimum": 1, "maximum": 16384},
    "preferredOrder": {"minimum": 1, "maximum": 99},
}
_DURATION = r"^[Pp]([0-9]+[Dd])?([Tt]([0-9]+[Hh])?([0-9]+[Mm])?([0-9]+([.][0-9]{1,9})?[Ss])?)?$"
_RATES = r"^\s*[1-9][0-9]*-[SMHD]\s*(,\s*[1-9][0-9]*-[SMHD]\s*){0,3}$"
_ARTIFACT_TYPE: Schema = {"type": "string", "enum": ["CONTAINER", "HELM", "MODEL", "RESOURCE"]}
_TELEMETRY: Mapping[str, Schema] = {
    "protocol": {"enum": ["HTTP", "GRPC"]},
    "provider": {
        "enum": [
            "PROMETHEUS",
            "GRAFANA_CLOUD",
            "SPLUNK",
            "DATADOG",
            "SERVICENOW",
            "KRATOS",
            "KRATOS_THANOS",
            "TIMESTREAM",
            "VICTORIAMETRICS",
            "AZURE_MONITOR",
            "OTEL_COLLECTOR",
        ]
    },
    "types": {"minItems": 1, "items": {"type": "string", "enum": ["LOGS", "METRICS", "TRACES"]}},
}

BOUNDS: Mapping[str, Mapping[str, Schema]] = {
    "CreateFunctionRequest": {
        "name": {"pattern": "^[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}$"},
        "inferenceUrl": _NOT_BLANK,
        "description": {"maxLength": 256},
        "secrets": {"maxItems": 100},
        **_FUNCTION,
    },
    "UpdateFunctionRequest": {"tags": _TAGS},
    "HealthEntry": {
        "protocol": _HEALTH_PROTOCOLS,
        "uri": _NOT_BLANK,
        "timeout": {"pattern": _DURATION},
    },
    "SecretEntry": {
        "name": {"pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,47}$"},
        "value": {"minLength": 1, "maxLength": 32768},
    },
    "RateLimitEntry": {
        "rateLimit": {"pattern": _RATES},
        "exemptedNcaIds": {"maxItems": 32},
    },
    "SpecificationEntry": _SPECIFICATION,
    "DeployRequest": {"deploymentSpecifications": {"minItems": 1}},
    "UpdateDeploymentRequest": {"deploymentSpecifications": {"minItems": 1}},
    "UpdateSpecificationEntry": {
        "gpuSpecificationId": _UUID,
        "minInstances": _COUNT,
        "maxInstances": {**_COUNT, "minimum": 1},
        "maxRequestConcurrency": {"minimum": 1, "maximum": 16384},
    },
    "PartyEntry": {"ncaId": _NOT_BLANK},
    "AuthorizationsRequest": {"authorizedParties": {"minItems": 1}},
    "CreateTelemetryRequest": {**_TELEMETRY, "endpoint": _NOT_BLANK},
    "AddCredentialRequest": {
        "registryHostname": {"pattern": "^[A-Za-z0-9][A-Za-z0-9.-]{2,251}[A-Za-z0-9]$"},
        "artifactTypes": {"minItems": 1, "items": _ARTIFACT_TYPE},
        "description": {"maxLength": 256},
        "tags": _TAGS,
    },
    "UpdateCredentialRequest": {"artifactTypeEnums": {"items": _ARTIFACT_TYPE}},
    "LlmConfigEntry": {"uris": {"minItems": 1}},
    "UpdateSpecificationRequest": {
        "minInstances": _COUNT,
        "maxInstances": {**_COUNT, "minimum": 1},
        "autoscalingConfigurationPolicy": {
            "enum": ["CUSTOM_CONFIGURATION", "PLATFORM_CONFIGURATION"]
        },
    },
    "FunctionAnswer": {"id": _UUID, "versionId": _UUID, "status": _STATUSES, **_FUNCTION},
    "InstanceAnswer": {
        "functionId": _UUID,
        "functionVersionId": _UUID,
        "icmsRequestId": _UUID,
        "instanceStatus": {"enum": ["STARTING", "RUNNING"]},
    },
    "DeploymentAnswer": {
        "functionId": _UUID,
        "functionVersionId": _UUID,
        "deploymentId": _UUID,
        "functionStatus": _STATUSES,
        "deploymentSpecifications": {"minItems": 1},
    },
    "SpecificationAnswer": _SPECIFICATION,
    "HealthInfoAnswer": {"icmsRequestId": _UUID},
    "AuthorizationsAnswer": {"id": _UUID, "versionId": _UUID},
    "TelemetryAnswer": {"telemetryId": _UUID, **_TELEMETRY},
    "CredentialAnswer": {
        "registryCredentialId": _UUID,
        "artifactTypes": {"items": _ARTIFACT_TYPE},
    },
    "QueueAnswer": {
        "functionVersionId": _UUID,
        "functionStatus": {"enum": ["ACTIVE", "DEPLOYING"]},
        "queueDepth": {"minimum": 0},
    },
    "RequestStatus": {"requestId": _UUID},
    "ClusterGroupAnswer": {"id": _UUID},
    "ClusterAnswer": {"id": _UUID},
}
"""By model and property; both must exist."""

_TEXT: Schema = {"type": "string", **_NOT_BLANK}
_NONE: Schema = {"type": "null"}
_NO_CHART: Mapping[str, Schema] = {"helmChart": _NONE, "helmChartServiceName": _NONE}
_NO_CONTAINER: Mapping[str, Schema] = {
    "containerImage": _NONE,
    "containerArgs": _NONE,
    "containerEnvironment": _NONE,
}

WHOLE: Mapping[str, Schema] = {
    "CreateFunctionRequest": {
        "anyOf": [
            {"required": ["containerImage"], "properties": {"containerImage": _TEXT, **_NO_CHART}},
            {
                "required": ["helmChart", "helmChartServiceName"],
                "properties": {
                    "helmChart": _TEXT,
                    "helmChartServiceName": _TEXT,
                    **_NO_CONTAINER,
                },
            },
            {
                "required": ["models"],
                "properties": {"models": {"type": "array", "minItems": 1}, **_NO_CHART},
            },
        ]
    },
}
"""By model: what holds for a body as a whole."""


def bounded(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The schemas with all of it in its place. Raises KeyError for what is no longer there."""
    found = dict(schemas)
    for name, properties in BOUNDS.items():
        found[name] = _with_properties(found[name], properties)
    for name, schema in WHOLE.items():
        found[name] = {**found[name], **schema}
    return found


def _with_properties(schema: Schema, bounds: Mapping[str, Schema]) -> Schema:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    changed = {name: _narrowed(properties[name], bound) for name, bound in bounds.items()}
    return {**schema, "properties": {**properties, **changed}}


def _narrowed(schema: Schema, bound: Schema) -> Schema:
    """Of what may be null, the other choice."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list):
        return {**schema, **bound}
    return {**schema, "anyOf": [{**choices[0], **bound}, *choices[1:]]}
