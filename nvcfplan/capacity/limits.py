"""Readings -> resources: everything with a limit that a plan may touch, and how sure each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nvcfplan.capacity.counting import Index, bounded_units, held_units, index_of
from nvcfplan.capacity.holdings import Family, Held, Pending, families_of, held_by
from nvcfplan.capacity.placements import Atlas, Placement, atlas_of
from nvcfplan.capacity.pools import inner_resources, pool_resources, room_resources, survey
from nvcfplan.capacity.quotas import UNKNOWN_LANDING, quota_limits
from nvcfplan.model import (
    Account,
    GpuSpecification,
    LiveVersion,
    PoolId,
    Readable,
    ResourceId,
    VersionId,
)
from nvcfplan.plans import Basis, Bound, Reading, Resource, Unit

VERSION_LIMIT = ResourceId("limit:versions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`soft`: a breach is at risk, not proved; why, by resource. Resources sorted by id.

    `published`: units that running applies of other stacks still will take, by stack; they are part
    of what a resource has in use.
    """

    atlas: Atlas
    resources: tuple[Resource, ...]
    soft: Mapping[ResourceId, str]
    held: Mapping[VersionId, Held]
    families: Mapping[VersionId, tuple[Family, ...]]
    index: Index
    by_id: Mapping[ResourceId, Resource]
    published: Mapping[ResourceId, tuple[tuple[str, int], ...]]

    @property
    def account(self) -> Account:
        return self.atlas.account

    def resource(self, wanted: ResourceId) -> Resource:
        return self.by_id[wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Involved:
    """`wanted`: every specification a plan may deploy or change. `ours`: versions of this stack.

    `others`: deployed versions of the same account that are not this stack's, for quotas.
    """

    wanted: tuple[GpuSpecification, ...]
    ours: tuple[LiveVersion, ...]
    others: tuple[LiveVersion, ...]


def find_limits(account: Account, involved: Involved) -> Limits:
    live, foreign = tuple(_live(involved.ours)), tuple(_live(involved.others))
    atlas = atlas_of(account, (*involved.wanted, *live, *foreign))
    wanted = [(one, atlas.place(one)) for one in involved.wanted]
    placements = _distinct([*(where for _, where in wanted), *(atlas.place(one) for one in live)])
    held = {version.version_id: held_by(version, atlas) for version in involved.ours}
    ground = survey(atlas, held.values(), _reading(account, Readable.CAPACITY))
    quotas = tuple(quota_limits(account, _reading(account, Readable.QUOTA), placements))
    resources = [
        *pool_resources(ground, placements, held.values()),
        *inner_resources(ground, placements),
        *room_resources(ground, wanted),
        *(one.resource for one in quotas),
    ]
    unknown = _unknown_pools(placements, held.values())
    counted = [
        replace(one, limit=None)
        if one.unit is Unit.GPUS and unknown.intersection(one.pools)
        else one
        for one in resources
    ]
    used = _used(index_of(counted), atlas, (held.values(), live, foreign))
    mine = (*(_with_use(one, *used) for one in counted), *_version_limit(account))
    published = _published(account, mine)
    final = tuple(
        replace(one, before=one.before + units, published=units) if units else one
        for one in mine
        for units in (sum(units for _, units in published.get(one.id, ())),)
    )
    return Limits(
        atlas=atlas,
        resources=tuple(sorted(final, key=lambda one: one.id)),
        soft=_soft(final, placements) | {o.resource.id: o.doubt for o in quotas if o.doubt},
        held=held,
        families={version.version_id: families_of(version, atlas) for version in involved.ours},
        index=index_of(sorted(final, key=lambda one: one.id)),
        by_id={one.id: one for one in final},
        published=published,
    )


def pool_resource_id(pool: PoolId) -> ResourceId:
    return ResourceId(f"pool:{pool}")


def _live(versions: Sequence[LiveVersion]) -> Iterator[GpuSpecification]:
    for version in versions:
        if version.deployment is not None:
            yield from (one.specification for one in version.deployment.specifications)


def _distinct(placements: Sequence[Placement]) -> tuple[Placement, ...]:
    """Fleets repeat a few placements; each is looked at once."""
    return tuple(dict.fromkeys(placements))


def _used(
    index: Index,
    atlas: Atlas,
    users: tuple[Collection[Held], Sequence[GpuSpecification], Sequence[GpuSpecification]],
) -> tuple[Counter[ResourceId], Counter[ResourceId]]:
    """Units by resource: ours, and those of other versions of the account."""
    held, live, foreign = users
    ours: Counter[ResourceId] = Counter()
    others: Counter[ResourceId] = Counter()
    for version in held:
        ours.update(held_units(index, version))
    for specifications, count in ((live, ours), (foreign, others)):
        for one in specifications:
            count.update(bounded_units(index, one, atlas.place(one)))
    return ours, others


def _with_use(
    resource: Resource, ours: Mapping[ResourceId, int], others: Mapping[ResourceId, int]
) -> Resource:
    """`before` is other tenants' use as read, and what our versions hold or may still get."""
    own = ours[resource.id]
    return replace(resource, before=resource.before + own + others[resource.id], ours=own)


def _unknown_pools(placements: Collection[Placement], held: Collection[Held]) -> frozenset[PoolId]:
    """What an instance of unknown size may touch is not checked; it is never taken to be 1."""
    found = {pool for one in placements if one.gpus_each is None for pool in one.pools}
    return frozenset(found.union(*(one.unknown for one in held)))


def _published(
    account: Account, resources: Sequence[Resource]
) -> Mapping[ResourceId, tuple[tuple[str, int], ...]]:
    """Claims wherever they may land, as what is pending is; the rest by the resource's name."""
    index, known = index_of(resources), {one.id for one in resources}
    found: dict[ResourceId, list[tuple[str, int]]] = {}
    for one in account.published:
        pending = tuple(Pending(pools=claim.pools, gpus=claim.gpus) for claim in one.claims)
        units = held_units(index, Held(running=(), pending=pending, unknown=frozenset()))
        units.update({name: count for name, count in one.charges if name in known})
        for name, count in units.items():
            if count > 0:
                found.setdefault(name, []).append((one.stack, count))
    return {name: tuple(sorted(some)) for name, some in found.items()}


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


def _soft(resources: Sequence[Resource], placements: Sequence[Placement]) -> dict[ResourceId, str]:
    guessed = {
        pool for placement in placements if placement.source.is_guess for pool in placement.pools
    }
    found: dict[ResourceId, str] = {}
    for resource in resources:
        if resource.bound is Bound.SUFFICIENT:
            found[resource.id] = UNKNOWN_LANDING
        elif resource.unit is Unit.GPUS and guessed & set(resource.pools):
            found[resource.id] = "GPUs per instance are worked out, not said by the allocator"
    return found
