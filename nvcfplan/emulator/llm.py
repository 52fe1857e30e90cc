"""What the versions of an LLM function have in common, kept the same in all of them.

Source: nvcf-api.md 3.1, 3.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.function_bounds import is_llm
from nvcfplan.emulator.refusals import bad_request, not_found
from nvcfplan.emulator.turns import subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.emulator.world import Version, World
    from nvcfplan.wire.functions import (
        CreateFunctionRequest,
        LlmConfigEntry,
        LlmConfigUpdate,
        LlmInvocationConfigEntry,
        UpdateFunctionRequest,
    )

LLM = "LLM"
_NOT_LLM = "Only LLM functions support llmInvocationConfig"

Settings = dict[str, dict[str, str]]
"""By model name: `tokenRateLimit`, `routingMethod`, or both."""


def refuse_invocation_config(request: CreateFunctionRequest) -> None:
    """Raises Refusal."""
    if request.llm_invocation_config is not None and not is_llm(request):
        raise bad_request(_NOT_LLM)


def refuse_sibling(request: CreateFunctionRequest, older: Sequence[Version]) -> None:
    """LLM and other versions do not mix; uris and tokenizer of a model stay. Raises Refusal."""
    for one in older:
        kind = one.answer["functionType"]
        if (kind == LLM) != is_llm(request):
            raise bad_request(
                f"Function id '{one.function_id}': all versions must share the same functionType;"
                f" LLM and non-LLM versions cannot be mixed; existing version '{one.id}' is"
                f" '{kind}'"
            )
        for model in request.models or []:
            if model.llm_config is not None:
                _refuse_other(one, model.name, model.llm_config)


def _refuse_other(version: Version, name: str, wanted: LlmConfigEntry) -> None:
    config = _configs(version).get(name)
    if config is None:
        return
    where = subject(version.function_id, version.id)
    for key, value in (("uris", wanted.uris), ("tokenizer", wanted.tokenizer)):
        if config.get(key) != value:
            raise bad_request(
                f"{where}: 'llmConfig.{key}' for model '{name}' must match existing versions"
            )


def settle(version: Version, request: CreateFunctionRequest, older: Sequence[Version]) -> None:
    """A new version's rates and routing hold for all; what it does not say, it takes over."""
    if not is_llm(request):
        return
    settings: Settings = {
        one.name: _setting(one.llm_config) for one in request.models or [] if one.llm_config
    }
    _spread(settings, older)
    if request.llm_invocation_config is not None:
        _spread_invocation(request.llm_invocation_config, older)
    elif older and "llmInvocationConfig" in older[0].answer:
        version.answer["llmInvocationConfig"] = older[0].answer["llmInvocationConfig"]


def update(world: World, version: Version, request: UpdateFunctionRequest) -> None:
    """Raises Refusal, then having changed nothing."""
    where = subject(version.function_id, version.id)
    updates = request.model_updates or []
    if updates and version.answer["functionType"] != LLM:
        raise bad_request(f"{where}: Only LLM functions support model config updates")
    if request.llm_invocation_config is not None and version.answer["functionType"] != LLM:
        raise bad_request(_NOT_LLM)
    configs = _configs(version)
    for one in updates:
        if one.model_name not in configs:
            raise not_found(f"{where}: Model '{one.model_name[:100]}' not found")
    settings: Settings = {one.model_name: _setting(one.llm_config) for one in updates}
    family = world.versions.of("function_id", version.function_id)
    _spread(settings, family)
    if request.llm_invocation_config is not None:
        _spread_invocation(request.llm_invocation_config, family)


def _setting(config: LlmConfigEntry | LlmConfigUpdate | None) -> dict[str, str]:
    if config is None:
        return {}
    given = {"tokenRateLimit": config.token_rate_limit, "routingMethod": config.routing_method}
    return {key: value for key, value in given.items() if value is not None}


def _spread(settings: Mapping[str, Mapping[str, str]], versions: Sequence[Version]) -> None:
    for version in versions:
        for name, config in _configs(version).items():
            config.update(settings.get(name, {}))


def _spread_invocation(config: LlmInvocationConfigEntry, versions: Sequence[Version]) -> None:
    for version in versions:
        version.answer["llmInvocationConfig"] = config.to_json()


def _configs(version: Version) -> dict[str, dict[str, object]]:
    """Of the version's models that have one, by name; what is changed in it is changed there."""
    models = version.answer.get("models")
    return {
        str(one["name"]): one["llmConfig"]
        for one in (models if isinstance(models, list) else [])
        if isinstance(one.get("llmConfig"), dict)
    }
