"""Re-checks from the plan alone that a function serves all along, and serves before its users.

Only a version that was deployed and awaited serves: making one is not enough, nor is another
function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.model import DesiredFunction, Downtime, UpdateOrder, function_address
from nvcfplan.plans import (
    After,
    AwaitActive,
    Deploy,
    Order,
    Step,
    Undeploy,
    UpdateDeployment,
    VersionRef,
)
from nvcfplan.proving.faults import broken_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.proving.evidence import Evidence


def check_succession(evidence: Evidence) -> Iterator[Diagnostic]:
    """A serving version is undeployed only after another of its function is active.

    Where the stack or the plan's own edge says so, and unless the function is to serve no more.
    """
    for step in evidence.plan.steps:
        if not isinstance(step.task, Undeploy) or not _may_serve(step.task.version, evidence):
            continue
        same = evidence.steps[step.address]
        is_deployed = any(isinstance(one.task, Deploy) for one in same)
        is_held = _forbids_gap(evidence.desired.get(step.address)) or _is_create_first(step)
        if is_deployed and is_held and not _has_successor(step, step.task, evidence):
            yield broken_order(step.id, "undeploys before another version of the function serves")


def check_dependencies(evidence: Evidence) -> Iterator[Diagnostic]:
    """A function is deployed, or grown, once all it depends on serves as wanted."""
    for address, function in evidence.desired.items():
        settled = [
            one
            for key in function.depends_on
            for one in _settling(evidence.steps.get(function_address(key), ()))
        ]
        for step in evidence.steps.get(address, ()):
            if isinstance(step.task, Deploy | UpdateDeployment):
                for one in settled:
                    if not evidence.order.precedes(one.id, step.id):
                        yield broken_order(step.id, f"does not wait for {one.id} to end")


def _may_serve(version: VersionRef, evidence: Evidence) -> bool:
    seen = evidence.seen_as(version)
    return seen is None or seen.may_serve


def _forbids_gap(function: DesiredFunction | None) -> bool:
    if function is None:
        return False
    match function.update.replacing_order:
        case UpdateOrder.CREATE_FIRST:
            return True
        case UpdateOrder.DELETE_FIRST:
            return False
        case UpdateOrder.AUTO:
            return function.update.downtime is Downtime.NEVER


def _is_create_first(step: Step) -> bool:
    return any(
        isinstance(edge, After) and edge.order is Order.CREATE_FIRST for edge in step.depends_on
    )


def _has_successor(step: Step, task: Undeploy, evidence: Evidence) -> bool:
    same = evidence.steps[step.address]
    deployed = {one.task.version for one in same if isinstance(one.task, Deploy)} - {task.version}
    return any(
        isinstance(one.task, AwaitActive)
        and one.task.version in deployed
        and evidence.order.precedes(one.id, step.id)
        for one in same
    )


def _settling(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps from whose end a function serves as wanted."""
    active = [one for one in steps if isinstance(one.task, AwaitActive)]
    return active or [one for one in steps if isinstance(one.task, UpdateDeployment)][-1:]
