"""How long steps usually take in this account: learnt from runs, told of runs to come."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import RunBegan, StepSucceeded
from nvcfplan.model import Durations, StepKind
from nvcfplan.plans import VERBS, AwaitActive, AwaitReleased, Deploy, Probe, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.applying import Event
    from nvcfplan.model import GpuSpecification, Memory
    from nvcfplan.plans import Step, Task, VersionRef
    from nvcfplan.reports.progress import Expecting

MOST_KINDS: Final = 200
MOST_SECONDS: Final = 20
_LEARNT: Final = (AwaitActive, AwaitReleased)
"""How long a mere request takes is nobody's question."""


def learnt(memory: Memory, events: Sequence[Event]) -> Memory:
    """With what a run took. What was found done, or what failed, tells nothing."""
    planned = next((one.planned for one in events if isinstance(one, RunBegan)), ())
    known = {one.kind: one.seconds for one in memory.durations}
    for event in events:
        if isinstance(event, StepSucceeded) and isinstance(event.task, _LEARNT):
            if event.is_adopted:
                continue
            kind = kind_of(event.task, planned)
            seconds = (*known.pop(kind, ()), round(event.elapsed_seconds))
            known[kind] = seconds[-MOST_SECONDS:]
    kept = list(known.items())[-MOST_KINDS:]
    durations = tuple(Durations(kind=kind, seconds=took) for kind, took in kept)
    return replace(memory, durations=durations)


def expecting(memory: Memory) -> Expecting:
    """The median of what such steps took; None of one that was never seen."""
    known = {one.kind: float(median(one.seconds)) for one in memory.durations if one.seconds}

    def expected(task: Task, planned: Sequence[Step]) -> float | None:
        is_learnt = known and isinstance(task, _LEARNT)
        return known.get(kind_of(task, planned)) if is_learnt else None

    return expected


def kind_of(task: Task, planned: Sequence[Step]) -> StepKind:
    """Of several specifications the first by name: they come up side by side."""
    verb = VERBS[type(task)]
    if isinstance(task, Probe):
        return StepKind(task=verb, gpu="", instance_type="")
    found = min(
        ((one.gpu, one.instance_type) for one in _specifications(task.version, planned)),
        default=("", ""),
    )
    return StepKind(task=verb, gpu=found[0], instance_type=found[1])


def _specifications(version: VersionRef, planned: Sequence[Step]) -> Iterable[GpuSpecification]:
    for step in planned:
        match step.task:
            case Deploy(version=other, specifications=specifications) if other == version:
                yield from specifications
            case UpdateDeployment(version=other, specification=one) if other == version:
                yield one
            case _:
                pass
