"""Warnings and notes in a line each, those that are alike together; errors stay whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.reports.plan_report import PlanReport


def compact_report(report: PlanReport) -> PlanReport:
    return replace(
        report,
        faults=compacted(report.faults),
        at_risk=compacted(report.at_risk),
        not_checked=compacted(report.not_checked),
        notes=compacted(report.notes),
    )


def compacted(diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the same order; of each code the first says how many more there are."""
    return tuple(_compacted(diagnostics))


def _compacted(diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    left = Counter((one.code, one.severity) for one in diagnostics)
    for one in diagnostics:
        if one.severity is Severity.ERROR:
            yield one
            continue
        count = left.pop((one.code, one.severity), 0)
        if count:
            more = f" (and {count - 1} more)" if count > 1 else ""
            yield Diagnostic(
                code=one.code,
                severity=one.severity,
                summary=f"{one.summary}{more}",
                verdict=one.verdict,
            )
