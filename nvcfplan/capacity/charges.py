"""What a step takes at its start and gives at its end, per resource.

Deploy and a growing update take; only `await-released` gives. Lowering min frees nothing, lowering
max frees running - max. Source: nvcf-api.md 3.5, 8.3; product rules of section 6.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.capacity.counting import bounded_units, held_units, placed_units
from nvcfplan.capacity.holdings import Family, Row, pool_of
from nvcfplan.capacity.placements import find_instance_type
from nvcfplan.plans import Basis, Charge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.capacity.limits import Limits
    from nvcfplan.capacity.placements import Placement
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
    units: Counter[ResourceId] = Counter()
    for one in specifications:
        units.update(placed_units(limits.index, one, limits.atlas.place(one)))
    return _charges(units)


def release_charges(limits: Limits, version: LiveVersion) -> tuple[Charge, ...]:
    """All that a deployed version takes up now."""
    units = held_units(limits.index, limits.held[version.version_id])
    for row in version.deployment.specifications if version.deployment else ():
        where = limits.atlas.place(row.specification)
        units.update(bounded_units(limits.index, row.specification, where))
    return _charges(units)


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
    row = _row_of(limits, version, row_id)
    running = len(row.certain)
    grown = max(after.min_instances, running) - max(before.min_instances, running)
    gpus = max(0, grown) * (row.placement.gpus_each or 0)
    units = _rises(limits, row.placement, before, after)
    for one in limits.index.counting(row.placement.pools):
        if one.basis is Basis.HELD:
            units[one.id] += gpus
    return _charges(units)


def shrink_charges(
    limits: Limits,
    version: LiveVersion,
    after: Mapping[GpuSpecificationId, GpuSpecification],
) -> tuple[Charge, ...]:
    """What updates of these rows give back: running above the new max, where that is certain.

    Rows that share instances give only what none of them may keep; where it would leave several
    pools nothing is promised.
    """
    units: Counter[ResourceId] = Counter()
    for family in limits.families[version.version_id]:
        for instance in _surplus(family, after):
            _count_instance(limits, instance, units)
        for row in family.rows:
            then = after.get(row.live.id)
            if then is not None:
                units.update(_rises(limits, row.placement, then, row.live.specification))
    return _charges(units)


def _row_of(limits: Limits, version: LiveVersion, wanted: GpuSpecificationId) -> Row:
    return next(
        row
        for family in limits.families[version.version_id]
        for row in family.rows
        if row.live.id == wanted
    )


def _surplus(
    family: Family, after: Mapping[GpuSpecificationId, GpuSpecification]
) -> tuple[LiveInstance, ...]:
    if not any(row.live.id in after for row in family.rows):
        return ()
    most = sum(after.get(row.live.id, row.live.specification).max_instances for row in family.rows)
    is_certain = len(family.rows) == 1 or len(family.pools) == 1
    return family.instances[: max(0, len(family.instances) - most)] if is_certain else ()


def _rises(
    limits: Limits, where: Placement, low: GpuSpecification, high: GpuSpecification
) -> Counter[ResourceId]:
    """By how much the bounds that quotas look at rise; never below zero."""
    units = bounded_units(limits.index, high, where)
    units.subtract(bounded_units(limits.index, low, where))
    return +units


def _count_instance(limits: Limits, instance: LiveInstance, units: Counter[ResourceId]) -> None:
    pool = pool_of(instance, limits.atlas)
    found = find_instance_type(pool, instance.instance_type) if pool else None
    if pool is None or found is None:
        return
    for one in limits.index.counting((pool.id,)):
        if one.basis is Basis.HELD:
            units[one.id] += found.gpu_count or 0


def _charges(units: Mapping[ResourceId, int]) -> tuple[Charge, ...]:
    return tuple(
        Charge(resource=resource, units=count)
        for resource, count in sorted(units.items())
        if count > 0
    )
