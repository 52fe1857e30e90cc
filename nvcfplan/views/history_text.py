"""Runs as text: a list of them, one from end to end, and who holds a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.applying import RunOutcome
from nvcfplan.reports import StepFate
from nvcfplan.views.event_text import failure_text
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted, deed, lasting, subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nvcfplan.applying import LeaseSeen
    from nvcfplan.reports import RunReport, RunStage, RunStep

_COMMIT_SHOWN: Final = 12
_MARKS: Final = {
    StepFate.DONE: "+",
    StepFate.DONE_BEFORE: "+",
    StepFate.ADOPTED: "+",
    StepFate.FAILED: "x",
    StepFate.UNKNOWN: "?",
    StepFate.NOT_STARTED: " ",
    StepFate.SUPERSEDED: " ",
}


def render_history(runs: Sequence[RunReport], *, colour: bool, width: int = WIDTH) -> str:
    """Two or three lines a run, in the order given."""
    ink = Ink(colour, width)
    return "\n".join(line for run in runs for line in _entry(run, ink))


def render_run(run: RunReport, *, colour: bool, width: int = WIDTH) -> str:
    """A run from end to end: who and when, each plan it took up, each step with what came of it."""
    ink = Ink(colour, width)
    parts = [_head(run, ink), *(_stage(run, stage, ink) for stage in run.stages)]
    if run.cause is not None:
        parts.append(_cause(run.cause, ink))
    return "\n\n".join("\n".join(part) for part in parts)


def render_lock(
    stack: str, lease: LeaseSeen | None, run: RunReport | None, *, colour: bool, width: int = WIDTH
) -> str:
    """In the words of Terraform's lock; and what the run that is not settled has in flight."""
    ink = Ink(colour, width)
    lines = [ink.bold(f"Lock of {safe(stack)}:")]
    if lease is None:
        lines.append("  nobody holds it")
    else:
        lines += _lease(lease)
    if run is not None:
        lines += ["", *_open_run(run, ink)]
    return "\n".join(lines)


def _entry(run: RunReport, ink: Ink) -> list[str]:
    lines = [f"{safe(run.run)}  {_moment(run.began_at)}  {_outcome(run, ink)}"]
    if run.stages:
        lines += ink.folded(f"{_counts(run)}; {_about(run)}", first="    ", rest="    ")
    if run.cause is not None:
        lines += ink.folded(f"cause: {_failed(run.cause)}", first="    ", rest="      ")
    return lines


def _about(run: RunReport) -> str:
    words = [f"by {run.actor}"] if run.actor else []
    words += [f"commit {run.commit[:_COMMIT_SHOWN]}"] if run.commit else []
    has_ended = run.outcome is not None and run.seconds is not None
    words += [f"took {lasting(run.seconds or 0)}"] if has_ended else []
    words += [f"taken up again {counted(len(run.parts) - 1, 'time')}"] if run.parts[1:] else []
    return ", ".join(words)


def _counts(run: RunReport) -> str:
    counts = run.counts
    imported = f"{counts.imported} imported, " if counts.imported else ""
    rest = f"{counts.added} added, {counts.changed} changed, {counts.destroyed} destroyed"
    return imported + rest


def _outcome(run: RunReport, ink: Ink) -> str:
    if not run.stages:
        return ink.faint("nothing was begun")
    if run.outcome is None:
        return ink.red("no end is written down")
    told = run.outcome.value
    return ink.green(told) if run.outcome is RunOutcome.APPLIED else ink.yellow(told)


def _head(run: RunReport, ink: Ink) -> list[str]:
    rows = [
        ("stack", run.stack),
        ("result", f"{run.outcome.value if run.outcome else 'no end is written down'}"),
        ("done", _counts(run)),
        ("plan", run.digest or ""),
        ("commit", run.commit),
        ("by", run.actor),
        ("job", run.link),
        ("nvcfplan", run.tool_version),
        ("began", _moment(run.began_at)),
        ("ended", _ended(run)),
    ]
    lines = [ink.bold(f"Run {safe(run.run)}")]
    lines += [f"  {name + ':':<10} {safe(value)}" for name, value in rows if value]
    for part in run.parts[1:]:
        lines.append(f"  {'again:':<10} {_moment(part.at)} by {safe(part.by)}")
    if run.is_open:
        lines.append(ink.yellow("  It is not settled: `nvcfplan resume` or `nvcfplan rollback`."))
    return lines


def _ended(run: RunReport) -> str:
    if run.outcome is None or run.seconds is None:
        return ""
    return f"{_moment(run.ended_at)}, after {lasting(run.seconds)}"


def _stage(run: RunReport, stage: RunStage, ink: Ink) -> list[str]:
    is_first = stage is run.stages[0]
    title = "Steps" if is_first else f"Then, at {_moment(stage.taken_at)}: {stage.why}"
    head = ink.folded(f"{title} ({len(stage.steps)}):", first="", rest="  ")
    lines = [ink.bold(line) for line in head]
    for step in stage.steps:
        lines += ink.folded(_step(step), first=f"  {_MARKS[step.fate]} ", rest="      ")
    return lines


def _step(step: RunStep) -> str:
    lasted = f" after {lasting(step.seconds)}" if step.seconds is not None else ""
    tries = f", {step.attempts} attempts" if step.attempts > 1 else ""
    match step.fate:
        case StepFate.NOT_STARTED:
            return f"{step.step}: not begun"
        case StepFate.SUPERSEDED:
            return f"{step.step}: given up for a rung of the ladder"
        case StepFate.UNKNOWN:
            return f"{step.step}: sent, and what came of it is not written down{tries}"
        case StepFate.FAILED:
            told = failure_text(step.failure) if step.failure else "failed"
            return f"{step.step}: failed{lasted}{tries}: {told}"
        case StepFate.ADOPTED:
            return f"{step.step}: found done{lasted}{tries}"
        case StepFate.DONE | StepFate.DONE_BEFORE:
            return f"{step.step}: done{lasted}{tries}"


def _cause(step: RunStep, ink: Ink) -> list[str]:
    return [ink.red(line) for line in ink.folded(f"Cause: {_failed(step)}", first="", rest="  ")]


def _failed(step: RunStep) -> str:
    told = failure_text(step.failure) if step.failure else "failed"
    return f"{deed(step.task)} of {subject_of(step.task)}: {told}"


def _lease(lease: LeaseSeen) -> list[str]:
    errand = lease.errand
    life = "its process has ended" if lease.is_dead else f"renewed {lease.heartbeat} times so far"
    rows = [
        ("Who", lease.holder),
        ("Operation", errand.operation),
        ("Job", errand.link),
        ("Version", errand.tool_version),
        ("Created", f"{lease.since}, by its own clock"),
        ("Epoch", str(lease.epoch)),
        ("Heartbeat", life),
    ]
    return [f"  {name + ':':<10} {safe(value)}" for name, value in rows if value]


def _open_run(run: RunReport, ink: Ink) -> list[str]:
    lines = [ink.bold(f"Run {safe(run.run)} is not settled; its journal is kept")]
    lines += ink.folded(f"began {_moment(run.began_at)}, {_about(run)}", first="  ", rest="    ")
    flying = [step for stage in run.stages for step in stage.steps if step.fate is StepFate.UNKNOWN]
    for step in flying:
        lines += ink.folded(f"in flight: {step.step}", first="  ", rest="    ")
    return lines if flying else [*lines, "  nothing is in flight"]


def _moment(at: datetime | None) -> str:
    return "unknown time" if at is None else at.isoformat(sep=" ", timespec="seconds")[:19] + "Z"
