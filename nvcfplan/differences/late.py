"""Which live versions are late arrivals of our own creating calls: nobody waits for them any more.

A request whose answer was lost may be served after all, or twice. What it made is known by the
operation in its tags; it is surplus as long as nothing rests on it. Source: reliability.md B1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nvcfplan.model import (
    FunctionId,
    LiveFunction,
    LiveVersion,
    OperationId,
    State,
    VersionId,
    may_be_of,
    operation_of,
    owner_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """`by_operation`: versions tagged as this stack's. `functions`, `versions`: the state's."""

    by_operation: Mapping[OperationId, tuple[LiveVersion, ...]]
    watched: frozenset[OperationId]
    functions: frozenset[FunctionId]
    versions: frozenset[VersionId]

    def is_late(self, version: LiveVersion) -> bool:
        """Ours by its tags, of a call given up or served twice, and neither in use nor remembered.

        One that is deployed is somebody's by now, however it came to be.
        """
        if version.version_id in self.versions or has_row(version):
            return False
        return self.is_unexpected(version)

    def is_unexpected(self, version: LiveVersion) -> bool:
        """Of a call given up, or beside another one of the same call; deployed or not."""
        operation = operation_of(version.config.tags)
        if operation is None or version.version_id in self.versions:
            return False
        twins = self.by_operation.get(operation, ())
        if version not in twins:
            return False
        return operation in self.watched or any(
            self._is_preferred(twin, version) for twin in twins if twin != version
        )

    def _is_preferred(self, twin: LiveVersion, version: LiveVersion) -> bool:
        """Of two that one call made: which is the one that the answer told of, or that is used."""
        if twin.version_id in self.versions:
            return True
        is_known, other = twin.function_id in self.functions, version.function_id in self.functions
        if is_known != other:
            return is_known
        return has_row(twin) and not has_row(version)


def find_arrivals(
    stack: str, environment: str, live: Sequence[LiveFunction], state: State | None
) -> Arrivals:
    made: dict[OperationId, list[LiveVersion]] = {}
    for function in live:
        for version in function.versions:
            if not may_be_of(version.config.tags, stack, environment):
                continue
            owner, operation = owner_of(version.config.tags), operation_of(version.config.tags)
            is_ours = owner is not None and (owner.stack, owner.environment) == (stack, environment)
            if is_ours and operation is not None:
                made.setdefault(operation, []).append(version)
    functions = state.functions if state else ()
    return Arrivals(
        by_operation={operation: tuple(some) for operation, some in made.items()},
        watched=frozenset(state.watched if state else ()),
        functions=frozenset(one.function_id for one in functions),
        versions=frozenset(one.version_id for one in functions),
    )


def has_row(version: LiveVersion) -> bool:
    return version.is_deployed or version.deployment is not None
