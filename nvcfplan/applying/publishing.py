"""What a run still will take, beyond what the account shows already: for other stacks to count.

Pure. Units that come from the run's own releases count only once they are released: until then
they are read as in use, and afterwards as free although they are spoken for.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.model import Claim, Publication, ResourceId
from nvcfplan.plans import AwaitActive, Basis, Deploy, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nvcfplan.model import PoolId, StepId
    from nvcfplan.plans import Placed, Plan, Step


def still_to_take(plan: Plan, done: Collection[StepId]) -> Publication:
    """Once `done` are done. Without claims and charges: nothing any more."""
    pooled = {one.id: frozenset(one.pools) for one in plan.resources if one.basis is Basis.HELD}
    funded = _funded(plan, done)
    claims: Counter[Claim] = Counter()
    charges: Counter[ResourceId] = Counter()
    for step in plan.steps:
        if not step.acquire:
            continue
        if step.id not in done:
            for charge in step.acquire:
                if not pooled.get(charge.resource):
                    left = charge.units - funded[step.id, charge.resource]
                    charges[charge.resource] += max(0, left)
        if not _has_landed(plan, step, done):
            for placed in (one for one in plan.placements if one.step == step.id):
                kept = _own(step, placed, pooled, funded)
                claims[Claim(placed.pools, 0)] += max(0, placed.units - kept)
    return Publication(
        stack=plan.stack,
        claims=tuple(
            Claim(one.pools, gpus) for one, gpus in sorted(claims.items(), key=repr) if gpus
        ),
        charges=tuple((one, units) for one, units in sorted(charges.items()) if units),
    )


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


def _own(
    step: Step,
    placed: Placed,
    pooled: Mapping[ResourceId, frozenset[PoolId]],
    funded: Counter[tuple[StepId, ResourceId]],
) -> int:
    """Of these units, those that are sure to be the run's own, not released yet."""
    touched = [
        one.resource
        for one in step.acquire
        if pooled.get(one.resource, frozenset()).intersection(placed.pools)
    ]
    return min((funded[step.id, one] for one in touched), default=0)
