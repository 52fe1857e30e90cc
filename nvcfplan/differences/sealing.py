"""Takes secret values out of what is going to be written down: references stay."""

from __future__ import annotations

from dataclasses import replace

from nvcfplan.model import (
    DesiredFunction,
    EnvironmentVariable,
    FunctionConfig,
    Secret,
    SecretReference,
    Stack,
)


def seal_config(config: FunctionConfig) -> FunctionConfig:
    variables = tuple(
        EnvironmentVariable(one.key, _sealed(one.value)) for one in config.container_environment
    )
    return replace(config, container_environment=variables)


def seal_function(function: DesiredFunction) -> DesiredFunction:
    return replace(function, config=seal_config(function.config))


def seal_stack(stack: Stack) -> Stack:
    return replace(stack, functions=tuple(seal_function(one) for one in stack.functions))


def _sealed(value: str | Secret | SecretReference) -> str | SecretReference:
    return value.reference if isinstance(value, Secret) else value
