"""Taking a snapshot of an account for one stack, with all that a plan of it could ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.applying import EVERYTHING
from nvcfplan.differences import hash_live, hash_state, needed_reads
from nvcfplan.model import (
    FunctionConfig,
    LiveFunction,
    LiveVersion,
    Snapshot,
    Stack,
)
from nvcfplan.workflows.concurrency import both, each
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.reading import refuse_unbound_account
from nvcfplan.workflows.runs import current_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.model import (
        FunctionId,
        LiveDeployment,
        LiveSharing,
        State,
        VersionId,
    )
    from nvcfplan.workflows.ports import LookPorts


async def take_snapshot(stack: Stack, salt: bytes, ports: LookPorts) -> Snapshot:
    """No secret value is in it. Raises: RemoteError; AccountMismatch; StateCorrupt."""
    refuse_unbound_account(stack.account, ports.identity)
    scope = scope_of(stack)
    state = (await current_state(scope, ports)).state
    reader = ports.reader
    listed = await reader.functions()
    ours = needed_reads(scope.stack, scope.environment, listed, state)
    deployed = {
        (version.function_id, version.version_id)
        for function in listed
        for version in function.versions
        if version.is_deployed
    }
    account, rows = await both(reader.account(EVERYTHING), reader.deployments({*ours, *deployed}))
    details = await each([reader.details(*one) for one in ours])
    owned = sorted({function for function, _ in ours})
    sharing = await each([reader.sharing(one) for one in owned])
    read = _Read(
        rows=rows,
        details={version: one for (_, version), one in zip(ours, details, strict=True)},
        sharing=dict(zip(owned, sharing, strict=True)),
    )
    live = tuple(read.whole(one) if one.id in owned else read.bare(one) for one in listed)
    return Snapshot(
        stack=scope.stack,
        environment=scope.environment,
        taken_at=ports.clock.now(),
        salt=salt.hex(),
        account=account,
        live=hash_live(_present(live), salt, _marked(stack, state)),
        state=None if state is None else hash_state(state, salt),
    )


class _Read:
    """Whatever is known of one function, put together."""

    def __init__(
        self,
        *,
        rows: Mapping[VersionId, LiveDeployment],
        details: Mapping[VersionId, LiveVersion | None],
        sharing: Mapping[FunctionId, LiveSharing | None],
    ) -> None:
        self._rows = rows
        self._details = details
        self._sharing = sharing

    def whole(self, function: LiveFunction) -> LiveFunction:
        """A version that is gone since it was listed is left out."""
        found = (self._details.get(one.version_id, one) for one in function.versions)
        versions = tuple(self._with_row(one) for one in found if one is not None)
        return replace(function, versions=versions, sharing=self._sharing.get(function.id))

    def bare(self, function: LiveFunction) -> LiveFunction:
        """Somebody else's: how it is configured is nobody's business, where it stands is."""
        versions = (
            replace(
                self._with_row(one),
                config=FunctionConfig(name=one.config.name, inference_url="", tags=one.config.tags),
            )
            for one in function.versions
        )
        return replace(function, versions=tuple(versions), sharing=None)

    def _with_row(self, version: LiveVersion) -> LiveVersion:
        return replace(version, deployment=self._rows.get(version.version_id))


def _present(functions: Sequence[LiveFunction]) -> tuple[LiveFunction, ...]:
    return tuple(one for one in functions if one.versions)


def _marked(stack: Stack, state: State | None) -> frozenset[str]:
    """Variables that the stack, or what was applied last, calls sensitive."""
    functions = [*stack.functions, *(one.applied for one in (state.functions if state else ()))]
    return frozenset(
        variable.key
        for function in functions
        for variable in function.config.container_environment
        if not isinstance(variable.value, str)
    )
