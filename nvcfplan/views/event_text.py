"""Progress of a run, a line at a time, in Terraform's manner."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying import (
    Event,
    RepairBegan,
    RollbackBegan,
    RunBegan,
    RunFinished,
    RunStopping,
    StepFailed,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepWaiting,
)
from nvcfplan.views.ink import Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted, deed, doing, lasting, subject_of

if TYPE_CHECKING:
    from nvcfplan.applying import Failure


def render_event(event: Event, *, colour: bool = False) -> str | None:
    """None: nothing to say of it.

    How a run finished is the report's, and that a step waits has been said when it began.
    """
    ink = Ink(colour)
    match event:
        case RunBegan():
            return _began(event)
        case RunFinished():
            return None
        case StepWaiting(elapsed_seconds=elapsed) if elapsed < 1:
            return None
        case RollbackBegan():
            return _rollback(event, ink)
        case RepairBegan():
            return f"Clearing away what {safe(event.step)} left, then doing it again."
        case RunStopping():
            return ink.yellow(_stopping(event))
        case _:
            return _step(event, ink)


def failure_text(failure: Failure) -> str:
    """`capacity: the server's words (HTTP 400, request 7f3a)`."""
    sources = [f"HTTP {failure.status}"] if failure.status is not None else []
    sources += [f"request {failure.request_id}"] if failure.request_id else []
    origin = f" ({', '.join(sources)})" if sources else ""
    return safe(f"{failure.kind}: {failure.message}{origin}")


def _step(
    event: StepStarted | StepWaiting | StepRetried | StepSucceeded | StepFailed, ink: Ink
) -> str:
    who = subject_of(event.task)
    match event:
        case StepStarted():
            return f"{who}: {doing(event.task)}..."
        case StepWaiting():
            elapsed = lasting(event.elapsed_seconds)
            return f"{who}: still {doing(event.task)} [{elapsed} elapsed]: {safe(event.reason)}"
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


def _began(event: RunBegan) -> str | None:
    if not event.is_resumed:
        return None
    done, steps = len(event.done), counted(len(event.steps), "step")
    return f"Going on with run {safe(event.run)}: {done} of {steps} done before."


def _rollback(event: RollbackBegan, ink: Ink) -> str:
    undoing = f"Rolling back: {counted(len(event.steps), 'step')}."
    if event.cause is None:
        return ink.yellow(undoing)
    cause = f"{subject_of(event.cause.task)}: {failure_text(event.cause.failure)}"
    return f"{ink.red(f'Cause: {cause}')}\n{ink.yellow(undoing)}"


def _stopping(event: RunStopping) -> str:
    waiting = counted(len(event.in_flight), "call")
    tail = f"; {waiting} in flight may still be answered" if event.in_flight else ""
    return f"Stopping: {safe(event.reason)}. Nothing new is started{tail}."
