"""When each step is expected to run, which chain of waits is the longest, and what is re-taken."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.plans import Basis, Charge, Plan, Step, expected_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import ResourceId, StepId


def critical_path(steps: Sequence[Step]) -> tuple[StepId, ...]:
    """The chain that decides how long the plan takes, first step first; ties by the step's id."""
    if not steps:
        return ()
    ends = expected_ends(steps)
    by_id = {step.id: step for step in steps}
    step: Step | None = max(steps, key=lambda one: (ends[one.id], one.id))
    chain: list[StepId] = []
    while step is not None:
        chain.append(step.id)
        before = max(
            ({edge.step for edge in step.depends_on}),
            key=lambda one: (ends[one], one),
            default=None,
        )
        step = None if before is None else by_id[before]
    return tuple(reversed(chain))


def find_retaken(plan: Plan) -> tuple[Charge, ...]:
    """GPUs that are given back and taken again: between the two another tenant can take them."""
    pools = {one.id for one in plan.resources if one.basis is Basis.HELD and one.pools}
    units: Counter[ResourceId] = Counter()
    for grant in plan.funding:
        if grant.source is not None and grant.resource in pools:
            units[grant.resource] += grant.units
    return tuple(Charge(resource=name, units=number) for name, number in sorted(units.items()))
