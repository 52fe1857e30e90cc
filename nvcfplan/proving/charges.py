"""Whether each step takes and gives what its task can: no unit is forgotten, none made up.

How many GPUs an instance has stands in no plan, so one GPU each is the least that is asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Verdict
from nvcfplan.model import StepId
from nvcfplan.plans import (
    AwaitReleased,
    Basis,
    CreateFunction,
    Deploy,
    Plan,
    Resource,
    Step,
    Unit,
    UpdateDeployment,
)
from nvcfplan.proving.evidence import version_of
from nvcfplan.proving.faults import broken_funding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.model import GpuSpecification, ResourceId
    from nvcfplan.proving.evidence import Evidence

PLACELESS: Final = ("inventory-", "capacity-")
"""Heads of the codes that say no pool could be looked at."""
_START: Final = StepId("start")


def check_charges(evidence: Evidence) -> Iterator[Diagnostic]:
    resources = {one.id: one for one in evidence.plan.resources}
    yield from _miscounted(evidence.plan)
    for step in evidence.plan.steps:
        yield from _listed(step, resources)
        yield from _right_task(step)
        if isinstance(step.task, Deploy):
            yield from _deployed(step, step.task, evidence.plan)
    yield from _made_up(evidence)


def _miscounted(plan: Plan) -> Iterator[Diagnostic]:
    """Headroom is kept free, and ours is a part of what is in use."""
    for one in plan.resources:
        if one.headroom < 0:
            yield broken_funding(_START, f"keeps {one.headroom} of {one.id} free")
        if not 0 <= one.ours <= one.before:
            yield broken_funding(_START, f"has {one.ours} of the {one.before} in use of {one.id}")


def _listed(step: Step, resources: Mapping[ResourceId, Resource]) -> Iterator[Diagnostic]:
    for charge in (*step.acquire, *step.release):
        if charge.resource not in resources:
            yield broken_funding(step.id, f"charges {charge.resource}, which is not listed")
        if charge.units <= 0:
            yield broken_funding(step.id, f"charges {charge.units} of {charge.resource}")


def _right_task(step: Step) -> Iterator[Diagnostic]:
    """GPUs are free only once the service shows it: after the wait, never after the call."""
    if step.release and not isinstance(step.task, AwaitReleased):
        yield broken_funding(step.id, "gives units back, and only the wait for them may")
    if step.acquire and not isinstance(step.task, CreateFunction | Deploy | UpdateDeployment):
        yield broken_funding(step.id, "takes units, and asks for nothing")


def _deployed(step: Step, task: Deploy, plan: Plan) -> Iterator[Diagnostic]:
    """Specifications that are placed alike take, together, their minima of some pool at least."""
    minima: Counter[GpuSpecification] = Counter()
    for one in task.specifications:
        minima[_placement(one)] += one.min_instances
    for placement, instances in minima.items():
        pools = {one.id: one for one in plan.resources if _may_hold(one, placement)}
        taken = max((o.units for o in step.acquire if o.resource in pools), default=0)
        if taken < instances and not _is_unchecked(pools, plan):
            yield broken_funding(
                step.id,
                f"asks for {instances} instances of {placement.instance_type} and takes {taken} "
                f"{placement.gpu} for them",
            )


def _placement(specification: GpuSpecification) -> GpuSpecification:
    """What decides where it may land, and nothing else."""
    return replace(
        specification,
        key="",
        min_instances=0,
        max_instances=0,
        max_request_concurrency=None,
        configuration=None,
        autoscaling_configuration=None,
    )


def _may_hold(resource: Resource, placement: GpuSpecification) -> bool:
    """A single pool it may land on, as far as the plan shows: groups and regions it does not."""
    clusters = {one.casefold() for one in placement.clusters}
    return (
        resource.unit is Unit.GPUS
        and resource.basis is Basis.HELD
        and len(resource.pools) == 1
        and all(
            pool.gpu.casefold() == placement.gpu.casefold()
            and (not clusters or pool.cluster.casefold() in clusters)
            for pool in resource.pools
        )
    )


def _is_unchecked(pools: Mapping[ResourceId, Resource], plan: Plan) -> bool:
    """An instance of unknown size leaves every pool it may land on without a limit."""
    if pools:
        return any(one.limit is None for one in pools.values())
    return any(
        one.verdict is Verdict.NOT_CHECKED and one.code.startswith(PLACELESS)
        for one in plan.diagnostics
    )


def _made_up(evidence: Evidence) -> Iterator[Diagnostic]:
    """All that is given back was ours at the start, or taken by the same version before."""
    released: Counter[ResourceId] = Counter()
    owned = Counter({one.id: one.ours for one in evidence.plan.resources})
    limited = {one.id for one in evidence.plan.resources if one.limit is not None}
    last: dict[ResourceId, Step] = {}
    for step in evidence.plan.steps:
        for charge in step.release:
            released[charge.resource] += charge.units
            last[charge.resource] = step
        for charge in step.acquire if _is_released_later(step, evidence) else ():
            owned[charge.resource] += charge.units
    for name, units in sorted(released.items()):
        if name in limited and units > owned[name]:
            yield broken_funding(
                last[name].id, f"gives back {units} of {name} in all, {owned[name]} were ours"
            )


def _is_released_later(step: Step, evidence: Evidence) -> bool:
    version = version_of(step.task)
    return any(
        isinstance(other.task, AwaitReleased)
        and other.task.version == version
        and evidence.order.precedes(step.id, other.id)
        for other in evidence.steps.get(step.address, ())
    )
