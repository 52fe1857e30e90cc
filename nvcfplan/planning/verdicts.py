"""Capacity in words: what is proved impossible, what is at risk, what could not be checked.

Never one word for quota, not offered, and full right now.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import (
    UNKNOWN_BASIS,
    UNKNOWN_LANDING,
    VERSION_LIMIT,
    Limits,
    limits_by,
)
from nvcfplan.diagnostics import Diagnostic, Severity, Subject, Verdict
from nvcfplan.model import Address
from nvcfplan.planning.explaining import find_circle, find_floor
from nvcfplan.plans import Basis, Bound, Resource, Shortage, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvcfplan.model import PoolId, ResourceId
    from nvcfplan.planning.covering import Arrangement, Ask
    from nvcfplan.planning.parts import Draft, Work
    from nvcfplan.planning.scheduler import Schedule

MOST_NAMES: Final = 8
"""So many functions are named where many wait for each other."""


def find_shortages(result: Schedule, limits: Limits, works: Sequence[Work]) -> tuple[Shortage, ...]:
    """Per hard resource: units more it would take, and who holds or wants how many."""
    return tuple(
        Shortage(resource=resource, missing=units, users=_users(limits.resource(resource), works))
        for resource, units in result.raised.items()
    )


def judge_capacity(
    arrangement: Arrangement, limits: Limits, works: Sequence[Work], shortages: Sequence[Shortage]
) -> tuple[Diagnostic, ...]:
    """Of landings, only those that nothing makes certain: of several bounds one is enough."""
    used = {
        charge.resource
        for work in works
        for draft in work.drafts
        for step in draft.steps
        for charge in step.acquire
    }
    return (
        *(_violation(limits, one, works) for one in shortages),
        *(() if shortages else _risks(arrangement, limits, works)),
        *_not_checked(limits, used),
    )


def _violation(limits: Limits, shortage: Shortage, works: Sequence[Work]) -> Diagnostic:
    """Proved impossible where even the wanted end does not fit; else no order was found."""
    resource, missing = limits.resource(shortage.resource), shortage.missing
    users = ", ".join(f"{name} {units}" for name, units in shortage.users)
    excess = _excess_at_end(resource, works)
    floor = find_floor(resource, works)
    why = _why(resource, works, limits, excess)
    return Diagnostic(
        code=_code(resource, "exceeded"),
        severity=Severity.ERROR,
        summary=f"needs {missing} more {_unit(resource, missing)} in {_where(resource)}: "
        f"limit {resource.limit}, in use {resource.before} (ours {resource.ours})",
        detail=f"{why}. Wanted or held: {users or 'other tenants only'}",
        remedy=_remedy(resource, missing),
        subject=_declaration(resource, limits),
        verdict=Verdict.VIOLATION if excess > 0 or floor else None,
    )


def _why(resource: Resource, works: Sequence[Work], limits: Limits, excess: int) -> str:
    """In layers: the end, one moment that no order avoids, functions in each other's way."""
    if excess > 0:
        return f"even when all is done it would be {excess} over the limit"
    floor = find_floor(resource, works)
    if floor is not None:
        return (
            f"in no order: even while everybody else holds as little as their policies let them, "
            f"function.{floor.key} lacks {floor.missing}"
        )
    circle = find_circle(resource, works, limits.resources)
    if circle:
        names = ", ".join(f"function.{key}" for key in circle[:MOST_NAMES])
        more = f" and {len(circle) - MOST_NAMES} more" if len(circle) > MOST_NAMES else ""
        return f"the end would fit, but these wait for each other's GPUs: {names}{more}"
    return "the end would fit, but no order was found in which every moment does"


def _excess_at_end(resource: Resource, works: Sequence[Work]) -> int:
    """With each function on the way that keeps the least of it."""
    kept = (min(_kept(resource, draft) for draft in work.drafts) for work in works)
    return resource.before + sum(kept) - (resource.limit or 0)


def _kept(resource: Resource, draft: Draft) -> int:
    taken = (one.units for s in draft.steps for one in s.acquire if one.resource == resource.id)
    given = (one.units for s in draft.steps for one in s.release if one.resource == resource.id)
    return sum(taken) - sum(given)


def _risks(arrangement: Arrangement, limits: Limits, works: Sequence[Work]) -> Iterator[Diagnostic]:
    for name in sorted(arrangement.schedule.waived):
        resource = limits.resource(name)
        if resource.basis is not Basis.HELD or resource.bound is not Bound.SUFFICIENT:
            yield _at_risk(resource, limits.soft[name], works)
    words: dict[ResourceId, str] = {}
    for ask in arrangement.uncovered:
        nearest = ask.covers[0][0]
        if nearest not in words:
            words[nearest] = _users_in_words(limits.resource(nearest), works)
        yield _landing_at_risk(ask, limits, words[nearest])


def _at_risk(resource: Resource, why: str, works: Sequence[Work]) -> Diagnostic:
    return Diagnostic(
        code=_code(resource, "at-risk"),
        severity=Severity.WARNING,
        summary=f"not proved to fit {_where(resource)} (limit {resource.limit}, in use "
        f"{resource.before}): {why}",
        detail=f"counted at worst: {_users_in_words(resource, works)}",
        remedy=_doubt_remedy(resource, why),
        subject=Subject(Address(""), resource.id),
        verdict=Verdict.AT_RISK,
    )


def _doubt_remedy(resource: Resource, why: str) -> str:
    if why == UNKNOWN_BASIS:
        return "declare what it counts (`quotas:`, `counts: maxInstances`), or lower maxInstances"
    if resource.basis is not Basis.HELD and why == UNKNOWN_LANDING:
        return "name one cluster under `clusters:` for what may land inside the quota or outside it"
    return "make the allocator's view readable, or declare the GPUs of an instance"


def _landing_at_risk(ask: Ask, limits: Limits, users: str) -> Diagnostic:
    """Its pools alone decide the words, so that alike ones are said once."""
    specification = ask.specification
    pools = sorted({pool for cover in ask.covers for one in cover for pool in _pools(limits, one)})
    where = ", ".join(pool.cluster for pool in pools)
    nearest = limits.resource(ask.covers[0][0])
    others_choose = len(pools) == 1
    return Diagnostic(
        code="capacity-at-risk",
        severity=Severity.WARNING,
        summary=f"not proved to find room for {pools[0].gpu} in {where}: it depends on which "
        f"cluster the service picks{' for others' if others_choose else ''}",
        detail=f"if all that may land in {nearest.pools[0].cluster} does, at worst: "
        f"{users}; limit {nearest.limit}",
        remedy="name one cluster under `clusters:` to make it certain"
        if not others_choose
        else "name one cluster under `clusters:` for those that may land there too",
        subject=Subject(ask.address, f"deployment.specifications.{specification.key}"),
        verdict=Verdict.AT_RISK,
    )


def _pools(limits: Limits, name: ResourceId) -> tuple[PoolId, ...]:
    return limits.resource(name).pools


def _users_in_words(resource: Resource, works: Sequence[Work]) -> str:
    return ", ".join(f"{name} {units}" for name, units in _users(resource, works))


def _not_checked(limits: Limits, used: set[ResourceId]) -> Iterator[Diagnostic]:
    for unread in limits.account.unread:
        yield Diagnostic(
            code=f"{unread.what}-not-checked",
            severity=Severity.NOTE,
            summary=f"{unread.what} not checked: {unread.reason}",
            detail=f"asked {unread.source}",
            remedy=unread.remedy,
            verdict=Verdict.NOT_CHECKED,
        )
    for resource in limits.resources:
        if resource.limit is None and resource.id in used:
            yield Diagnostic(
                code="capacity-not-checked",
                severity=Severity.NOTE,
                summary=f"{_where(resource)} not checked: its capacity, or the size of an instance "
                "on it, is not known",
                remedy="read the allocator's view of clusters, or use an instance type that says "
                "its GPU count",
                verdict=Verdict.NOT_CHECKED,
            )


def _users(resource: Resource, works: Sequence[Work]) -> tuple[tuple[str, int], ...]:
    """What our changes want on top, per function, and what is in use now by whom, largest first."""
    wanted: Counter[str] = Counter()
    for work in works:
        for step in work.drafts[0].steps:
            for charge in step.acquire:
                if charge.resource == resource.id:
                    wanted[f"function.{work.key} (wanted)"] += charge.units
    held: Mapping[str, int] = {
        "this stack (running)": resource.ours,
        "others (running)": resource.before - resource.ours,
    }
    found = [*wanted.items(), *((name, units) for name, units in held.items() if units > 0)]
    return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


def _code(resource: Resource, ending: str) -> str:
    if resource.id == VERSION_LIMIT:
        return f"version-limit-{ending}"
    return f"quota-{ending}" if resource.basis is not Basis.HELD else f"capacity-{ending}"


def _declaration(resource: Resource, limits: Limits) -> Subject | None:
    """Where the stack says that there is this limit."""
    found = [one.key for one in limits.account.declared if limits_by(one.quota, resource.id)]
    return Subject(Address(""), f"quotas.{found[0]}.limit") if found else None


def _unit(resource: Resource, units: int) -> str:
    if resource.id == VERSION_LIMIT:
        return "versions"
    if resource.unit is Unit.INSTANCES:
        return f"{resource.pools[0].gpu} {'instance' if units == 1 else 'instances'}"
    return resource.pools[0].gpu if resource.pools else "GPUs"


def _where(resource: Resource) -> str:
    if resource.id == VERSION_LIMIT:
        return "the account's limit on stored versions"
    name = resource.id.partition(":")[2]
    match resource.basis:
        case Basis.MIN:
            return f"quota {name} (sum of minInstances)"
        case Basis.MAX:
            return f"quota {name} (sum of maxInstances)"
        case Basis.HELD:
            return f"pool {name}"


def _remedy(resource: Resource, missing: int) -> str:
    if resource.id == VERSION_LIMIT:
        return "delete versions that are not needed, or ask for a higher limit"
    if resource.basis is not Basis.HELD:
        bound = "minInstances" if resource.basis is Basis.MIN else "maxInstances"
        return f"lower {bound}, or ask for {missing} more of quota"
    return (
        f"lower minInstances, free {missing} GPUs, choose another placement, or accept a gap in "
        "service with `update: {order: auto, downtime: allowed}`"
    )
