"""Which functions a plan interrupts, read off its steps in whatever order its edges permit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.plans import AwaitActive, Deploy, Step, Undeploy, VersionRef
from nvcfplan.proving import ancestry

if TYPE_CHECKING:
    from nvcfplan.model import Address
    from nvcfplan.plans import Plan


def interrupted(plan: Plan) -> frozenset[Address]:
    """Undeployed though it is to serve, and nothing of it is sure to serve meanwhile."""
    order = ancestry(plan.steps)
    by_address: dict[Address, list[Step]] = {}
    for step in plan.steps:
        by_address.setdefault(step.address, []).append(step)
    found: set[Address] = set()
    for address, steps in by_address.items():
        if not any(isinstance(step.task, Deploy) for step in steps):
            continue
        for step in steps:
            if isinstance(step.task, Undeploy) and not any(
                order.precedes(one.id, step.id) for one in _successors(steps, step.task.version)
            ):
                found.add(address)
    return frozenset(found)


def _successors(steps: list[Step], leaving: VersionRef) -> list[Step]:
    return [
        one for one in steps if isinstance(one.task, AwaitActive) and one.task.version != leaving
    ]
