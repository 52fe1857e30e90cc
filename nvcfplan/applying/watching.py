"""The watch list after a run: creating calls of ours whose work nobody waits for any more.

Should one of them arrive late, or a second time, the next plan deletes what it made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from nvcfplan.applying.effects import Done
from nvcfplan.applying.journal import Intent, Outcome
from nvcfplan.applying.tracking import Kind
from nvcfplan.plans import CreateFunction, CreateVersion, DeleteVersion, UpdateMetadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.applying.journal import Record
    from nvcfplan.applying.recovery import Replayed
    from nvcfplan.applying.tracking import Course
    from nvcfplan.model import OperationId, State, StepId

WATCHED_FOR: Final = timedelta(days=30)
"""No network holds a request back for so long; a deployment takes two hours at most."""

Watched = tuple[tuple["OperationId", datetime], ...]
"""With the time from which each has been watched for; by operation."""


def watched_after(
    state: State, records: Sequence[Record], replayed: Replayed, now: datetime
) -> Watched:
    """`records` as replayed. What was answered, found or swept is watched for no more."""
    answered = _answered(records)
    since = dict(watched_now(state, now))
    for operation in (*_lost(replayed), *_taken_back(replayed, answered)):
        since.setdefault(operation, now)
    undone = set(_taken_back(replayed, answered))
    for operation in {*answered.values()} - undone | {*_swept(replayed)}:
        since.pop(operation, None)
    return tuple(sorted(since.items()))


def watched_now(state: State, now: datetime) -> Watched:
    """Without what has been watched for long enough."""
    since = dict(state.watched_since)
    known = ((operation, since.get(operation, now)) for operation in state.watched)
    return tuple(sorted(one for one in known if now - one[1] < WATCHED_FOR))


def _answered(records: Sequence[Record]) -> dict[StepId, OperationId]:
    """By step, the operation that is known to have made what it should."""
    sent: dict[tuple[StepId, int], OperationId] = {}
    found: dict[StepId, OperationId] = {}
    for record in records:
        if isinstance(record, Intent):
            sent[record.step, record.attempt] = record.operation
        elif isinstance(record, Outcome) and isinstance(record.result, Done):
            operation = sent.get((record.step, record.attempt))
            if operation is not None:
                found[record.step] = operation
    return found


def _lost(replayed: Replayed) -> tuple[OperationId, ...]:
    """Of which it is not known whether they had an effect, or which had none when it was asked."""
    return tuple(
        operation
        for course in replayed.courses
        for step in _creating(course)
        for operation in course.state(step).lost
    )


def _taken_back(replayed: Replayed, answered: dict[StepId, OperationId]) -> tuple[OperationId, ...]:
    """Of what an undo deleted, or keeps as failed: served twice, the second would be nobody's."""
    undone = {
        step.task.version
        for course in replayed.courses
        if course.kind is Kind.UNDO
        for step in course.plan.steps
        if isinstance(step.task, DeleteVersion | UpdateMetadata) and course.is_done(step.id)
    }
    return tuple(
        answered[one]
        for course in replayed.courses
        for one in _creating(course)
        if one in answered and _made(course, one) in undone
    )


def _swept(replayed: Replayed) -> Iterator[OperationId]:
    """Late arrivals that are deleted now."""
    for course in replayed.courses[:1]:
        late = {one.version: one.late for one in course.plan.fingerprint.live if one.late}
        for step in course.plan.steps:
            if isinstance(step.task, DeleteVersion) and course.is_done(step.id):
                bound = replayed.bindings.of(step.task.version)
                operation = late.get(bound[1]) if bound and bound[1] else None
                if operation is not None:
                    yield operation


def _creating(course: Course) -> Iterator[StepId]:
    for step in course.plan.steps:
        if isinstance(step.task, CreateFunction | CreateVersion):
            yield step.id


def _made(course: Course, step: StepId) -> object:
    task = course.steps[step].task
    assert isinstance(task, CreateFunction | CreateVersion), step
    return task.version
