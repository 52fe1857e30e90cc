"""The pure machine: what a failure leads to, when a run is over and with which word.

A failure stops its component, lets the calls in flight be answered, shows its cause, and undoes
that component by a plan of its own; the other components go on to their end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.applying.concluding import has_changed, lacks_capacity, outcome_of, reckon
from nvcfplan.applying.effects import Interrupted, LeaseLost
from nvcfplan.applying.events import (
    Blocked,
    Cause,
    Event,
    RollbackBegan,
    RunBegan,
    RunFinished,
    RunStopping,
)
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.flows import Ended, Flow, Reckoned, Succeeded, Write
from nvcfplan.applying.journal import PlanTaken, RunEnded, RunOutcome, RunStarted
from nvcfplan.applying.recovery import Replayed, is_stuck, replay
from nvcfplan.applying.rollback import ASKED_FOR, Executed, rollback_plan
from nvcfplan.applying.running import Part, Running
from nvcfplan.applying.tracking import Bindings, Course, Kind, Status
from nvcfplan.plans import Irreversible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.effects import Effect, Result
    from nvcfplan.applying.journal import Record
    from nvcfplan.applying.settings import ApplySettings, PlanCodec, RunContext
    from nvcfplan.model import StepId
    from nvcfplan.plans import Plan, Shortage, Step


def start(plan: Plan, run: RunContext, settings: ApplySettings, codec: PlanCodec) -> ApplyMachine:
    """A new run. `plan` has been proved and is not stale."""
    course = Course(plan, Kind.FORWARD)
    replayed = Replayed(started=None, courses=[course], bindings=Bindings(plan.bindings))
    return ApplyMachine(run, settings, codec, replayed)


def resume(
    records: Sequence[Record], run: RunContext, settings: ApplySettings, codec: PlanCodec
) -> ApplyMachine:
    """Goes on with a run whose journal was cut anywhere; a run that ended is left as it is."""
    return ApplyMachine(run, settings, codec, replay(records, codec))


def undo(
    records: Sequence[Record], run: RunContext, settings: ApplySettings, codec: PlanCodec
) -> ApplyMachine:
    """Rolls an open run back, or the last one that ended; goes on with a rollback begun before."""
    return ApplyMachine(run, settings, codec, replay(records, codec), wants_undo=True)


class ApplyMachine:
    """See `effects.Machine`. After `outcome` is set no effect is asked for any more."""

    def __init__(
        self,
        context: RunContext,
        settings: ApplySettings,
        codec: PlanCodec,
        replayed: Replayed,
        *,
        wants_undo: bool = False,
    ) -> None:
        self._context = context
        self._codec = codec
        self._replayed = replayed
        self._running = Running(context, settings, codec, replayed)
        self._wants_undo = wants_undo
        self._is_asked_for = wants_undo or replayed.is_asked_for
        self._is_open = False
        self._outcome: RunOutcome | None = None
        self._blocked: Blocked | None = None
        self._missing: tuple[Shortage, ...] | None = None

    def begin(self, now: float) -> Sequence[Effect]:
        running, replayed = self._running, self._replayed
        running.began = now
        if not replayed.courses:
            self._is_open = True
            self._end(RunOutcome.FAILED, now)
            return running.engine.take()
        self._tell_beginning()
        if replayed.started is None:
            running.engine.start("begin", self._prologue(), self._opened, now=now)
            return running.engine.take()
        self._inherit()
        if replayed.ended is not None and not replayed.is_open and not self._may_undo():
            is_refused = self._blocked is not None
            self._finish(RunOutcome.FAILED if is_refused else replayed.ended, now)
        else:
            self._opened(Succeeded(), now)
        return running.engine.take()

    def feed(self, result: Result, now: float) -> Sequence[Effect]:
        if self._outcome is not None:
            return ()
        match result:
            case Interrupted(times=times):
                self._interrupt(times, now)
            case LeaseLost(holder=holder):
                self._lose(holder, now)
            case _:
                self._running.engine.feed(result, now)
        self._turn(now)
        return self._running.engine.take()

    def outcome(self) -> RunOutcome | None:
        return self._outcome

    def drain_events(self) -> tuple[Event, ...]:
        """Those since the last time, oldest first."""
        events = tuple(self._running.events)
        self._running.events.clear()
        return events

    @property
    def settings(self) -> ApplySettings:
        return self._running.settings

    @property
    def blocked(self) -> Blocked | None:
        return self._blocked

    @property
    def causes(self) -> tuple[Cause, ...]:
        """In the order of the plan's components."""
        return tuple(part.cause for part in self._running.parts if part.cause is not None)

    @property
    def plan(self) -> Plan | None:
        """The run's own; None: its journal was cut before it."""
        return self._replayed.courses[0].plan if self._replayed.courses else None

    # What leads to what.

    def _turn(self, now: float) -> None:
        if self._outcome is not None or not self._is_open:
            return
        if not self._running.is_stopping:
            self._open_rollbacks(now)
            self._running.begin_ready(now)
        if not self._running.engine.names:
            self._conclude(now)

    def _open_rollbacks(self, now: float) -> None:
        running = self._running
        waiting = [part for part in running.parts if part.is_condemned and not part.is_settled]
        for part in waiting:
            running.settle(part, now)
        quiet = [part for part in waiting if running.is_quiet(part)]
        if not self._is_asked_for:
            for part in quiet:
                self._roll_back([part], part.cause, now)
        elif quiet and len(quiet) == len(waiting):
            self._roll_back(quiet, None, now)

    def _roll_back(self, parts: Sequence[Part], cause: Cause | None, now: float) -> None:
        running, forward = self._running, self._running.courses[0]
        steps: set[StepId] = set()
        for part in parts:
            part.is_settled = True
            part.is_stuck = bool(is_stuck(forward, part.steps))
            if not part.is_stuck:
                steps.update(one for one in part.steps if forward.is_executed(one))
        plan = rollback_plan(
            Executed(
                plan=forward.plan,
                steps=steps,
                done={one for one in steps if forward.is_done(one)},
                bound=running.bindings.known(),
            )
        )
        if not plan.steps:
            return
        ids = tuple(step.id for step in plan.steps)
        running.events.append(RollbackBegan(at=running.at(now), cause=cause, steps=ids))
        why = f"rollback: {cause.step} failed ({cause.failure.kind})" if cause else ASKED_FOR
        flow = running.take_up(plan, Kind.UNDO, why=why)
        name = f"rollback {len(running.courses)} {ids[0]}"
        running.engine.start(name, flow, lambda _ended, _now: None, now=now)

    def _inherit(self) -> None:
        """Puts the components in the place where the journal left them."""
        forward, *later = self._running.courses
        undone = {one for course in later if course.kind is Kind.UNDO for one in course.addresses}
        for part in self._running.parts:
            is_undone = any(forward.steps[one].address in undone for one in part.steps)
            # What had been refused for a while may stand as pending; undone, it was the cause.
            marks = (Status.FAILED, Status.PENDING) if is_undone else (Status.FAILED,)
            failed = [
                one
                for one in forward.with_status(*marks)
                if one in part.steps and forward.state(one).failure is not None
            ]
            if failed and not self._is_asked_for:
                part.cause = _cause(forward, failed[0])
            is_let_go = self._replayed.is_asked_for and not is_stuck(forward, part.steps)
            part.is_settled = is_undone or is_let_go
            part.is_condemned = bool(failed) or part.is_settled or self._wants_undo

    def _may_undo(self) -> bool:
        """Of a run that has ended: asked for, something to undo, and nothing done for good."""
        forward = self._running.courses[0]
        left = [part for part in self._running.parts if not part.is_settled]
        stuck = [step for part in left for step in is_stuck(forward, part.steps)]
        if self._wants_undo and stuck:
            self._blocked = Blocked(
                step=stuck[0].id, failure=_for_good(stuck[0]), missing=(), remaining=()
            )
            return False
        has_executed = any(forward.is_executed(one) for part in left for one in part.steps)
        return self._wants_undo and (has_executed or any(self._unfinished_undos()))

    def _interrupt(self, times: int, now: float) -> None:
        running = self._running
        if times > 1:
            running.engine.drop_all()
            self._finish(RunOutcome.INTERRUPTED, now)
        elif not running.is_stopping:
            running.is_stopping = True
            in_flight = running.engine.in_flight()
            running.events.append(
                RunStopping(at=running.at(now), reason="interrupted", in_flight=in_flight)
            )
            running.engine.recheck()

    def _lose(self, holder: str, now: float) -> None:
        """Without the lease nothing may be written, so calls in flight are left to the journal."""
        self._running.engine.drop_all()
        failure = Failure(kind=FailureClass.OTHER, message=f"the lease was lost to {holder}")
        self._blocked = Blocked(step=None, failure=failure, missing=(), remaining=())
        self._finish(RunOutcome.INCOMPLETE, now)

    # The end.

    def _conclude(self, now: float) -> None:
        running = self._running
        if running.is_stopping:
            self._end(RunOutcome.INTERRUPTED, now)
            return
        failed = self._failed_for_good()
        lacking = [(course, step) for course, step in failed if lacks_capacity(course, step)]
        if lacking and self._missing is None:
            flow = reckon(lacking, running.bindings)
            running.engine.start("reckon", flow, self._reckoned, now=now)
            return
        self._blocked = self._where_blocked(failed)
        if self._blocked is not None:
            self._end(RunOutcome.INCOMPLETE, now)
            return
        has_undone = any(course.kind is Kind.UNDO for course in running.courses)
        outcome = outcome_of(
            self.causes,
            has_changed=has_changed(running.courses[0]),
            has_undone=has_undone or self._is_asked_for,
        )
        self._end(outcome, now)

    def _failed_for_good(self) -> list[tuple[Course, StepId]]:
        forward = self._running.courses[0]
        stuck = {one for part in self._running.parts if part.is_stuck for one in part.steps}
        return [
            (course, step)
            for course in self._running.courses
            if course.kind is not Kind.REPAIR
            for step in course.with_status(Status.FAILED)
            if course is not forward or step in stuck
        ]

    def _where_blocked(self, failed: Sequence[tuple[Course, StepId]]) -> Blocked | None:
        """None: every component is where it was wanted, or where it was before."""
        forward = self._running.courses[0]
        stuck = [part for part in self._running.parts if part.is_stuck]
        left = [
            step.id
            for step in forward.plan.steps
            if any(step.id in part.steps for part in stuck) and not forward.is_done(step.id)
        ]
        remaining = (*left, *self._unfinished_undos())
        if failed:
            course, step = failed[0]
            failure = course.state(step).failure
            assert failure is not None, step
        elif left:
            done_for_good = is_stuck(forward, stuck[0].steps)[0]
            step, failure = done_for_good.id, _for_good(done_for_good)
        else:
            assert not remaining, remaining
            return None
        missing = self._missing or ()
        return Blocked(step=step, failure=failure, missing=missing, remaining=remaining)

    def _unfinished_undos(self) -> tuple[StepId, ...]:
        return tuple(
            step.id
            for course in self._running.courses
            if course.kind is Kind.UNDO
            for step in course.plan.steps
            if not course.is_done(step.id)
        )

    def _reckoned(self, ended: Ended, now: float) -> None:
        assert isinstance(ended, Reckoned), ended
        self._missing = ended.missing
        self._turn(now)

    def _opened(self, _ended: Ended, now: float) -> None:
        self._is_open = True
        self._turn(now)

    def _prologue(self) -> Flow[Ended]:
        plan, run = self._running.courses[0].plan, self._context
        digest = self._codec.digest(plan)
        yield Write(
            RunStarted(
                run=run.run,
                plan=digest,
                lineage=run.lineage,
                serial=run.serial,
                epoch=run.epoch,
                tool_version=run.tool_version,
                actor=run.actor,
                commit=run.commit,
                link=run.link,
            )
        )
        yield Write(PlanTaken(plan=digest, document=self._codec.encode(plan), why="apply"))
        return Succeeded()

    def _end(self, outcome: RunOutcome, now: float) -> None:
        flow = _ending(RunEnded(outcome=outcome, serial=self._context.serial + 1))
        self._running.engine.start(
            "end", flow, lambda _ended, then: self._finish(outcome, then), now=now
        )

    def _finish(self, outcome: RunOutcome, now: float) -> None:
        self._outcome = outcome
        self._running.events.append(
            RunFinished(
                at=self._running.at(now),
                outcome=outcome,
                causes=self.causes,
                blocked=self._blocked,
            )
        )

    def _tell_beginning(self) -> None:
        forward = self._running.courses[0]
        self._running.events.append(
            RunBegan(
                at=0.0,
                run=self._context.run,
                planned=forward.plan.steps,
                done=forward.with_status(Status.DONE),
                is_resumed=self._replayed.started is not None,
            )
        )


def _ending(record: RunEnded) -> Flow[Ended]:
    yield Write(record)
    return Succeeded()


def _cause(course: Course, step: StepId) -> Cause:
    failed, failure = course.steps[step], course.state(step).failure
    assert failure is not None, step
    return Cause(step=step, address=failed.address, task=failed.task, failure=failure)


def _for_good(step: Step) -> Failure:
    assert isinstance(step.undo, Irreversible), step.id
    return Failure(kind=FailureClass.OTHER, message=f"{step.id} cannot be undone: {step.undo.why}")
