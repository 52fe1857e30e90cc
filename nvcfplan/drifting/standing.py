"""What somebody else did to our functions: edited, undeployed, deleted; and how they fare."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Severity
from nvcfplan.differences import CompareOptions, compare_function
from nvcfplan.drifting.findings import Finding, FindingClass
from nvcfplan.model import Status, canonical_json, function_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.differences import OwnedFunction
    from nvcfplan.model import DesiredFunction, LiveVersion, ManagedFunction
    from nvcfplan.plans import AttributeChange, Change

_APPLY: Final = "`nvcfplan apply` puts it back"
_KEEP: Final = (
    "`nvcfplan drift -fix` puts it back; `nvcfplan drift -accept` takes it into the stack's files"
)
_UNKNOWN: Final = "what was applied last is not known here: it may be a change of the stack, too"
_MASKED: Final = "the value applied last is not kept: it may be a change of the stack, too"


def find_deleted(managed: ManagedFunction) -> Finding:
    address = function_address(managed.key)
    return Finding(
        kind=FindingClass.MISSING,
        code="function-deleted",
        severity=Severity.ERROR,
        address=address,
        subject=managed.function_id,
        summary=f"{address} is gone from the account",
        evidence=(f"function {managed.function_id} was applied and is listed no more",),
        remedy="`nvcfplan apply` creates it again, under another function id: tell its callers",
    )


def find_edits(
    desired: DesiredFunction, owned: OwnedFunction, options: CompareOptions
) -> Iterator[Finding]:
    """Where the account differs from what was applied last *and* from what is wanted.

    What differs from the one alone is a change of the stack that waits for its apply, or one that
    somebody has made already.
    """
    found = compare_function(desired, owned, options).change
    applied = None if owned.managed is None else since(owned.managed.applied, owned, options)
    last = None if applied is None else {one.path: one for one in applied.attributes}
    for change in found.attributes:
        if last is None:
            yield _edited(owned, change, change, _UNKNOWN)
        elif change.path in last:
            doubt = _MASKED if change.is_sensitive and not _is_secret(change) else ""
            yield _edited(owned, change, last[change.path], doubt)


def find_health(owned: OwnedFunction) -> Iterator[Finding]:
    """The platform heals what is degraded; what failed stays failed. Source: nvcf-api.md 5."""
    live = owned.current
    match live.status:
        case Status.DEGRADING:
            yield _unwell(
                owned,
                "degrading",
                Severity.WARNING,
                "has fewer instances than its minimum, and still serves",
            )
        case Status.DEGRADED:
            yield _unwell(
                owned,
                "degraded",
                Severity.ERROR,
                "has fewer instances than its minimum, and does not serve",
            )
        case Status.DEPLOYING:
            yield _unwell(
                owned,
                "deploying",
                Severity.WARNING,
                "is being deployed, and no run of ours is under way",
            )
        case Status.UNKNOWN:
            yield _unwell(
                owned,
                "status-unknown",
                Severity.WARNING,
                "has a status that this version of nvcfplan does not know",
            )
        case Status.ACTIVE | Status.INACTIVE | Status.ERROR:
            return


def find_others_serving(owned: OwnedFunction) -> Iterator[Finding]:
    """Calls spread evenly over all versions that serve. Source: nvcf-api.md 7."""
    serving = [one for one in (*owned.versions, *owned.foreign) if one.status.is_serving]
    for version in serving:
        if version.version_id == owned.current.version_id:
            continue
        yield _serving_too(owned, version, len(serving), is_ours=version in owned.versions)


def since(applied: DesiredFunction, owned: OwnedFunction, options: CompareOptions) -> Change:
    """As if what was applied last were wanted again. A secret's value is not: one that is another
    here now has changed here, for what it is in the account nobody can read.
    """
    return compare_function(applied, owned, replace(options, fingerprints={})).change


def _edited(
    owned: OwnedFunction, change: AttributeChange, last: AttributeChange, doubt: str
) -> Finding:
    address = function_address(owned.key)
    evidence = (f"version {owned.current.version_id}", *((doubt,) if doubt else ()))
    match change.reason:
        case "not-deployed":
            return Finding(
                kind=FindingClass.MISSING,
                code="undeployed",
                severity=Severity.ERROR,
                address=address,
                subject=change.path,
                before=canonical_json(Status.ACTIVE),
                after=change.before,
                summary=f"{address} is not deployed",
                evidence=evidence,
                remedy="`nvcfplan apply` deploys it again",
            )
        case "live-error":
            return Finding(
                kind=FindingClass.HEALTH,
                code="error",
                severity=Severity.ERROR,
                address=address,
                subject=change.path,
                before=canonical_json(Status.ACTIVE),
                after=change.before,
                summary=f"{address} has failed and does not serve",
                evidence=(*evidence, *_health(owned.current)),
                remedy="`nvcfplan apply` undeploys and deploys it again",
            )
        case "ownership-tags-missing":
            return Finding(
                kind=FindingClass.MISSING,
                code="ownership-tags-gone",
                severity=Severity.WARNING,
                address=address,
                subject=change.path,
                before=change.after,
                after=None,
                summary=f"{address} has lost tags by which it is known as ours",
                evidence=evidence,
                remedy=_APPLY,
            )
        case _:
            return Finding(
                kind=FindingClass.CONFIGURATION,
                code="edited",
                severity=Severity.WARNING,
                address=address,
                subject=change.path,
                before=last.after,
                after=change.before,
                summary=f"{address}: {change.path} was {_verb(last)} outside",
                evidence=evidence,
                remedy=_KEEP,
                is_sensitive=change.is_sensitive,
            )


def _verb(last: AttributeChange) -> str:
    """`last` leads from what is found to what was applied: its addition is the other's removal."""
    if last.before is None:
        return "removed"
    return "added" if last.after is None else "changed"


def _is_secret(change: AttributeChange) -> bool:
    """By name alone: that is known on both sides."""
    return change.path.startswith("secrets.")


def _unwell(owned: OwnedFunction, code: str, severity: Severity, what: str) -> Finding:
    address = function_address(owned.key)
    version = owned.current.version_id
    return Finding(
        kind=FindingClass.HEALTH,
        code=code,
        severity=severity,
        address=address,
        subject="deployment",
        after=canonical_json(owned.current.status),
        summary=f"{address} {what}",
        evidence=(f"version {version}", *_health(owned.current)),
        remedy="the platform keeps asking for what is missing; if it lasts, look at its pools",
    )


def _health(live: LiveVersion) -> tuple[str, ...]:
    return tuple(note.error for note in live.deployment.health) if live.deployment else ()


def _serving_too(
    owned: OwnedFunction, version: LiveVersion, serving: int, *, is_ours: bool
) -> Finding:
    address = function_address(owned.key)
    whose = "an old version of ours, deployed again," if is_ours else "a version we did not make"
    return Finding(
        kind=FindingClass.CONFIGURATION,
        code="old-version-serving" if is_ours else "foreign-version-serving",
        severity=Severity.WARNING,
        address=address,
        subject=version.version_id,
        summary=f"{address}: {whose} takes 1 of {serving} calls",
        evidence=("calls by function id spread evenly over all serving versions",),
        remedy=(
            "`nvcfplan apply` undeploys it"
            if is_ours
            else "undeploy it; nvcfplan never touches what it did not make"
        ),
    )
