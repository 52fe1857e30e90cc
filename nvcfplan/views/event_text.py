"""Progress of a run, a line at a time, in Terraform's manner."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying import (
    Event,
    RepairBegan,
    RollbackBegan,
    RunBegan,
    RunFinished,
    RungRefused,
    RungTaken,
    RungWaiting,
    RunStopping,
    StepFailed,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepWaiting,
)
from nvcfplan.views.ink import Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import about_left, counted, deed, doing, lasting, subject_of

if TYPE_CHECKING:
    from nvcfplan.applying import Failure, RungName


def render_event(
    event: Event, *, left_seconds: float | None = None, colour: bool = False
) -> str | None:
    """None: nothing to say of it. `left_seconds`: how long the step is expected to go on.

    How a run finished is the report's, and that a step waits is said when it begins.
    """
    ink = Ink(colour)
    match event:
        case RunBegan():
            return _began(event)
        case RunFinished():
            return None
        case RollbackBegan():
            return _rollback(event, ink)
        case RepairBegan():
            return f"{safe(event.step)}: {safe(event.reason)}; clearing that away first."
        case RungTaken():
            return _rung(event, ink)
        case RungRefused(rung=rung, reason=reason):
            return ink.yellow(f"{rung_text(rung)}: not possible: {safe(reason)}")
        case RungWaiting(rung=rung, reason=reason, left_seconds=left):
            waits = f"waiting for capacity, at most {lasting(left)} more"
            return f"{rung_text(rung)}: {waits}: {safe(reason)}"
        case RunStopping():
            return ink.yellow(_stopping(event))
        case StepWaiting():
            return _waiting(event, left_seconds)
        case _:
            return _step(event, ink)


def event_line(at: float, done: int, total: int, message: str) -> str:
    """`00:02:13  3/18  function.chat@new: ...`: how long the run has lasted, and how far it is."""
    minutes, seconds = divmod(int(at), 60)
    hours, minutes = divmod(minutes, 60)
    width = len(str(total))
    stand = f"{hours:02}:{minutes:02}:{seconds:02}  {done:>{width}}/{total}"
    return "\n".join(f"{stand}  {line}" for line in message.splitlines())


def failure_text(failure: Failure) -> str:
    """`capacity: the server's words (HTTP 400, request 7f3a)`."""
    sources = [f"HTTP {failure.status}"] if failure.status is not None else []
    sources += [f"request {failure.request_id}"] if failure.request_id else []
    origin = f" ({', '.join(sources)})" if sources else ""
    return safe(f"{failure.kind}: {failure.message}{origin}")


def _waiting(event: StepWaiting, left_seconds: float | None) -> str:
    left = "" if left_seconds is None else f", {about_left(left_seconds)}"
    elapsed = f"[{lasting(event.elapsed_seconds)} elapsed{left}]"
    return f"{subject_of(event.task)}: still {doing(event.task)} {elapsed}: {safe(event.reason)}"


def _step(event: StepStarted | StepRetried | StepSucceeded | StepFailed, ink: Ink) -> str:
    who = subject_of(event.task)
    match event:
        case StepStarted():
            return f"{who}: {doing(event.task)}..."
        case StepRetried():
            pause = lasting(event.pause_seconds)
            again = f"{who}: {deed(event.task)} is tried again in {pause} (attempt {event.attempt})"
            return ink.yellow(f"{again}: {safe(event.reason)}")
        case StepSucceeded():
            found = ", found done" if event.is_adopted else ""
            done = f"{deed(event.task)} complete after {lasting(event.elapsed_seconds)}"
            return f"{who}: {done}{found}"
        case StepFailed():
            failed = f"{deed(event.task)} failed after {lasting(event.elapsed_seconds)}"
            return ink.red(f"{who}: {failed}: {failure_text(event.failure)}")
        case _:
            assert_never(event)


def _began(event: RunBegan) -> str:
    steps = counted(len(event.planned), "step")
    if not event.is_resumed:
        return f"Run {safe(event.run)}: {steps}."
    return f"Going on with run {safe(event.run)}: {len(event.done)} of {steps} done before."


def _rollback(event: RollbackBegan, ink: Ink) -> str:
    undoing = f"Rolling back: {counted(len(event.steps), 'step')}."
    if event.cause is None:
        return ink.yellow(undoing)
    cause = f"{subject_of(event.cause.task)}: {failure_text(event.cause.failure)}"
    return f"{ink.red(f'Cause: {cause}')}\n{ink.yellow(undoing)}"


def rung_text(rung: RungName) -> str:
    """`function.chat: rung 1 of 3, fallback 1 of 2`."""
    return f"{safe(rung.address)}: rung {rung.number} of {rung.total}, {rung.words}"


def _rung(event: RungTaken, ink: Ink) -> str:
    cause = f"{subject_of(event.cause.task)}: {failure_text(event.cause.failure)}"
    steps = counted(len(event.planned), "step")
    taken = f"{rung_text(event.rung)}: planned anew from what is there now: {steps}."
    return f"{ink.red(f'Cause: {cause}')}\n{ink.yellow(taken)}"


def _stopping(event: RunStopping) -> str:
    waiting = counted(len(event.in_flight), "call")
    tail = f"; {waiting} in flight may still be answered" if event.in_flight else ""
    return f"Stopping: {safe(event.reason)}. Nothing new is started{tail}."
