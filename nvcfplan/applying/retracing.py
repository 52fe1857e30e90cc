"""What was carried out of a plan and of the rungs after it, as one plan that can be undone.

Versions that the run made itself are deleted in the end, so that little done to them in between
needs an undo of its own: their last deployment is taken away again, and before that what it has
grown by since, for the version that it replaced may need that room to come back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.applying.rollback import Executed, resources_after
from nvcfplan.plans import (
    After,
    CreateFunction,
    CreateVersion,
    Deploy,
    Order,
    Probe,
    Reversible,
    SetAuthorizations,
    UpdateDeployment,
    is_waiting,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.tracking import Bindings, Course
    from nvcfplan.model import StepId, VersionId
    from nvcfplan.plans import Resource, Step


def carried_out(
    courses: Sequence[tuple[Course, frozenset[StepId]]], bindings: Bindings
) -> Executed:
    """`courses`: oldest first, each with its steps that count; those of one plan may be split."""
    ran = [
        (
            course,
            [one for one in course.plan.steps if one.id in steps and course.is_executed(one.id)],
        )
        for course, steps in courses
    ]
    plan = courses[0][0].plan
    if any(course.rung is not None for course, _ in courses):
        plan = replace(plan, steps=_joined(ran, bindings))
    return Executed(
        plan=plan,
        steps={step.id for _, steps in ran for step in steps},
        done={step.id for course, steps in ran for step in steps if course.is_done(step.id)},
        bound=bindings.known(),
        resources=_resources(ran),
    )


def _joined(ran: Sequence[tuple[Course, list[Step]]], bindings: Bindings) -> tuple[Step, ...]:
    """A rung's steps come after all that was carried out before of the functions it is of."""
    kept = _kept(ran, bindings)
    joined: list[Step] = []
    for course, steps in sorted(ran, key=lambda pair: pair[0].rung is not None):
        before = [one for one in joined if one.address in course.addresses]
        ids = {step.id for step in steps}
        if course.rung is None:
            before = []
        joined += (
            _in_turn(step if step.id in kept else replace(step, undo=_NO_UNDO), ids, before)
            for step in steps
        )
    return tuple(joined)


_NO_UNDO = Reversible(())


def _in_turn(step: Step, own: set[StepId], before: Sequence[Step]) -> Step:
    edges = [edge for edge in step.depends_on if edge.step in own]
    late = () if edges else tuple(After(one.id, Order.REQUIRES) for one in before)
    return replace(step, depends_on=(*edges, *late))


def _kept(ran: Sequence[tuple[Course, list[Step]]], bindings: Bindings) -> set[StepId]:
    """Steps whose undo counts."""
    steps = [step for _, found in ran for step in found]
    made = {
        bound[1]
        for step in steps
        if isinstance(step.task, CreateFunction | CreateVersion)
        and (bound := bindings.of(step.task.version)) is not None
    }
    kept: set[StepId] = set()
    deployed: dict[VersionId | None, list[StepId]] = {}
    for step in steps:
        version = _version_of(step, bindings)
        is_own = isinstance(step.task, CreateFunction | CreateVersion | SetAuthorizations)
        if version not in made or is_own:
            kept.add(step.id)
        elif isinstance(step.task, Deploy):
            deployed[version] = [step.id]
        elif isinstance(step.task, UpdateDeployment):
            deployed.setdefault(version, []).append(step.id)
    return kept.union(*deployed.values())


def _version_of(step: Step, bindings: Bindings) -> VersionId | None:
    if isinstance(step.task, Probe) or is_waiting(step.task):
        return None
    bound = bindings.of(step.task.version)
    return None if bound is None else bound[1]


def _resources(ran: Sequence[tuple[Course, list[Step]]]) -> tuple[Resource, ...]:
    """Of a resource that several plans read, what the last one saw. In the first plan's order."""
    found: dict[str, Resource] = {}
    for course in dict.fromkeys(course for course, _ in ran):
        steps = [step.id for one, some in ran for step in some if one is course]
        done = [one for one in steps if course.is_done(one)]
        found |= {one.id: one for one in resources_after(course.plan, steps, done)}
    return tuple(found.values())
