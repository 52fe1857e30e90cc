"""A kept version's return: which one is meant, the stack that wants it, and what to edit for that.

The function's specifications, secrets and policies stay the stack's own; its configuration is the
version's as far as the stack manages it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.differences import (
    carried_config,
    compare_config,
    compare_secrets,
    find_owned,
    has_row,
)
from nvcfplan.errors import SettingsError
from nvcfplan.model import (
    Address,
    FunctionConfig,
    Stack,
    Status,
    VersionId,
    kept_until,
    user_tags,
)
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.reading import (
    refuse_other_claims,
    refuse_unbound_account,
)
from nvcfplan.workflows.runs import current_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.differences import OwnedFunction
    from nvcfplan.model import DesiredFunction, Json, LiveVersion
    from nvcfplan.plans import AttributeChange
    from nvcfplan.workflows.ports import LookPorts

_FIELDS: Final = frozenset(one.name for one in fields(FunctionConfig))

LEAST_PREFIX: Final = 4
"""Of a version's id, so much at least may stand for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """`stack`: as it would have to be; secrets whose names differ are not managed in it. `notes`:
    one for each edit that makes the files say so.
    """

    address: Address
    version: VersionId
    stack: Stack
    notes: tuple[Diagnostic, ...]


async def look_for_return(stack: Stack, address: Address, wanted: str, ports: LookPorts) -> Return:
    """`wanted`: a version's id, or how it begins. Reads only.

    Raises: SettingsError for a version that cannot return; RemoteError; AccountMismatch;
    StateCorrupt; ClaimedTwice.
    """
    scope = scope_of(stack)
    refuse_unbound_account(stack.account, ports.identity)
    desired = _desired(stack, address)
    state = (await current_state(scope, ports)).state
    live = await ports.reader.functions()
    refuse_other_claims(scope, live, state)
    owned = find_owned(scope.stack, scope.environment, live, state).owned.get(desired.key)
    if owned is None:
        raise SettingsError(
            f"{address} is not in the account: there is no version to go back to",
            detail="no function there carries this stack's tags for it",
            remedy="`nvcfplan plan` tells what is there",
        )
    listed = _meant(owned, address, wanted)
    version = await ports.reader.details(listed.function_id, listed.version_id)
    if version is None:
        raise _unknown(owned, address, wanted)
    back = _as_kept(desired, version)
    functions = tuple(back if one.key == desired.key else one for one in stack.functions)
    return Return(
        address=address,
        version=version.version_id,
        stack=replace(stack, functions=functions),
        notes=tuple(_notes(desired, version)),
    )


def _desired(stack: Stack, address: Address) -> DesiredFunction:
    found = next((one for one in stack.functions if one.address == address), None)
    if found is None:
        known = ", ".join(one.address for one in stack.functions)
        raise SettingsError(
            f"the stack has no {address}", detail=f"it has: {known}", remedy="name one of these"
        )
    if not found.specifications:
        raise SettingsError(
            f"the stack does not say where {address} is deployed, so nothing of it can return",
            detail="`deployment` is absent, or null",
            remedy="write its specifications into the stack",
        )
    return found


def _meant(owned: OwnedFunction, address: Address, wanted: str) -> LiveVersion:
    ours, foreign = (_named(some, wanted) for some in (owned.versions, owned.foreign))
    if not ours and foreign:
        raise SettingsError(
            f"version {foreign[0].version_id} of {address} is not ours",
            detail="it carries no tags of this stack; what it is made of nobody here knows",
            remedy="deploy it by hand, or write its configuration into the stack",
        )
    if len(ours) != 1:
        raise _unknown(owned, address, wanted)
    (version,) = ours
    _refuse_unkept(owned, address, version)
    return version


def _named(versions: Sequence[LiveVersion], wanted: str) -> list[LiveVersion]:
    exact = [one for one in versions if one.version_id == wanted]
    if exact or len(wanted) < LEAST_PREFIX:
        return exact
    return [one for one in versions if one.version_id.startswith(wanted)]


def _refuse_unkept(owned: OwnedFunction, address: Address, version: LiveVersion) -> None:
    name, current = version.version_id, owned.current
    if version == current and version.is_deployed:
        raise SettingsError(
            f"version {name} of {address} is the one that serves already",
            detail=_kept_words(owned),
            remedy="name one that is kept",
        )
    if name in owned.failed:
        until = kept_until(version.config.tags)
        raise SettingsError(
            f"version {name} of {address} failed: it is kept only to be looked at",
            detail=f"until {until:%Y-%m-%d %H:%M} UTC, by `lifecycle.keepFailed`",
            remedy="name one that has served, or correct the stack and apply it",
        )
    if name in owned.late or has_row(version):
        what = "came late, and is swept next" if name in owned.late else "is deployed, or drains"
        raise SettingsError(
            f"version {name} of {address} is not kept: it {what}",
            detail=_kept_words(owned),
            remedy="`nvcfplan apply` puts that right",
        )
    if current.status is Status.DEPLOYING:
        raise SettingsError(
            f"{address} is being deployed, and no run of ours is under way",
            detail=f"version {current.version_id} is DEPLOYING",
            remedy="wait until it is ACTIVE or has failed",
        )


def _unknown(owned: OwnedFunction, address: Address, wanted: str) -> SettingsError:
    return SettingsError(
        f"{address} has no version {wanted}, or more than one",
        detail=_kept_words(owned),
        remedy=f"give a version's id, or its first {LEAST_PREFIX} characters or more",
    )


def _kept_words(owned: OwnedFunction) -> str:
    """What could return, newest first."""
    kept = [
        one
        for one in reversed(owned.versions)
        if one != owned.current
        and not has_row(one)
        and one.version_id not in (*owned.failed, *owned.late)
    ]
    if not kept:
        return "none is kept (`update.keepVersions`)"
    return f"kept: {', '.join(map(_described, kept))}"


def _described(version: LiveVersion) -> str:
    made = f" of {version.created_at:%Y-%m-%d %H:%M} UTC" if version.created_at else ""
    image = version.config.container_image or version.config.helm_chart or ""
    return f"{version.version_id}{made}{f' ({image})' if image else ''}"


def _as_kept(desired: DesiredFunction, version: LiveVersion) -> DesiredFunction:
    live = version.config
    kind = replace(
        desired.config,
        container_image=live.container_image,
        container_args=live.container_args,
        container_environment=live.container_environment,
        helm_chart=live.helm_chart,
        helm_chart_service_name=live.helm_chart_service_name,
    )
    others = tuple(sorted(_FIELDS - set(desired.managed)))
    config = carried_config(replace(desired, config=kind, managed=others), version)
    back = replace(desired, config=replace(config, tags=user_tags(config.tags)))
    if not compare_secrets(desired, version):
        return back
    managed = tuple(one for one in desired.managed if one != "secrets")
    return replace(back, managed=managed, secrets=())


def _notes(desired: DesiredFunction, version: LiveVersion) -> Iterator[Diagnostic]:
    compared = compare_config(desired, version, None)
    changes = (*compared.attributes, *compared.waiting, *compare_secrets(desired, version))
    for one in sorted(changes, key=lambda change: change.path):
        yield Diagnostic(
            code="stack-to-edit",
            severity=Severity.NOTE,
            summary=f"{desired.address} {one.path}: {_edit(one)}",
            detail=f"version {version.version_id} has it so; while the stack says otherwise, the"
            " next plan makes a new version again",
            remedy="edit it in the stack's files",
            subject=Subject(desired.address, one.path),
        )


def _edit(change: AttributeChange) -> str:
    """From what the stack says to what the version has."""
    if change.is_sensitive and change.before is not None:
        return "another value, which is not shown"
    return f"{_side(change.after)} -> {_side(change.before)}"


def _side(value: Json | None) -> str:
    return "(absent)" if value is None else value
