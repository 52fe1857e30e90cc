"""The pure machine: what a failure leads to, when a run is over and with which word.

A failure stops its component, lets the calls in flight be answered, shows its cause, and undoes
that component by a plan of its own; the other components go on to their end.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nvcfplan.applying.climbing import Climbing
from nvcfplan.applying.concluding import (
    cause_of,
    failed_for_good,
    failed_in,
    for_good,
    has_changed,
    lacks_capacity,
    outcome_of,
    reckon,
    unfinished_undos,
    where_blocked,
)
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
from nvcfplan.applying.failed import plan_back
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.flows import Ended, Flow, Reckoned, Succeeded, Write
from nvcfplan.applying.journal import PlanTaken, RunEnded, RunOutcome, RunStarted
from nvcfplan.applying.publishing import run_publication
from nvcfplan.applying.recovery import Replayed, replay
from nvcfplan.applying.rollback import ALL_FAILED, ASKED_FOR
from nvcfplan.applying.running import Running
from nvcfplan.applying.settings import OnFailure
from nvcfplan.applying.tracking import Bindings, Course, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.effects import Effect, Result
    from nvcfplan.applying.journal import Record
    from nvcfplan.applying.ladder import Replan
    from nvcfplan.applying.parts import Part
    from nvcfplan.applying.settings import ApplySettings, PlanCodec, RunContext
    from nvcfplan.model import Publication
    from nvcfplan.plans import Plan, Shortage


def start(
    plan: Plan,
    run: RunContext,
    settings: ApplySettings,
    codec: PlanCodec,
    *,
    replan: Replan | None = None,
) -> ApplyMachine:
    """A new run. `plan` has been proved and is not stale.

    `replan` None: no function of the stack has a ladder.
    """
    course = Course(plan, Kind.FORWARD)
    replayed = Replayed(started=None, courses=[course], bindings=Bindings(plan.bindings))
    return ApplyMachine(run, settings, codec, replayed, replan=replan)


def resume(
    records: Sequence[Record],
    run: RunContext,
    settings: ApplySettings,
    codec: PlanCodec,
    *,
    replan: Replan | None = None,
) -> ApplyMachine:
    """Goes on with a run whose journal was cut anywhere; a run that ended is left as it is."""
    return ApplyMachine(run, settings, codec, replay(records, codec), replan=replan)


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
        replan: Replan | None = None,
        wants_undo: bool = False,
    ) -> None:
        self._context = context
        self._codec = codec
        self._replayed = replayed
        self._running = Running(context, settings, codec, replayed)
        self._climbing = Climbing(self._running, replan, self._turn)
        self._wants_undo = wants_undo
        self._is_asked_for = wants_undo or replayed.is_asked_for
        self._first_cause: Cause | None = None
        self._is_open = False
        self._outcome: RunOutcome | None = None
        self._blocked: Blocked | None = None
        self._missing: tuple[Shortage, ...] | None = None

    def begin(self, now: float) -> Sequence[Effect]:
        running, replayed = self._running, self._replayed
        running.begin(self._context.elapsed, now)
        self._climbing.begin_run(self._context.elapsed, now)
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
        """Of what failed for good, in the order of the plan's components."""
        return tuple(
            part.cause
            for part in self._running.parts
            if part.cause is not None and not part.is_done
        )

    @property
    def plan(self) -> Plan | None:
        """The run's own; None: its journal was cut before it."""
        return next((one.plan for one in self._replayed.courses), None)

    def still_to_take(self) -> Publication:
        """For other stacks to count, as the run stands now."""
        return run_publication(self._running)

    # What leads to what.

    def _turn(self, now: float) -> None:
        if self._outcome is not None or not self._is_open:
            return
        running = self._running
        if not running.is_stopping:
            self._answer_failures(now)
            running.begin_ready(now)
            if not running.engine.names:
                self._climb(now)
        if not running.engine.names:
            self._conclude(now)

    def _answer_failures(self, now: float) -> None:
        running = self._running
        waiting = [part for part in running.parts if part.is_condemned and not part.is_settled]
        for part in waiting:
            running.settle(part, now)
        quiet = [part for part in waiting if running.is_quiet(part)]
        if self._is_asked_for:
            if quiet and len(quiet) == len(waiting):
                self._roll_back(quiet, self._first_cause, now)
            return
        for part in quiet:
            if self._climbing.next_of(part, now) is None:
                self._give_up(part, now)

    def _climb(self, now: float) -> None:
        for part in self._running.parts:
            if part.is_condemned and not (part.is_settled or self._is_asked_for):
                rung = self._climbing.next_of(part, now)
                assert rung is not None, part.addresses
                self._climbing.begin(part, rung, now)
                return

    def _give_up(self, part: Part, now: float) -> None:
        """There is no way on: back, or it stays where it is."""
        running, policy = self._running, self._running.settings.on_failure
        if part.is_begun and (policy is OnFailure.KEEP or self._climbing.keeps(part)):
            part.is_settled = part.is_left = True
        elif policy is OnFailure.ALL and part.cause is not None:
            self._is_asked_for, self._first_cause = True, part.cause
            for one in running.parts:
                one.is_settled = one.is_settled and not one.is_left  # kept by its ladder's end
                running.condemn(one, None)
            self._answer_failures(now)
        else:
            self._roll_back([part], part.last, now)

    def _roll_back(self, parts: Sequence[Part], cause: Cause | None, now: float) -> None:
        running = self._running
        for part in parts:
            part.is_settled = True
            part.is_left = bool(part.stuck(running.bindings))
        courses = [one for part in parts if not part.is_left for one in part.courses]
        at = self._context.at + timedelta(seconds=running.at(now))
        plan = plan_back(courses, running.bindings, at) if courses else None
        if plan is None or not plan.steps:
            return
        ids = tuple(step.id for step in plan.steps)
        running.events.append(RollbackBegan(at=running.at(now), cause=cause, steps=ids))
        flow = running.take_up(plan, Kind.UNDO, why=self._why_back(cause))
        name = f"rollback {len(running.courses)} {ids[0]}"
        running.engine.start(name, flow, lambda _ended, _now: None, now=now)

    def _why_back(self, cause: Cause | None) -> str:
        if self._is_asked_for:
            return ASKED_FOR if cause is None else ALL_FAILED
        assert cause is not None
        return f"rollback: {cause.step} failed ({cause.failure.kind})"

    def _inherit(self) -> None:
        """Puts the components in the place where the journal left them."""
        courses = self._running.courses
        undone = {one for course in courses if course.kind is Kind.UNDO for one in course.addresses}
        for part in self._running.parts:
            is_undone = not part.addresses.isdisjoint(undone)
            failed = [
                (course, one)
                for course, steps in part.courses
                for one in failed_in(course, steps, is_undone=is_undone)
            ]
            now_failed = [one for one in failed if one[0] is part.course]
            if failed and not self._is_asked_for:
                part.cause = cause_of(*failed[0])
                part.last = cause_of(*now_failed[0]) if now_failed else None
            is_let_go = self._replayed.is_asked_for and not part.stuck(self._running.bindings)
            part.is_settled = is_undone or is_let_go
            part.is_condemned = bool(now_failed) or part.is_settled or self._wants_undo

    def _may_undo(self) -> bool:
        """Of a run that has ended: asked for, something to undo, and nothing done for good."""
        left = [part for part in self._running.parts if not part.is_settled]
        stuck = [step for part in left for step in part.stuck(self._running.bindings)]
        if self._wants_undo and stuck:
            self._blocked = Blocked(
                step=stuck[0].id, failure=for_good(stuck[0]), missing=(), remaining=()
            )
            return False
        has_executed = any(part.is_begun for part in left)
        return self._wants_undo and (has_executed or any(unfinished_undos(self._running.courses)))

    def _interrupt(self, times: int, now: float) -> None:
        running = self._running
        if times > 1:
            running.engine.drop_all()
            self._finish(RunOutcome.INTERRUPTED, now)
        elif not running.is_stopping:
            running.is_stopping = True
            left = running.engine.in_flight()
            stopping = RunStopping(at=running.at(now), reason="interrupted", in_flight=left)
            running.events.append(stopping)
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
        failed = failed_for_good(running.parts, running.courses)
        lacking = [(course, step) for course, step in failed if lacks_capacity(course, step)]
        if lacking and self._missing is None:
            flow = reckon(lacking, running.bindings)
            running.engine.start("reckon", flow, self._reckoned, now=now)
            return
        self._blocked = where_blocked(
            running, failed, missing=self._missing or (), wants_undo=self._wants_undo
        )
        if self._blocked is not None:
            self._end(RunOutcome.INCOMPLETE, now)
            return
        has_undone = any(course.kind is Kind.UNDO for course in running.courses)
        outcome = outcome_of(
            self.causes,
            has_changed=any(
                has_changed(course) for part in running.parts for course, _ in part.courses
            ),
            has_undone=has_undone or self._wants_undo,
        )
        self._end(outcome, now)

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
                satisfied=self._climbing.satisfied(),
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
