"""How many instances: what runs now by specification, and what a successor begins with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import deploy_charges
from nvcfplan.model import Prove, UpdatePolicy, Warm
from nvcfplan.plans import Means

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.capacity import Limits
    from nvcfplan.differences import Difference
    from nvcfplan.model import (
        GpuSpecification,
        GpuSpecificationId,
        LiveInstance,
        LiveSpecification,
        LiveVersion,
    )

Counts = dict[str, int]
"""Instances by the key of a wanted specification."""


def running_by_row(version: LiveVersion) -> Mapping[GpuSpecificationId, int]:
    """Instances that run or start; where they were not read, the minima. Nothing of what does
    not serve.

    Instances do not say whose they are: those of one GPU and type that several rows may own go to
    the one that names their cluster, then to the first below its maximum.
    """
    rows = version.deployment.specifications if version.deployment else ()
    if not version.status.is_serving:
        return {}
    if version.instances is None:
        return {row.id: row.specification.min_instances for row in rows}
    found: Counter[GpuSpecificationId] = Counter()
    for instance in sorted(version.instances, key=lambda one: one.id):
        owners = [row for row in rows if _may_own(row, instance)]
        if owners:
            found[min(owners, key=lambda row: _claim(row, instance, found)).id] += 1
    return found


def start_counts(difference: Difference, limits: Limits, *, warm: Warm, prove: Prove) -> Counts:
    """With how many each specification of a new version is deployed.

    By key: at least the minimum, at most the maximum; what runs where no specification goes on is
    shared out by key, so that the total is kept where placement moved.
    """
    wanted = difference.specifications
    counts = {one.key: one.min_instances for one in wanted}
    if warm is Warm.MATCH_RUNNING and difference.owned is not None:
        _match(counts, difference, running_by_row(difference.owned.current))
    if wanted and not any(counts.values()) and prove is Prove.ONE:
        counts[_smallest(wanted, limits)] = 1
    return counts


def widest(difference: Difference) -> tuple[GpuSpecification, ...]:
    """All that may be deployed for it: each with the most instances that it may begin with.

    How much of a pool must stay free hangs on how many are asked for at once.
    """
    owned, means = difference.owned, difference.change.means
    if not {Means.NEW_VERSION, Means.REDEPLOY} & set(means):
        return difference.specifications
    policy = difference.desired.update if difference.desired else UpdatePolicy()
    runs = sum(running_by_row(owned.current).values()) if owned else 0
    least = int(policy.prove is Prove.ONE)
    more = runs if policy.warm is Warm.MATCH_RUNNING else 0
    return (
        *(
            _at_least(one, max(least, one.min_instances + more))
            for one in difference.specifications
        ),
        *(_at_least(one, runs) for one in policy.bounce),
    )


def _at_least(one: GpuSpecification, count: int) -> GpuSpecification:
    return replace(one, min_instances=min(one.max_instances, max(one.min_instances, count)))


def shared_out(wanted: Sequence[GpuSpecification], counts: Counts, total: int) -> Counts:
    """`counts`, raised by key, none above its maximum, until they add up to `total`."""
    found = dict(counts)
    missing = total - sum(found.values())
    for one in wanted:
        more = max(0, min(missing, one.max_instances - found[one.key]))
        found[one.key] += more
        missing -= more
    return found


def _smallest(wanted: Sequence[GpuSpecification], limits: Limits) -> str:
    """The specification of which one instance takes the least; of equal ones the first."""

    def size(one: GpuSpecification) -> int:
        charges = deploy_charges(limits, (replace(one, min_instances=1),))
        return max((charge.units for charge in charges), default=0)

    return min(wanted, key=lambda one: (size(one), one.key)).key


def _match(
    counts: Counts, difference: Difference, running: Mapping[GpuSpecificationId, int]
) -> None:
    rows = _rows_by_key(difference)
    loose = sum(running.values())
    fresh = 0
    for one in difference.specifications:
        runs = running.get(rows[one.key], 0) if one.key in rows else 0
        counts[one.key] = min(one.max_instances, max(one.min_instances, runs))
        loose -= runs
        fresh += 0 if one.key in rows else counts[one.key]
    total = sum(counts.values()) + max(0, loose - fresh)
    counts |= shared_out(difference.specifications, counts, total)


def _rows_by_key(difference: Difference) -> Mapping[str, GpuSpecificationId]:
    """The live row that each wanted specification goes on from."""
    matching = difference.matching
    pairs = (*matching.pairs, *matching.moved) if matching else ()
    known = {pair.wanted.key: pair.live.id for pair in pairs}
    rows = difference.owned.current.deployment if difference.owned else None
    kept = {str(row.id): row.id for row in rows.specifications} if rows else {}
    return kept | known


def _may_own(row: LiveSpecification, instance: LiveInstance) -> bool:
    one = row.specification
    is_kind = one.gpu.casefold() == instance.gpu.casefold() and (
        one.instance_type.casefold() == instance.instance_type.casefold()
    )
    return is_kind and (not one.clusters or instance.location in one.clusters)


def _claim(
    row: LiveSpecification, instance: LiveInstance, found: Mapping[GpuSpecificationId, int]
) -> tuple[bool, bool, str]:
    one = row.specification
    is_full = found.get(row.id, 0) >= one.max_instances
    return (is_full, instance.location not in one.clusters, row.id)
