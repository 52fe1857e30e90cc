"""What a step takes at its start and gives at its end, per resource.

Deploy and a growing update take; only `await-released` gives. Lowering min frees nothing, lowering
max frees running - max. Source: nvcf-api.md 3.5, 8.3; product rules of section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.capacity.holdings import account_pools, running_of
from nvcfplan.capacity.limits import Limits, bounded_units, counts_inside, held_units
from nvcfplan.capacity.placements import Placement, gpus_of_instance, place
from nvcfplan.model import GpuSpecification, LiveInstance, LiveVersion, PoolId, ResourceId
from nvcfplan.plans import Basis, Charge, Resource, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def deploy_charges(
    limits: Limits, specifications: Sequence[GpuSpecification]
) -> tuple[Charge, ...]:
    """The minimum of every specification, in every pool it may land on."""
    placed = [(one, place(one, limits.account)) for one in specifications]
    return _charges(
        (resource.id, sum(_fresh_units(resource, one, where) for one, where in placed))
        for resource in _in_gpus(limits)
    )


def release_charges(limits: Limits, version: LiveVersion) -> tuple[Charge, ...]:
    """All that a deployed version takes up now."""
    rows = version.deployment.specifications if version.deployment else ()
    placed = [(row.specification, place(row.specification, limits.account)) for row in rows]
    held = limits.held[version.version_id]
    return _charges(
        (
            resource.id,
            held_units(resource, held)
            if resource.basis is Basis.HELD
            else sum(bounded_units(resource, one, where) for one, where in placed),
        )
        for resource in _in_gpus(limits)
    )


def growth_charges(
    limits: Limits, version: LiveVersion, before: GpuSpecification, after: GpuSpecification
) -> tuple[Charge, ...]:
    """What an update takes: min above max(old min, running); for quotas the rise of the bound."""
    running = len(running_of(version, before))
    grown = max(after.min_instances, running) - max(before.min_instances, running)
    where = place(after, limits.account)
    return _charges(
        (
            resource.id,
            (max(0, grown) * (where.gpus_each or 0) if counts_inside(resource, where.pools) else 0)
            if resource.basis is Basis.HELD
            else _bound_rise(resource, where, before, after),
        )
        for resource in _in_gpus(limits)
    )


def shrink_charges(
    limits: Limits, version: LiveVersion, before: GpuSpecification, after: GpuSpecification
) -> tuple[Charge, ...]:
    """What an update gives back: running above the new max, oldest first, where they run."""
    running = running_of(version, before)
    surplus = running[: max(0, len(running) - after.max_instances)]
    where = place(before, limits.account)
    return _charges(
        (
            resource.id,
            sum(_instance_units(limits, resource, one) for one in surplus)
            if resource.basis is Basis.HELD
            else _bound_rise(resource, where, after, before),
        )
        for resource in _in_gpus(limits)
    )


def _in_gpus(limits: Limits) -> Iterator[Resource]:
    return (one for one in limits.resources if one.unit is not Unit.VERSIONS)


def _fresh_units(resource: Resource, wanted: GpuSpecification, where: Placement) -> int:
    if resource.basis is not Basis.HELD:
        return bounded_units(resource, wanted, where)
    is_counted = counts_inside(resource, where.pools)
    return wanted.min_instances * (where.gpus_each or 0) if is_counted else 0


def _bound_rise(
    resource: Resource, where: Placement, low: GpuSpecification, high: GpuSpecification
) -> int:
    return max(0, bounded_units(resource, high, where) - bounded_units(resource, low, where))


def _instance_units(limits: Limits, resource: Resource, instance: LiveInstance) -> int:
    where = PoolId(instance.location, instance.gpu)
    if where not in resource.pools:
        return 0
    return gpus_of_instance(account_pools(limits.account), where, instance.instance_type) or 0


def _charges(units: Iterable[tuple[ResourceId, int]]) -> tuple[Charge, ...]:
    return tuple(
        Charge(resource=resource, units=count) for resource, count in sorted(units) if count > 0
    )
