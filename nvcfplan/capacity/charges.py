"""What a step takes at its start and gives at its end, per resource.

Deploy and a growing update take; only `await-released` gives. Lowering min frees nothing, lowering
max frees running - max. Source: nvcf-api.md 3.5, 8.3; product rules of section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.capacity.holdings import running_of
from nvcfplan.capacity.limits import Limits, bounded_units, counts_inside, held_units
from nvcfplan.capacity.placements import gpus_of_instance, place
from nvcfplan.model import GpuSpecification, LiveVersion, PoolId, ResourceId
from nvcfplan.plans import Basis, Charge, Resource, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def deploy_charges(
    limits: Limits, specifications: Sequence[GpuSpecification]
) -> tuple[Charge, ...]:
    """The minimum of every specification, in every pool it may land on."""
    return _charges(
        (resource.id, sum(_fresh_units(limits, resource, one) for one in specifications))
        for resource in limits.resources
        if resource.unit is not Unit.VERSIONS
    )


def release_charges(limits: Limits, version: LiveVersion) -> tuple[Charge, ...]:
    """All that a deployed version takes up now."""
    return _charges(
        (resource.id, _live_units(limits, resource, version))
        for resource in limits.resources
        if resource.unit is not Unit.VERSIONS
    )


def growth_charges(
    limits: Limits, version: LiveVersion, before: GpuSpecification, after: GpuSpecification
) -> tuple[Charge, ...]:
    """What an update takes: min above max(old min, running); for quotas the rise of the bound."""
    running = len(running_of(version, before))
    grown = max(after.min_instances, running) - max(before.min_instances, running)
    each = place(after, limits.account)
    return _charges(
        (
            resource.id,
            max(0, grown) * (each.gpus_each or 0)
            if resource.basis is Basis.HELD and counts_inside(resource, each.pools)
            else _bound_rise(limits, resource, before, after),
        )
        for resource in limits.resources
        if resource.unit is not Unit.VERSIONS
    )


def shrink_charges(
    limits: Limits, version: LiveVersion, before: GpuSpecification, after: GpuSpecification
) -> tuple[Charge, ...]:
    """What an update gives back: running above the new max, oldest first, where they run."""
    running = running_of(version, before)
    surplus = running[: max(0, len(running) - after.max_instances)]
    return _charges(
        (
            resource.id,
            sum(_instance_units(limits, resource, one.location, before) for one in surplus)
            if resource.basis is Basis.HELD
            else _bound_rise(limits, resource, after, before),
        )
        for resource in limits.resources
        if resource.unit is not Unit.VERSIONS
    )


def _fresh_units(limits: Limits, resource: Resource, wanted: GpuSpecification) -> int:
    if resource.basis is not Basis.HELD:
        return bounded_units(resource, wanted, limits.account)
    placement = place(wanted, limits.account)
    if not counts_inside(resource, placement.pools):
        return 0
    return wanted.min_instances * (placement.gpus_each or 0)


def _live_units(limits: Limits, resource: Resource, version: LiveVersion) -> int:
    if resource.basis is Basis.HELD:
        return held_units(resource, limits.held[version.version_id])
    rows = version.deployment.specifications if version.deployment else ()
    return sum(bounded_units(resource, one.specification, limits.account) for one in rows)


def _bound_rise(
    limits: Limits, resource: Resource, low: GpuSpecification, high: GpuSpecification
) -> int:
    if resource.basis is Basis.HELD:
        return 0
    return max(
        0,
        bounded_units(resource, high, limits.account)
        - bounded_units(resource, low, limits.account),
    )


def _instance_units(
    limits: Limits, resource: Resource, location: str, specification: GpuSpecification
) -> int:
    pools = [pool for cluster in limits.account.clusters or () for pool in cluster.pools]
    where = next(
        (pool.id for pool in pools if pool.id == PoolId(location, specification.gpu)), None
    )
    if where is None or where not in resource.pools:
        return 0
    return gpus_of_instance(pools, where, specification.instance_type) or 0


def _charges(units: Iterable[tuple[ResourceId, int]]) -> tuple[Charge, ...]:
    return tuple(
        Charge(resource=resource, units=count) for resource, count in sorted(units) if count > 0
    )
