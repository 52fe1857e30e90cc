"""Re-checks from the plan alone what each version goes through, in every order its edges permit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Probe,
    Step,
    Task,
    Undeploy,
    UpdateDeployment,
    VersionRef,
)
from nvcfplan.proving.evidence import BOUNCE, NEW, OLD, Seen, version_of
from nvcfplan.proving.faults import broken_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.proving.evidence import Evidence


def check_lifecycles(evidence: Evidence) -> Iterator[Diagnostic]:
    """A version is made before it is deployed, released before it is deployed again or deleted."""
    by_version: dict[VersionRef, list[Step]] = {}
    for step in evidence.plan.steps:
        version = version_of(step.task)
        if version is not None:
            by_version.setdefault(version, []).append(step)
    for version, steps in sorted(by_version.items()):
        yield from _check_binding(version, steps[0], evidence)
        for step in steps:
            yield from _check(step, version, steps, evidence)


def _check_binding(version: VersionRef, step: Step, evidence: Evidence) -> Iterator[Diagnostic]:
    """`old` carries the function; a label is an id but for what this plan makes."""
    bound = evidence.bound.get(version)
    if version.label == OLD:
        seen = evidence.seen_as(version)
        if bound is not None and (seen is None or not seen.is_current):
            yield broken_order(step.id, "names as old a version that does not carry the function")
    elif version.label not in (NEW, BOUNCE) and bound is not None and bound != version.label:
        yield broken_order(step.id, f"names {version.label}, and means {bound}")


def _check(
    step: Step, version: VersionRef, same: list[Step], evidence: Evidence
) -> Iterator[Diagnostic]:
    done = [one.task for one in same if evidence.order.precedes(one.id, step.id)]
    seen = evidence.seen_as(version)
    is_made = version in evidence.bound or _has(done, CreateFunction, CreateVersion)
    match step.task:
        case CreateFunction() | CreateVersion() | Probe():
            return
        case _ if not is_made:
            yield broken_order(step.id, "names a version that does not exist yet")
        case AwaitActive() if not _has(done, Deploy, UpdateDeployment):
            yield broken_order(step.id, "waits for a version that nothing deployed or changed")
        case UpdateDeployment() if not _is_deployed(seen, same, step, evidence):
            yield broken_order(step.id, "changes a version while it may not be deployed")
        case AwaitReleased() if not _is_going(seen, done):
            yield broken_order(step.id, "waits for units that nothing gives back before it")
        case DeleteVersion() if seen is None and not _has(done, CreateFunction, CreateVersion):
            yield broken_order(step.id, "deletes a version that the plan did not look at")
        case Deploy() if not _may_be_deployed(seen, same, step, evidence):
            yield broken_order(step.id, "comes before the version is undeployed and released")
        case DeleteVersion() if not _is_gone(seen, same, done):
            yield broken_order(step.id, "comes before the version is undeployed and released")
        case _:
            return


def _is_going(seen: Seen | None, done: list[Task]) -> bool:
    """Undeployed or lowered by the plan, or draining when it was looked at."""
    is_draining = seen is not None and seen.has_row and not seen.is_deployed
    return is_draining or _has(done, Undeploy, UpdateDeployment)


def _is_deployed(seen: Seen | None, same: list[Step], step: Step, evidence: Evidence) -> bool:
    """From a deployment on, or from the start, until an undeploy: in every order."""
    order = evidence.order
    deploys = [one.id for one in same if isinstance(one.task, Deploy)]
    goes = [one.id for one in same if isinstance(one.task, Undeploy)]
    if any(order.precedes(one, step.id) for one in deploys):
        later = (one for one in goes if not any(order.precedes(one, d) for d in deploys))
        return all(order.precedes(step.id, one) for one in later)
    is_there = seen is not None and seen.is_deployed
    return is_there and all(order.precedes(step.id, one) for one in goes)


def _may_be_deployed(seen: Seen | None, same: list[Step], step: Step, evidence: Evidence) -> bool:
    """No row is in the way; one that is undeployed only after this deployment does not count."""
    is_first = all(
        evidence.order.precedes(step.id, one.id) for one in same if isinstance(one.task, Undeploy)
    )
    if is_first and not (seen is not None and seen.has_row):
        return True
    return _is_released(
        seen, [one.task for one in same if evidence.order.precedes(one.id, step.id)]
    )


def _is_gone(seen: Seen | None, same: list[Step], done: list[Task]) -> bool:
    """No row was seen and none is made, or its release was awaited."""
    has_row = seen is not None and seen.has_row
    is_touched = _has([one.task for one in same], Deploy, Undeploy)
    return not (has_row or is_touched) or _is_released(seen, done)


def _is_released(seen: Seen | None, done: list[Task]) -> bool:
    is_called = _has(done, Undeploy) or (seen is not None and not seen.is_deployed)
    return is_called and _has(done, AwaitReleased)


def _has(tasks: list[Task], *kinds: type[Task]) -> bool:
    return any(isinstance(task, kinds) for task in tasks)
