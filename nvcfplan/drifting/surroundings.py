"""What has moved around our functions: offers, pools and quotas that what runs rests on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import Involved, Limits, find_limits
from nvcfplan.checks import check_offered
from nvcfplan.diagnostics import Severity
from nvcfplan.differences import match_specifications
from nvcfplan.drifting.findings import Finding, FindingClass, Oversubscription
from nvcfplan.model import Address, DesiredSpecification, PoolId, canonical_json, function_address
from nvcfplan.plans import Basis, Bound, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.differences import OwnedFunction
    from nvcfplan.model import Account, DesiredFunction, LiveFunction, LiveVersion
    from nvcfplan.plans import Resource

_NOBODY: Final = Address("")


def find_withdrawn(
    desired: DesiredFunction, owned: OwnedFunction, account: Account
) -> Iterator[Finding]:
    """Of what runs, a word of its placement that is offered no more: it would not start again.

    Source: nvcf-api.md 4.3.
    """
    rows = owned.current.deployment.specifications if owned.current.deployment else ()
    if not owned.current.is_deployed or not rows:
        return
    matching = match_specifications(desired.specifications, rows)
    keyed = [(pair.live, pair.wanted.key) for pair in (*matching.pairs, *matching.moved)]
    keyed += [(one, one.specification.key or one.id) for one in matching.removed]
    running = replace(
        desired,
        update=replace(desired.update, bounce=()),
        specifications=tuple(
            DesiredSpecification(specification=replace(live.specification, key=key), managed=())
            for live, key in keyed
        ),
    )
    for one in check_offered(running, account):
        assert one.subject is not None, one
        yield Finding(
            kind=FindingClass.INVENTORY,
            code=f"{one.code.removeprefix('unknown-')}-withdrawn",
            severity=Severity.WARNING,
            address=desired.address,
            subject=one.subject.path,
            summary=f"{desired.address} runs on what is offered no more: {one.summary}",
            evidence=(one.detail,),
            remedy="it runs on, but the next apply or scale-out would fail: place it elsewhere",
        )


def limits_of(
    account: Account, live: Sequence[LiveFunction], owned: Sequence[OwnedFunction]
) -> Limits:
    """As a plan that changes nothing would see them."""
    ours = [
        version
        for one in owned
        for version in one.versions
        if version.is_deployed or version.deployment is not None
    ]
    known = {version.version_id for version in ours}
    others = [
        version
        for function in live
        for version in function.versions
        if version.is_deployed and version.version_id not in known
    ]
    return find_limits(account, Involved(wanted=(), ours=_sorted(ours), others=_sorted(others)))


def find_shortfalls(limits: Limits) -> Iterator[Finding]:
    """Pools and quotas that hold less than what runs of ours needs, or may come to need.

    A quota that does not even allow the minima is not told of the maxima, too.
    """
    short = {
        one.pools
        for one in limits.resources
        if one.basis is Basis.MIN and one.limit is not None and one.ours > one.limit
    }
    for one in limits.resources:
        if one.limit is None or one.ours <= 0 or one.unit is Unit.VERSIONS:
            continue
        match one.basis:
            case Basis.HELD if one.bound is not Bound.SUFFICIENT and one.before > one.limit:
                yield _shrunk(one, one.limit)
            case Basis.MIN if one.ours > one.limit:
                yield _below(one, one.limit)
            case Basis.MAX if one.ours > one.limit and one.pools not in short:
                yield _below(one, one.limit)
            case _:
                pass


def oversubscribed(
    limits: Limits, account: Account, owned: Sequence[OwnedFunction]
) -> tuple[Oversubscription, ...]:
    """By pool, of what can land there alone: sum of maxima against the pool. Sorted by pool."""
    most: Counter[PoolId] = Counter()
    for one in owned:
        for version in one.versions:
            rows = version.deployment.specifications if version.deployment else ()
            for row in rows:
                where = limits.atlas.place(row.specification)
                if len(where.pools) == 1 and where.gpus_each is not None:
                    most[where.pools[0]] += row.specification.max_instances * where.gpus_each
    capacities = {
        pool.id: pool.capacity
        for cluster in account.clusters or ()
        for pool in cluster.pools
        if pool.capacity is not None
    }
    return tuple(
        Oversubscription(pool=f"{pool.cluster}/{pool.gpu}", promised=most[pool], limit=limit)
        for pool, limit in sorted(capacities.items())
        if most[pool]
    )


def note_oversubscribed(pools: Sequence[Oversubscription]) -> Iterator[Finding]:
    """No drift: it may well be wanted. But who looks at a pool wants to know."""
    for one in pools:
        if one.promised > one.limit:
            yield Finding(
                kind=FindingClass.CAPACITY,
                code="oversubscribed",
                severity=Severity.NOTE,
                address=_NOBODY,
                subject=one.pool,
                before=canonical_json(one.limit),
                after=canonical_json(one.promised),
                summary=f"{one.pool}: at their maxima our functions want {one.promised} GPUs of"
                f" its {one.limit}",
                remedy="lower maxInstances, or accept that not all can scale out at once",
            )


def _shrunk(resource: Resource, limit: int) -> Finding:
    names = ", ".join(f"{pool.cluster}/{pool.gpu}" for pool in resource.pools)
    return Finding(
        kind=FindingClass.CAPACITY,
        code="cannot-be-placed-again",
        severity=Severity.WARNING,
        address=_NOBODY,
        subject=resource.id,
        before=canonical_json(resource.before),
        after=canonical_json(limit),
        summary=f"{names} has {limit} GPUs, and {resource.before} are in use there,"
        f" {resource.ours} of them ours",
        evidence=(f"read from {resource.reading.source}",) if resource.reading else (),
        remedy="what runs would not all start again: move some of it, or ask what became of the"
        " clusters",
    )


def _below(resource: Resource, limit: int) -> Finding:
    is_min = resource.basis is Basis.MIN
    what = "minima" if is_min else "maxima"
    return Finding(
        kind=FindingClass.QUOTA,
        code="quota-below-min" if is_min else "quota-below-max",
        severity=Severity.ERROR if is_min else Severity.WARNING,
        address=_NOBODY,
        subject=resource.id,
        before=canonical_json(resource.ours),
        after=canonical_json(limit),
        summary=f"{resource.id} allows {limit} {resource.unit.value}, and the {what} of our"
        f" functions add up to {resource.ours}",
        evidence=(f"read from {resource.reading.source}",) if resource.reading else (),
        remedy="ask for a higher quota, or lower "
        + ("minInstances" if is_min else "maxInstances: beyond it scaling out is refused"),
    )


def _sorted(versions: Sequence[LiveVersion]) -> tuple[LiveVersion, ...]:
    return tuple(sorted(versions, key=lambda one: (one.function_id, one.version_id)))


def find_late(owned: OwnedFunction) -> Iterator[Finding]:
    """What a request of ours made for which nobody waited any more: stored, and in nobody's use."""
    address = function_address(owned.key.partition("~")[0])
    for version in owned.late:
        yield Finding(
            kind=FindingClass.ORPHAN,
            code="late-arrival",
            severity=Severity.NOTE,
            address=address,
            subject=version,
            summary=f"a request of ours for {address} that had been given up was served after all",
            evidence=(f"version {version} of function {owned.function_id}, not deployed",),
            remedy="`nvcfplan apply` deletes it",
        )


def orphan(owned: OwnedFunction, stack: str) -> Finding:
    """Ours by its tags, and no stack has it: nobody will ever change or remove it."""
    address = function_address(owned.key)
    deployed = sum(version.is_deployed for version in owned.versions)
    return Finding(
        kind=FindingClass.ORPHAN,
        code="function-in-no-stack",
        severity=Severity.WARNING if deployed else Severity.NOTE,
        address=address,
        subject=owned.function_id,
        summary=f"{address} carries our tags, and {stack} does not have it",
        evidence=(
            f"function {owned.function_id}, {len(owned.versions)} versions, {deployed} deployed",
        ),
        remedy="`nvcfplan apply` removes it; to keep it, write it into the stack",
    )
