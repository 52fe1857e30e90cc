"""Readings -> resources: everything with a limit that a plan may touch, and how sure each is.

Two kinds of bound, because the service picks the cluster: NECESSARY counts what can land only
inside a set of pools (a breach is proved impossible), SUFFICIENT all that can touch a pool at all
(only then is a plan proved). Where all users name a pool alone both are one: EXACT.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nvcfplan.capacity.holdings import Held, account_pools, held_by
from nvcfplan.capacity.placements import Placement, contains, place
from nvcfplan.model import (
    Account,
    GpuSpecification,
    LiveVersion,
    Pool,
    PoolId,
    Quota,
    Readable,
    ResourceId,
    VersionId,
)
from nvcfplan.plans import Basis, Bound, Reading, Resource, Unit

VERSION_LIMIT = ResourceId("limit:versions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`soft`: a breach is at risk, not proved; why, by resource. All tuples sorted by id.

    `reach`: the pools each resource counts; for NECESSARY ones only what lands inside counts.
    """

    account: Account
    resources: tuple[Resource, ...]
    soft: Mapping[ResourceId, str]
    held: Mapping[VersionId, Held]

    def resource(self, wanted: ResourceId) -> Resource:
        return next(one for one in self.resources if one.id == wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Involved:
    """`wanted`: every specification a plan may deploy or change. `ours`: versions of this stack.

    `others`: deployed versions of the same account that are not this stack's, for quotas.
    """

    wanted: tuple[GpuSpecification, ...]
    ours: tuple[LiveVersion, ...]
    others: tuple[LiveVersion, ...]


def find_limits(account: Account, involved: Involved) -> Limits:
    placements = [place(one, account) for one in (*involved.wanted, *_live(involved.ours))]
    held = {version.version_id: held_by(version, account) for version in involved.ours}
    resources = [
        _unless_unknown(resource, placements, held.values())
        for resource in (
            *_pool_resources(account, placements, held.values()),
            *_set_resources(account, placements, held.values()),
            *_quota_resources(account, involved),
            *_version_limit(account),
        )
    ]
    return Limits(
        account=account,
        resources=tuple(sorted(resources, key=lambda one: one.id)),
        soft=_soft(resources, placements),
        held=held,
    )


def pool_resource_id(pool: PoolId) -> ResourceId:
    return ResourceId(f"pool:{pool}")


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


def counts_inside(resource: Resource, pools: Collection[PoolId]) -> bool:
    """Whether what may land on `pools` is counted by the resource."""
    inside = set(resource.pools)
    if resource.bound is Bound.NECESSARY:
        return bool(pools) and inside.issuperset(pools)
    return not inside.isdisjoint(pools)


def _live(versions: Sequence[LiveVersion]) -> Iterator[GpuSpecification]:
    for version in versions:
        if version.deployment is not None:
            yield from (one.specification for one in version.deployment.specifications)


def _pool_resources(
    account: Account, placements: Sequence[Placement], held: Collection[Held]
) -> Iterator[Resource]:
    choices = {placement.pools for placement in placements}
    touched = {pool for pools in choices for pool in pools}
    touched |= {pool for one in held for pool, _ in one.running}
    for pool in account_pools(account):
        if pool.id in touched:
            is_alone = all(pools == (pool.id,) for pools in choices if pool.id in pools)
            bound = Bound.EXACT if is_alone else Bound.SUFFICIENT
            yield _counted(account, pool_resource_id(pool.id), (pool,), bound, held)


def _set_resources(
    account: Account, placements: Sequence[Placement], held: Collection[Held]
) -> Iterator[Resource]:
    """One NECESSARY bound per distinct choice, and per single pool that is also a choice's part."""
    choices = {placement.pools for placement in placements if placement.pools}
    wide = {pools for pools in choices if len(pools) > 1}
    shared = {pool for pools in wide for pool in pools}
    narrow = {pools for pools in choices if len(pools) == 1 and pools[0] in shared}
    for pools in sorted(wide | narrow):
        chosen = tuple(pool for pool in account_pools(account) if pool.id in pools)
        names = "+".join(pool.cluster for pool in pools)
        name = ResourceId(f"within:{names}/{pools[0].gpu}")
        yield _counted(account, name, chosen, Bound.NECESSARY, held)


def _counted(
    account: Account,
    name: ResourceId,
    pools: tuple[Pool, ...],
    bound: Bound,
    held: Collection[Held],
) -> Resource:
    """`before` = other tenants' use as read, and what our versions hold or may still get."""
    is_known = all(pool.capacity is not None and pool.available is not None for pool in pools)
    capacity = sum(pool.capacity or 0 for pool in pools)
    resource = Resource(
        id=name,
        pools=tuple(pool.id for pool in pools),
        unit=Unit.GPUS,
        bound=bound,
        basis=Basis.HELD,
        limit=capacity if is_known else None,
        before=0,
        ours=0,
        headroom=0,
        reading=_reading(account, Readable.CAPACITY),
    )
    ours = sum(held_units(resource, one) for one in held)
    running = sum(gpus for one in held for pool, gpus in one.running if pool in set(resource.pools))
    used = capacity - sum(pool.available or 0 for pool in pools) if is_known else running
    return replace(resource, before=max(0, used - running) + ours, ours=ours)


def held_units(resource: Resource, held: Held) -> int:
    """Units of a HELD-basis resource that a live version takes up now."""
    running = sum(gpus for pool, gpus in held.running if pool in set(resource.pools))
    pending = sum(one.gpus for one in held.pending if counts_inside(resource, one.pools))
    return running + pending


def _quota_resources(account: Account, involved: Involved) -> Iterator[Resource]:
    """What hosted counts is not known: the sum of min over the limit is an error, of max a risk."""
    ours = [(one, place(one, account)) for one in _live(involved.ours)]
    others = [(one, place(one, account)) for one in _live(involved.others)]
    for quota in _merged(account.quotas or ()):
        pools = quota_pools(quota, account)
        for basis, prefix in ((Basis.MAX, "quota"), (Basis.MIN, "quota-min")):
            resource = Resource(
                id=ResourceId(f"{prefix}:{quota_name(quota)}"),
                pools=pools,
                unit=Unit.GPUS,
                bound=Bound.NECESSARY if basis is Basis.MIN else Bound.SUFFICIENT,
                basis=basis,
                limit=quota.limit if _is_judged(quota, account) else None,
                before=0,
                ours=0,
                headroom=0,
                reading=_reading(account, Readable.QUOTA),
            )
            own = sum(bounded_units(resource, one, where) for one, where in ours)
            foreign = sum(bounded_units(resource, one, where) for one, where in others)
            yield replace(resource, before=own + foreign, ours=own)


def _is_judged(quota: Quota, account: Account) -> bool:
    """Where a cluster's groups are not known, a rule that names a group cannot be counted."""
    clusters = account.clusters or ()
    names = [cluster.name for cluster in clusters]
    return all(one.groups is not None for one in clusters) or all(
        contains(names, name) for name in quota.names
    )


def _merged(quotas: Sequence[Quota]) -> Iterator[Quota]:
    """Of two rules for the same, the lower one."""
    lowest: dict[str, Quota] = {}
    for quota in quotas:
        known = lowest.setdefault(quota_name(quota), quota)
        if quota.limit < known.limit:
            lowest[quota_name(quota)] = quota
    return iter(lowest.values())


def bounded_units(resource: Resource, specification: GpuSpecification, placement: Placement) -> int:
    """Units of a MIN- or MAX-basis resource that a deployed specification takes up."""
    if not counts_inside(resource, placement.pools):
        return 0
    is_min = resource.basis is Basis.MIN
    instances = specification.min_instances if is_min else specification.max_instances
    return instances * (placement.gpus_each or 0)


def _unless_unknown(
    resource: Resource, placements: Sequence[Placement], held: Collection[Held]
) -> Resource:
    """What an instance of unknown size may touch is not checked; it is never taken to be 1."""
    pools = set(resource.pools)
    is_known = all(
        placement.gpus_each is not None or pools.isdisjoint(placement.pools)
        for placement in placements
    ) and all(pools.isdisjoint(one.unknown) for one in held)
    return resource if is_known or not pools else replace(resource, limit=None)


def _version_limit(account: Account) -> Iterator[Resource]:
    if account.version_limit is not None:
        yield Resource(
            id=VERSION_LIMIT,
            pools=(),
            unit=Unit.VERSIONS,
            bound=Bound.EXACT,
            basis=Basis.HELD,
            limit=account.version_limit.limit,
            before=account.version_limit.stored,
            ours=0,
            headroom=0,
            reading=_reading(account, Readable.VERSION_LIMIT),
        )


def _reading(account: Account, what: Readable) -> Reading | None:
    taken = next((one for one in account.taken if one.what is what), None)
    return None if taken is None else Reading(id=what, source=taken.source)


def _soft(
    resources: Sequence[Resource], placements: Sequence[Placement]
) -> Mapping[ResourceId, str]:
    guessed = {
        pool for placement in placements if placement.source.is_guess for pool in placement.pools
    }
    found: dict[ResourceId, str] = {}
    for resource in resources:
        if resource.basis is Basis.MAX:
            found[resource.id] = "whether the quota counts min or max instances is not known"
        elif resource.bound is Bound.SUFFICIENT:
            found[resource.id] = "it depends on which cluster the service picks"
        elif guessed & set(resource.pools):
            found[resource.id] = "GPUs per instance are worked out, not said by the allocator"
    return found
