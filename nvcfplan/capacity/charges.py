"""What a step takes at its start and gives at its end, per resource.

Deploy and a growing update take; only `await-released` gives. Lowering min frees nothing, lowering
max frees running - max. Source: nvcf-api.md 3.5, 8.3; product rules of section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.capacity.holdings import Family, families_of, pool_of, row_of
from nvcfplan.capacity.limits import Limits, bounded_units, counts_inside, held_units
from nvcfplan.capacity.placements import Placement, find_instance_type, place
from nvcfplan.plans import Basis, Charge, Resource, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvcfplan.model import (
        GpuSpecification,
        GpuSpecificationId,
        LiveInstance,
        LiveVersion,
        ResourceId,
    )


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
    limits: Limits,
    version: LiveVersion,
    row_id: GpuSpecificationId,
    bounds: tuple[GpuSpecification, GpuSpecification],
) -> tuple[Charge, ...]:
    """What an update of one row from `bounds[0]` to `bounds[1]` takes.

    Min above max(old min, what certainly runs for it); for quotas the rise of the bound.
    """
    before, after = bounds
    _, row = row_of(version, limits.account, row_id)
    running = len(row.certain)
    grown = max(after.min_instances, running) - max(before.min_instances, running)
    units = max(0, grown) * (row.placement.gpus_each or 0)
    return _charges(
        (
            resource.id,
            (units if counts_inside(resource, row.placement.pools) else 0)
            if resource.basis is Basis.HELD
            else _bound_rise(resource, row.placement, before, after),
        )
        for resource in _in_gpus(limits)
    )


def shrink_charges(
    limits: Limits,
    version: LiveVersion,
    after: Mapping[GpuSpecificationId, GpuSpecification],
) -> tuple[Charge, ...]:
    """What updates of these rows give back: running above the new max, where that is certain.

    Rows that share instances give only what none of them may keep; where it would leave several
    pools nothing is promised.
    """
    account = limits.account
    families = families_of(version, account)
    freed = [one for family in families for one in _surplus(family, after)]
    changed = [
        (row, after[row.live.id])
        for family in families
        for row in family.rows
        if row.live.id in after
    ]
    return _charges(
        (
            resource.id,
            sum(_instance_units(limits, resource, one) for one in freed)
            if resource.basis is Basis.HELD
            else sum(
                _bound_rise(resource, row.placement, then, row.live.specification)
                for row, then in changed
            ),
        )
        for resource in _in_gpus(limits)
    )


def _surplus(
    family: Family, after: Mapping[GpuSpecificationId, GpuSpecification]
) -> tuple[LiveInstance, ...]:
    if not any(row.live.id in after for row in family.rows):
        return ()
    most = sum(after.get(row.live.id, row.live.specification).max_instances for row in family.rows)
    is_certain = len(family.rows) == 1 or len(family.pools) == 1
    return family.instances[: max(0, len(family.instances) - most)] if is_certain else ()


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
    pool = pool_of(instance, limits.account)
    if pool is None or pool.id not in resource.pools:
        return 0
    found = find_instance_type(pool, instance.instance_type)
    return (found.gpu_count or 0) if found else 0


def _charges(units: Iterable[tuple[ResourceId, int]]) -> tuple[Charge, ...]:
    return tuple(
        Charge(resource=resource, units=count) for resource, count in sorted(units) if count > 0
    )
