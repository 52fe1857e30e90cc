"""What has drifted, as text: the verdict first, then finding by finding with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.diagnostics import Severity
from nvcfplan.reports import LastRun, LookOutcome
from nvcfplan.views import drift_sentences as sentences
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.wording import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvcfplan.model import Acknowledgement
    from nvcfplan.reports import DriftReport, Finding, Standing


def render_drift(report: DriftReport, *, colour: bool, width: int = WIDTH) -> str:
    ink = Ink(colour, width)
    parts = [
        _verdict(report, ink),
        _last_run(report, ink),
        *(_standing(one, ink) for one in report.standing if one.counts),
        *(_standing(one, ink) for one in report.acknowledged),
        *(_finding(one, ink) for one in report.notes),
        _lines(
            [f"cleared: {sentences.cleared(report, one)}" for one in report.cleared],
            ink.green,
            ink,
        ),
        _lines([f"not checked: {one}" for one in sentences.not_checked(report)], ink.yellow, ink),
        ink.folded(waiting, first="", rest="  ") if (waiting := sentences.pending(report)) else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def render_acknowledgements(
    found: Sequence[Acknowledgement], *, colour: bool, width: int = WIDTH
) -> str:
    """Each with its finding, who said what of it, and until when it holds."""
    ink = Ink(colour, width)
    lines: list[str] = []
    for one in found:
        name = sentences.print_of(one.fingerprint)
        lines += ink.folded(f"{name} {one.summary}", first="", rest="  ")
        lines += ink.folded(f"{one.why} ({one.by}, {moment(one.at)})", first="  ", rest="  ")
        lines += ink.folded(sentences.until(one), first="  ", rest="  ")
    return "\n".join(lines)


def _verdict(report: DriftReport, ink: Ink) -> list[str]:
    match report.outcome:
        case LookOutcome.IN_STEP:
            drawn = ink.green
        case LookOutcome.NOT_CHECKED | LookOutcome.SKIPPED | LookOutcome.ACKNOWLEDGED:
            drawn = ink.yellow
        case LookOutcome.DRIFTED:
            drawn = ink.red
        case _:
            assert_never(report.outcome)
    return _lines([sentences.verdict(report)], drawn, ink)


def _last_run(report: DriftReport, ink: Ink) -> list[str]:
    said = sentences.last_run(report)
    if not said:
        return []
    if report.last_run is LastRun.UNDER_WAY:
        return ink.folded(said, first="  ", rest="  ")
    return _lines([said], ink.yellow, ink)


def _lines(texts: Sequence[str], drawn: Callable[[str], str], ink: Ink) -> list[str]:
    return [drawn(line) for text in texts for line in ink.folded(text, first="", rest="  ")]


def _standing(standing: Standing, ink: Ink) -> list[str]:
    lines = _finding(standing.finding, ink)
    text = f"{sentences.print_of(standing.finding.fingerprint)}, {sentences.story(standing)}"
    lines += ink.folded(text, first="  id:  ", rest="       ")
    if standing.acknowledgement is not None:
        text = sentences.acknowledged(standing.acknowledgement)
        lines += ink.folded(text, first="  ack: ", rest="       ")
    return lines


def _finding(finding: Finding, ink: Ink) -> list[str]:
    head = sentences.head(finding)
    inked = _inked(head, finding.severity, ink)
    lead, *rest = ink.folded(f"{head}: {finding.summary}", first="", rest="  ")
    lines = [lead.replace(head, inked, 1), *rest]
    sides = sentences.sides(finding, ink.width)
    if sides is not None:
        shown = sentences.SENSITIVE if finding.is_sensitive else f"{sides[0]} -> {sides[1]}"
        lines.append(f"  {shown}".replace("\n", "\n  "))
    for one in finding.evidence:
        lines += ink.folded(one, first="  why: ", rest="       ")
    return [*lines, *ink.folded(finding.remedy, first="  fix: ", rest="       ")]


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
