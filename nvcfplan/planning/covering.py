"""Which of the bounds that make a landing certain a plan relies on.

A specification that may land on several clusters is certain of room by any of several bounds
(`capacity.covers_of`). Only what is relied on is counted: a bound that nobody needs would cost
waiting, or look like a risk where there is none. What no order can keep is replaced by another
bound where there is one; specifications that have none left are at risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import Covers, covers_of
from nvcfplan.model import Address, GpuSpecification, ResourceId
from nvcfplan.planning.landings import asked_by
from nvcfplan.planning.scheduler import Schedule, schedule
from nvcfplan.planning.sizes import SizedWork, end_of, size_works, worst_of
from nvcfplan.plans import Basis, Bound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from nvcfplan.capacity import Limits
    from nvcfplan.planning.parts import Work

Rank = tuple[bool, bool, int]
ROUNDS: Final = 4
"""So often another choice of bounds is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A specification that is to get GPUs, and what would make it certain of them."""

    address: Address
    specification: GpuSpecification
    covers: Covers


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """`aside`: bounds that nothing relies on. `uncovered`: asks that no bound makes certain."""

    schedule: Schedule
    aside: frozenset[ResourceId]
    uncovered: tuple[Ask, ...]


def arrange(works: Sequence[Work], limits: Limits) -> Arrangement:
    """The order of the works under the bounds that leave the fewest specifications at risk."""
    asks = _asks(works, limits)
    landing = frozenset(
        one.id
        for one in limits.resources
        if one.bound is Bound.SUFFICIENT and one.basis is Basis.HELD
    )
    sized = size_works(works)
    ranks = _ranks(sized, limits, landing)
    lost: set[ResourceId] = set()
    best: Arrangement | None = None
    for _ in range(ROUNDS):
        relied = _choose(asks, ranks, lost)
        aside = landing - relied
        found = schedule(sized, limits, aside=aside)
        uncovered = _uncovered(asks, found, aside, limits)
        if best is None or len(uncovered) < len(best.uncovered):
            best = Arrangement(schedule=found, aside=aside, uncovered=uncovered)
        new = (found.waived & landing) - lost
        lost |= new
        if found.raised or not uncovered or not _has_choice(uncovered, new, lost):
            break
    assert best is not None, "at least one round is made"
    return best


def _asks(works: Sequence[Work], limits: Limits) -> tuple[Ask, ...]:
    """Of all drafts; each specification of a function once."""
    found: dict[tuple[Address, GpuSpecification], Ask] = {}
    for work in works:
        for draft in work.drafts:
            for step in draft.steps:
                for one in asked_by(step, limits):
                    found.setdefault(
                        (step.address, one),
                        Ask(
                            address=step.address,
                            specification=one,
                            covers=covers_of(limits, one),
                        ),
                    )
    return tuple(found.values())


def _ranks(
    works: Sequence[SizedWork], limits: Limits, landing: AbstractSet[ResourceId]
) -> Mapping[ResourceId, Rank]:
    """How well each bound can be kept: never at stake, fitting in the end, by what is free now."""
    worst, end = worst_of(works), end_of(works)
    ranks: dict[ResourceId, Rank] = {}
    for name in landing:
        one = limits.resource(name)
        if one.limit is not None:
            free = one.limit - one.before - one.headroom
            ranks[name] = (worst[name] > free, end[name] > free, -free)
    return ranks


def _choose(
    asks: Sequence[Ask], ranks: Mapping[ResourceId, Rank], lost: AbstractSet[ResourceId]
) -> frozenset[ResourceId]:
    """What has no alternative first; then the best bound for each that has none yet."""
    relied: set[ResourceId] = set()
    for ask in sorted(asks, key=lambda one: (len(one.covers), one.address)):
        open_ones = [cover for cover in ask.covers if lost.isdisjoint(cover)]
        known = [cover for cover in open_ones if all(name in ranks for name in cover)]
        if len(ask.covers) == 1:
            relied.update(name for name in ask.covers[0] if name in ranks)
        elif known and not any(relied.issuperset(cover) for cover in known):
            relied.update(min(known, key=lambda cover: (max(ranks[one] for one in cover), cover)))
    return frozenset(relied)


def _uncovered(
    asks: Sequence[Ask], found: Schedule, aside: AbstractSet[ResourceId], limits: Limits
) -> tuple[Ask, ...]:
    """Asks of what is done, none of whose covers was kept; unknown ones are said elsewhere."""
    done = {
        (step.address, one)
        for chosen in found.chosen
        for step in chosen.draft.steps
        for one in asked_by(step, limits)
    }
    gone = aside | found.waived
    return tuple(
        ask
        for ask in asks
        if (ask.address, ask.specification) in done and _is_open(ask, gone, limits)
    )


def _is_open(ask: Ask, gone: AbstractSet[ResourceId], limits: Limits) -> bool:
    known = [
        cover for cover in ask.covers if all(limits.resource(o).limit is not None for o in cover)
    ]
    return bool(known) and not any(gone.isdisjoint(cover) for cover in known)


def _has_choice(
    uncovered: Sequence[Ask], new: AbstractSet[ResourceId], lost: AbstractSet[ResourceId]
) -> bool:
    """Whether another round could do better: something was lost that can be replaced."""
    return any(
        not new.isdisjoint(cover)
        and any(lost.isdisjoint(other) for other in ask.covers if other != cover)
        for ask in uncovered
        for cover in ask.covers
    )
