"""Waits that came to nothing: the plan that makes one worth beginning again.

For a deployment that a blocked run left dead, and for a drain that outlasts what it may take: a
wait sends no request, so what has to be sent is a plan of its own.
"""

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


_Link = tuple["Task", tuple["Charge", ...], tuple["Charge", ...]]


def repair_plan(
    course: Course, wait: Step, number: int, bound: tuple[tuple[VersionRef, Bound], ...]
) -> Plan | None:
    """What has to be done before `wait`, which came to nothing, is worth beginning again.

    Of a version that does not come up: undeploy, released, deploy, active; None: the plan at hand
    did not deploy it. Of one that drains for too long: undeploy at once.
    `number` makes the ids unlike those of other repairs.
    """
    if isinstance(wait.task, AwaitReleased):
        undeploy = (Undeploy(wait.task.version, graceful=False), (), ())
        return _plan_of((undeploy,), (course, wait, wait, number), bound)
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
    links: tuple[_Link, ...] = (
        (Undeploy(version, graceful=False), (), ()),
        (AwaitReleased(version), (), deploy.acquire),
        (again, deploy.acquire, ()),
        (AwaitActive(version), (), ()),
    )
    return _plan_of(links, (course, wait, deploy, number), bound)


def is_redeployment(plan: Plan) -> bool:
    """Whether a repair deploys again, or only ends a drain."""
    return any(isinstance(step.task, Deploy) for step in plan.steps)


def _plan_of(
    links: tuple[_Link, ...],
    about: tuple[Course, Step, Step, int],
    bound: tuple[tuple[VersionRef, Bound], ...],
) -> Plan:
    course, wait, deploy, number = about
    head = PREFIX if wait.id.startswith(PREFIX) else ""
    steps: list[Step] = []
    for task, acquire, release in links:
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
