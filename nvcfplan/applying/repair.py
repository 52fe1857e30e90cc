"""A deployment that a blocked run left dead: the plan that clears it away and deploys it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.applying.funding import grants_for
from nvcfplan.applying.rollback import PREFIX, bindings_of
from nvcfplan.model import StepId
from nvcfplan.plans import (
    After,
    AwaitActive,
    AwaitReleased,
    Deploy,
    Irreversible,
    Order,
    Step,
    Undeploy,
    UpdateDeployment,
    VersionRef,
    step_id,
)

if TYPE_CHECKING:
    from nvcfplan.applying.flows import Bound
    from nvcfplan.applying.tracking import Course
    from nvcfplan.plans import Charge, Plan, Task

MARK: Final = "#"
"""Stands in the ids of a repair's steps, before its number."""


def repair_plan(
    course: Course, wait: Step, number: int, bound: tuple[tuple[VersionRef, Bound], ...]
) -> Plan | None:
    """Undeploy, released, deploy, active. None: the plan at hand did not deploy that version.

    `wait`: the `AwaitActive` that failed. `number` makes the ids unlike those of other repairs.
    """
    assert isinstance(wait.task, AwaitActive), wait.id
    version = wait.task.version
    deploy = next(
        (
            step
            for step in reversed(course.plan.steps)
            if isinstance(step.task, Deploy) and step.task.version == version
        ),
        None,
    )
    if deploy is None:
        return None
    again = _deployment_now(course, deploy.task)
    tasks: tuple[tuple[Task, tuple[Charge, ...], tuple[Charge, ...]], ...] = (
        (Undeploy(version, graceful=False), (), ()),
        (AwaitReleased(version), (), deploy.acquire),
        (again, deploy.acquire, ()),
        (AwaitActive(version), (), ()),
    )
    head = PREFIX if wait.id.startswith(PREFIX) else ""
    steps: list[Step] = []
    for task, acquire, release in tasks:
        like = deploy if isinstance(task, Deploy) else wait
        steps.append(
            replace(
                like,
                id=StepId(f"{head}{step_id(task)}{MARK}{number}"),
                task=task,
                depends_on=(After(steps[-1].id, Order.REQUIRES),) if steps else (),
                acquire=acquire,
                release=release,
                undo=Irreversible("a repair is not undone by itself"),
            )
        )
    return replace(
        course.plan,
        changes=(),
        steps=tuple(steps),
        bindings=bindings_of(bound),
        funding=grants_for(steps),
        point_of_no_return=(),
        is_proved_minimal=False,
        diagnostics=(),
    )


def _deployment_now(course: Course, task: Task) -> Deploy:
    """As deployed, with the bounds that were updated since."""
    assert isinstance(task, Deploy), task
    updated = {
        step.task.specification.key: step.task.specification
        for step in course.plan.steps
        if isinstance(step.task, UpdateDeployment)
        and step.task.version == task.version
        and course.is_done(step.id)
    }
    return Deploy(task.version, tuple(updated.get(one.key, one) for one in task.specifications))
