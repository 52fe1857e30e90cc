"""How a run ended: what was done, what was undone, what failed and why, what is still to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    Blocked,
    Cause,
    Event,
    RepairBegan,
    RunBegan,
    RunFinished,
    RungName,
    RungTaken,
    RunOutcome,
    StepFailed,
    StepSucceeded,
)
from nvcfplan.model import Address, RunId, StepId, kept_until
from nvcfplan.plans import UpdateMetadata, VersionRef
from nvcfplan.reports.plan_report import Counts, count_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.plans import Plan, Step


class Operation(StrEnum):
    APPLY = "apply"
    DESTROY = "destroy"
    RESUME = "resume"
    ROLLBACK = "rollback"


class StepFate(StrEnum):
    """`DONE_BEFORE`: by an earlier part of the same run. `ADOPTED`: it was found done.

    `UNKNOWN`, of a journal only: sent, and what came of it is not written down.
    `SUPERSEDED`: a rung's plan took its place.
    """

    DONE = "done"
    DONE_BEFORE = "done-before"
    ADOPTED = "adopted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_STARTED = "not-started"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """`seconds` None: not done in this part of the run. `ended_at`: seconds since that began."""

    step: StepId
    fate: StepFate
    seconds: float | None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVersion:
    """One that failed, undeployed, to be looked at until then."""

    version: VersionRef
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """`steps`: those of the plan, in its order, then those of rungs that were taken. `undone`: the
    rollback's that were carried out. `satisfied`: the rungs on which functions stand now. `kept`:
    what the rollback did not delete, for it failed.

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
    satisfied: tuple[RungName, ...]
    seconds: float
    kept: tuple[KeptVersion, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.outcome.is_open


def apply_report(operation: Operation, plan: Plan, events: Sequence[Event]) -> ApplyReport:
    """`events`: all that the run told, from `RunBegan` to `RunFinished`."""
    began = next(event for event in events if isinstance(event, RunBegan))
    finished = next(event for event in events if isinstance(event, RunFinished))
    fates = _fates(began, events)
    planned, superseded = _planned(plan, events)
    steps = tuple(_outcome(step, fates, superseded) for step in planned)
    undone = _undone(began, events)
    return ApplyReport(
        operation=operation,
        stack=plan.stack,
        run=began.run,
        outcome=finished.outcome,
        counts=_counts(plan, planned, steps, undone),
        steps=steps,
        undone=tuple(event.step for event in undone),
        causes=finished.causes,
        blocked=finished.blocked,
        satisfied=finished.satisfied,
        seconds=finished.at,
        kept=_kept(undone),
    )


def _planned(plan: Plan, events: Sequence[Event]) -> tuple[tuple[Step, ...], frozenset[StepId]]:
    """All steps, and those in whose place a rung's were taken up."""
    steps, superseded = list(plan.steps), set[StepId]()
    for event in events:
        if isinstance(event, RungTaken):
            addresses = {event.rung.address, *(step.address for step in event.planned)}
            superseded.update(step.id for step in steps if step.address in addresses)
            steps += event.planned
    return tuple(steps), frozenset(superseded)


def _outcome(
    step: Step, fates: Mapping[StepId, StepOutcome], superseded: frozenset[StepId]
) -> StepOutcome:
    found = fates.get(step.id)
    if found is not None and (found.fate is not StepFate.FAILED or step.id not in superseded):
        return found
    fate = StepFate.SUPERSEDED if step.id in superseded else StepFate.NOT_STARTED
    return StepOutcome(step=step.id, fate=fate, seconds=None if found is None else found.seconds)


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
    """What was done beyond the plan's own steps, but for a repair's and a rung's."""
    others = {*began.steps}
    for event in events:
        if isinstance(event, RepairBegan):
            others.update(event.steps)
        if isinstance(event, RungTaken):
            others.update(step.id for step in event.planned)
    return tuple(
        event for event in events if isinstance(event, StepSucceeded) and event.step not in others
    )


def _kept(undone: Sequence[StepSucceeded]) -> tuple[KeptVersion, ...]:
    return tuple(
        KeptVersion(version=event.task.version, until=until)
        for event in undone
        if isinstance(event.task, UpdateMetadata)
        and (until := kept_until(event.task.metadata.tags or ())) is not None
    )


def _counts(
    plan: Plan,
    planned: Sequence[Step],
    steps: Sequence[StepOutcome],
    undone: Sequence[StepSucceeded],
) -> Counts:
    """What was only state, not steps, is done when the run is."""
    left: set[Address] = {event.address for event in undone}
    addresses = {step.id: step.address for step in planned}
    left |= {
        addresses[one.step] for one in steps if one.fate in (StepFate.FAILED, StepFate.NOT_STARTED)
    }
    return count_changes([change for change in plan.changes if change.address not in left])
