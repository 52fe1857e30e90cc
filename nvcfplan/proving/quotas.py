"""Whether what counts against a quota or the version limit is charged to it, and no less.

Quotas are counted by bounds, not by what runs. Asked of new functions and deployments only: for an
update no plan says how many GPUs the instances of a live version have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.plans import Basis, Bound, CreateFunction, Deploy, Unit
from nvcfplan.proving.faults import broken_funding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import GpuSpecification, StepId
    from nvcfplan.plans import Placed, Plan, Resource, Task
    from nvcfplan.proving.evidence import Evidence


def check_quotas(evidence: Evidence) -> Iterator[Diagnostic]:
    quotas = _quotas(evidence.plan)
    placed: dict[StepId, list[Placed]] = {}
    for one in evidence.plan.placements if quotas else ():
        placed.setdefault(one.step, []).append(one)
    for step in evidence.plan.steps:
        taken = {one.resource: one.units for one in step.acquire}
        for quota in quotas:
            needed = _needed(step.task, placed.get(step.id, ()), quota)
            units = taken.get(quota.id, 0)
            if units < needed:
                yield broken_funding(step.id, f"takes {units} of {quota.id}, and counts {needed}")


def _quotas(plan: Plan) -> Sequence[Resource]:
    return [
        one for one in plan.resources if one.basis is not Basis.HELD or one.unit is Unit.VERSIONS
    ]


def _needed(task: Task, placed: Sequence[Placed], quota: Resource) -> int:
    """A function that is made is one stored version. Source: nvcf-api.md 4.2."""
    if quota.unit is Unit.VERSIONS:
        return int(isinstance(task, CreateFunction))
    asked = {one.key: one for one in task.specifications} if isinstance(task, Deploy) else {}
    return _counted(quota, placed, asked)


def _counted(
    quota: Resource, placed: Sequence[Placed], asked: Mapping[str, GpuSpecification]
) -> int:
    total = 0
    for one in placed:
        specification = asked.get(one.specification)
        if specification is None or not _falls_under(one, specification, quota):
            continue
        instances = (
            specification.min_instances if quota.basis is Basis.MIN else specification.max_instances
        )
        total += instances * (one.gpus_each if quota.unit is Unit.GPUS else 1)
    return total


def _falls_under(placed: Placed, specification: GpuSpecification, quota: Resource) -> bool:
    """Sure to land where it counts, or, of what may be used at worst, able to."""
    if quota.instance_type not in (None, specification.instance_type):
        return False
    inside = set(placed.pools) & set(quota.pools)
    return inside == set(placed.pools) if quota.bound is Bound.NECESSARY else bool(inside)
