"""Whether a wait for a version that stays deployed gives back no more than its lowering frees.

Lowering a minimum frees nothing; lowering a maximum frees what runs above it, and of what a version
gives back in all no greater share than that. Source: nvcf-api.md 3.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.plans import AwaitReleased, Basis, Deploy, Undeploy, UpdateDeployment
from nvcfplan.proving.evidence import version_of
from nvcfplan.proving.faults import broken_funding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import GpuSpecificationId, ResourceId
    from nvcfplan.plans import Step, VersionRef
    from nvcfplan.proving.evidence import Evidence


def check_lowering(evidence: Evidence) -> Iterator[Diagnostic]:
    held = {one.id for one in evidence.plan.resources if one.basis is Basis.HELD}
    for step in evidence.plan.steps:
        if not isinstance(step.task, AwaitReleased) or not step.release:
            continue
        same = [
            one for one in evidence.steps[step.address] if version_of(one.task) == step.task.version
        ]
        yield from _loose(step, same, evidence)
        before = [one for one in same if evidence.order.precedes(one.id, step.id)]
        is_lowered = any(isinstance(one.task, UpdateDeployment) for one in before)
        if not is_lowered or any(isinstance(one.task, Undeploy) for one in before):
            continue
        share = _share_lost(before, _running(step.task.version, same, evidence))
        yield from _faults(step, same, share, held)


def _loose(step: Step, same: Sequence[Step], evidence: Evidence) -> Iterator[Diagnostic]:
    """What a lowering frees is given back by a wait after it, or counted in none before it."""
    precedes = evidence.order.precedes
    for one in same:
        if _lowers(one) and not precedes(one.id, step.id) and not precedes(step.id, one.id):
            yield broken_funding(step.id, f"gives back, and {one.id} may still be to come")


def _lowers(step: Step) -> bool:
    task = step.task
    return (
        isinstance(task, UpdateDeployment)
        and task.specification.max_instances < task.before.max_instances
    )


def _running(
    version: VersionRef, same: Sequence[Step], evidence: Evidence
) -> Mapping[GpuSpecificationId, int]:
    """What this plan deploys itself runs its minima, and is not lowered below them."""
    seen = evidence.seen_as(version)
    is_made = any(isinstance(one.task, Deploy) for one in same)
    return {} if seen is None or is_made else seen.running


def _share_lost(before: Sequence[Step], running: Mapping[GpuSpecificationId, int]) -> float:
    """The greatest share that any specification loses of its instances."""
    most: dict[GpuSpecificationId, int] = {}
    for one in before:
        if isinstance(one.task, UpdateDeployment) and one.task.row is not None:
            most[one.task.row] = one.task.specification.max_instances
    shares = [
        (running[row] - limit) / running[row]
        for row, limit in most.items()
        if running.get(row, 0) > limit
    ]
    return max(shares, default=0.0)


def _faults(
    step: Step, same: Sequence[Step], share: float, held: set[ResourceId]
) -> Iterator[Diagnostic]:
    """Of a version that is undeployed later; of another one only whether anything is freed."""
    is_whole = any(isinstance(one.task, Undeploy) for one in same)
    for charge in step.release:
        if charge.resource not in held:
            continue
        total = sum(
            other.units
            for one in same
            for other in one.release
            if other.resource == charge.resource
        )
        if share == 0 or (is_whole and charge.units > share * total + 1e-9):
            yield broken_funding(
                step.id, f"gives back {charge.units} of {charge.resource}, more than was freed"
            )
