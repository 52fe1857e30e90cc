"""What every drawing of a look for drift says, in the same words. Foreign text is as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan.reports import LastRun, LookOutcome
from nvcfplan.views.change_text import shown_value
from nvcfplan.views.wording import counted, moment, standing_for

if TYPE_CHECKING:
    from nvcfplan.model import Acknowledgement, Digest, Remembered, Unread
    from nvcfplan.reports import DriftReport, Finding, Standing

SENSITIVE: Final = "(sensitive value)"
ABSENT: Final = "(absent)"
_PRINT_SHOWN: Final = 12


def print_of(fingerprint: Digest) -> str:
    """As much of it as people type."""
    return fingerprint.removeprefix("sha256:")[:_PRINT_SHOWN]


def verdict(report: DriftReport) -> str:
    match report.outcome:
        case LookOutcome.IN_STEP:
            return f"No drift: {report.stack} is as it was left."
        case LookOutcome.NOT_CHECKED:
            return f"No drift seen of {report.stack}, but not all could be looked at."
        case LookOutcome.SKIPPED:
            return f"Drift of {report.stack} not looked for: a run of it is under way."
        case LookOutcome.ACKNOWLEDGED:
            findings = counted(len(report.standing), "finding")
            return f"Known drift of {report.stack}: {findings}, acknowledged."
        case LookOutcome.DRIFTED:
            return _counts(report)
        case _:
            assert_never(report.outcome)


def _counts(report: DriftReport) -> str:
    counting = [one for one in report.standing if one.counts]
    kinds = ", ".join(f"{count} {kind.value}" for kind, count in report.counts.items() if count)
    text = f"Drift of {report.stack}: {counted(len(counting), 'finding')} ({kinds})"
    known = len(report.acknowledged)
    if report.previous is not None:
        new = sum(one.is_new for one in counting) or "none"
        text += f", {new} new since {moment(report.previous)}"
    return f"{text}; {known} more acknowledged." if known else f"{text}."


def last_run(report: DriftReport) -> str:
    """Empty where there is nothing to say of it."""
    match report.last_run:
        case LastRun.SETTLED:
            return ""
        case LastRun.UNDER_WAY:
            return report.run_words
        case LastRun.OPEN:
            return f"{report.run_words}: what differs may be its doing, half done"
        case _:
            assert_never(report.last_run)


def head(finding: Finding) -> str:
    return f"{finding.severity.value}[{finding.kind.value}/{finding.code}]"


def sides(finding: Finding, width: int) -> tuple[str, str] | None:
    """Before and after, made safe, of several lines where one does not hold them; None: neither."""
    if finding.before is None and finding.after is None:
        return None
    both = (finding.before, finding.after)
    before, after = (ABSENT if one is None else shown_value(one, width) for one in both)
    return before, after


def story(standing: Standing) -> str:
    if standing.is_new:
        return "new"
    return f"stands for {standing_for(standing.stood)}, since {moment(standing.first_seen)}"


def acknowledged(said: Acknowledgement) -> str:
    return f"{said.why} ({said.by}, {until(said)})"


def until(said: Acknowledgement) -> str:
    return "until it clears" if said.until is None else f"until {moment(said.until)}"


def cleared(report: DriftReport, one: Remembered) -> str:
    stood = standing_for(report.looked_at - one.first_seen)
    return f"{one.summary} ({print_of(one.fingerprint)}, stood for {stood})"


def unseen(one: Remembered) -> str:
    return f"{one.summary} (stood when last seen, {moment(one.last_seen)})"


def unread(one: Unread) -> str:
    return f"{one.what.value}: {one.reason} ({one.remedy})"


def not_checked(report: DriftReport) -> tuple[str, ...]:
    failed = report.drift.unread if report.drift else ()
    return (*(unseen(one) for one in report.unseen), *(unread(one) for one in failed))


def pending(report: DriftReport) -> str:
    """Empty where there is nothing."""
    waiting = report.drift.pending if report.drift else ()
    if not waiting:
        return ""
    return f"not applied yet, and no drift: {', '.join(waiting)} (see `nvcfplan plan`)"
