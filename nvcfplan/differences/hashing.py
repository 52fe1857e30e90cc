"""Environment values as salted hashes: whether two are equal can be told, what they are cannot.

The hash of a value is bound to its variable's name, so that the same word under two names does not
show. What looks secret, or is marked so, gets a hash that is slow to guess against.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.model import (
    EnvironmentVariable,
    FunctionConfig,
    LiveFunction,
    LiveVersion,
    ManagedFunction,
    Secret,
    SecretOrigin,
    SecretReference,
    Snapshot,
    Stack,
    State,
    is_sensitive_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_QUICK: Final = "hmac-sha256:"
_SLOW: Final = "scrypt:"
_SHOWN: Final = 12

Value = str | Secret | SecretReference


def hash_live(
    live: Sequence[LiveFunction], salt: bytes, marked: frozenset[str]
) -> tuple[LiveFunction, ...]:
    """`marked`: variables that the stack calls sensitive though their names do not say so."""

    def hashed(key: str, value: Value) -> Value:
        match value:
            case Secret():
                return _hash(key, value.reveal(), salt, is_slow=True)
            case str():
                return _hash(key, value, salt, is_slow=key in marked or is_sensitive_key(key))
            case _:
                return value

    return tuple(_with_values(one, hashed) for one in live)


def hash_state(state: State, salt: bytes) -> State:
    """Secrets are references there already; their fingerprints and the key of these are left out.

    Raises: AssertionError for a secret value, which no state holds.
    """

    def hashed(key: str, value: Value) -> Value:
        assert not isinstance(value, Secret), "a state has no secret values"
        return _hash(key, value, salt, is_slow=False) if isinstance(value, str) else value

    return replace(
        state,
        secret_key="",
        functions=tuple(
            replace(_applied_with(one, hashed), secret_fingerprints=()) for one in state.functions
        ),
    )


def match_values(
    snapshot: Snapshot, stack: Stack, more: Iterable[tuple[str, str]] = ()
) -> Snapshot:
    """With the stack's own value where a hash is the hash of it, else with words in its place.

    `more`: by key, values that are known besides.
    """
    found = _Matching(bytes.fromhex(snapshot.salt), _candidates(stack, more))
    state = snapshot.state
    if state is not None:
        state = replace(
            state, functions=tuple(_applied_with(one, found.value) for one in state.functions)
        )
    return replace(
        snapshot,
        live=tuple(_with_values(one, found.live_value) for one in snapshot.live),
        state=state,
    )


class _Matching:
    """Each candidate is hashed once a variable and kind of hash."""

    def __init__(self, salt: bytes, candidates: Mapping[str, frozenset[str]]) -> None:
        self._salt = salt
        self._candidates = candidates
        self._known: dict[tuple[str, bool], Mapping[str, str]] = {}

    def value(self, key: str, value: Value) -> Value:
        if not isinstance(value, str) or not value.startswith((_QUICK, _SLOW)):
            return value
        is_slow = value.startswith(_SLOW)
        found = self._hashes(key, is_slow=is_slow).get(value)
        return f"(hashed value {value.partition(':')[2][:_SHOWN]})" if found is None else found

    def live_value(self, key: str, value: Value) -> Value:
        """Sensitive by its name, as the account's own reader tells it; marked ones by the stack."""
        found = self.value(key, value)
        if isinstance(found, str) and is_sensitive_key(key):
            return Secret(found, SecretReference(key, SecretOrigin.LIVE, f"snapshot/{key}"))
        return found

    def _hashes(self, key: str, *, is_slow: bool) -> Mapping[str, str]:
        known = self._known.get((key, is_slow))
        if known is None:
            values = self._candidates.get(key, frozenset())
            known = {_hash(key, one, self._salt, is_slow=is_slow): one for one in values}
            self._known[key, is_slow] = known
        return known


def _candidates(stack: Stack, more: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key, value in more:
        found.setdefault(key, set()).add(value)
    for function in stack.functions:
        for one in function.config.container_environment:
            match one.value:
                case Secret():
                    found.setdefault(one.key, set()).add(one.value.reveal())
                case str():
                    found.setdefault(one.key, set()).add(one.value)
                case _:
                    pass
    return {key: frozenset(values) for key, values in found.items()}


def _hash(key: str, value: str, salt: bytes, *, is_slow: bool) -> str:
    content = f"{key}\0{value}".encode("utf-8", "surrogatepass")
    if is_slow:
        return _SLOW + hashlib.scrypt(content, salt=salt, n=4096, r=8, p=1, dklen=32).hex()
    return _QUICK + hmac.new(salt, content, hashlib.sha256).hexdigest()


def _with_values(function: LiveFunction, change: Callable[[str, Value], Value]) -> LiveFunction:
    def changed(version: LiveVersion) -> LiveVersion:
        return replace(version, config=_config_with(version.config, change))

    return replace(function, versions=tuple(changed(one) for one in function.versions))


def _applied_with(
    managed: ManagedFunction, change: Callable[[str, Value], Value]
) -> ManagedFunction:
    config = _config_with(managed.applied.config, change)
    return replace(managed, applied=replace(managed.applied, config=config))


def _config_with(config: FunctionConfig, change: Callable[[str, Value], Value]) -> FunctionConfig:
    variables = tuple(
        EnvironmentVariable(one.key, change(one.key, one.value))
        for one in config.container_environment
    )
    return replace(config, container_environment=variables)
