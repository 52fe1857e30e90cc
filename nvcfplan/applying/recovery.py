"""What a journal says, wherever it was cut: how far each step came, and what the state becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying.effects import Done, Refused, Unanswered
from nvcfplan.applying.journal import (
    Intent,
    Outcome,
    PlanTaken,
    RowGone,
    RunEnded,
    RungAwaited,
    RunOutcome,
    RunStarted,
)
from nvcfplan.applying.parts import parts_of
from nvcfplan.applying.repair import MARK, is_redeployment
from nvcfplan.applying.rollback import ALL_FAILED, ASKED_FOR, PREFIX
from nvcfplan.applying.tracking import Bindings, Course, Kind, Status
from nvcfplan.plans import AwaitActive, AwaitReleased, Undeploy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from nvcfplan.applying.journal import Record
    from nvcfplan.applying.settings import PlanCodec
    from nvcfplan.model import StepId
    from nvcfplan.plans import Plan


@dataclass(slots=True, kw_only=True)
class Replayed:
    """`courses`: the first is the run's own plan; empty: the journal ends before it.

    `ended`: the last record's outcome; None: the run was cut off.
    """

    started: RunStarted | None
    courses: list[Course]
    bindings: Bindings
    ended: RunOutcome | None = None
    is_asked_for: bool = False

    @property
    def is_open(self) -> bool:
        return self.ended is None or self.ended.is_open

    def course_of(self, step: StepId) -> Course:
        """Raises: AssertionError for a step that no plan of the journal has."""
        found = next((one for one in reversed(self.courses) if step in one.steps), None)
        assert found is not None, f"no plan in the journal has {step}"
        return found


def replay(records: Sequence[Record], codec: PlanCodec) -> Replayed:
    """Where there is only one way to go on, failures are forgiven: whoever resumes tries again."""
    replayed = Replayed(started=None, courses=[], bindings=Bindings(()))
    for record in records:
        replayed.ended = None
        match record:
            case RunStarted():
                replayed.started = record
            case PlanTaken():
                _take(replayed, codec.decode(record.document), record)
            case Intent(step=step):
                course = replayed.course_of(step)
                pending = replace(course.state(step), status=Status.PENDING)
                course.put(step, pending.after_intent(record))
            case Outcome():
                _end_step(replayed, record)
            case RowGone() | RungAwaited():
                pass
            case RunEnded(outcome=outcome):
                replayed.ended = outcome
            case _:
                assert_never(record)
    _forgive(replayed)
    _resume_repairs(replayed)
    return replayed


def _take(replayed: Replayed, plan: Plan, taken: PlanTaken) -> None:
    if not replayed.courses:
        replayed.courses.append(Course(plan, Kind.FORWARD))
        replayed.bindings = Bindings(plan.bindings)
        return
    if taken.rung is not None:
        replayed.courses.append(Course(plan, Kind.RUNG, rung=taken.rung))
        replayed.bindings.add(plan.bindings)
        return
    first = plan.steps[0].id
    if MARK in first:
        replayed.courses.append(Course(plan, Kind.REPAIR, mends=_mended(replayed, plan)))
    elif first.startswith(PREFIX):
        replayed.courses.append(Course(plan, Kind.UNDO))
        replayed.is_asked_for = replayed.is_asked_for or taken.why in (ASKED_FOR, ALL_FAILED)
    else:
        raise AssertionError(f"a second plan that neither undoes nor repairs: {first}")


def _mended(replayed: Replayed, repair: Plan) -> StepId | None:
    """The wait of another course for the version that the repair deploys again, or undeploys."""
    first = repair.steps[0].task
    waited = AwaitActive if is_redeployment(repair) else AwaitReleased
    assert isinstance(first, Undeploy), first
    return next(
        (
            step.id
            for course in reversed(replayed.courses)
            if course.kind is not Kind.REPAIR
            for step in course.plan.steps
            if isinstance(step.task, waited)
            and step.task.version == first.version
            and not course.is_done(step.id)
        ),
        None,
    )


def _end_step(replayed: Replayed, outcome: Outcome) -> None:
    course = replayed.course_of(outcome.step)
    step = course.steps[outcome.step]
    state = course.state(step.id).after_outcome(outcome)
    match outcome.result:
        case Done() as done:
            replayed.bindings.absorb(step.task, done)
            course.put(step.id, replace(state, status=Status.DONE))
        case Refused(failure=failure):
            is_final = course.is_final(step, failure)
            course.put(
                step.id, replace(state, status=Status.FAILED if is_final else Status.PENDING)
            )
        case Unanswered():
            course.put(step.id, replace(state, status=Status.PENDING))


def _forgive(replayed: Replayed) -> None:
    """A part that was left where it is has not been undone, though the run ended."""
    undos = [course for course in replayed.courses if course.kind is Kind.UNDO]
    for course in undos:
        _forgive_steps(course, course.steps)
        _doubt_waits(course)
    undone = {address for course in undos for address in course.addresses}
    for part in parts_of(replayed.courses):
        is_left = replayed.ended is RunOutcome.INCOMPLETE and part.addresses.isdisjoint(undone)
        if is_left or part.stuck(replayed.bindings):
            _forgive_steps(part.course, part.steps)


def _forgive_steps(course: Course, steps: Collection[StepId]) -> None:
    for step in course.with_status(Status.FAILED):
        if step in steps:
            is_doubtful = isinstance(course.steps[step].task, AwaitActive)
            course.set(step, Status.DOUBTFUL if is_doubtful else Status.PENDING)


def _doubt_waits(undo: Course) -> None:
    """What was being waited for may have died while nobody looked; an undo has no other way."""
    for step in undo.startable():
        if isinstance(undo.steps[step].task, AwaitActive):
            undo.set(step, Status.DOUBTFUL)


def _resume_repairs(replayed: Replayed) -> None:
    """A repair that failed is given up, and its cause looked at anew; one cut off goes on."""
    for repair in replayed.courses:
        if repair.kind is not Kind.REPAIR:
            continue
        repair.is_given_up = bool(repair.with_status(Status.FAILED))
        is_over = repair.is_given_up or repair.is_all_done
        if repair.mends is None:
            continue
        course = replayed.course_of(repair.mends)
        if course.is_done(repair.mends):
            continue
        if repair.is_given_up and is_redeployment(repair.plan):
            course.set(repair.mends, Status.DOUBTFUL)
        else:
            course.set(repair.mends, Status.PENDING if is_over else Status.MENDING)
