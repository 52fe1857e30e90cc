"""Where a run stands after each event: what is in flight, how far it is, how long it may take.

Table, heartbeat lines and the event stream are drawn from this, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying import (
    RepairBegan,
    RollbackBegan,
    RunBegan,
    RunFinished,
    RungRefused,
    RungTaken,
    RungWaiting,
    RunStopping,
    StepFailed,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepWaiting,
)
from nvcfplan.model import Address, StepId
from nvcfplan.plans import Step, Task

if TYPE_CHECKING:
    from nvcfplan.applying import Event

Expecting = Callable[[Task, Sequence[Step]], float | None]
"""Seconds that such a step of such a plan took before; None: nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """`reason`: what was seen last; empty: nothing yet. `began` on the run's own clock."""

    step: StepId
    address: Address
    task: Task
    began: float
    reason: str
    expected_seconds: float | None

    def elapsed(self, at: float) -> float:
        return max(0.0, at - self.began)

    def left(self, at: float) -> float | None:
        """None: nobody knows, or it takes longer than expected already."""
        if self.expected_seconds is None or self.elapsed(at) >= self.expected_seconds:
            return None
        return self.expected_seconds - self.elapsed(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`done` and `total` count the plan's own steps; `aside` those of rollbacks and repairs.

    `in_flight`: oldest first. `expected`: seconds, by step of the plan.
    """

    planned: tuple[Step, ...] = ()
    expected: tuple[float, ...] = ()
    finished: frozenset[StepId] = frozenset()
    failed: frozenset[StepId] = frozenset()
    aside: frozenset[StepId] = frozenset()
    in_flight: tuple[InFlight, ...] = ()
    is_undoing: bool = False
    is_over: bool = False

    @property
    def total(self) -> int:
        return len(self.planned)

    @property
    def done(self) -> int:
        return sum(step.id in self.finished for step in self.planned)

    @property
    def aside_done(self) -> int:
        return len(self.finished & self.aside)

    def of(self, step: StepId) -> InFlight | None:
        return next((one for one in self.in_flight if one.step == step), None)

    def left(self, at: float) -> float | None:
        """Seconds until the plan is done; None while something is undone, for who knows then."""
        if self.is_undoing or self.failed:
            return None
        running = {one.step: one for one in self.in_flight}
        ends: dict[StepId, float] = {}
        for step, seconds in zip(self.planned, self.expected, strict=True):
            if step.id in self.finished:
                continue
            after = max((ends.get(edge.step, 0.0) for edge in step.depends_on), default=0.0)
            one = running.get(step.id)
            ends[step.id] = after + seconds if one is None else one.left(at) or 0.0
        return max(ends.values(), default=0.0)


def follow(progress: Progress, event: Event, expecting: Expecting) -> Progress:
    """Where the run stands after `event`."""
    match event:
        case RunBegan(planned=planned, done=done):
            expected = tuple(_expected(step, planned, expecting) for step in planned)
            return Progress(planned=planned, expected=expected, finished=frozenset(done))
        case StepStarted():
            return _with(progress, _started(progress, event, expecting))
        case StepWaiting(step=step, reason=reason) | StepRetried(step=step, reason=reason):
            found = progress.of(step)
            return progress if found is None else _with(progress, replace(found, reason=reason))
        case StepSucceeded(step=step):
            return replace(
                _without(progress, step),
                finished=progress.finished | {step},
                failed=progress.failed - {step},
            )
        case StepFailed(step=step):
            return replace(_without(progress, step), failed=progress.failed | {step})
        case RollbackBegan() | RepairBegan() | RungTaken():
            return _otherwise(progress, event, expecting)
        case RunStopping() | RungRefused() | RungWaiting():
            return progress
        case RunFinished():
            return replace(progress, in_flight=(), is_over=True)
        case _:
            assert_never(event)


def _otherwise(
    progress: Progress, event: RollbackBegan | RepairBegan | RungTaken, expecting: Expecting
) -> Progress:
    """Another plan is carried out."""
    match event:
        case RollbackBegan(steps=steps):
            return replace(progress, aside=progress.aside.union(steps), is_undoing=True)
        case RepairBegan(step=step, steps=steps):
            return replace(_without(progress, step), aside=progress.aside.union(steps))
        case RungTaken(rung=rung, planned=planned):
            return _on_rung(progress, rung.address, planned, expecting)
        case _:
            assert_never(event)


def _on_rung(
    progress: Progress, address: Address, planned: tuple[Step, ...], expecting: Expecting
) -> Progress:
    """A rung's steps take the place of those that are left of the functions it is of."""
    addresses = {address, *(step.address for step in planned)}
    kept = [
        (step, seconds)
        for step, seconds in zip(progress.planned, progress.expected, strict=True)
        if step.address not in addresses or step.id in progress.finished
    ]
    kept += ((step, _expected(step, planned, expecting)) for step in planned)
    gone = {step.id for step in progress.planned} - {step.id for step, _ in kept}
    return replace(
        progress,
        planned=tuple(step for step, _ in kept),
        expected=tuple(seconds for _, seconds in kept),
        failed=progress.failed - gone,
    )


def _started(progress: Progress, event: StepStarted, expecting: Expecting) -> InFlight:
    planned = zip(progress.planned, progress.expected, strict=True)
    known = next((seconds for step, seconds in planned if step.id == event.step), None)
    return InFlight(
        step=event.step,
        address=event.address,
        task=event.task,
        began=event.at,
        reason="",
        expected_seconds=expecting(event.task, progress.planned) if known is None else known,
    )


def _expected(step: Step, planned: Sequence[Step], expecting: Expecting) -> float:
    before = expecting(step.task, planned)
    return float(step.expected_seconds) if before is None else before


def _with(progress: Progress, one: InFlight) -> Progress:
    """In the place of what was known of the same step."""
    if progress.of(one.step) is None:
        return replace(progress, in_flight=(*progress.in_flight, one))
    same = tuple(one if old.step == one.step else old for old in progress.in_flight)
    return replace(progress, in_flight=same)


def _without(progress: Progress, step: StepId) -> Progress:
    left = tuple(one for one in progress.in_flight if one.step != step)
    return replace(progress, in_flight=left)
