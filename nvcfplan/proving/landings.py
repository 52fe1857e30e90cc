"""Whether everything that gets GPUs is sure to find them wherever the service lands it and others.

The service picks the cluster, batch by batch, whole batches; with `backend` it picks one for all of
them first. From the plan alone: where each may land, what is charged for it, which bounds are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Verdict
from nvcfplan.model import GpuSpecification, PoolId, ResourceId
from nvcfplan.plans import (
    Basis,
    Bound,
    Deploy,
    Placed,
    Plan,
    Resource,
    Step,
    Unit,
    UpdateDeployment,
)
from nvcfplan.proving.certificate import unproved_resources
from nvcfplan.proving.faults import broken_funding

if TYPE_CHECKING:
    from nvcfplan.proving.evidence import Evidence

LARGEST_BATCH: Final = 10
"""Instances. Source: nvcf-api.md 8.2."""


def check_landings(evidence: Evidence) -> Iterator[Diagnostic]:
    plan = evidence.plan
    ground = _ground(plan)
    placed: dict[str, list[Placed]] = {}
    for one in plan.placements:
        placed.setdefault(one.step, []).append(one)
    for step in plan.steps:
        mine = placed.pop(step.id, [])
        for what in _faults(step, mine, ground):
            yield broken_funding(step.id, what)
    for name in sorted(placed):
        yield broken_funding(placed[name][0].step, "is placed and takes nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """`counting`: resources of held GPUs (`held`) by pool. `free`: GPUs by pool that others leave.

    `kept`: bounds that the certificate covers. `declared`: what the plan itself calls at risk: a
    function's specification, or a resource.
    """

    counting: Mapping[PoolId, Sequence[Resource]]
    free: Mapping[PoolId, int]
    ours: Mapping[PoolId, int]
    held: frozenset[ResourceId]
    kept: frozenset[ResourceId]
    declared: frozenset[tuple[str, str]]


def _ground(plan: Plan) -> _Ground:
    counting: dict[PoolId, list[Resource]] = {}
    free: dict[PoolId, int] = {}
    ours: dict[PoolId, int] = {}
    held = [one for one in plan.resources if one.unit is Unit.GPUS and one.basis is Basis.HELD]
    for one in held:
        for pool in one.pools:
            counting.setdefault(pool, []).append(one)
        if len(one.pools) == 1 and one.bound is not Bound.NECESSARY:
            free[one.pools[0]] = (one.limit or 0) - (one.before - one.ours)
            ours[one.pools[0]] = one.ours
    unproved = unproved_resources(plan)
    return _Ground(
        counting=counting,
        free=free,
        ours=ours,
        held=frozenset(one.id for one in held),
        kept=frozenset(o.id for o in held if o.limit is not None and o.id not in unproved),
        declared=frozenset(
            (one.subject.address, one.subject.path)
            for one in plan.diagnostics
            if one.verdict is Verdict.AT_RISK and one.subject is not None
        ),
    )


def _faults(step: Step, placed: Sequence[Placed], ground: _Ground) -> Iterator[str]:
    asked = {one.key: one for one in _asked(step)}
    for one in placed:
        if one.specification not in asked:
            yield f"places {one.specification}, for which it takes nothing"
            return
        yield from _misplaced(one, asked[one.specification], step)
        yield from _uncounted(one, ground)
    takes_some = any(charge.resource in ground.held for charge in step.acquire)
    if not placed:
        if takes_some:
            yield "takes GPUs, and the plan does not say where they may land"
        return
    expected = _expected(placed, ground)
    for charge in step.acquire:
        units = expected.pop(charge.resource, 0)
        if charge.resource in ground.held and units != charge.units:
            yield f"takes {charge.units} of {charge.resource}, and may need {units} there"
    for name, units in sorted(expected.items()):
        yield f"takes nothing of {name}, and may need {units} there"
    for one in placed:
        path = f"deployment.specifications.{one.specification}"
        if (step.address, path) not in ground.declared and not _is_certain(one, ground):
            yield f"may find no room for {one.specification}, and the plan does not say so"


def _asked(step: Step) -> tuple[GpuSpecification, ...]:
    match step.task:
        case Deploy(specifications=specifications):
            return specifications
        case UpdateDeployment(specification=one):
            return (one,)
        case _:
            return ()


def _misplaced(placed: Placed, asked: GpuSpecification, step: Step) -> Iterator[str]:
    """What the specification itself says of where it may land, and how much it takes."""
    name = placed.specification
    if placed.is_pinned != (asked.backend is not None):
        yield f"places {name} as if the service chose otherwise"
    if any(pool.gpu.casefold() != asked.gpu.casefold() for pool in placed.pools) or (
        asked.clusters and not {pool.cluster for pool in placed.pools} <= set(asked.clusters)
    ):
        yield f"places {name} where it does not ask to be"
    most = asked.min_instances * placed.gpus_each
    is_whole = placed.units == most if isinstance(step.task, Deploy) else placed.units <= most
    if placed.gpus_each < 1 or not is_whole:
        yield f"places {placed.units} GPUs for {name}, whose minimum is {asked.min_instances}"


def _uncounted(placed: Placed, ground: _Ground) -> Iterator[str]:
    for pool in placed.pools:
        if _single(pool, ground) is None:
            yield f"may land in {pool.cluster}, and no {pool.gpu} there are counted"


def _expected(placed: Sequence[Placed], ground: _Ground) -> Counter[ResourceId]:
    """What has to be charged: where it may land at all, or can land only."""
    found: Counter[ResourceId] = Counter()
    for one in placed:
        near = {o.id: o for pool in one.pools for o in ground.counting.get(pool, ())}
        for resource in near.values():
            if resource.bound is not Bound.NECESSARY or set(one.pools) <= set(resource.pools):
                found[resource.id] += one.units
    return found


def _is_certain(placed: Placed, ground: _Ground) -> bool:
    singles = [_single(pool, ground) for pool in placed.pools]
    if any(one is None or one.limit is None for one in singles):
        return True  # not checked, which the plan says of the resource
    known = [one for one in singles if one is not None]
    if placed.is_pinned:
        return all(
            _is_kept(one, ground) or (ground.free[pool] <= 0 and not ground.ours[pool])
            for one, pool in zip(known, placed.pools, strict=True)
        ) and any(_is_kept(one, ground) for one in known)
    return any(_is_kept(one, ground) for one in known) or any(
        _leaves_room(one, placed, ground) for one in ground.counting[placed.pools[0]]
    )


def _single(pool: PoolId, ground: _Ground) -> Resource | None:
    return next(
        (
            one
            for one in ground.counting.get(pool, ())
            if len(one.pools) == 1 and one.bound is not Bound.NECESSARY
        ),
        None,
    )


def _is_kept(resource: Resource, ground: _Ground) -> bool:
    return resource.id in ground.kept or ("", resource.id) in ground.declared


def _leaves_room(resource: Resource, placed: Placed, ground: _Ground) -> bool:
    """All that can touch these pools fits with so much to spare that no batch is blocked in each.

    A batch of b is, where a pool has less than b free: others, and earlier batches, must take the
    rest of every pool for that.
    """
    if (
        resource.pools != placed.pools
        or resource.bound is not Bound.SUFFICIENT
        or resource.id not in ground.kept
    ):
        return False
    batch = min(LARGEST_BATCH, placed.units // placed.gpus_each) * placed.gpus_each
    lost = sum(min(max(0, ground.free[pool]), batch - 1) for pool in placed.pools) + 1 - batch
    return resource.headroom >= lost
