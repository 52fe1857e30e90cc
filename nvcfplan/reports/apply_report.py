"""How a run ended: what was done, what was undone, what failed and why, what is still to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    Blocked,
    Cause,
    Event,
    RepairBegan,
    RunBegan,
    RunFinished,
    RunOutcome,
    StepFailed,
    StepSucceeded,
)
from nvcfplan.model import Address, RunId, StepId
from nvcfplan.reports.plan_report import Counts, count_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.plans import Plan


class Operation(StrEnum):
    APPLY = "apply"
    DESTROY = "destroy"
    RESUME = "resume"
    ROLLBACK = "rollback"


class StepFate(StrEnum):
    """`DONE_BEFORE`: by an earlier part of the same run. `ADOPTED`: it was found done.

    `UNKNOWN`, of a journal only: sent, and what came of it is not written down.
    """

    DONE = "done"
    DONE_BEFORE = "done-before"
    ADOPTED = "adopted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_STARTED = "not-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """`seconds` None: not done in this part of the run. `ended_at`: seconds since that began."""

    step: StepId
    fate: StepFate
    seconds: float | None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """`steps`: those of the plan, in its order. `undone`: the rollback's that were carried out.

    `counts`: functions of which all steps were done and none was undone.
    `is_open`: the run can be resumed or rolled back.
    """

    operation: Operation
    stack: str
    run: RunId
    outcome: RunOutcome
    counts: Counts
    steps: tuple[StepOutcome, ...]
    undone: tuple[StepId, ...]
    causes: tuple[Cause, ...]
    blocked: Blocked | None
    seconds: float

    @property
    def is_open(self) -> bool:
        return self.outcome.is_open


def apply_report(operation: Operation, plan: Plan, events: Sequence[Event]) -> ApplyReport:
    """`events`: all that the run told, from `RunBegan` to `RunFinished`."""
    began = next(event for event in events if isinstance(event, RunBegan))
    finished = next(event for event in events if isinstance(event, RunFinished))
    fates = _fates(began, events)
    steps = tuple(
        fates.get(step.id, StepOutcome(step=step.id, fate=StepFate.NOT_STARTED, seconds=None))
        for step in plan.steps
    )
    undone = _undone(began, events)
    return ApplyReport(
        operation=operation,
        stack=plan.stack,
        run=began.run,
        outcome=finished.outcome,
        counts=_counts(plan, steps, undone),
        steps=steps,
        undone=tuple(event.step for event in undone),
        causes=finished.causes,
        blocked=finished.blocked,
        seconds=finished.at,
    )


def _fates(began: RunBegan, events: Sequence[Event]) -> dict[StepId, StepOutcome]:
    """The last word on each step: one that failed may have been done again."""
    fates = {
        step: StepOutcome(step=step, fate=StepFate.DONE_BEFORE, seconds=None) for step in began.done
    }
    for event in events:
        match event:
            case StepSucceeded():
                fate = StepFate.ADOPTED if event.is_adopted else StepFate.DONE
            case StepFailed():
                fate = StepFate.FAILED
            case _:
                continue
        fates[event.step] = StepOutcome(
            step=event.step, fate=fate, seconds=event.elapsed_seconds, ended_at=event.at
        )
    return fates


def _undone(began: RunBegan, events: Sequence[Event]) -> tuple[StepSucceeded, ...]:
    """What was done beyond the plan's own steps, but for what a repair cleared away."""
    others = {*began.steps}
    for event in events:
        if isinstance(event, RepairBegan):
            others.update(event.steps)
    return tuple(
        event for event in events if isinstance(event, StepSucceeded) and event.step not in others
    )


def _counts(plan: Plan, steps: Sequence[StepOutcome], undone: Sequence[StepSucceeded]) -> Counts:
    """What was only state, not steps, is done when the run is."""
    left: set[Address] = {event.address for event in undone}
    addresses = {step.id: step.address for step in plan.steps}
    left |= {
        addresses[one.step] for one in steps if one.fate in (StepFate.FAILED, StepFate.NOT_STARTED)
    }
    return count_changes([change for change in plan.changes if change.address not in left])
