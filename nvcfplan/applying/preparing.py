"""From a step of a course to the brief of its flow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvcfplan.applying.briefs import Brief
from nvcfplan.applying.settings import ApplySettings
from nvcfplan.applying.tracking import Bindings, Kind
from nvcfplan.model import RunId, StepId
from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    Charge,
    Deploy,
    Probe,
    Undeploy,
    UpdateDeployment,
)

if TYPE_CHECKING:
    from nvcfplan.applying.flows import Bound
    from nvcfplan.applying.tracking import Course
    from nvcfplan.model import Json, ResourceId
    from nvcfplan.plans import Plan, Resource, Step, VersionRef


@dataclass(slots=True)
class Release:
    """A wait for units to be given back; `ended_at` None: it goes on."""

    step: StepId
    charges: tuple[Charge, ...]
    ended_at: float | None = None


@dataclass(slots=True)
class Preparation:
    """`releases`: all that this part of the run has been waiting for, oldest first.

    `crowd`: how many steps are under way now. `gone_at`: as in a brief, by step.
    """

    run: RunId
    settings: ApplySettings
    bindings: Bindings
    releases: list[Release]
    crowd: Callable[[], int]
    gone_at: dict[StepId, float] = field(default_factory=dict)

    def prepare(self, course: Course, step: Step, now: float) -> Brief:
        state, task = course.state(step.id), step.task
        bound = self.bindings.for_call(task)
        if isinstance(task, AwaitReleased):
            self.releases.append(Release(step.id, step.release))
        return Brief(
            step=step,
            run=self.run,
            settings=self.settings,
            began=now,
            bound=bound,
            attempts=state.attempts,
            open=state.open,
            is_open_noted=state.open is not None and state.open.operation in state.lost,
            was_unknown=state.was_unknown,
            before=_pre_image(course.plan, bound),
            is_looked_first=not course.kind.is_wanted,
            is_self_funded=course.is_self_funded(step),
            shrinks=isinstance(task, AwaitReleased) and _is_shrinking(course, step, task.version),
            may_be_gone=_may_be_gone(course, step),
            charges=_pooled(course.plan, _charges(course, step)),
            released_beside=lambda resource, since: self._released(step.id, resource, since),
            crowd=self.crowd,
            gone_at=self.gone_at.get(step.id),
        )

    def end_release(self, step: StepId, now: float) -> None:
        for release in self.releases:
            if release.step == step and release.ended_at is None:
                release.ended_at = now

    def _released(self, step: StepId, resource: ResourceId, since: float) -> int:
        return sum(
            charge.units
            for release in self.releases
            if release.step != step and (release.ended_at is None or release.ended_at >= since)
            for charge in release.charges
            if charge.resource == resource
        )


def _pre_image(plan: Plan, bound: Bound | None) -> Json | None:
    version = bound[1] if bound else None
    return next(
        (one.fields for one in plan.fingerprint.live if version and one.version == version), None
    )


def _may_be_gone(course: Course, step: Step) -> bool:
    if course.kind is not Kind.UNDO or not isinstance(step.task, AwaitActive):
        return False
    tasks = (one.task for one in course.steps.values())
    return not any(isinstance(o, Deploy) and o.version == step.task.version for o in tasks)


def _is_shrinking(course: Course, step: Step, version: VersionRef) -> bool:
    """The nearest of the steps before it that changed what the version holds was an update."""
    seen: set[StepId] = set()
    level = [step.id]
    while level:
        level = sorted({edge.step for one in level for edge in course.steps[one].depends_on} - seen)
        seen.update(level)
        tasks = [course.steps[one].task for one in level]
        if any(isinstance(task, Undeploy) and task.version == version for task in tasks):
            return False
        if any(isinstance(task, UpdateDeployment) and task.version == version for task in tasks):
            return True
    return False


def _charges(course: Course, step: Step) -> tuple[Charge, ...]:
    match step.task:
        case AwaitReleased():
            return step.release
        case Probe(resources=resources):
            wanted: Counter[ResourceId] = Counter()
            for later in course.steps.values():
                if any(edge.step == step.id for edge in later.depends_on):
                    for charge in later.acquire:
                        wanted[charge.resource] += charge.units
            return tuple(
                Charge(resource=one, units=wanted[one]) for one in resources if wanted[one]
            )
        case _:
            return ()


def _pooled(plan: Plan, charges: tuple[Charge, ...]) -> tuple[tuple[Charge, Resource], ...]:
    """Those that a capacity reading counts: GPUs of pools, not of quotas, and not versions."""
    pooled = {one.id: one for one in plan.resources if is_pool(one.id) and one.pools}
    return tuple((one, pooled[one.resource]) for one in charges if one.resource in pooled)


def is_pool(resource: ResourceId) -> bool:
    return resource.startswith(("pool:", "pools:"))
