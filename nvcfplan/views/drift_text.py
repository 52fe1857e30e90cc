"""What has drifted, as text: the verdict first, then finding by finding with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.diagnostics import Severity
from nvcfplan.reports import LastRun, LookOutcome
from nvcfplan.views.change_text import shown_value
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports import DriftReport, Finding


def render_drift(report: DriftReport, *, colour: bool, width: int = WIDTH) -> str:
    ink = Ink(colour, width)
    parts = [
        _verdict(report, ink),
        _last_run(report, ink),
        *_findings(report.drifted, ink),
        *_findings(report.notes, ink),
        _not_checked(report, ink),
        _pending(report, ink),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _verdict(report: DriftReport, ink: Ink) -> list[str]:
    match report.outcome:
        case LookOutcome.IN_STEP:
            return [ink.green(f"No drift: {safe(report.stack)} is as it was left.")]
        case LookOutcome.NOT_CHECKED:
            text = f"No drift seen of {safe(report.stack)}, but not all could be looked at."
            return [ink.yellow(text)]
        case LookOutcome.SKIPPED:
            text = f"Drift of {safe(report.stack)} not looked for: a run of it is under way."
            return [ink.yellow(text)]
        case LookOutcome.ACKNOWLEDGED:
            head = f"Drift of {safe(report.stack)} is known: all of"
            text = f"{head} {counted(len(report.standing), 'finding')} acknowledged."
            return [ink.yellow(text)]
        case LookOutcome.DRIFTED:
            counts = ", ".join(
                f"{count} {kind.value}" for kind, count in report.counts.items() if count
            )
            head = f"Drift of {safe(report.stack)}: {counted(len(report.drifted), 'finding')}"
            return [ink.red(f"{head} ({counts}).")]
        case _:
            assert_never(report.outcome)


def _last_run(report: DriftReport, ink: Ink) -> list[str]:
    match report.last_run:
        case LastRun.SETTLED:
            return []
        case LastRun.UNDER_WAY:
            return ink.folded(report.run_words, first="  ", rest="  ")
        case LastRun.OPEN:
            text = f"{report.run_words}: what differs may be its doing, half done"
            return [ink.yellow(line) for line in ink.folded(text, first="", rest="  ")]
        case _:
            assert_never(report.last_run)


def _findings(findings: Sequence[Finding], ink: Ink) -> list[list[str]]:
    return [_finding(one, ink) for one in findings]


def _finding(finding: Finding, ink: Ink) -> list[str]:
    head = f"{finding.severity.value}[{finding.kind.value}/{finding.code}]"
    inked = _inked(head, finding.severity, ink)
    lead, *rest = ink.folded(f"{head}: {finding.summary}", first="", rest="  ")
    lines = [lead.replace(head, inked, 1), *rest]
    if finding.before is not None or finding.after is not None:
        lines.append(f"  {_sides(finding, ink)}")
    for one in finding.evidence:
        lines += ink.folded(one, first="  why: ", rest="       ")
    return [*lines, *ink.folded(finding.remedy, first="  fix: ", rest="       ")]


def _sides(finding: Finding, ink: Ink) -> str:
    if finding.is_sensitive:
        return "(sensitive value)"
    sides = (finding.before, finding.after)
    before, after = ("(absent)" if one is None else shown_value(one, ink.width) for one in sides)
    return f"{before} -> {after}".replace("\n", "\n  ")


def _inked(text: str, severity: Severity, ink: Ink) -> str:
    match severity:
        case Severity.ERROR:
            return ink.red(text)
        case Severity.WARNING:
            return ink.yellow(text)
        case Severity.NOTE:
            return ink.cyan(text)
        case _:
            assert_never(severity)


def _not_checked(report: DriftReport, ink: Ink) -> list[str]:
    lines: list[str] = []
    for one in report.drift.unread if report.drift else ():
        text = f"not checked: {one.what.value}: {one.reason} ({one.remedy})"
        lines += [ink.yellow(line) for line in ink.folded(text, first="", rest="  ")]
    return lines


def _pending(report: DriftReport, ink: Ink) -> list[str]:
    pending = report.drift.pending if report.drift else ()
    if not pending:
        return []
    text = f"not applied yet, and no drift: {', '.join(pending)} (see `nvcfplan plan`)"
    return ink.folded(text, first="", rest="  ")
