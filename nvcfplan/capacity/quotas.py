"""Quotas as resources: GPUs or instances of one name over a set of clusters and cluster groups.

Unless it is declared, what a quota counts is not known: the sum of min over the limit is an error,
of max a risk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity.placements import contains
from nvcfplan.model import Account, PoolId, Quota, QuotaCount, QuotaUnit, ResourceId
from nvcfplan.plans import Basis, Bound, Reading, Resource, Unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from nvcfplan.capacity.placements import Placement
    from nvcfplan.model import DeclaredQuota

DECLARED: Final = Reading(id="declared", source="`quotas` of the stack", is_shared=False)
UNKNOWN_BASIS: Final = "whether the quota counts min or max instances is not known"
UNKNOWN_LANDING: Final = "it depends on which cluster the service picks"

_UNITS: Final = {QuotaUnit.GPUS: Unit.GPUS, QuotaUnit.INSTANCES: Unit.INSTANCES}
_BASES: Final = {QuotaCount.MIN: Basis.MIN, QuotaCount.MAX: Basis.MAX}
_HEADS: Final = {QuotaUnit.GPUS: "quota", QuotaUnit.INSTANCES: "instances"}


def with_declared(account: Account, declared: tuple[DeclaredQuota, ...]) -> Account:
    """The account as the stack says it is, besides what was read."""
    return replace(account, declared=declared)


def quota_name(quota: Quota) -> str:
    """`H100@GROUP+CLUSTER`; `H100/a3-highgpu-8g_1x@*`: instances of one type, everywhere."""
    kind = f"{quota.gpu}/{quota.instance_type}" if quota.instance_type else quota.gpu
    return f"{kind}@{'+'.join(quota.names) or '*'}"


def limits_by(quota: Quota, resource: ResourceId) -> bool:
    """Whether the resource is what this quota limits."""
    head, _, name = resource.partition(":")
    return head.partition("-")[0] == _HEADS[quota.unit] and name == quota_name(quota)


def quota_pools(quota: Quota, account: Account) -> tuple[PoolId, ...]:
    """Every pool of that GPU in a cluster that is named, or whose group is; of no names, all."""
    return tuple(
        sorted(
            pool.id
            for cluster in account.clusters or ()
            if not quota.names
            or any(contains(quota.names, name) for name in (cluster.name, *(cluster.groups or ())))
            for pool in cluster.pools
            if pool.id.gpu.casefold() == quota.gpu.casefold()
        )
    )


@dataclass(frozen=True, slots=True)
class QuotaLimit:
    """`doubt`: why a breach is only at risk; empty: it is one."""

    resource: Resource
    doubt: str = ""


def quota_limits(
    account: Account, reading: Reading | None, placements: Collection[Placement]
) -> Iterator[QuotaLimit]:
    """Nothing is counted in them yet."""
    for quota, source in _merged(account, reading):
        pools = quota_pools(quota, account)
        base = Resource(
            id=ResourceId(quota_name(quota)),
            pools=pools,
            unit=_UNITS[quota.unit],
            bound=Bound.EXACT,
            basis=_BASES[quota.counts or QuotaCount.MAX],
            limit=quota.limit if _is_judged(quota, account) else None,
            before=0,
            ours=0,
            headroom=0,
            reading=source,
            instance_type=quota.instance_type,
        )
        head = _HEADS[quota.unit]
        if quota.counts is None:
            yield _limit(replace(base, bound=Bound.SUFFICIENT), head, UNKNOWN_BASIS)
            least = replace(base, basis=Basis.MIN, bound=Bound.NECESSARY)
            yield _limit(least, f"{head}-min")
            continue
        head = f"{head}-min" if quota.counts is QuotaCount.MIN else head
        if any(_straddles(one, pools) for one in placements):
            yield _limit(replace(base, bound=Bound.NECESSARY), f"{head}-within")
            yield _limit(replace(base, bound=Bound.SUFFICIENT), head, UNKNOWN_LANDING)
        else:
            yield _limit(base, head)


def _limit(resource: Resource, head: str, doubt: str = "") -> QuotaLimit:
    return QuotaLimit(replace(resource, id=ResourceId(f"{head}:{resource.id}")), doubt)


def _straddles(placement: Placement, pools: Collection[PoolId]) -> bool:
    """It may land where the quota counts it, or where it does not."""
    inside = sum(pool in pools for pool in placement.pools)
    return 0 < inside < len(placement.pools)


def _is_judged(quota: Quota, account: Account) -> bool:
    """Where a cluster's groups are not known, a rule that names a group cannot be counted."""
    if account.clusters is None:
        return False
    names = [cluster.name for cluster in account.clusters]
    return all(one.groups is not None for one in account.clusters) or all(
        contains(names, name) for name in quota.names
    )


def _merged(account: Account, reading: Reading | None) -> Iterable[tuple[Quota, Reading | None]]:
    """Of two for the same, the lower limit; what is declared says what a rule that was read counts.

    Of those that count different bounds, both.
    """
    found: dict[tuple[str, str], list[tuple[Quota, Reading | None]]] = {}
    pairs: Sequence[tuple[Quota, Reading | None]] = [
        *((quota, reading) for quota in account.quotas or ()),
        *((one.quota, DECLARED) for one in account.declared),
    ]
    for quota, source in pairs:
        found.setdefault((quota.unit, quota_name(quota)), []).append((quota, source))
    for alike in found.values():
        known = dict.fromkeys(one.counts for one, _ in alike if one.counts is not None)
        for counts in known or (None,):
            same = (one for one in alike if one[0].counts in (counts, None))
            quota, source = min(same, key=lambda one: one[0].limit)
            yield replace(quota, counts=counts), source
