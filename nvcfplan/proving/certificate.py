"""Re-checks from the plan alone that it never needs more than its readings allow.

A plan is safe on a resource, under every interleaving its edges permit, when each acquired unit has
a source of its own: a unit free at the start, or one released by an ancestor (ordering.md 2,
theorem 1). Knows nothing of how the plan was made.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Verdict
from nvcfplan.model import ResourceId, StepId
from nvcfplan.plans import Basis, Bound
from nvcfplan.proving.faults import broken_funding, broken_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.plans import Grant, Plan, Resource
    from nvcfplan.proving.evidence import Ancestry, Evidence


def check_order(plan: Plan) -> Iterator[Diagnostic]:
    """Each step once, after all that it waits for."""
    seen: set[StepId] = set()
    for step in plan.steps:
        for edge in step.depends_on:
            if edge.step not in seen:
                yield broken_order(step.id, f"waits for {edge.step}, which does not come before it")
        if step.id in seen:
            yield broken_order(step.id, "stands in the plan twice")
        seen.add(step.id)


def check_funding(evidence: Evidence) -> Iterator[Diagnostic]:
    """Every acquired unit of a checked resource has one source, and every source enough units."""
    plan = evidence.plan
    unproved = unproved_resources(plan)
    checked = {
        one.id: one for one in plan.resources if one.limit is not None and one.id not in unproved
    }
    yield from _unit_sums(plan, checked)
    yield from _sources(evidence, checked)
    yield from _debts(evidence, checked)


def unproved_resources(plan: Plan) -> frozenset[ResourceId]:
    """Acquired from, never granted, and declared at risk by the plan's own diagnostics.

    Or only sufficient: whether others make every landing certain is asked elsewhere. Any other
    resource without grants is a broken plan, not an unproved one.
    """
    granted = {grant.resource for grant in plan.funding}
    acquired = {charge.resource for step in plan.steps for charge in step.acquire}
    declared = {
        ResourceId(one.subject.path)
        for one in plan.diagnostics
        if one.verdict is Verdict.AT_RISK and one.subject is not None
    }
    sufficient = {
        one.id
        for one in plan.resources
        if one.bound is Bound.SUFFICIENT and one.basis is Basis.HELD
    }
    return frozenset((acquired - granted) & (declared | sufficient))


def _unit_sums(plan: Plan, checked: Mapping[ResourceId, Resource]) -> Iterator[Diagnostic]:
    granted: Counter[tuple[StepId, ResourceId]] = Counter()
    for grant in plan.funding:
        granted[grant.step, grant.resource] += grant.units
    for step in plan.steps:
        for charge in step.acquire:
            units = granted.pop((step.id, charge.resource), 0)
            if charge.resource in checked and units != charge.units:
                yield broken_funding(
                    step.id, f"takes {charge.units} of {charge.resource}, granted {units}"
                )
    for (step_id, resource), units in granted.items():
        yield broken_funding(step_id, f"is granted {units} of {resource} and takes none")


def _sources(evidence: Evidence, checked: Mapping[ResourceId, Resource]) -> Iterator[Diagnostic]:
    released = {
        (step.id, charge.resource): charge.units
        for step in evidence.plan.steps
        for charge in step.release
    }
    drawn: Counter[tuple[StepId | None, ResourceId]] = Counter()
    for grant in evidence.plan.funding:
        drawn[grant.source, grant.resource] += grant.units
        yield from _ancestry(grant, evidence.order)
    for (source, name), units in sorted(
        drawn.items(), key=lambda one: (one[0][0] or "", one[0][1])
    ):
        if name not in checked:
            yield broken_funding(source or StepId("start"), f"funds {name}, which has no limit")
        elif source is None:
            free = max(0, _free(checked[name]))
            if units > free:
                yield broken_funding(StepId("start"), f"gives {units} of {name}, {free} are free")
        elif units > released.get((source, name), 0):
            yield broken_funding(
                source, f"gives {units} of {name}, releases {released.get((source, name), 0)}"
            )


def _ancestry(grant: Grant, order: Ancestry) -> Iterator[Diagnostic]:
    if grant.units <= 0:
        yield broken_funding(grant.step, f"is granted {grant.units} of {grant.resource}")
    if grant.step not in order.places:
        yield broken_funding(grant.step, "is granted units and is not in the plan")
    elif grant.source is not None and not order.precedes(grant.source, grant.step):
        yield broken_funding(
            grant.step,
            f"takes {grant.units} of {grant.resource} from {grant.source}, which may still run",
        )


def _debts(evidence: Evidence, checked: Mapping[ResourceId, Resource]) -> Iterator[Diagnostic]:
    """A resource over its limit at the start is first brought back under it by ungranted units."""
    over = {name: -_free(one) for name, one in checked.items() if _free(one) < 0}
    if not over:
        return
    plan = evidence.plan
    left: Counter[tuple[StepId, ResourceId]] = Counter()
    for step in plan.steps:
        for charge in step.release:
            left[step.id, charge.resource] += charge.units
    for grant in plan.funding:
        if grant.source is not None:
            left[grant.source, grant.resource] -= grant.units
    for step in plan.steps:
        for charge in step.acquire:
            paid = sum(
                units
                for (source, name), units in left.items()
                if name == charge.resource and evidence.order.precedes(source, step.id)
            )
            if paid < over.get(charge.resource, 0):
                yield broken_funding(
                    step.id, f"takes of {charge.resource} while that is over its limit"
                )


def _free(resource: Resource) -> int:
    return (resource.limit or 0) - resource.before - resource.headroom
