"""Re-checks from the plan alone what each version goes through, in every order its edges permit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Order,
    Plan,
    Probe,
    Step,
    Task,
    Undeploy,
    UpdateDeployment,
    VersionRef,
)
from nvcfplan.proving.certificate import ancestors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.model import StepId


def check_lifecycles(plan: Plan) -> Iterator[Diagnostic]:
    """A version is made before it is deployed, released before it is deployed again or deleted."""
    before = ancestors(plan.steps)
    by_version: dict[VersionRef, list[Step]] = {}
    for step in plan.steps:
        if not isinstance(step.task, Probe):
            by_version.setdefault(step.task.version, []).append(step)
    known = {one.version for one in plan.bindings if one.version_id is not None}
    for version, steps in sorted(by_version.items()):
        for step in steps:
            yield from _check(step, steps, before, is_known=version in known)


def check_succession(plan: Plan) -> Iterator[Diagnostic]:
    """Create-first: the old version is undeployed only after its successor is active."""
    before = ancestors(plan.steps)
    active = {step.id for step in plan.steps if isinstance(step.task, AwaitActive | CreateVersion)}
    for step in plan.steps:
        for edge in step.depends_on:
            is_first = getattr(edge, "order", None) is Order.CREATE_FIRST
            if is_first and not active & before[step.id]:
                yield _broken(step, "undeploys before anything else serves")


def _check(
    step: Step,
    same: list[Step],
    before: Mapping[StepId, frozenset[StepId]],
    *,
    is_known: bool,
) -> Iterator[Diagnostic]:
    done = [one.task for one in same if one.id in before[step.id]]
    match step.task:
        case CreateFunction() | CreateVersion() | Probe():
            return
        case AwaitActive() if not _has(done, Deploy, UpdateDeployment):
            yield _broken(step, "waits for a version that nothing deployed or changed")
        case AwaitReleased() | DeleteVersion() if _is_held(same, done):
            yield _broken(step, "comes before the version is undeployed")
        case _ if not is_known and not _has(done, CreateFunction, CreateVersion):
            yield _broken(step, "names a version that does not exist yet")
        case Deploy() if _has([one.task for one in same], Undeploy) and not _has(
            done, AwaitReleased
        ):
            yield _broken(step, "deploys a version before it is released")
        case _:
            return


def _is_held(same: list[Step], done: list[Task]) -> bool:
    """Something undeploys this version, and not before this step."""
    return _has([one.task for one in same], Undeploy) and not _has(done, Undeploy)


def _has(tasks: list[Task], *kinds: type[Task]) -> bool:
    return any(isinstance(task, kinds) for task in tasks)


def _broken(step: Step, what: str) -> Diagnostic:
    return Diagnostic(
        code="plan-not-proved",
        severity=Severity.ERROR,
        summary=f"step {step.id} {what}",
        detail="the order of the steps does not hold, so the plan is not safe to apply",
        remedy="plan again; if the file was not edited, please report this as a defect",
    )
