"""Which versions of a run failed, and until when each is kept to be looked at.

What failed for lack of room, or for the sake of the account, says nothing about the version, so
that is not kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.applying.failures import FailureClass
from nvcfplan.applying.retracing import carried_out
from nvcfplan.applying.rollback import rollback_plan
from nvcfplan.plans import AwaitActive, CreateFunction, CreateVersion, Deploy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from nvcfplan.applying.tracking import Bindings, Course
    from nvcfplan.model import Address, StepId, VersionId
    from nvcfplan.plans import Plan

Steps = tuple["Course", frozenset["StepId"]]

_NOT_ITS_FAULT: Final = frozenset(
    {
        FailureClass.CAPACITY,
        FailureClass.QUOTA,
        FailureClass.PLACEMENT,
        FailureClass.ACCOUNT_LIMIT,
        FailureClass.ALREADY_DEPLOYED,
        FailureClass.AUTHORIZATION,
        FailureClass.SECRET_UNAVAILABLE,
        FailureClass.NOT_FOUND,
        FailureClass.UNREACHABLE,
        FailureClass.TRANSIENT,
    }
)


def plan_back(courses: Sequence[Steps], bindings: Bindings, at: datetime) -> Plan:
    """What undoes `courses`, oldest first, but keeps what failed and is to be looked at."""
    kept = kept_failures(courses, bindings, at)
    return rollback_plan(replace(carried_out(courses, bindings), kept=kept))


def kept_failures(
    courses: Sequence[Steps], bindings: Bindings, at: datetime
) -> tuple[tuple[VersionId, datetime], ...]:
    """Of the versions that `courses` made, oldest course first; `at`: the time of day. By id."""
    made: dict[VersionId, timedelta] = {}
    failed: set[VersionId] = set()
    for course, steps in courses:
        terms = {one.address: one.lifecycle.keep_failed for one in course.plan.desired.functions}
        made.update(_made(course, steps, bindings, terms))
        for step in steps:
            failed = _judged(course, step, bindings, failed)
    return tuple(sorted((one, at + made[one]) for one in failed if one in made))


def _made(
    course: Course,
    steps: frozenset[StepId],
    bindings: Bindings,
    terms: dict[Address, timedelta | None],
) -> Iterator[tuple[VersionId, timedelta]]:
    """With the time for which each would be kept."""
    for one in steps:
        task = course.steps[one].task
        if isinstance(task, CreateFunction | CreateVersion):
            bound, term = bindings.of(task.version), terms.get(task.version.address)
            if bound is not None and bound[1] is not None and term:
                yield bound[1], term


def _judged(
    course: Course, step: StepId, bindings: Bindings, failed: set[VersionId]
) -> set[VersionId]:
    """`failed`, and whether it is by this step. One that came up in the end did not fail."""
    task, state = course.steps[step].task, course.state(step)
    if not isinstance(task, AwaitActive | Deploy):
        return failed
    bound = bindings.of(task.version)
    if bound is None or bound[1] is None:
        return failed
    if course.is_done(step):
        return failed - {bound[1]} if isinstance(task, AwaitActive) else failed
    is_at_fault = state.failure is not None and state.failure.kind not in _NOT_ITS_FAULT
    return failed | {bound[1]} if is_at_fault else failed
