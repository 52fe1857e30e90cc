"""What a run did, from its journal alone: who, when, from which commit, step by step, to what end.

Of a run that lives or was cut off it says how far it came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    Done,
    Failure,
    Intent,
    Outcome,
    PlanTaken,
    Refused,
    RowGone,
    RunEnded,
    RungAwaited,
    RunOutcome,
    RunStarted,
    Unanswered,
)
from nvcfplan.model import Address, Digest, RunId, StepId
from nvcfplan.plans import Plan, Task
from nvcfplan.reports.apply_report import StepFate
from nvcfplan.reports.plan_report import Counts, count_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvcfplan.applying import Stamp, Stamped
    from nvcfplan.plans import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """`attempts`: requests of it that were begun; a step that only waits sends none.

    `seconds`: from its first request to its last record; None where it sent none.
    """

    step: StepId
    address: Address
    task: Task
    fate: StepFate = StepFate.NOT_STARTED
    attempts: int = 0
    began_at: datetime | None = None
    seconds: float | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStage:
    """A plan that the run took up: its own, a rung's, a repair's or a rollback's."""

    why: str
    digest: Digest
    taken_at: datetime | None
    steps: tuple[RunStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPart:
    """From its beginning, or from where somebody took it up again, under one lease."""

    at: datetime
    by: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """`outcome` None: no end is written down. `stages` empty: cut off before anything was begun.

    `cause`: the first step that failed for good, in a stage that is no undo. `counts`: functions
    of which all was done and nothing was undone.
    """

    run: RunId
    stack: str
    digest: Digest | None
    tool_version: str
    actor: str
    commit: str
    link: str
    parts: tuple[RunPart, ...]
    began_at: datetime | None
    ended_at: datetime | None
    outcome: RunOutcome | None
    counts: Counts
    stages: tuple[RunStage, ...]
    cause: RunStep | None

    @property
    def is_open(self) -> bool:
        """Something may have been begun that is not known to have ended."""
        return bool(self.stages) and (self.outcome is None or self.outcome.is_open)

    @property
    def seconds(self) -> float | None:
        if self.began_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.began_at).total_seconds()


def run_report(
    run: RunId, stack: str, journal: Sequence[Stamped], decode: Callable[[bytes], Plan]
) -> RunReport:
    stages: list[_Stage] = []
    started: RunStarted | None = None
    ended: RunEnded | None = None
    for one in journal:
        ended = None
        match one.record:
            case RunStarted():
                started = one.record
            case PlanTaken():
                stages.append(_Stage(one.record, decode(one.record.document), one.stamp))
            case Intent(step=step) | Outcome(step=step):
                stage = next(found for found in reversed(stages) if step in found.steps)
                stage.tell(one.record, one.stamp)
            case RowGone() | RungAwaited():
                pass
            case RunEnded():
                ended = one.record
    stamps = [one.stamp for one in journal if one.stamp is not None]
    told = tuple(stage.report() for stage in stages)
    return RunReport(
        run=run,
        stack=stack,
        digest=started.plan if started else None,
        tool_version=started.tool_version if started else "",
        actor=started.actor if started else "",
        commit=started.commit if started else "",
        link=started.link if started else "",
        parts=_parts(stamps),
        began_at=stamps[0].at if stamps else None,
        ended_at=stamps[-1].at if stamps else None,
        outcome=ended.outcome if ended else None,
        counts=_counts(stages[0].plan, told, ended) if stages else Counts(),
        stages=told,
        cause=_cause(told),
    )


class _Stage:
    def __init__(self, taken: PlanTaken, plan: Plan, stamp: Stamp | None) -> None:
        self.plan = plan
        self.steps = {step.id: _untouched(step) for step in plan.steps}
        self._taken = taken
        self._taken_at = None if stamp is None else stamp.at

    def tell(self, record: Intent | Outcome, stamp: Stamp | None) -> None:
        known = self.steps[record.step]
        at = None if stamp is None else stamp.at
        began = known.began_at or at
        has_begun = isinstance(record, Intent) or known.attempts > 0
        seconds = (at - began).total_seconds() if at and began and has_begun else None
        known = replace(known, began_at=began, seconds=seconds)
        match record:
            case Intent(attempt=attempt):
                known = replace(known, fate=StepFate.UNKNOWN, attempts=attempt)
            case Outcome(result=Done(), is_adopted=is_adopted):
                fate = StepFate.ADOPTED if is_adopted else StepFate.DONE
                known = replace(known, fate=fate, failure=None)
            case Outcome(result=Refused(failure=failure)):
                known = replace(known, fate=StepFate.FAILED, failure=failure)
            case Outcome(result=Unanswered()):
                known = replace(known, fate=StepFate.UNKNOWN)
        self.steps[record.step] = known

    def report(self) -> RunStage:
        return RunStage(
            why=self._taken.why,
            digest=self._taken.plan,
            taken_at=self._taken_at,
            steps=tuple(self.steps.values()),
        )


def _untouched(step: Step) -> RunStep:
    return RunStep(step=step.id, address=step.address, task=step.task)


def _parts(stamps: Sequence[Stamp]) -> tuple[RunPart, ...]:
    found: list[RunPart] = []
    for one in stamps:
        if not found or found[-1].epoch != one.epoch:
            found.append(RunPart(at=one.at, by=one.by, epoch=one.epoch))
    return tuple(found)


def _is_undo(stage: RunStage) -> bool:
    return bool(stage.steps) and stage.steps[0].step.startswith("undo:")


def _counts(plan: Plan, stages: Sequence[RunStage], ended: RunEnded | None) -> Counts:
    """What was only state, not steps, is done when the run is."""
    undone = {one.address for stage in stages if _is_undo(stage) for one in stage.steps}
    is_applied = ended is not None and ended.outcome is RunOutcome.APPLIED
    done = {
        address
        for address in {change.address for change in plan.changes}
        if address not in undone and (is_applied or _is_done(stages[0], address))
    }
    return count_changes([change for change in plan.changes if change.address in done])


def _is_done(stage: RunStage, address: Address) -> bool:
    fates = [one.fate for one in stage.steps if one.address == address]
    return bool(fates) and all(one in (StepFate.DONE, StepFate.ADOPTED) for one in fates)


def _cause(stages: Sequence[RunStage]) -> RunStep | None:
    failed = [
        one
        for stage in stages
        if not _is_undo(stage)
        for one in stage.steps
        if one.failure is not None and one.fate is StepFate.FAILED
    ]
    return min(failed, key=lambda one: (one.began_at is None, str(one.began_at)), default=None)
