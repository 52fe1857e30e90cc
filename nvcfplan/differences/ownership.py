"""Which live functions and versions are ours: by tag, and by state where the tag is gone.

Functions without our tag and unknown to our state are never looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.differences.late import Arrivals, find_arrivals
from nvcfplan.model import (
    FunctionId,
    LiveFunction,
    LiveSharing,
    LiveVersion,
    ManagedFunction,
    Owner,
    State,
    VersionId,
    function_address,
    kept_until,
    may_be_of,
    owner_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedFunction:
    """`versions` ours, oldest first; `foreign` are versions of the function that we did not make.

    `current` carries the function now, or would: deployed before stored, remembered before newest.
    `sharing` None: it was not read. `late`: those of `versions` that nobody waits for any more;
    `failed`: those that are kept for a while only to be looked at. Neither carries the function.
    `is_returning`: `current` is one that was kept, and is to carry the function again.
    """

    key: str
    function_id: FunctionId
    current: LiveVersion
    versions: tuple[LiveVersion, ...]
    foreign: tuple[LiveVersion, ...]
    managed: ManagedFunction | None
    sharing: LiveSharing | None = None
    late: tuple[VersionId, ...] = ()
    failed: tuple[VersionId, ...] = ()
    is_returning: bool = False

    @property
    def is_late(self) -> bool:
        """There is nothing in it but late arrivals."""
        return len(self.late) == len(self.versions) and not self.foreign

    @property
    def is_left_over(self) -> bool:
        """There is nothing in it but late arrivals and versions that failed."""
        return len(self.late) + len(self.failed) == len(self.versions) and not self.foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Keyed by function key; what is left over by a key that no stack can give.

    `missing`: in our state, gone from the account.
    """

    owned: Mapping[str, OwnedFunction]
    missing: tuple[ManagedFunction, ...]
    diagnostics: tuple[Diagnostic, ...]


def find_owned(
    stack: str,
    environment: str,
    live: Sequence[LiveFunction],
    state: State | None,
    *,
    returning: Collection[VersionId] = (),
) -> Holdings:
    """A function is ours when a version carries our three tags, or when our state knows its id.

    `returning`: versions that are to carry their functions again, in place of those that do.
    Of one whose tags are all gone, the version that carries it now is taken to be ours.
    """
    arrivals = find_arrivals(stack, environment, live, state)
    managed = {one.function_id: one for one in state.functions} if state else {}
    by_key: dict[str, list[OwnedFunction]] = {}
    for function in sorted(live, key=lambda one: one.id):
        found = _owned(stack, environment, function, managed.get(function.id), arrivals)
        if found is not None:
            key = f"{found.key}~{found.function_id}" if found.is_left_over else found.key
            by_key.setdefault(key, []).append(_returned(replace(found, key=key), returning))
    diagnostics = [
        diagnostic
        for key in sorted(by_key)
        if len(by_key[key]) > 1
        for diagnostic in _settle_claims(key, by_key, arrivals)
    ]
    seen = {one.function_id for candidates in by_key.values() for one in candidates}
    return Holdings(
        owned={key: _preferred(by_key[key]) for key in sorted(by_key)},
        missing=tuple(one for one in managed.values() if one.function_id not in seen),
        diagnostics=tuple(diagnostics),
    )


def _returned(owned: OwnedFunction, returning: Collection[VersionId]) -> OwnedFunction:
    """Nothing of an old version counts as what was applied last."""
    back = next((one for one in owned.versions if one.version_id in returning), None)
    return owned if back is None else replace(owned, current=back, managed=None, is_returning=True)


def needed_reads(
    stack: str, environment: str, live: Sequence[LiveFunction], state: State | None
) -> tuple[tuple[FunctionId, VersionId], ...]:
    """Versions whose deployment, instances and secret names a plan rests on: one GET each.

    The current one of each function of ours, and every other one that is deployed.
    """
    holdings = find_owned(stack, environment, live, state)
    wanted = {
        (version.function_id, version.version_id)
        for owned in holdings.owned.values()
        for version in (*owned.versions, *owned.foreign)
        if version.is_deployed or version.version_id == owned.current.version_id
    }
    return tuple(sorted(wanted))


def _owned(
    stack: str,
    environment: str,
    function: LiveFunction,
    managed: ManagedFunction | None,
    arrivals: Arrivals,
) -> OwnedFunction | None:
    if managed is None and not any(
        may_be_of(version.config.tags, stack, environment) for version in function.versions
    ):
        return None
    owners = {version.version_id: owner_of(version.config.tags) for version in function.versions}
    known = None if managed is None else managed.version_id
    ours = tuple(
        version
        for version in function.versions
        if _is_ours(owners[version.version_id], stack, environment) or version.version_id == known
    )
    if not ours and managed is not None:
        ours = (_current(function.versions, known),)
    if not ours:
        return None
    keys = [owner.key for version in ours if (owner := owners[version.version_id]) is not None]
    key = managed.key if managed is not None else keys[-1]
    late = tuple(version.version_id for version in ours if arrivals.is_late(version))
    failed = tuple(
        version.version_id
        for version in ours
        if version.version_id not in (known, *late) and kept_until(version.config.tags) is not None
    )
    expected = tuple(version for version in ours if version.version_id not in (*late, *failed))
    if not expected and managed is not None:
        failed, expected = (), tuple(one for one in ours if one.version_id in failed)
    return OwnedFunction(
        key=key,
        function_id=function.id,
        current=_current(expected or ours, known),
        versions=ours,
        foreign=tuple(version for version in function.versions if version not in ours),
        managed=managed,
        sharing=function.sharing,
        late=late,
        failed=failed,
    )


def _is_ours(owner: Owner | None, stack: str, environment: str) -> bool:
    return owner is not None and (owner.stack, owner.environment) == (stack, environment)


def _current(ours: tuple[LiveVersion, ...], known: VersionId | None) -> LiveVersion:
    """The remembered one if it is deployed; else the newest that serves, is deployed, is stored."""
    deployed = tuple(version for version in ours if version.is_deployed)
    remembered = [version for version in deployed or ours if version.version_id == known]
    serving = tuple(version for version in deployed if version.status.is_serving)
    return remembered[0] if remembered else (serving or deployed or ours)[-1]


def _preferred(found: Sequence[OwnedFunction]) -> OwnedFunction:
    """Of several functions that claim one key: the one our state knows, else the oldest id."""
    return next((one for one in found if one.managed is not None), found[0])


def _settle_claims(
    key: str, by_key: dict[str, list[OwnedFunction]], arrivals: Arrivals
) -> tuple[Diagnostic, ...]:
    """What came unexpected and is deployed by now is only told of, beside the one that counts."""
    claims = by_key[key]
    unexpected = [one for one in claims if all(map(arrivals.is_unexpected, one.versions))]
    if not unexpected or len(unexpected) + 1 != len(claims):
        return (_claimed_twice(key, claims),)
    by_key[key] = [one for one in claims if one not in unexpected]
    return tuple(_deployed_late(key, one) for one in unexpected)


def _deployed_late(key: str, found: OwnedFunction) -> Diagnostic:
    return Diagnostic(
        code="late-arrival-deployed",
        severity=Severity.WARNING,
        summary=f"function {found.function_id} was made by a request of ours that had been given"
        f" up, for function.{key}, and somebody deployed it",
        detail="it is left alone: it may be in use",
        remedy="undeploy it, and the next plan deletes it; or take the nvcfplan: tags off it",
        subject=Subject(function_address(key)),
    )


def _claimed_twice(key: str, found: Sequence[OwnedFunction]) -> Diagnostic:
    ids = ", ".join(one.function_id for one in found)
    return Diagnostic(
        code="function-claimed-twice",
        severity=Severity.ERROR,
        summary=f"{len(found)} functions of the account claim to be function.{key}: {ids}",
        detail="each carries this stack's ownership tags; nobody can tell which one callers use",
        remedy="delete the surplus function, or take the nvcfplan: tags off its versions",
        subject=Subject(function_address(key)),
    )
