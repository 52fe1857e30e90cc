"""Which bounds a version has once certain steps are done, read from the steps alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.plans import AwaitActive, Deploy, Step, UpdateDeployment, VersionRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.model import GpuSpecification, StepId
    from nvcfplan.proving.evidence import Case, Evidence


def final_bounds(case: Case, version: VersionRef) -> tuple[GpuSpecification, ...]:
    """As this plan leaves a version that it deploys, by key; empty: it deploys none."""
    deploys = case.tasks(Deploy, version)
    found = {one.key: one for one in deploys[-1].specifications} if deploys else {}
    for task in case.tasks(UpdateDeployment, version):
        if task.specification.key in found:
            found[task.specification.key] = task.specification
    return tuple(found[key] for key in sorted(found))


def bound_faults(case: Case, version: VersionRef, evidence: Evidence) -> Iterator[str]:
    """Each update of what this plan deploys starts from what is there, one after the other."""
    deploys = case.tasks(Deploy, version)
    known = {one.key: one for one in deploys[-1].specifications} if deploys else {}
    last: Step | None = None
    for step in case.steps_of(UpdateDeployment, version) if deploys else ():
        task = step.task
        assert isinstance(task, UpdateDeployment), step.id
        if known.get(task.before.key) != task.before:
            yield f"updates {version} {task.before.key} from bounds that it does not have"
        if not _is_same_but_for_bounds(task):
            yield f"changes more of {version} {task.before.key} than how many instances it has"
        if last is not None and not evidence.order.precedes(last.id, step.id):
            yield f"updates {version} twice in no certain order"
        known[task.specification.key] = task.specification
        last = step


def certain_minimum(case: Case, version: VersionRef, moment: Step, evidence: Evidence) -> int:
    """Instances that serve whenever `moment` begins: minima that were awaited, the lowest that may
    hold by then.
    """
    order = evidence.order
    waits = [one.id for one in case.steps_of(AwaitActive, version)]
    awaited = _awaited(case.steps_of(Deploy, version), waits, moment, evidence)
    minima = {
        one.key: one.min_instances
        for step in awaited
        if isinstance(step.task, Deploy)
        for one in step.task.specifications
    }
    for step in case.steps_of(UpdateDeployment, version):
        task = step.task
        assert isinstance(task, UpdateDeployment), step.id
        key, least = task.specification.key, task.specification.min_instances
        if key not in minima or order.precedes(moment.id, step.id):
            continue
        if least < minima[key] or _awaited([step], waits, moment, evidence):
            minima[key] = least
    return sum(minima.values())


def _awaited(
    steps: Sequence[Step], waits: Sequence[StepId], moment: Step, evidence: Evidence
) -> list[Step]:
    precedes = evidence.order.precedes
    return [
        step
        for step in steps
        if any(precedes(step.id, wait) and precedes(wait, moment.id) for wait in waits)
    ]


def _is_same_but_for_bounds(task: UpdateDeployment) -> bool:
    one, other = (
        replace(each, min_instances=0, max_instances=1)
        for each in (task.before, task.specification)
    )
    return one == other
