"""What the service fills in, so that "absent" and "default" never differ.

Source: nvcf-api.md 3.1 (HealthDto, column of defaults), 3.3.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from nvcfplan.model.stack import FunctionConfig, GpuSpecification, Health

DEFAULT_PORT: Final = 8000
DEFAULT_HEALTH_URI: Final = "/v2/health/ready"
DEFAULT_CONCURRENCY: Final = 1
GRPC_URL: Final = "/grpc"
MODEL_SERVER: Final = "tritonserver --model-repository /config/models "
"""How the arguments begin that models get which come without an image."""


def derived_health(inference_url: str, port: int, uri: str | None = None) -> Health:
    """The block the service derives, and shows, when none was given.

    `uri`: the deprecated `healthUri`, where there is one.
    """
    return Health(
        protocol="gRPC" if inference_url == GRPC_URL else "HTTP",
        uri=uri or DEFAULT_HEALTH_URI,
        port=port,
        timeout=timedelta(seconds=10),
        expected_status_code=200,
    )


def with_defaults(config: FunctionConfig) -> FunctionConfig:
    """As the service would show it."""
    port = config.inference_port or DEFAULT_PORT
    return replace(
        config,
        inference_port=port,
        api_body_format=config.api_body_format or "CUSTOM",
        function_type=config.function_type or "DEFAULT",
        description=config.description or config.name,
        health=config.health or derived_health(config.inference_url, port),
    )


def without_derived(config: FunctionConfig) -> FunctionConfig:
    """What was derived from other fields is left out again, so that it follows them when carried.

    A carried health block would otherwise keep the port of the version it came from.
    """
    derived = derived_health(config.inference_url, config.inference_port or DEFAULT_PORT)
    return replace(
        without_derived_args(config),
        health=None if config.health == derived else config.health,
        description=None if config.description == config.name else config.description,
    )


def without_derived_args(config: FunctionConfig) -> FunctionConfig:
    """Models that come alone are served by what the service names in their arguments."""
    is_alone = bool(config.models) and not (config.container_image or config.helm_chart)
    is_derived = is_alone and (config.container_args or "").startswith(MODEL_SERVER)
    return replace(config, container_args=None) if is_derived else config


def specification_with_defaults(specification: GpuSpecification) -> GpuSpecification:
    concurrency = specification.max_request_concurrency or DEFAULT_CONCURRENCY
    return replace(specification, max_request_concurrency=concurrency)
