"""Who may call a function besides its owner: wanted, live, and as it was applied last.

The list stands with the function; what a version has beyond it is told, and left alone.
Source: nvcf-api.md 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.differences.mutability import SHARING
from nvcfplan.model import canonical_json
from nvcfplan.plans import AttributeChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.differences.ownership import OwnedFunction
    from nvcfplan.model import DesiredFunction, Json, LiveSharing

_FIELD: Final = "authorized_parties"
"""What `managed` calls it."""


def manages_sharing(function: DesiredFunction) -> bool:
    return _FIELD in function.managed


def compare_sharing(desired: DesiredFunction, owned: OwnedFunction) -> tuple[AttributeChange, ...]:
    """Nothing where the list was not read. An empty list is written as one: it is managed too."""
    live = owned.sharing
    if not manages_sharing(desired) or live is None or live.parties == desired.authorized_parties:
        return ()
    return (
        AttributeChange(
            path=SHARING.path,
            before=_text(live.parties),
            after=_text(desired.authorized_parties),
            live=_edited(live, _applied(owned)),
            means=SHARING.means,
            reason=_reason(live.parties, desired.authorized_parties),
        ),
    )


def created_sharing(desired: DesiredFunction) -> tuple[AttributeChange, ...]:
    """A function begins with nobody on its list."""
    if not desired.authorized_parties:
        return ()
    return (
        AttributeChange(
            path=SHARING.path,
            before=None,
            after=_text(desired.authorized_parties),
            live=None,
            means=SHARING.means,
            reason="added",
        ),
    )


def judge_sharing(desired: DesiredFunction, owned: OwnedFunction) -> Iterator[Diagnostic]:
    """What a plan cannot see, or cannot reach, of a list that it manages."""
    if not manages_sharing(desired):
        return
    subject = Subject(desired.address, SHARING.path)
    if owned.sharing is None:
        yield _unread(subject)
        return
    for version, parties in owned.sharing.beyond:
        yield _beyond(subject, f"version {version} may be called by {', '.join(parties)} as well")
    surplus = sorted(set(owned.sharing.parties) - set(desired.authorized_parties))
    if surplus and _applied(owned) == desired.authorized_parties:
        yield _beyond(subject, f"{', '.join(surplus)} may call it since it was applied last")


def _applied(owned: OwnedFunction) -> tuple[str, ...] | None:
    """None: we never managed it."""
    last = owned.managed.applied if owned.managed else None
    return last.authorized_parties if last is not None and manages_sharing(last) else None


def _edited(live: LiveSharing, applied: tuple[str, ...] | None) -> Json | None:
    return None if applied is None or applied == live.parties else _text(live.parties)


def _reason(before: Sequence[str], after: Sequence[str]) -> str:
    return "changed" if before and after else "added" if after else "removed"


def _text(parties: Sequence[str]) -> Json:
    return canonical_json(list(parties))


def _beyond(subject: Subject, what: str) -> Diagnostic:
    return Diagnostic(
        code="shared-by-version",
        severity=Severity.WARNING,
        summary=f"{subject.address}: {what}",
        detail="a version has a list of its own beside that of the function, which alone is "
        "managed; the service shows both as one",
        remedy="where they should not: clear the version's own list "
        "(DELETE /authorizations/functions/FUNCTION/versions/VERSION)",
        subject=subject,
    )


def _unread(subject: Subject) -> Diagnostic:
    return Diagnostic(
        code="sharing-not-compared",
        severity=Severity.WARNING,
        summary=f"{subject.address}: who may call it could not be read, and is not compared",
        detail="the service answered that there is no such list",
        remedy="plan again; if it stays so, ask whether this service has function sharing",
        subject=subject,
    )
