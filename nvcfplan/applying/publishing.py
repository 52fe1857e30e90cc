"""What a run still will take, beyond what the account shows already: for other stacks to count.

Pure. Units that come from the run's own releases count only once they are released: until then
they are read as in use, and afterwards as free although they are spoken for.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.applying.tracking import Kind, Status
from nvcfplan.capacity import counts_inside
from nvcfplan.model import Claim, Publication, ResourceId
from nvcfplan.plans import AwaitActive, Basis, Bound, Deploy, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nvcfplan.applying.running import Running
    from nvcfplan.applying.tracking import Course
    from nvcfplan.model import PoolId, StepId
    from nvcfplan.plans import Plan, Resource, Step

    _Gpus = Counter[tuple[PoolId, ...]]
    """By the pools in any of which they will land."""


def still_to_take(
    plan: Plan, done: Collection[StepId], *, only: Collection[StepId] | None = None
) -> Publication:
    """Once `done` are done. Without claims and charges: nothing any more.

    `only`: the steps that count; None: all.
    """
    pooled = {one.id: one for one in plan.resources if one.basis is Basis.HELD and one.pools}
    funded = _funded(plan, done)
    claims: _Gpus = Counter()
    charges: Counter[ResourceId] = Counter()
    for step in plan.steps:
        if only is not None and step.id not in only:
            continue
        left = {
            one.resource: one.units - funded[step.id, one.resource]
            for one in step.acquire
            if one.units > funded[step.id, one.resource]
        }
        if step.id not in done:
            charges.update({one: units for one, units in left.items() if one not in pooled})
        if not _has_landed(plan, step, done):
            claims.update(_landing({pooled[one]: left[one] for one in left if one in pooled}))
    return _publication(plan.stack, claims, charges)


def run_publication(running: Running) -> Publication:
    """Of all that a run carries out: of a rung, or a rollback, what it takes in place of the rest.

    A repair takes what its component was to have.
    """
    going = [
        still_to_take(part.course.plan, _done(part.course), only=part.steps)
        for part in running.parts
        if not part.is_settled
    ]
    undos = [one for one in running.courses if one.kind is Kind.UNDO]
    back = [still_to_take(course.plan, _done(course)) for course in undos]
    return _together(running.courses[0].plan.stack, (*going, *back))


def _done(course: Course) -> frozenset[StepId]:
    return frozenset(course.with_status(Status.DONE))


def _together(stack: str, parts: Iterable[Publication]) -> Publication:
    claims: _Gpus = Counter()
    charges: Counter[ResourceId] = Counter()
    for part in parts:
        charges.update(dict(part.charges))
        for claim in part.claims:
            claims[claim.pools] += claim.gpus
    return _publication(stack, claims, charges)


def _publication(stack: str, claims: _Gpus, charges: Counter[ResourceId]) -> Publication:
    return Publication(
        stack=stack,
        claims=tuple(Claim(pools, gpus) for pools, gpus in sorted(claims.items()) if gpus),
        charges=tuple((one, units) for one, units in sorted(charges.items()) if units),
    )


def _landing(taken: Mapping[Resource, int]) -> _Gpus:
    """Of GPUs charged to these resources, where they may land, so that each counts all of its own.

    What can land only inside a set is charged to that set; the smallest one comes first.
    """
    found: _Gpus = Counter()
    inner = [one for one in taken if one.bound is Bound.NECESSARY]
    single = [one for one in taken if one.bound is not Bound.NECESSARY and len(one.pools) == 1]
    for one in (*sorted(inner, key=lambda each: (len(each.pools), each.pools)), *single):
        counted = sum(gpus for pools, gpus in found.items() if counts_inside(one, pools))
        if taken[one] > counted:
            found[one.pools] += taken[one] - counted
    return found


def _funded(plan: Plan, done: Collection[StepId]) -> Counter[tuple[StepId, ResourceId]]:
    """Units by (step, resource) that a release still to come gives."""
    found: Counter[tuple[StepId, ResourceId]] = Counter()
    for grant in plan.funding:
        if grant.source is not None and grant.source not in done:
            found[grant.step, grant.resource] += grant.units
    return found


def _has_landed(plan: Plan, step: Step, done: Collection[StepId]) -> bool:
    """What was asked for is counted by the readings once the version is ACTIVE with it."""
    if not isinstance(step.task, Deploy | UpdateDeployment) or step.id not in done:
        return False
    version = step.task.version
    waits = [
        one.id
        for one in plan.steps
        if isinstance(one.task, AwaitActive)
        and one.task.version == version
        and any(edge.step == step.id for edge in one.depends_on)
    ]
    return all(one in done for one in waits)
