"""Which functions stop serving while a plan is carried out, and what they give up meanwhile.

A replaced version serves until its undeploy starts; its successor serves from the end of its
await-active. Where the first may come before the second, there is a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import Address, ResourceId, StepId
from nvcfplan.plans import AwaitActive, AwaitReleased, Deploy, Step, Undeploy, VersionRef

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


def find_interruptions(steps: Sequence[Step]) -> tuple[Interruption, ...]:
    """Sorted by address. Steps in topological order."""
    ancestors = ancestors_of(steps)
    ends = expected_ends(steps)
    found: dict[Address, Interruption] = {}
    for gap in _gaps(steps, ancestors):
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


def find_exposures(steps: Sequence[Step]) -> tuple[Exposure, ...]:
    """Sorted by address, then resource."""
    released = {step.task.version: step for step in steps if isinstance(step.task, AwaitReleased)}
    found: dict[tuple[Address, ResourceId], int] = {}
    for gap in _gaps(steps, ancestors_of(steps)):
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


def _gaps(steps: Sequence[Step], ancestors: Mapping[StepId, frozenset[StepId]]) -> tuple[_Gap, ...]:
    """Undeploys that may start before any version of the function deployed here is active.

    Only of the version that carries the function (`old`): a surplus one leaves it serving. A
    function that is deployed no more has ended, which is no gap.
    """
    deployed = {step.task.version for step in steps if isinstance(step.task, Deploy)}
    actives: dict[Address, list[Step]] = {}
    for step in steps:
        if isinstance(step.task, AwaitActive) and step.task.version in deployed:
            actives.setdefault(step.address, []).append(step)
    gaps = []
    for step in steps:
        successors = actives.get(step.address, [])
        is_carrier = isinstance(step.task, Undeploy) and step.task.version.label == "old"
        if not is_carrier or not successors:
            continue
        if not any(one.id in ancestors[step.id] for one in successors):
            assert isinstance(step.task, Undeploy)
            gaps.append(_Gap(undeploy=step, version=step.task.version, successor=successors[0]))
    return tuple(gaps)
