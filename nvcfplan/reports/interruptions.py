"""Which functions stop serving while a plan is carried out, and what they give up meanwhile.

A replaced version serves until its undeploy starts; its successor serves from the end of its
await-active. Where some order of the steps leaves a moment without either, there is a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import Address, ResourceId, Status, StepId, parse_json
from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    Deploy,
    Plan,
    Step,
    Undeploy,
    VersionRef,
    expected_ends,
)
from nvcfplan.proving import Ancestry, ancestry
from nvcfplan.reports.closure import heaviest_closure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """From the start of `begins` to the end of `ends`.

    `expected_seconds` by the expected times of all steps; `limit_seconds`: the most it can be, when
    every step that matters takes as long as it is waited for.
    """

    address: Address
    begins: StepId
    ends: StepId
    expected_seconds: int
    limit_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Units that a function gives back before its replacement is safe, for about so long."""

    address: Address
    resource: ResourceId
    units: int
    expected_seconds: int


def find_interruptions(plan: Plan) -> tuple[Interruption, ...]:
    """Sorted by address."""
    order = ancestry(plan.steps)
    ends = expected_ends(plan.steps)
    found = []
    for gap in _gaps(plan, order):
        start = ends[gap.undeploy.id] - gap.undeploy.expected_seconds
        found.append(
            Interruption(
                address=gap.undeploy.address,
                begins=gap.undeploy.id,
                ends=gap.successor.id,
                expected_seconds=max(0, ends[gap.successor.id] - start),
                limit_seconds=_at_most(plan.steps, gap, order),
            )
        )
    return tuple(found)


def find_exposures(plan: Plan) -> tuple[Exposure, ...]:
    """Sorted by address, then resource."""
    ends = expected_ends(plan.steps)
    released = {
        step.task.version: step for step in plan.steps if isinstance(step.task, AwaitReleased)
    }
    return tuple(
        Exposure(
            address=gap.undeploy.address,
            resource=charge.resource,
            units=charge.units,
            expected_seconds=max(0, ends[gap.successor.id] - ends[waiting.id]),
        )
        for gap in _gaps(plan, ancestry(plan.steps))
        if (waiting := released.get(gap.version)) is not None
        for charge in waiting.release
    )


def was_serving(plan: Plan, version: VersionRef) -> bool:
    """Unless the plan saw it in a status in which it cannot have served."""
    ids = {one.version_id for one in plan.bindings if one.version == version}
    images = (parse_json(one.fields) for one in plan.fingerprint.live if one.version in ids)
    statuses = {image.get("status") for image in images if isinstance(image, dict)}
    return statuses.isdisjoint({Status.ERROR.value, Status.INACTIVE.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    undeploy: Step
    version: VersionRef
    successor: Step


def _gaps(plan: Plan, order: Ancestry) -> Iterator[_Gap]:
    """By address: what is undeployed last in the worst state, and what serves first after it.

    A function that is deployed no more has ended, which is no gap. Of versions that ran before only
    the one that carries the function (`old`) counts: a surplus one leaves it serving.
    """
    steps: dict[Address, list[Step]] = {}
    for step in plan.steps:
        steps.setdefault(step.address, []).append(step)
    for address in sorted(steps):
        gains, losses = _events(plan, steps[address])
        if gains and losses:
            gap = _worst_gap(gains, losses, order)
            if gap is not None:
                yield gap


def _events(plan: Plan, steps: Sequence[Step]) -> tuple[list[Step], list[tuple[Step, VersionRef]]]:
    """From whose end a version serves; from whose start one that served does not."""
    deployed = {step.task.version for step in steps if isinstance(step.task, Deploy)}
    gains: list[Step] = []
    losses: list[tuple[Step, VersionRef]] = []
    for step in steps:
        match step.task:
            case AwaitActive(version=version) if version in deployed:
                gains.append(step)
            case Undeploy(version=version):
                is_old = version.label == "old" and was_serving(plan, version)
                is_again = any(
                    isinstance(one.task, AwaitActive) and one.task.version == version
                    for one in gains
                )
                if is_old or is_again:
                    losses.append((step, version))
            case _:
                pass
    return gains, losses


def _worst_gap(
    gains: Sequence[Step], losses: Sequence[tuple[Step, VersionRef]], order: Ancestry
) -> _Gap | None:
    """The state with the fewest serving versions, when that is none."""
    events = [*(step for step, _ in losses), *gains]
    needs = {
        later: [
            earlier
            for earlier, first in enumerate(events)
            if order.precedes(first.id, events[later].id)
        ]
        for later in range(len(events))
    }
    weights = [1] * len(losses) + [-1] * len(gains)
    chosen = heaviest_closure(weights, needs)
    is_serving_now = any(version.label == "old" for _, version in losses)
    serving = int(is_serving_now) - sum(weights[one] for one in chosen)
    left = [one for place, one in enumerate(gains, len(losses)) if place not in chosen]
    lost = [one for place, one in enumerate(losses) if place in chosen]
    if serving > 0 or not left or not lost:
        return None
    undeploy, version = lost[-1]
    return _Gap(undeploy=undeploy, version=version, successor=left[0])


def _at_most(steps: Sequence[Step], gap: _Gap, order: Ancestry) -> int:
    """The longest chain, by limits, of what the successor needs and the undeploy does not."""
    longest: dict[StepId, int] = {}
    for step in steps:
        is_needed = step is gap.successor or order.precedes(step.id, gap.successor.id)
        if is_needed and not order.precedes(step.id, gap.undeploy.id):
            before = (longest.get(edge.step, 0) for edge in step.depends_on)
            longest[step.id] = max(before, default=0) + step.limit_seconds
    return longest[gap.successor.id]
