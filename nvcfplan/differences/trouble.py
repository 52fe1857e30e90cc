"""What is wrong with a live function before anything is changed, and who else has a hand in it.

Source: nvcf-api.md 5 (statuses), 7 (several versions serve at once, calls spread evenly).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.model import LiveVersion, Status, function_address

if TYPE_CHECKING:
    from nvcfplan.differences.ownership import OwnedFunction


def judge_live(owned: OwnedFunction) -> tuple[Diagnostic, ...]:
    """Errors refuse this function, warnings do not."""
    subject = Subject(function_address(owned.key))
    found = [_judge_status(subject, owned.current), *_judge_foreign(subject, owned)]
    return tuple(one for one in found if one is not None)


def unmovable_secrets(owned: OwnedFunction, wanted: frozenset[str]) -> Diagnostic | None:
    """A new version cannot carry secrets whose values nobody can read back."""
    missing = sorted(set(owned.current.secret_names or ()) - wanted)
    if not missing:
        return None
    return Diagnostic(
        code="secret-unavailable",
        severity=Severity.ERROR,
        summary=f"function.{owned.key} needs a new version, and its live secrets "
        f"{', '.join(missing)} are not in the stack",
        detail="the service never shows a secret's value, so a new version would lose them",
        remedy="name each of them under `secrets:` with `fromEnv` or `fromFile`",
        subject=Subject(function_address(owned.key), "secrets"),
    )


def _judge_status(subject: Subject, live: LiveVersion) -> Diagnostic | None:
    health = "; ".join(note.error for note in live.deployment.health) if live.deployment else ""
    match live.status:
        case Status.DEPLOYING:
            return Diagnostic(
                code="deployment-in-progress",
                severity=Severity.ERROR,
                summary=f"{subject.address} is being deployed by somebody else",
                detail=health
                or f"version {live.version_id} is DEPLOYING and no run of ours is open",
                remedy="wait until it is ACTIVE or ERROR, or undeploy it, then plan again",
                subject=subject,
            )
        case Status.UNKNOWN:
            return Diagnostic(
                code="unknown-status",
                severity=Severity.ERROR,
                summary=f"{subject.address} has a status this version of nvcfplan does not know",
                detail=f"version {live.version_id}",
                remedy="look for a newer nvcfplan; nothing was changed",
                subject=subject,
            )
        case Status.DEGRADING | Status.DEGRADED:
            serves = "still serves" if live.status is Status.DEGRADING else "does not serve"
            return Diagnostic(
                code="live-degraded",
                severity=Severity.WARNING,
                summary=f"{subject.address} is {live.status}: it has fewer instances than its "
                f"minimum and {serves}",
                detail=health or "the platform keeps asking for the missing instances by itself",
                remedy="no step is planned for this; look at the pool if it lasts",
                subject=subject,
            )
        case Status.INACTIVE | Status.ACTIVE | Status.ERROR:
            return None


def _judge_foreign(subject: Subject, owned: OwnedFunction) -> list[Diagnostic]:
    serving = [one for one in (*owned.versions, *owned.foreign) if one.status.is_serving]
    return [
        Diagnostic(
            code="foreign-version-serving",
            severity=Severity.WARNING,
            summary=f"{subject.address}: version {version.version_id}, deployed by somebody else, "
            f"takes 1 of {len(serving)} calls",
            detail="calls by function id spread evenly over all serving versions",
            remedy="undeploy that version; nvcfplan never touches what it did not make",
            subject=subject,
        )
        for version in owned.foreign
        if version.status.is_serving
    ]
