"""A plan against a snapshot: the same workflow, with ports that answer from the document alone.

Nothing is sent anywhere, no secret is resolved, and what comes out is for review: it names its
account as a snapshot of one, so that no apply takes it for a plan of the account itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import (
    EVERYTHING,
    NO_ERRAND,
    Document,
    Errand,
    Lease,
    LiveReader,
    SecretSource,
    StateStore,
    Stored,
)
from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.differences import match_values
from nvcfplan.documents import encode_state
from nvcfplan.model import OFFLINE, Readable, Snapshot, Stack, Token
from nvcfplan.plans import Infeasible, Plan
from nvcfplan.workflows.plan import make_plan, scope_of
from nvcfplan.workflows.ports import LookPorts
from nvcfplan.workflows.reading import refuse_other_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from nvcfplan.applying import Clock
    from nvcfplan.model import (
        Account,
        FunctionId,
        LiveDeployment,
        LiveFunction,
        LiveSharing,
        LiveVersion,
        RunId,
        Secret,
        SecretReference,
        VersionId,
    )
    from nvcfplan.workflows.plan import PlanRequest

_FOR_REVIEW: Final = Diagnostic(
    code="planned-offline",
    severity=Severity.NOTE,
    summary="planned against a snapshot of the account, for review only",
    detail="the account was not asked; environment values are compared by their hashes, and"
    " secrets not at all",
    remedy="to apply, plan against the account itself",
)


async def make_offline_plan(
    request: PlanRequest, snapshot: Snapshot, clock: Clock
) -> Plan | Infeasible:
    """Raises: SettingsError for a snapshot of another stack; AccountMismatch."""
    scope = scope_of(request.stack)
    refuse_other_scope(snapshot, scope, "stack")
    found = await make_plan(request, _ports(snapshot, request.stack, clock))
    if isinstance(found, Infeasible):
        return replace(found, plan=_noted(found.plan))
    return _noted(found)


def _noted(plan: Plan) -> Plan:
    return replace(plan, diagnostics=(*plan.diagnostics, _FOR_REVIEW))


def _ports(snapshot: Snapshot, stack: Stack, clock: Clock) -> LookPorts:
    matched = match_values(snapshot, stack)
    return LookPorts(
        identity=snapshot.account.identity,
        reader=SnapshotReader(matched),
        store=SnapshotStore(matched),
        secrets=NoSecrets(),
        clock=clock,
    )


class NoSecrets(SecretSource):
    def resolve(self, reference: SecretReference) -> Secret | None:
        del reference
        return None

    def fingerprint(self, reference: SecretReference, key: bytes) -> str | None:
        del reference, key
        return None


class SnapshotReader(LiveReader):
    def __init__(self, snapshot: Snapshot) -> None:
        self._account = _not_asked(snapshot.account)
        self._live = snapshot.live
        self._versions = {
            (version.function_id, version.version_id): version
            for function in snapshot.live
            for version in function.versions
        }

    async def account(self, wanted: Collection[Readable] = EVERYTHING) -> Account:
        return _only(self._account, wanted)

    async def functions(self) -> Sequence[LiveFunction]:
        return self._live

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        found = (self._versions.get(one) for one in versions)
        return {
            one.version_id: one.deployment
            for one in found
            if one is not None and one.deployment is not None
        }

    async def details(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        return self._versions.get((function, version))

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        return self._versions.get((function, version))

    async def sharing(self, function: FunctionId) -> LiveSharing | None:
        return next((one.sharing for one in self._live if one.id == function), None)


def _only(account: Account, wanted: Collection[Readable]) -> Account:
    """What was not asked for is not there, as in the account's own answer."""
    return replace(
        account,
        quotas=account.quotas if Readable.QUOTA in wanted else None,
        version_limit=account.version_limit if Readable.VERSION_LIMIT in wanted else None,
        unread=tuple(one for one in account.unread if one.what in wanted),
    )


def _not_asked(account: Account) -> Account:
    endpoint = OFFLINE + account.identity.endpoint
    return replace(account, identity=replace(account.identity, endpoint=endpoint))


@dataclass(frozen=True, slots=True)
class SnapshotStore(StateStore):
    """Reads what the snapshot remembers. Nothing is ever written through it."""

    snapshot: Snapshot

    async def read(self, stack: str, document: Document) -> Stored | None:
        del stack
        state = self.snapshot.state
        if state is None or document is not Document.STATE:
            return None
        return Stored(content=encode_state(state), token=Token("snapshot"))

    async def write(
        self,
        stack: str,
        document: Document,
        content: bytes,
        *,
        expected: Token | None,
        lease: Lease | None,
    ) -> Token:
        raise _only_read(stack, document, content, expected, lease)

    async def acquire(
        self, stack: str, owner: str, ttl_seconds: int, errand: Errand = NO_ERRAND
    ) -> Lease:
        raise _only_read(stack, owner, ttl_seconds, errand)

    async def refuse_held(self, stack: str) -> None:
        del stack

    async def renew(self, lease: Lease) -> Lease:
        raise _only_read(lease)

    async def release(self, lease: Lease) -> None:
        raise _only_read(lease)

    async def append(self, lease: Lease, run: RunId, sequence: int, record: bytes) -> None:
        raise _only_read(lease, run, sequence, record)

    async def records(self, stack: str, run: RunId) -> Sequence[bytes]:
        raise _only_read(stack, run)

    async def runs(self, stack: str) -> Sequence[RunId]:
        del stack
        return ()

    async def probe(self) -> None:
        return


def _only_read(*asked: object) -> AssertionError:
    return AssertionError(f"nothing runs on a snapshot: {len(asked)} arguments")
