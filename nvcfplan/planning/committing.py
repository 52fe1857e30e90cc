"""The commit barrier: what is given up for nobody's sake is given up when all the rest is done.

Until then everything that ran before still runs, so that going back needs no room.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.planning.assembly import topological
from nvcfplan.plans import (
    After,
    AwaitReleased,
    DeleteVersion,
    Order,
    Step,
    Undeploy,
    UpdateDeployment,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from nvcfplan.model import StepId


def behind_barrier(steps: Sequence[Step]) -> tuple[Step, ...]:
    """`steps` in topological order. Edges are only added, so what was safe stays safe.

    One of those that wait waits for all the rest, and the others for that one: edges stay few.
    """
    late = _late(steps)
    sources = {edge.step for step in steps if step.id not in late for edge in step.depends_on}
    leaves = [step.id for step in steps if step.id not in late and step.id not in sources]
    gate: StepId | None = None
    made: list[Step] = []
    for step in steps:
        before = {edge.step for edge in step.depends_on}
        if step.id in late and late.isdisjoint(before):
            waits = leaves if gate is None else [gate]
            gate = gate or step.id
            added = tuple(After(one, Order.BARRIER) for one in waits if one not in before)
            step = replace(step, depends_on=(*step.depends_on, *added))
        made.append(step)
    return topological(made)


def _late(steps: Sequence[Step]) -> AbstractSet[StepId]:
    """Steps that take something away, and after which nothing else comes."""
    blocked: set[StepId] = set()
    late: set[StepId] = set()
    for step in reversed(steps):
        if step.id not in blocked and _takes_away(step):
            late.add(step.id)
        else:
            blocked.update(edge.step for edge in step.depends_on)
    return late


def _takes_away(step: Step) -> bool:
    match step.task:
        case Undeploy() | AwaitReleased() | DeleteVersion():
            return not step.acquire
        case UpdateDeployment(specification=after, before=before):
            is_less = (after.min_instances, after.max_instances) != (
                before.min_instances,
                before.max_instances,
            )
            return not step.acquire and is_less
        case _:
            return False
