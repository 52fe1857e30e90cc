"""Takes secret values out of what is going to be written down: references stay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.model import (
    DesiredFunction,
    EnvironmentVariable,
    FunctionConfig,
    LiveVersion,
    Secret,
    SecretOrigin,
    SecretReference,
    Stack,
)

if TYPE_CHECKING:
    from nvcfplan.differences.ownership import Holdings, OwnedFunction


def seal_config(config: FunctionConfig) -> FunctionConfig:
    variables = tuple(
        EnvironmentVariable(one.key, _sealed(one.value)) for one in config.container_environment
    )
    return replace(config, container_environment=variables)


def seal_function(function: DesiredFunction) -> DesiredFunction:
    return replace(function, config=seal_config(function.config))


def seal_stack(stack: Stack) -> Stack:
    return replace(stack, functions=tuple(seal_function(one) for one in stack.functions))


def conceal(holdings: Holdings, stack: Stack) -> Holdings:
    """Live values that the stack, or what was applied last, calls sensitive become secrets too.

    A key tells many of them apart; a variable marked `sensitive` only the stack does.
    """
    marked = {one.key: _sensitive_keys(one) for one in stack.functions}
    owned = {
        key: _conceal_owned(one, marked.get(key, frozenset()))
        for key, one in holdings.owned.items()
    }
    return replace(holdings, owned=owned)


def _conceal_owned(owned: OwnedFunction, marked: frozenset[str]) -> OwnedFunction:
    keys = marked | (_sensitive_keys(owned.managed.applied) if owned.managed else frozenset())
    concealed = {one.version_id: _conceal_version(one, keys) for one in owned.versions}
    return replace(
        owned,
        current=concealed[owned.current.version_id],
        versions=tuple(concealed[one.version_id] for one in owned.versions),
    )


def _conceal_version(version: LiveVersion, keys: frozenset[str]) -> LiveVersion:
    place = f"{version.function_id}/{version.version_id}"
    variables = tuple(
        EnvironmentVariable(
            one.key,
            Secret(one.value, SecretReference(one.key, SecretOrigin.LIVE, f"{place}/{one.key}")),
        )
        if one.key in keys and isinstance(one.value, str)
        else one
        for one in version.config.container_environment
    )
    return replace(version, config=replace(version.config, container_environment=variables))


def _sensitive_keys(function: DesiredFunction) -> frozenset[str]:
    return frozenset(
        one.key for one in function.config.container_environment if not isinstance(one.value, str)
    )


def _sealed(value: str | Secret | SecretReference) -> str | SecretReference:
    return value.reference if isinstance(value, Secret) else value
