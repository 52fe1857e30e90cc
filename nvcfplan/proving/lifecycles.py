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
from nvcfplan.proving.evidence import NEW, OLD, Seen, version_of
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
    """`old` is the version that carries the function; any other label but `new` is an id."""
    bound = evidence.bound.get(version)
    if version.label == OLD:
        seen = evidence.seen_as(version)
        if bound is not None and (seen is None or not seen.is_current):
            yield broken_order(step.id, "names as old a version that does not carry the function")
    elif version.label != NEW and bound is not None and bound != version.label:
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
        case AwaitReleased() if not _is_going(seen, done):
            yield broken_order(step.id, "waits for units that nothing gives back before it")
        case DeleteVersion() if seen is None and not _has(done, CreateFunction, CreateVersion):
            yield broken_order(step.id, "deletes a version that the plan did not look at")
        case Deploy() | DeleteVersion() if not _is_gone(seen, same, done):
            yield broken_order(step.id, "comes before the version is undeployed and released")
        case _:
            return


def _is_going(seen: Seen | None, done: list[Task]) -> bool:
    """Undeployed or lowered by the plan, or draining when it was looked at."""
    is_draining = seen is not None and seen.has_row and not seen.is_deployed
    return is_draining or _has(done, Undeploy, UpdateDeployment)


def _is_gone(seen: Seen | None, same: list[Step], done: list[Task]) -> bool:
    """No row is in the way: none was seen and none is taken down, or its release was awaited."""
    is_taken_down = _has([one.task for one in same], Undeploy)
    if not is_taken_down and not (seen is not None and seen.has_row):
        return True
    is_called = _has(done, Undeploy) or (seen is not None and not seen.is_deployed)
    return is_called and _has(done, AwaitReleased)


def _has(tasks: list[Task], *kinds: type[Task]) -> bool:
    return any(isinstance(task, kinds) for task in tasks)
