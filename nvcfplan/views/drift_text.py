"""What has drifted, as text: the verdict first, then finding by finding with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan.diagnostics import Severity
from nvcfplan.reports import LastRun, LookOutcome
from nvcfplan.views.change_text import shown_value
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted, moment, standing_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import Acknowledgement, Digest
    from nvcfplan.reports import DriftReport, Finding, Standing

_PRINT_SHOWN: Final = 12


def render_drift(report: DriftReport, *, colour: bool, width: int = WIDTH) -> str:
    ink = Ink(colour, width)
    parts = [
        _verdict(report, ink),
        _last_run(report, ink),
        *(_standing(one, ink) for one in report.standing if one.counts),
        *(_standing(one, ink) for one in report.acknowledged),
        *(_finding(one, ink) for one in report.notes),
        _cleared(report, ink),
        _not_checked(report, ink),
        _pending(report, ink),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def render_acknowledgements(
    found: Sequence[Acknowledgement], *, colour: bool, width: int = WIDTH
) -> str:
    """Three lines each: the finding, who said what of it, and until when it holds."""
    ink = Ink(colour, width)
    lines: list[str] = []
    for one in found:
        lines += ink.folded(f"{print_of(one.fingerprint)} {one.summary}", first="", rest="  ")
        lines += ink.folded(f"{one.why} ({one.by}, {moment(one.at)})", first="  ", rest="  ")
        lines += ink.folded(_until(one), first="  ", rest="  ")
    return "\n".join(lines)


def print_of(fingerprint: Digest) -> str:
    """As much of it as people type."""
    return fingerprint.removeprefix("sha256:")[:_PRINT_SHOWN]


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
            findings = counted(len(report.standing), "finding")
            text = f"Known drift of {safe(report.stack)}: {findings}, acknowledged."
            return [ink.yellow(text)]
        case LookOutcome.DRIFTED:
            return [ink.red(line) for line in ink.folded(_counts(report), first="", rest="  ")]
        case _:
            assert_never(report.outcome)


def _counts(report: DriftReport) -> str:
    counting = [one for one in report.standing if one.counts]
    kinds = ", ".join(f"{count} {kind.value}" for kind, count in report.counts.items() if count)
    text = f"Drift of {report.stack}: {counted(len(counting), 'finding')} ({kinds})"
    new = sum(one.is_new for one in counting)
    known = len(report.acknowledged)
    if report.previous is not None:
        text += f", {new} new since {moment(report.previous)}"
    return f"{text}; {known} more acknowledged." if known else f"{text}."


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


def _standing(standing: Standing, ink: Ink) -> list[str]:
    lines = _finding(standing.finding, ink)
    name = print_of(standing.finding.fingerprint)
    since = f"stands for {standing_for(standing.stood)}, since {moment(standing.first_seen)}"
    text = f"{name}, {'new' if standing.is_new else since}"
    lines += ink.folded(text, first="  id:  ", rest="       ")
    said = standing.acknowledgement
    if said is not None:
        text = f"{said.why} ({said.by}, {_until(said)})"
        lines += ink.folded(text, first="  ack: ", rest="       ")
    return lines


def _until(said: Acknowledgement) -> str:
    return "until it clears" if said.until is None else f"until {moment(said.until)}"


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


def _cleared(report: DriftReport, ink: Ink) -> list[str]:
    lines: list[str] = []
    for one in report.cleared:
        stood = standing_for(report.looked_at - one.first_seen)
        text = f"cleared: {one.summary} ({print_of(one.fingerprint)}, stood for {stood})"
        lines += [ink.green(line) for line in ink.folded(text, first="", rest="  ")]
    return lines


def _not_checked(report: DriftReport, ink: Ink) -> list[str]:
    lines: list[str] = []
    for one in report.unseen:
        text = f"not checked: {one.summary} (stood when last seen, {moment(one.last_seen)})"
        lines += [ink.yellow(line) for line in ink.folded(text, first="", rest="  ")]
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
