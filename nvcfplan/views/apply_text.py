"""How a run ended, as text: cause first, then what was undone, what is missing, what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying import RunOutcome, remedy_of
from nvcfplan.reports import Operation, StepFate
from nvcfplan.views.capacity_text import draw_shortages
from nvcfplan.views.event_text import failure_text
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted, deed, subject_of

if TYPE_CHECKING:
    from nvcfplan.applying import Blocked, Cause
    from nvcfplan.reports import ApplyReport


def render_apply(
    report: ApplyReport, *, colour: bool, width: int = WIDTH, again: str | None = ""
) -> str:
    """`again`: what follows the next command's name, to say what to type; None: nothing is said."""
    ink = Ink(colour, width)
    parts = [
        [line for cause in report.causes for line in _cause(cause, ink)],
        _blocked(report.blocked, ink) if report.blocked else [],
        [ending(report, ink), *_satisfied(report, ink), *_undone(report), *_kept(report, ink)],
        _hints(report, again) if again is not None and report.is_open else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def ending(report: ApplyReport, ink: Ink) -> str:
    """How the run ended, in one sentence."""
    name = report.operation.value.capitalize()
    match report.outcome:
        case RunOutcome.APPLIED:
            return ink.green(f"{name} complete! Resources: {_counts(report)}.")
        case RunOutcome.ROLLED_BACK if report.operation is Operation.ROLLBACK:
            kept = " but for what is kept" if report.kept else ""
            as_before = f"The account is as it was before the run{kept}."
            return ink.green(f"Rollback complete! {as_before}")
        case RunOutcome.ROLLED_BACK if report.operation is Operation.RESUME:
            return ink.yellow("The undo is complete: what was undone is as it was before the run.")
        case RunOutcome.ROLLED_BACK:
            rest = _rest(report)
            return ink.red(f"{name} failed; every part that failed was undone.{rest}")
        case RunOutcome.FAILED:
            return ink.red(f"{name} failed; nothing was changed.")
        case RunOutcome.NO_CAPACITY:
            return ink.red(f"{name} failed for want of capacity; nothing was changed.")
        case RunOutcome.INCOMPLETE:
            return ink.red(f"{name} is incomplete: {_progress(report)}.")
        case RunOutcome.INTERRUPTED:
            return ink.yellow(f"{name} was interrupted: {_progress(report)}.")
        case _:
            assert_never(report.outcome)


def _counts(report: ApplyReport) -> str:
    counts = report.counts
    if report.operation is Operation.DESTROY:
        return f"{counts.destroyed} destroyed"
    imported = f"{counts.imported} imported, " if counts.imported else ""
    rest = f"{counts.added} added, {counts.changed} changed, {counts.destroyed} destroyed"
    return imported + rest


def _rest(report: ApplyReport) -> str:
    counts = report.counts
    done = counts.added + counts.changed + counts.destroyed
    if not done:
        kept = " but for what is kept" if report.kept else ""
        return f" The account is as it was before{kept}."
    rest = f"{counts.added} added, {counts.changed} changed, {counts.destroyed} destroyed"
    return f" Independent of it: {rest}."


def _progress(report: ApplyReport) -> str:
    fates = [one.fate for one in report.steps]
    undecided = fates.count(StepFate.NOT_STARTED) + fates.count(StepFate.FAILED)
    return f"{len(fates) - undecided} of {counted(len(fates), 'step')} done"


def _cause(cause: Cause, ink: Ink) -> list[str]:
    head = f"{deed(cause.task)} of {subject_of(cause.task)} failed"
    lines = [ink.red(f"Cause: {head}")]
    lines += ink.folded(failure_text(cause.failure), first="  why: ", rest="       ")
    remedy = remedy_of(cause.failure)
    return lines + ink.folded(remedy, first="  try: ", rest="       ") if remedy else lines


def _blocked(blocked: Blocked, ink: Ink) -> list[str]:
    where = f"at {safe(blocked.step)}" if blocked.step else "as a whole"
    lines = [ink.red(f"Blocked {where}")]
    lines += ink.folded(failure_text(blocked.failure), first="  why: ", rest="       ")
    lines += draw_shortages(blocked.missing, ink)
    if blocked.remaining:
        lines.append(f"  still to do ({len(blocked.remaining)}):")
        lines += [f"    {safe(step)}" for step in blocked.remaining]
    return lines


def _satisfied(report: ApplyReport, ink: Ink) -> list[str]:
    return [
        ink.yellow(f"{safe(one.address)} is satisfied by {one.words}.") for one in report.satisfied
    ]


def _undone(report: ApplyReport) -> list[str]:
    if not report.undone:
        return []
    return [f"Undone: {counted(len(report.undone), 'step')}."]


def _kept(report: ApplyReport, ink: Ink) -> list[str]:
    return [
        line
        for one in report.kept
        for line in ink.folded(
            f"Kept: {one.version}, which failed; undeployed, until {one.until:%Y-%m-%d %H:%M} UTC.",
            first="",
            rest="  ",
        )
    ]


def _hints(report: ApplyReport, again: str) -> list[str]:
    lines = [f"Run {safe(report.run)} is kept. To go on with it, or to undo it:"]
    return [*lines, *(f"  nvcfplan {verb}{safe(again)}" for verb in ("resume", "rollback"))]
