"""In which order functions take and give, and which unit funds which.

Functions are taken one after the other in thought only: the plan keeps an edge just where a step
takes units that another gave (ordering.md, theorem 1), so everything else may run side by side.
Deterministic: no clock, no randomness, ties by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import ResourceId, StepId
from nvcfplan.planning.parts import Draft
from nvcfplan.plans import Grant

if TYPE_CHECKING:
    from nvcfplan.capacity import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One function's drafts, best first. `after`: keys of works that must be placed before."""

    key: str
    drafts: tuple[Draft, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    work: Work
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`waived`: soft resources that could not be kept, so they are at risk.

    `raised`: how many more units of a hard resource it would take; empty when the plan is feasible.
    `absorbing`: releases that first bring an over-full resource back under its limit; whoever takes
    of it afterwards waits for them all.
    """

    chosen: tuple[Chosen, ...]
    grants: tuple[Grant, ...]
    waived: frozenset[ResourceId]
    raised: Mapping[ResourceId, int]
    absorbing: Mapping[ResourceId, tuple[StepId, ...]]


@dataclass(frozen=True, slots=True)
class Lot:
    """`units` below zero, at the front only: over the limit by so many already."""

    source: StepId | None
    units: int


Lots = Mapping[ResourceId, tuple[Lot, ...]]


@dataclass(frozen=True, slots=True)
class Taken:
    grants: tuple[Grant, ...]
    lots: Lots
    absorbed: tuple[tuple[ResourceId, StepId], ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Units short, by resource, were this draft placed now."""

    units: Mapping[ResourceId, int]


def schedule(works: Sequence[Work], limits: Limits) -> Schedule:
    """Places every work. Soft limits in the way are waived, hard ones raised and reported.

    Each round places everything or names at least one unit more, so it ends.
    """
    waived: set[ResourceId] = set()
    raised: Counter[ResourceId] = Counter()
    while True:
        round_ = _Round(works, limits, frozenset(waived), raised)
        missing = round_.place_all()
        if missing is None:
            return Schedule(
                chosen=tuple(round_.chosen),
                grants=tuple(round_.grants),
                waived=frozenset(waived),
                raised=dict(sorted(raised.items())),
                absorbing=round_.absorbing(),
            )
        soft = {resource for resource in missing.units if resource in limits.soft}
        if soft:
            waived |= soft
        else:
            raised.update(missing.units)


class _Round:
    """One attempt under given waivers and raises; it only ever goes forward."""

    def __init__(
        self,
        works: Sequence[Work],
        limits: Limits,
        waived: frozenset[ResourceId],
        raised: Mapping[ResourceId, int],
    ) -> None:
        self.left = sorted(works, key=lambda work: work.key)
        self.lots: Lots = _free_lots(limits, waived, raised)
        self.chosen: list[Chosen] = []
        self.grants: list[Grant] = []
        self.absorbed: list[tuple[ResourceId, StepId]] = []

    def absorbing(self) -> Mapping[ResourceId, tuple[StepId, ...]]:
        return {
            resource: tuple(sorted(step for one, step in self.absorbed if one == resource))
            for resource in sorted({one for one, _ in self.absorbed})
        }

    def place_all(self) -> Missing | None:
        """None when everything was placed, else what the work that is nearest to fitting lacks."""
        while self.left:
            missing = self._place_next()
            if missing is not None:
                return missing
        return None

    def _place_next(self) -> Missing | None:
        waiting = {work.key for work in self.left}
        ready = [work for work in self.left if not waiting & set(work.after)]
        ready.sort(key=_rank)
        shortest: Missing | None = None
        for choice in range(max(len(work.drafts) for work in ready)):
            for work in ready:
                if choice >= len(work.drafts):
                    continue
                outcome = take(work.drafts[choice], self.lots)
                if isinstance(outcome, Taken):
                    self._place(work, work.drafts[choice], outcome)
                    return None
                shortest = _nearer(shortest, outcome)
        assert shortest is not None, "dependencies between functions have no cycle"
        return shortest

    def _place(self, work: Work, draft: Draft, taken: Taken) -> None:
        self.left.remove(work)
        self.chosen.append(Chosen(work=work, draft=draft))
        self.grants += taken.grants
        self.absorbed += taken.absorbed
        self.lots = taken.lots


def take(draft: Draft, lots: Lots) -> Taken | Missing:
    """Draws each acquired unit from the lots: free ones first, then the oldest release."""
    left = {resource: list(some) for resource, some in lots.items()}
    grants: list[Grant] = []
    missing: Counter[ResourceId] = Counter()
    absorbed: list[tuple[ResourceId, StepId]] = []
    for step in draft.steps:
        for charge in step.acquire:
            if charge.resource not in left:
                continue
            drawn = list(_draw(left[charge.resource], charge.units))
            grants += (
                Grant(step=step.id, resource=charge.resource, units=lot.units, source=lot.source)
                for lot in drawn
            )
            short = charge.units - sum(lot.units for lot in drawn)
            if short:
                missing[charge.resource] += short
        for charge in step.release:
            if charge.resource in left and _give(left[charge.resource], step.id, charge.units):
                absorbed.append((charge.resource, step.id))
    if missing:
        return Missing(dict(sorted(missing.items())))
    after = {resource: tuple(some) for resource, some in left.items()}
    return Taken(tuple(grants), after, tuple(absorbed))


def _draw(lots: list[Lot], units: int) -> Iterator[Lot]:
    """Takes up to `units` off the front, leaving the rest of a lot that is larger."""
    while units and lots and lots[0].units > 0:
        lot = lots.pop(0)
        part = min(units, lot.units)
        if lot.units > part:
            lots.insert(0, Lot(lot.source, lot.units - part))
        units -= part
        yield Lot(lot.source, part)


def _give(lots: list[Lot], source: StepId, units: int) -> bool:
    """Adds a release; True when some of it only fills what the resource is over its limit by."""
    debt = -lots[0].units if lots and lots[0].units < 0 else 0
    if debt:
        lots.pop(0)
        if debt > units:
            lots.insert(0, Lot(None, units - debt))
    if units > debt:
        lots.append(Lot(source, units - debt))
    return debt > 0


def _free_lots(
    limits: Limits, waived: frozenset[ResourceId], raised: Mapping[ResourceId, int]
) -> Lots:
    """What is free at the start, per resource that can be checked and is not waived."""
    free = {
        one.id: one.limit - one.before - one.headroom + raised.get(one.id, 0)
        for one in limits.resources
        if one.limit is not None and one.id not in waived
    }
    return {resource: (Lot(None, units),) if units else () for resource, units in free.items()}


def _rank(work: Work) -> tuple[int, int, str]:
    """Net releasers by ascending need, then net takers by descending return.

    Optimal for one pool of independent functions (ordering.md 1).
    """
    steps = work.drafts[0].steps
    need = sum(charge.units for step in steps for charge in step.acquire)
    back = sum(charge.units for step in steps for charge in step.release)
    return (0, need, work.key) if back >= need else (1, -back, work.key)


def _nearer(one: Missing | None, other: Missing) -> Missing:
    if one is None or sum(other.units.values()) < sum(one.units.values()):
        return other
    return one
