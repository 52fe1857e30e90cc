"""Findings and looks with everything irrelevant defaulted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Severity
from nvcfplan.drifting import Drift, Finding, FindingClass
from nvcfplan.model import Acknowledgement, Address, Readable, Unread

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def finding(
    subject: str = "tags",
    *,
    kind: FindingClass = FindingClass.CONFIGURATION,
    severity: Severity = Severity.WARNING,
) -> Finding:
    return Finding(
        kind=kind,
        code="edited",
        severity=severity,
        address=Address("function.chat"),
        subject=subject,
        summary=f"function.chat: {subject} was changed outside",
        remedy="put it back",
    )


def drift(*findings: Finding, unread: Sequence[Readable] = ()) -> Drift:
    failed = (
        Unread(what=one, source="GET /x", reason="403", remedy="ask for the scope")
        for one in unread
    )
    return Drift(findings=findings, unread=tuple(failed), pending=(), pools=())


def acknowledged(of: Finding, *, minutes: float, until: float | None = None) -> Acknowledgement:
    return Acknowledgement(
        fingerprint=of.fingerprint,
        summary=of.summary,
        why="known",
        by="ada@desk",
        at=at(minutes),
        until=None if until is None else at(until),
    )
