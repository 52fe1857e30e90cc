"""Where each specification that gets GPUs may land, written down so that a reader can check it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.plans import Basis, Deploy, Placed, Step, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.capacity import Limits
    from nvcfplan.model import GpuSpecification


def find_landings(steps: Sequence[Step], limits: Limits) -> tuple[Placed, ...]:
    """Of every specification for which a step takes GPUs, where its size and pools are known."""
    found = (one for step in steps for one in _landings(step, limits))
    return tuple(sorted(found, key=lambda one: (one.step, one.specification)))


def asked_by(step: Step, limits: Limits) -> tuple[GpuSpecification, ...]:
    """The specifications for which a step takes GPUs."""
    match step.task:
        case Deploy(specifications=specifications):
            return tuple(one for one in specifications if one.min_instances)
        case UpdateDeployment(specification=one) if grown_by(step, limits):
            return (one,)
        case _:
            return ()


def grown_by(step: Step, limits: Limits) -> int:
    """GPUs that an update takes: what any pool it may touch is charged."""
    return max(
        (
            charge.units
            for charge in step.acquire
            if limits.resource(charge.resource).basis is Basis.HELD
        ),
        default=0,
    )


def _landings(step: Step, limits: Limits) -> Iterator[Placed]:
    is_deploy = isinstance(step.task, Deploy)
    for one in asked_by(step, limits):
        placement = limits.atlas.place(one)
        if placement.pools and placement.gpus_each:
            each = placement.gpus_each
            yield Placed(
                step=step.id,
                specification=one.key,
                pools=placement.pools,
                gpus_each=each,
                units=one.min_instances * each if is_deploy else grown_by(step, limits),
                is_pinned=one.backend is not None,
            )
