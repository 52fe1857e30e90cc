"""Which functions stop serving while a plan is carried out, and what they give up meanwhile.

A replaced version serves until its undeploy starts; its successor serves from the end of its
await-active. Where the first may come before the second, there is a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import Address, ResourceId, Status, StepId, parse_json
from nvcfplan.plans import AwaitActive, AwaitReleased, Deploy, Plan, Step, Undeploy, VersionRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """From the start of `begins` to the end of `ends`, by the expected times of all steps."""

    address: Address
    begins: StepId
    ends: StepId
    expected_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Units that a function gives back before its replacement is safe."""

    address: Address
    resource: ResourceId
    units: int


def find_interruptions(plan: Plan) -> tuple[Interruption, ...]:
    """Sorted by address."""
    ends = expected_ends(plan.steps)
    found: dict[Address, Interruption] = {}
    for gap in _gaps(plan):
        start = ends[gap.undeploy.id] - gap.undeploy.expected_seconds
        candidate = Interruption(
            address=gap.undeploy.address,
            begins=gap.undeploy.id,
            ends=gap.successor.id,
            expected_seconds=max(0, ends[gap.successor.id] - start),
        )
        known = found.get(candidate.address)
        if known is None or candidate.expected_seconds > known.expected_seconds:
            found[candidate.address] = candidate
    return tuple(found[address] for address in sorted(found))


def find_exposures(plan: Plan) -> tuple[Exposure, ...]:
    """Sorted by address, then resource."""
    released = {
        step.task.version: step for step in plan.steps if isinstance(step.task, AwaitReleased)
    }
    found: dict[tuple[Address, ResourceId], int] = {}
    for gap in _gaps(plan):
        waiting = released.get(gap.version)
        for charge in waiting.release if waiting else ():
            key = (gap.undeploy.address, charge.resource)
            found[key] = max(found.get(key, 0), charge.units)
    return tuple(
        Exposure(address=address, resource=resource, units=units)
        for (address, resource), units in sorted(found.items())
    )


def ancestors_of(steps: Sequence[Step]) -> Mapping[StepId, frozenset[StepId]]:
    """All that must have ended before a step starts."""
    found: dict[StepId, frozenset[StepId]] = {}
    for step in steps:
        direct = {edge.step for edge in step.depends_on}
        found[step.id] = frozenset(direct.union(*(found[one] for one in direct)))
    return found


def expected_ends(steps: Sequence[Step]) -> Mapping[StepId, int]:
    """Seconds from the start of the apply, when every step takes as long as expected."""
    ends: dict[StepId, int] = {}
    for step in steps:
        start = max((ends[edge.step] for edge in step.depends_on), default=0)
        ends[step.id] = start + step.expected_seconds
    return ends


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    undeploy: Step
    version: VersionRef
    successor: Step


def _gaps(plan: Plan) -> tuple[_Gap, ...]:
    """Undeploys that may start before any version of the function deployed here is active.

    Only of the version that carries the function (`old`), if it serves: a surplus one leaves it
    serving. A function that is deployed no more has ended, which is no gap.
    """
    ancestors = ancestors_of(plan.steps)
    successors = _successors(plan.steps)
    gaps = []
    for step in plan.steps:
        next_ones = successors.get(step.address, [])
        match step.task:
            case Undeploy(version=VersionRef(label="old") as version) if next_ones:
                is_covered = any(one.id in ancestors[step.id] for one in next_ones)
                if not is_covered and _was_serving(plan, version):
                    gaps.append(_Gap(undeploy=step, version=version, successor=next_ones[0]))
            case _:
                pass
    return tuple(gaps)


def _successors(steps: Sequence[Step]) -> Mapping[Address, Sequence[Step]]:
    """By function, the waits for versions that the plan deploys."""
    deployed = {step.task.version for step in steps if isinstance(step.task, Deploy)}
    found: dict[Address, list[Step]] = {}
    for step in steps:
        if isinstance(step.task, AwaitActive) and step.task.version in deployed:
            found.setdefault(step.address, []).append(step)
    return found


def _was_serving(plan: Plan, version: VersionRef) -> bool:
    """Unless the plan saw it in a status in which it cannot have served."""
    ids = {one.version_id for one in plan.bindings if one.version == version}
    images = (parse_json(one.fields) for one in plan.fingerprint.live if one.version in ids)
    statuses = {image.get("status") for image in images if isinstance(image, dict)}
    return statuses.isdisjoint({Status.ERROR.value, Status.INACTIVE.value})
