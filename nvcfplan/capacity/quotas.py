"""Quotas as resources: GPUs of one name over a set of clusters and cluster groups.

What hosted counts is not known: the sum of min over the limit is an error, of max a risk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.capacity.placements import contains
from nvcfplan.model import Account, PoolId, Quota, ResourceId
from nvcfplan.plans import Basis, Bound, Reading, Resource, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def quota_name(quota: Quota) -> str:
    return f"{quota.gpu}@{'+'.join(quota.names)}"


def quota_pools(quota: Quota, account: Account) -> tuple[PoolId, ...]:
    """Every pool of that GPU in a cluster that is named, or whose group is."""
    return tuple(
        sorted(
            pool.id
            for cluster in account.clusters or ()
            if any(contains(quota.names, name) for name in (cluster.name, *(cluster.groups or ())))
            for pool in cluster.pools
            if pool.id.gpu.casefold() == quota.gpu.casefold()
        )
    )


def quota_resources(account: Account, reading: Reading | None) -> Iterator[Resource]:
    """By min and by max; nothing is counted in them yet."""
    for quota in _merged(account.quotas or ()):
        pools = quota_pools(quota, account)
        for basis, prefix in ((Basis.MAX, "quota"), (Basis.MIN, "quota-min")):
            yield Resource(
                id=ResourceId(f"{prefix}:{quota_name(quota)}"),
                pools=pools,
                unit=Unit.GPUS,
                bound=Bound.NECESSARY if basis is Basis.MIN else Bound.SUFFICIENT,
                basis=basis,
                limit=quota.limit if _is_judged(quota, account) else None,
                before=0,
                ours=0,
                headroom=0,
                reading=reading,
            )


def _is_judged(quota: Quota, account: Account) -> bool:
    """Where a cluster's groups are not known, a rule that names a group cannot be counted."""
    clusters = account.clusters or ()
    names = [cluster.name for cluster in clusters]
    return all(one.groups is not None for one in clusters) or all(
        contains(names, name) for name in quota.names
    )


def _merged(quotas: Sequence[Quota]) -> Iterable[Quota]:
    """Of two rules for the same, the lower one."""
    lowest: dict[str, Quota] = {}
    for quota in quotas:
        known = lowest.setdefault(quota_name(quota), quota)
        if quota.limit < known.limit:
            lowest[quota_name(quota)] = quota
    return lowest.values()
