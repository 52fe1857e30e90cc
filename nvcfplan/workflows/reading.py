"""What is there and what is remembered, read at once; and whether both are of one account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from nvcfplan.applying import Document
from nvcfplan.differences import needed_reads
from nvcfplan.documents import decode_state
from nvcfplan.errors import AccountMismatch, ClaimedTwice, SettingsError
from nvcfplan.model import (
    OFFLINE,
    Account,
    LiveFunction,
    Readable,
    State,
    Token,
    function_address,
    owner_of,
)
from nvcfplan.workflows.concurrency import both, each

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.applying import LiveReader, StateStore
    from nvcfplan.model import (
        AccountBinding,
        AccountIdentity,
        DeclaredQuota,
        FunctionId,
        LiveDeployment,
        LiveSharing,
        LiveVersion,
        Snapshot,
        VersionId,
    )
    from nvcfplan.workflows.ports import LookPorts


@dataclass(frozen=True, slots=True)
class Scope:
    """What we manage, within an account: the name under which all is stored."""

    stack: str
    environment: str

    def __str__(self) -> str:
        return f"{self.stack}@{self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """`token` None: nothing is stored yet."""

    state: State | None
    token: Token | None


class Needs(Protocol):
    """What has to be read, in the order in which it can be told."""

    @property
    def state(self) -> State | None: ...

    @property
    def quotas(self) -> Sequence[DeclaredQuota]: ...

    def first(self, live: Sequence[LiveFunction]) -> Sequence[tuple[FunctionId, VersionId]]: ...

    def shared(self, live: Sequence[LiveFunction]) -> Sequence[FunctionId]: ...

    def outlook(self, live: Sequence[LiveFunction]) -> Outlook: ...


class Outlook(Protocol):
    """What follows from the functions: readings of the account, then versions with instances."""

    def readings(self) -> frozenset[Readable]: ...

    def instances(self, account: Account) -> Sequence[tuple[FunctionId, VersionId]]: ...


async def read_live(
    scope: Scope, reader: LiveReader, needs: Needs
) -> tuple[Account, tuple[LiveFunction, ...]]:
    """One list, the rows, who may call where that is managed, the account's readings as far as
    they matter, and then the versions whose instances do.

    The account never fails as a whole. Raises: RemoteError for the functions.
    """
    listed = await reader.functions()
    ours = needed_reads(scope.stack, scope.environment, listed, needs.state)
    rows, (named, shared) = await both(
        reader.deployments(ours),
        both(_details(reader, needs.first(listed)), _sharing(reader, needs.shared(listed))),
    )
    functions = _shared(_with(listed, rows, named), shared)
    outlook = needs.outlook(functions)
    readings = outlook.readings()
    account = await reader.account(readings)
    found = await _details(reader, outlook.instances(account))
    functions = _with(functions, rows, found)
    if account.quotas or (needs.quotas and Readable.QUOTA in readings):
        functions = await _with_quota_users(functions, reader)
    return account, functions


async def read_state(scope: Scope, ports: LookPorts) -> Remembered:
    """Raises: StateCorrupt; AccountMismatch when the state is of another account."""
    found = await stored_state(scope, ports.store)
    if found.state is not None:
        refuse_other_account(f"the state of {scope}", found.state.account, ports.identity)
    return found


async def stored_state(scope: Scope, store: StateStore) -> Remembered:
    stored = await store.read(str(scope), Document.STATE)
    if stored is None:
        return Remembered(state=None, token=None)
    return Remembered(state=decode_state(stored.content), token=stored.token)


def refuse_other_label(planned: str, ours: AccountIdentity) -> None:
    """Raises: AccountMismatch. A plan names endpoint, org and ncaId as far as they were known."""
    known = set(str(ours).split())
    theirs = set(planned.split())
    if planned.startswith(OFFLINE):
        raise AccountMismatch(
            f"the plan was made offline, against a {planned}",
            detail="it is for review: the account itself was not asked. Nothing was changed",
            remedy="plan against the account, without -offline",
        )
    if not (theirs <= known or known <= theirs):
        raise AccountMismatch(
            f"the plan is for another account: {planned}, but this is {ours}",
            detail="nothing was changed",
            remedy="choose the right account (--endpoint, NGC_ORG, the API key), or plan again",
        )


def refuse_other_scope(snapshot: Snapshot, scope: Scope, what: str) -> None:
    """Raises: SettingsError. `what` is of `scope`."""
    if (snapshot.stack, snapshot.environment) != (scope.stack, scope.environment):
        raise SettingsError(
            f"the snapshot is of {snapshot.stack}@{snapshot.environment}, the {what} is {scope}",
            detail="a snapshot holds in full only what is one stack's own",
            remedy=f"take one of {scope}, with `nvcfplan snapshot -out=FILE`",
        )


def refuse_other_account(what: str, theirs: AccountIdentity, ours: AccountIdentity) -> None:
    """Raises: AccountMismatch where both know a part and it differs."""
    for name, one, other in (
        ("endpoint", theirs.endpoint, ours.endpoint),
        ("org", theirs.org, ours.org),
        ("ncaId", theirs.nca_id, ours.nca_id),
    ):
        if one and other and one != other:
            raise AccountMismatch(
                f"{what} belongs to another account: {name} {one}, but this is {other}",
                detail="nothing was read from the account and nothing was changed",
                remedy="choose the right account (--endpoint, NGC_ORG, the API key), or another"
                " environment of the stack with --env",
            )


def refuse_unbound_account(binding: AccountBinding, ours: AccountIdentity) -> None:
    """Before anything is read: a stack may name the account that it is for."""
    for name, wanted, found in (
        ("endpoint", binding.endpoint, ours.endpoint),
        ("org", binding.org, ours.org),
        ("ncaId", binding.nca_id, ours.nca_id),
    ):
        if wanted and wanted != found:
            raise AccountMismatch(
                f"the stack is bound to {name} {wanted}, but this is {found or 'not known'}",
                detail=f"`account.{name}` in the stack file says which account it is for",
                remedy="choose that account, or change `account` in the stack file",
            )


def refuse_other_claims(scope: Scope, live: Sequence[LiveFunction], state: State | None) -> None:
    """Raises: ClaimedTwice, when what our state has carries the tags of another stack alone."""
    managed = {one.function_id: one for one in state.functions} if state else {}
    for function in live:
        entry = managed.get(function.id)
        owners = [owner_of(version.config.tags) for version in function.versions]
        known = sorted({f"{one.stack}@{one.environment}" for one in owners if one is not None})
        if entry is None or not known or str(scope) in known:
            continue
        raise ClaimedTwice(
            f"{function_address(entry.key)} is in the state of {scope}, and its tags say that it"
            f" belongs to {', '.join(known)}",
            detail=f"function {function.id}; two stacks would take it from each other in turn",
            remedy="take it out of one of the two stacks (`lifecycle.onRemove: forget` lets go of"
            " it), or correct its nvcfplan: tags",
        )


async def _details(
    reader: LiveReader, versions: Sequence[tuple[FunctionId, VersionId]]
) -> Mapping[VersionId, LiveVersion | None]:
    found = await each([reader.details(*one) for one in versions])
    return dict(zip((version for _, version in versions), found, strict=True))


async def _sharing(
    reader: LiveReader, functions: Sequence[FunctionId]
) -> Mapping[FunctionId, LiveSharing | None]:
    found = await each([reader.sharing(one) for one in functions])
    return dict(zip(functions, found, strict=True))


def _shared(
    functions: tuple[LiveFunction, ...], found: Mapping[FunctionId, LiveSharing | None]
) -> tuple[LiveFunction, ...]:
    return tuple(
        replace(one, sharing=found.get(one.id)) if found.get(one.id) != one.sharing else one
        for one in functions
    )


async def _with_quota_users(
    functions: tuple[LiveFunction, ...], reader: LiveReader
) -> tuple[LiveFunction, ...]:
    """A quota counts every deployment of the account, not only this stack's: one GET each.

    Source: nvcf-api.md 7 (refresh cost), 8.3.
    """
    unread = [
        (version.function_id, version.version_id)
        for function in functions
        for version in function.versions
        if version.is_deployed and version.deployment is None
    ]
    if not unread:
        return functions
    found = await reader.deployments(unread)
    return tuple(
        replace(
            function,
            versions=tuple(
                replace(version, deployment=found.get(version.version_id, version.deployment))
                for version in function.versions
            ),
        )
        for function in functions
    )


def _with(
    listed: Sequence[LiveFunction],
    rows: Mapping[VersionId, LiveDeployment],
    details: Mapping[VersionId, LiveVersion | None],
) -> tuple[LiveFunction, ...]:
    """Versions that were deleted between the list and the look are gone; so are empty functions."""
    told = rows.keys() | details.keys()
    functions = (
        function
        if all(version.version_id not in told for version in function.versions)
        else replace(
            function,
            versions=tuple(
                replace(found, deployment=rows.get(version.version_id, version.deployment))
                for version in function.versions
                if (found := details.get(version.version_id, version)) is not None
            ),
        )
        for function in listed
    )
    return tuple(function for function in functions if function.versions)
