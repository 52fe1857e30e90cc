"""Carries out the steps of all courses of a run: begins what is ready, and notes how it ended.

What a failure leads to is not decided here: it condemns its component, and the machine sees that.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying.effects import Done
from nvcfplan.applying.engine import Engine, Gate, Owner
from nvcfplan.applying.events import (
    Cause,
    Event,
    RepairBegan,
    RungName,
    RungWaiting,
    StepFailed,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepWaiting,
)
from nvcfplan.applying.flows import (
    Ask,
    Dead,
    Ended,
    Failed,
    Flow,
    Observe,
    Planned,
    Reckoned,
    Rest,
    Retrying,
    Send,
    Succeeded,
    Undecided,
    Unplanned,
    Waiting,
    Write,
)
from nvcfplan.applying.journal import Intent, OnRung, Outcome, PlanTaken
from nvcfplan.applying.mutating import mutate, settle_open
from nvcfplan.applying.parts import Part, parts_of
from nvcfplan.applying.preparing import Preparation
from nvcfplan.applying.repair import repair_plan
from nvcfplan.applying.settings import OnFailure
from nvcfplan.applying.tracking import Course, Kind, Status
from nvcfplan.applying.waiting import revive, wait
from nvcfplan.model import StepId
from nvcfplan.plans import Irreversible, is_waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.applying.failures import Failure
    from nvcfplan.applying.journal import Record
    from nvcfplan.applying.recovery import Replayed
    from nvcfplan.applying.settings import ApplySettings, Elapsed, PlanCodec, RunContext
    from nvcfplan.plans import Plan, Step


class Running(Owner):
    """`courses`: the run's own plan first, then others as they are taken up.

    `climbs`: by the name of the flow, the rung for which there may be no room, and until when.
    """

    def __init__(
        self, context: RunContext, settings: ApplySettings, codec: PlanCodec, replayed: Replayed
    ) -> None:
        self.settings = settings
        self.courses = replayed.courses
        self.bindings = replayed.bindings
        self.engine = Engine(self)
        self.events: list[Event] = []
        self.began = 0.0
        self.is_stopping = False
        self.climbs: dict[str, tuple[RungName, float]] = {}
        self._codec = codec
        self._preparation = Preparation(
            run=context.run,
            settings=settings,
            bindings=self.bindings,
            releases=[],
            crowd=lambda: len(self.engine.names),
        )
        self._started: dict[StepId, float] = {}
        self._busy: set[StepId] = set()
        self._settled: set[StepId] = set()
        self.parts = parts_of(self.courses)
        self._part_of: dict[str, Part] = {
            step: part for part in self.parts for _, steps in part.courses for step in steps
        }

    def begin(self, elapsed: Elapsed, now: float) -> None:
        """What an earlier part of the run has waited for already counts."""
        self.began = now
        self._preparation.gone_at.update((step, now - passed) for step, passed in elapsed.gone)

    def at(self, now: float) -> float:
        return now - self.began

    def course_of(self, step: str) -> Course | None:
        return next((one for one in self.courses if step in one.steps), None)

    def is_quiet(self, part: Part) -> bool:
        return not any(self.engine.is_running(step) for step in part.steps)

    def begin_ready(self, now: float) -> None:
        """Steps for good last of all, where a failure is to undo the whole run."""
        held = []
        for course, step in self._ready():
            if self._is_for_good(course, step):
                held.append((course, step))
            else:
                self._begin_within_limit(course, step, now)
        if held and not self.engine.names and not self._is_any_unanswered():
            for course, step in held:
                self._begin_within_limit(course, step, now)

    def _ready(self) -> Iterator[tuple[Course, Step]]:
        for course in self.courses:
            if course.is_given_up or self._is_in_vain(course):
                continue
            for step in course.startable():
                part = self._part_of.get(step)
                if part is None or not (part.is_condemned or part.course is not course):
                    yield course, course.steps[step]

    def _begin_within_limit(self, course: Course, step: Step, now: float) -> None:
        if is_waiting(step.task) or len(self._busy) < self.settings.parallelism:
            self._begin(course, step, now)

    def _is_for_good(self, course: Course, step: Step) -> bool:
        is_all_or_nothing = self.settings.on_failure is OnFailure.ALL and course.kind.is_wanted
        is_lasting = isinstance(step.undo, Irreversible) and not is_waiting(step.task)
        return is_all_or_nothing and is_lasting

    def _is_any_unanswered(self) -> bool:
        return any(part.is_condemned and not part.is_settled for part in self.parts)

    def _is_in_vain(self, repair: Course) -> bool:
        """It would deploy what is about to be undone, or what a rung has taken the place of."""
        part = None if repair.mends is None else self._part_of.get(repair.mends)
        if part is None:
            return False
        return part.is_condemned or repair.mends not in part.steps

    def settle(self, part: Part, now: float) -> None:
        """Begins to ask what became of the requests of a condemned part that have no known end."""
        course = part.course
        for one in sorted(part.steps):
            step, intent = course.steps[one], course.state(one).open
            if intent is None or self.engine.is_running(one) or one in self._settled:
                continue
            brief = self._preparation.prepare(course, step, now)
            self._start(course, step, settle_open(brief, intent), now)

    def condemn(self, part: Part, cause: Cause | None) -> None:
        if not part.is_condemned:
            part.is_condemned, part.last = True, cause
            part.cause = part.cause or cause
            self.engine.recheck()

    def take_up(
        self, plan: Plan, kind: Kind, *, why: str, mends: StepId | None = None
    ) -> Flow[Ended]:
        """A plan is carried out only once it stands in the journal."""
        document = self._codec.encode(plan)
        yield Write(PlanTaken(plan=self._codec.digest(plan), document=document, why=why))
        self.courses.append(Course(plan, kind, mends=mends))
        return Succeeded()

    def take_rung(self, part: Part, plan: Plan, rung: OnRung, *, why: str) -> Flow[Ended]:
        """As `take_up`, in the place of what is left of the part."""
        document, digest = self._codec.encode(plan), self._codec.digest(plan)
        yield Write(PlanTaken(plan=digest, document=document, why=why, rung=rung))
        course = Course(plan, Kind.RUNG, rung=rung)
        self.courses.append(course)
        self.bindings.add(plan.bindings)
        part.stand_on(course)
        self._part_of.update(dict.fromkeys(course.steps, part))
        return Succeeded()

    def gate(self, name: str, ask: Ask) -> Gate:
        part = self._part_of.get(name)
        is_condemned = part is not None and part.is_condemned
        if not self.is_stopping and not is_condemned:
            return Gate.OPEN
        match ask:
            case Send():
                return Gate.UNSENT
            case Write(record=Intent()):
                return Gate.CLOSED
            case Write():
                return Gate.OPEN
            case Observe(may_stop=may_stop) | Rest(may_stop=may_stop):
                return Gate.CLOSED if may_stop or self.is_stopping else Gate.OPEN
            case _:
                assert_never(ask)

    def on_record(self, record: Record) -> None:
        if not isinstance(record, Intent | Outcome):
            return
        course = self.course_of(record.step)
        assert course is not None, record
        state = course.state(record.step)
        if isinstance(record, Intent):
            course.put(record.step, state.after_intent(record))
            return
        course.put(record.step, state.after_outcome(record))
        if isinstance(record.result, Done):
            self.bindings.absorb(course.steps[record.step].task, record.result)

    def on_rest(self, name: str, rest: Rest, now: float) -> None:
        course = self.course_of(name)
        if course is None:
            self._rest_on_rung(name, rest, now)
            return
        step = course.steps[StepId(name)]
        match rest.why:
            case Waiting(reason=reason):
                self.events.append(
                    StepWaiting(
                        at=self.at(now),
                        step=step.id,
                        address=step.address,
                        task=step.task,
                        reason=reason,
                        elapsed_seconds=now - self._started[step.id],
                    )
                )
            case Retrying(attempt=attempt, reason=reason):
                self.events.append(
                    StepRetried(
                        at=self.at(now),
                        step=step.id,
                        address=step.address,
                        task=step.task,
                        attempt=attempt,
                        reason=reason,
                        pause_seconds=rest.seconds,
                    )
                )

    def _rest_on_rung(self, name: str, rest: Rest, now: float) -> None:
        if name in self.climbs:
            rung, deadline = self.climbs[name]
            left = max(0.0, deadline - now)
            reason = rest.why.reason
            self.events.append(
                RungWaiting(at=self.at(now), rung=rung, reason=reason, left_seconds=left)
            )

    def on_dropped(self, name: str) -> None:
        course = self.course_of(name)
        if course is not None:
            self._busy.discard(StepId(name))
            course.set(StepId(name), Status.PENDING)

    def _begin(self, course: Course, step: Step, now: float) -> None:
        is_doubtful = course.state(step.id).status is Status.DOUBTFUL
        brief = self._preparation.prepare(course, step, now)
        if not is_waiting(step.task):
            flow = mutate(brief)
        else:
            brief = replace(brief, is_repaired=any(one.mends == step.id for one in self.courses))
            flow = revive(brief) if is_doubtful else wait(brief)
        self._start(course, step, flow, now)

    def _start(self, course: Course, step: Step, flow: Flow[Ended], now: float) -> None:
        course.set(step.id, Status.RUNNING)
        if not is_waiting(step.task):
            self._busy.add(step.id)
        self._started[step.id] = now
        self.events.append(
            StepStarted(at=self.at(now), step=step.id, address=step.address, task=step.task)
        )
        self.engine.start(step.id, flow, partial(self._ended, course, step), now=now)

    def _ended(self, course: Course, step: Step, ended: Ended, now: float) -> None:
        self._busy.discard(step.id)
        self._preparation.end_release(step.id, now)
        match ended:
            case Succeeded():
                self._succeeded(course, step, ended, now)
            case Failed(failure=failure):
                self._failed(course, step, failure, now)
            case Undecided():
                self._settled.add(step.id)
                course.set(step.id, Status.PENDING)
            case Dead(failure=failure):
                self._repair(course, step, failure, now)
            case Reckoned() | Planned() | Unplanned():
                raise AssertionError(f"{step.id} ended as {ended}")
            case _:
                assert_never(ended)

    def _succeeded(self, course: Course, step: Step, ended: Succeeded, now: float) -> None:
        course.set(step.id, Status.DONE)
        self.events.append(
            StepSucceeded(
                at=self.at(now),
                step=step.id,
                address=step.address,
                task=step.task,
                elapsed_seconds=now - self._started[step.id],
                is_adopted=ended.is_adopted,
            )
        )
        if course.mends is not None and course.is_all_done:
            mended = self.course_of(course.mends)
            assert mended is not None, course.mends
            mended.set(course.mends, Status.PENDING)

    def _failed(self, course: Course, step: Step, failure: Failure, now: float) -> None:
        course.fail(step.id, failure)
        self._settled.add(step.id)
        self.events.append(
            StepFailed(
                at=self.at(now),
                step=step.id,
                address=step.address,
                task=step.task,
                elapsed_seconds=now - self._started.get(step.id, now),
                failure=failure,
            )
        )
        match course.kind:
            case Kind.FORWARD | Kind.RUNG:
                cause = Cause(step=step.id, address=step.address, task=step.task, failure=failure)
                self.condemn(self._part_of[step.id], cause)
            case Kind.REPAIR:
                course.is_given_up = True
                mended = None if course.mends is None else self.course_of(course.mends)
                if mended is not None and course.mends is not None:
                    self._failed(mended, mended.steps[course.mends], failure, now)
            case Kind.UNDO:
                pass
            case _:
                assert_never(course.kind)

    def _repair(self, course: Course, step: Step, failure: Failure, now: float) -> None:
        number = len(self.courses)
        plan = repair_plan(course, step, number, self.bindings.known())
        if plan is None:
            self._failed(course, step, failure, now)
            return
        course.set(step.id, Status.MENDING)
        steps = tuple(one.id for one in plan.steps)
        began = RepairBegan(at=self.at(now), step=step.id, steps=steps, reason=failure.message)
        self.events.append(began)
        why = f"repair of {step.id}"
        flow = self.take_up(plan, Kind.REPAIR, why=why, mends=step.id)
        self.engine.start(f"repair {step.id}", flow, lambda _ended, _now: None, now=now)
