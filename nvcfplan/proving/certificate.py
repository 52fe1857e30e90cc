"""Re-checks from the plan alone that it never needs more than its readings allow.

A plan is safe on a resource, under every interleaving its edges permit, when each acquired unit has
a source of its own: a unit free at the start, or one released by an ancestor (ordering.md 2,
theorem 1). Knows nothing of how the plan was made.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Verdict
from nvcfplan.model import ResourceId, StepId
from nvcfplan.plans import Basis, Bound, Grant, Plan, Resource, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def ancestors(steps: Sequence[Step]) -> Mapping[StepId, frozenset[StepId]]:
    """All that must have ended before a step starts. Steps in topological order."""
    found: dict[StepId, frozenset[StepId]] = {}
    for step in steps:
        direct = {edge.step for edge in step.depends_on}
        found[step.id] = frozenset(direct).union(*(found.get(one, frozenset()) for one in direct))
    return found


def check_order(plan: Plan) -> Iterator[Diagnostic]:
    """Each step once, after all that it waits for."""
    seen: set[StepId] = set()
    for step in plan.steps:
        for edge in step.depends_on:
            if edge.step not in seen:
                yield _broken(step.id, f"waits for {edge.step}, which does not come before it")
        if step.id in seen:
            yield _broken(step.id, "stands in the plan twice")
        seen.add(step.id)


def check_funding(plan: Plan) -> Iterator[Diagnostic]:
    """Every acquired unit of a checked resource has one source, and every source enough units."""
    unproved = unproved_resources(plan)
    checked = {
        one.id: one for one in plan.resources if one.limit is not None and one.id not in unproved
    }
    yield from _unit_sums(plan, checked)
    yield from _sources(plan, checked)
    yield from _debts(plan, checked)


def unproved_resources(plan: Plan) -> frozenset[ResourceId]:
    """Acquired from, never granted, and of a kind whose breach is a risk, not an impossibility.

    A hard resource without grants is a broken plan, not an unproved one.
    """
    granted = {grant.resource for grant in plan.funding}
    acquired = {charge.resource for step in plan.steps for charge in step.acquire}
    declared = {
        ResourceId(one.subject.path)
        for one in plan.diagnostics
        if one.verdict is Verdict.AT_RISK and one.subject is not None
    }
    return frozenset(
        one.id
        for one in plan.resources
        if one.id in acquired - granted and (_is_soft(one) or one.id in declared)
    )


def _is_soft(resource: Resource) -> bool:
    return resource.bound is Bound.SUFFICIENT or resource.basis is Basis.MAX


def _unit_sums(plan: Plan, checked: Mapping[ResourceId, Resource]) -> Iterator[Diagnostic]:
    granted: Counter[tuple[StepId, ResourceId]] = Counter()
    for grant in plan.funding:
        granted[grant.step, grant.resource] += grant.units
    for step in plan.steps:
        for charge in step.acquire:
            units = granted.pop((step.id, charge.resource), 0)
            if charge.resource in checked and units != charge.units:
                yield _broken(
                    step.id, f"takes {charge.units} of {charge.resource}, granted {units}"
                )
    for (step_id, resource), units in granted.items():
        yield _broken(step_id, f"is granted {units} of {resource} and takes none")


def _sources(plan: Plan, checked: Mapping[ResourceId, Resource]) -> Iterator[Diagnostic]:
    before = ancestors(plan.steps)
    released = {
        (step.id, charge.resource): charge.units for step in plan.steps for charge in step.release
    }
    drawn: Counter[tuple[StepId | None, ResourceId]] = Counter()
    for grant in plan.funding:
        drawn[grant.source, grant.resource] += grant.units
        yield from _ancestry(grant, before)
    for (source, name), units in sorted(
        drawn.items(), key=lambda one: (one[0][0] or "", one[0][1])
    ):
        if name not in checked:
            yield _broken(source or StepId("start"), f"funds {name}, which has no limit")
        elif source is None:
            free = _free(checked[name])
            if units > max(0, free):
                yield _broken(StepId("start"), f"gives {units} of {name}, {max(0, free)} are free")
        elif units > released.get((source, name), 0):
            yield _broken(
                source, f"gives {units} of {name}, releases {released.get((source, name), 0)}"
            )


def _ancestry(grant: Grant, before: Mapping[StepId, frozenset[StepId]]) -> Iterator[Diagnostic]:
    if grant.units <= 0:
        yield _broken(grant.step, f"is granted {grant.units} of {grant.resource}")
    if grant.source is not None and grant.source not in before.get(grant.step, frozenset()):
        yield _broken(
            grant.step,
            f"takes {grant.units} of {grant.resource} from {grant.source}, which may still run",
        )


def _debts(plan: Plan, checked: Mapping[ResourceId, Resource]) -> Iterator[Diagnostic]:
    """A resource over its limit at the start is first brought back under it by ungranted units."""
    over = {name: -_free(one) for name, one in checked.items() if _free(one) < 0}
    if not over:
        return
    before = ancestors(plan.steps)
    left: Counter[tuple[StepId, ResourceId]] = Counter()
    for step in plan.steps:
        for charge in step.release:
            left[step.id, charge.resource] += charge.units
    for grant in plan.funding:
        if grant.source is not None:
            left[grant.source, grant.resource] -= grant.units
    for step in plan.steps:
        for charge in step.acquire:
            paid = sum(left[one, charge.resource] for one in before[step.id])
            if paid < over.get(charge.resource, 0):
                yield _broken(step.id, f"takes of {charge.resource} while that is over its limit")


def _free(resource: Resource) -> int:
    return (resource.limit or 0) - resource.before - resource.headroom


def _broken(step: StepId, what: str) -> Diagnostic:
    return Diagnostic(
        code="plan-not-proved",
        severity=Severity.ERROR,
        summary=f"step {step} {what}",
        detail="the plan's own certificate does not hold, so it is not safe to apply",
        remedy="plan again; if the file was not edited, please report this as a defect",
    )
