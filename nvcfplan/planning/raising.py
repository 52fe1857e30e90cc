"""An account as it would read with more of one resource: how a raised limit is tried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import limits_by
from nvcfplan.plans import Basis

if TYPE_CHECKING:
    from nvcfplan.model import Account, Cluster, Pool, PoolId
    from nvcfplan.plans import Resource


def with_more(account: Account, resource: Resource, units: int) -> Account:
    """Of a set of pools the first gets them; of a quota every rule that says the same."""
    if not resource.pools:
        limit = account.version_limit
        raised = None if limit is None else replace(limit, limit=limit.limit + units)
        return replace(account, version_limit=raised)
    if resource.basis is Basis.HELD:
        return _with_larger_pool(account, resource.pools[0], units)
    return replace(
        account,
        quotas=tuple(
            replace(one, limit=one.limit + units) if limits_by(one, resource.id) else one
            for one in account.quotas or ()
        ),
    )


def _with_larger_pool(account: Account, pool: PoolId, units: int) -> Account:
    return replace(
        account,
        clusters=tuple(_with_pool(one, pool, units) for one in account.clusters or ()),
    )


def _with_pool(cluster: Cluster, wanted: PoolId, units: int) -> Cluster:
    return replace(
        cluster,
        pools=tuple(_larger(one, units) if one.id == wanted else one for one in cluster.pools),
    )


def _larger(pool: Pool, units: int) -> Pool:
    return replace(
        pool,
        capacity=None if pool.capacity is None else pool.capacity + units,
        available=None if pool.available is None else pool.available + units,
    )
