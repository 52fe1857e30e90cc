"""Hashed environment values: equal ones are told from others, and none can be read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.differences import hash_live, match_values
from nvcfplan.model import (
    Account,
    AccountIdentity,
    DesiredFunction,
    EnvironmentVariable,
    FunctionConfig,
    FunctionId,
    LiveFunction,
    LiveVersion,
    Secret,
    SecretOrigin,
    SecretReference,
    Snapshot,
    Stack,
    Status,
    VersionId,
)
from tests.budget import examples

SALT = bytes(range(16))
KEYS = st.sampled_from(["LOG_LEVEL", "API_TOKEN", "MODE"])
VALUES = st.text(max_size=20)


def _config(variables: dict[str, str]) -> FunctionConfig:
    return FunctionConfig(
        name="chat",
        inference_url="/v1",
        container_environment=tuple(
            EnvironmentVariable(
                key,
                Secret(value, SecretReference(key, SecretOrigin.STACK, f"chat/{key}"))
                if key == "API_TOKEN"
                else value,
            )
            for key, value in sorted(variables.items())
        ),
    )


def _live(variables: dict[str, str]) -> tuple[LiveFunction, ...]:
    version = LiveVersion(
        function_id=FunctionId("f"),
        version_id=VersionId("v"),
        nca_id="nca",
        status=Status.ACTIVE,
        config=_config(variables),
        created_at=None,
    )
    return (LiveFunction(id=FunctionId("f"), versions=(version,)),)


def _stack(variables: dict[str, str]) -> Stack:
    function = DesiredFunction(key="chat", config=_config(variables), managed=())
    return Stack(name="shop", environment="default", functions=(function,))


def _snapshot(live: tuple[LiveFunction, ...]) -> Snapshot:
    account = Account(
        identity=AccountIdentity(endpoint="https://nvcf.test", org=None, nca_id=None),
        groups=None,
        clusters=None,
        quotas=None,
        version_limit=None,
    )
    return Snapshot(
        stack="shop",
        environment="default",
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        salt=SALT.hex(),
        account=account,
        live=live,
        state=None,
    )


def _matched(live: dict[str, str], wanted: dict[str, str]) -> dict[str, object]:
    hashed = hash_live(_live(live), SALT, frozenset())
    found = match_values(_snapshot(hashed), _stack(wanted))
    (function,) = found.live
    (version,) = function.versions
    return {one.key: one.value for one in version.config.container_environment}


@settings(max_examples=examples(300))
@given(live=st.dictionaries(KEYS, VALUES), wanted=st.dictionaries(KEYS, VALUES))
def test_a_value_comes_back_exactly_where_the_stack_has_it_too(
    live: dict[str, str], wanted: dict[str, str]
) -> None:
    desired = {one.key: one.value for one in _config(wanted).container_environment}
    found = _matched(live, wanted)
    assert found.keys() == live.keys()
    for key, value in found.items():
        assert (value == desired.get(key)) == (live[key] == wanted.get(key))
        assert isinstance(value, Secret) == (key == "API_TOKEN")


def test_no_value_stands_in_what_is_written_down() -> None:
    canary = {"LOG_LEVEL": "canary-5417", "API_TOKEN": "canary-9921"}
    hashed = hash_live(_live(canary), SALT, frozenset())
    assert "canary" not in repr(hashed)
    assert not any(
        isinstance(one.value, Secret) for one in hashed[0].versions[0].config.container_environment
    )


def test_equal_values_under_two_names_or_two_salts_look_unlike() -> None:
    def hashes(live: tuple[LiveFunction, ...], salt: bytes) -> list[object]:
        found = hash_live(live, salt, frozenset())
        return [one.value for one in found[0].versions[0].config.container_environment]

    live = _live({"LOG_LEVEL": "same", "MODE": "same", "API_TOKEN": "same"})
    assert len({*hashes(live, SALT), *hashes(live, bytes(16))}) == 6


def test_a_variable_that_the_stack_calls_sensitive_is_slow_to_guess_against() -> None:
    live = _live({"LOG_LEVEL": "info", "API_TOKEN": "t"})
    found = hash_live(live, SALT, frozenset({"LOG_LEVEL"}))
    values = [one.value for one in found[0].versions[0].config.container_environment]
    assert all(str(one).startswith("scrypt:") for one in values)


def test_what_is_no_hash_is_left_as_it_is() -> None:
    live = _live({"LOG_LEVEL": "info"})
    found = match_values(replace(_snapshot(live), state=None), _stack({"LOG_LEVEL": "debug"}))
    assert found.live == live
