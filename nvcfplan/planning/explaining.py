"""Why no order fits: who needs how much even if all others make room, and who waits for whom.

The first is a proof (ordering.md 3.5): at the moment at which a function holds most, nobody else
can hold less than the least of its own ways.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from nvcfplan.model import ResourceId
    from nvcfplan.planning.parts import Draft, Work
    from nvcfplan.plans import Resource


MOST_STARTS: Final = 16
"""From so many functions a circle is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """`key` lacks `missing` units of the resource though everybody else holds what is least."""

    key: str
    missing: int


def find_floor(resource: Resource, works: Sequence[Work]) -> Floor | None:
    """The function that lacks most; None: nothing is proved impossible this way."""
    if resource.limit is None:
        return None
    least = {work.key: min(_least(one, resource.id) for one in work.drafts) for work in works}
    rest = sum(least.values())
    free = resource.limit - resource.before - resource.headroom
    found = [
        Floor(key=work.key, missing=missing)
        for work in works
        if not work.is_optional
        and (missing := _most(work, resource.id) + rest - least[work.key] - free) > 0
    ]
    return max(found, key=lambda one: (one.missing, one.key), default=None)


def find_circle(resource: Resource, works: Sequence[Work], limits: Sequence[Resource]) -> list[str]:
    """Keys of functions that wait for each other and of which one needs this resource; sorted.

    One waits for another when it needs more of something than is free, and the other gives of it.
    """
    free = {o.id: o.limit - o.before - o.headroom for o in limits if o.limit is not None}
    due = [work for work in works if not work.is_optional]
    needs = {work.key: _short(work, free) for work in due}
    gives = {work.key: _given(work) for work in due}
    starts = sorted(key for key, names in needs.items() if resource.id in names)
    for start in starts[:MOST_STARTS]:
        circle = _reached(start, needs, gives) & _reached(start, gives, needs)
        if circle - {start}:
            return sorted({start, *circle})
    return []


def _least(draft: Draft, resource: ResourceId) -> int:
    """The least that it changes its use by, at any of its own moments; never above zero."""
    held = least = 0
    for step in draft.steps:
        held += sum(one.units for one in step.acquire if one.resource == resource)
        held -= sum(one.units for one in step.release if one.resource == resource)
        least = min(least, held)
    return least


def _most(work: Work, resource: ResourceId) -> int:
    """What it must hold at some moment, beyond what it holds now, on the way that needs least."""
    return min(max(0, _most_held(one).get(resource, 0)) for one in work.drafts)


def _most_held(draft: Draft) -> Mapping[ResourceId, int]:
    """By resource, the most held at a moment at which something is taken, beyond what is now."""
    held: Counter[ResourceId] = Counter()
    most: dict[ResourceId, int] = {}
    for step in draft.steps:
        for one in step.acquire:
            held[one.resource] += one.units
            most[one.resource] = max(held[one.resource], most.get(one.resource, 0))
        for one in step.release:
            held[one.resource] -= one.units
    return most


def _short(work: Work, free: Mapping[ResourceId, int]) -> set[ResourceId]:
    needed = _most_held(work.drafts[0])
    return {name for name, units in needed.items() if name in free and units > free[name]}


def _given(work: Work) -> set[ResourceId]:
    return {charge.resource for step in work.drafts[0].steps for charge in step.release}


def _reached(
    start: str,
    out: Mapping[str, AbstractSet[ResourceId]],
    back: Mapping[str, AbstractSet[ResourceId]],
) -> set[str]:
    """Who can be come to from `start`, from each by a resource of `out` to those with it in `back`.

    Without `start`, unless a way leads back to it.
    """
    holders: dict[ResourceId, list[str]] = {}
    for key, names in back.items():
        for name in names:
            holders.setdefault(name, []).append(key)
    seen: set[str] = set()
    used: set[ResourceId] = set()
    pending = [start]
    while pending:
        for name in out[pending.pop()] - used:
            used.add(name)
            new = [key for key in holders.get(name, ()) if key not in seen]
            seen.update(new)
            pending += new
    return seen
