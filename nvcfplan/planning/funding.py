"""Which unit funds which: an order of parts -> where each unit that a step takes comes from.

What its own function gave comes first: it has to wait for that anyway. Then what is free at the
start, then the release that is expected first. Every source is placed before who takes of it, so
the plan is safe in every order its edges permit (ordering.md 2, theorem 1).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import ResourceId, StepId
from nvcfplan.plans import Charge, Grant, Step

if TYPE_CHECKING:
    from nvcfplan.planning.parts import Part


@dataclass(slots=True)
class _Lot:
    """`source` None: free at the start."""

    source: StepId | None
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """`absorbing`: releases that first bring an over-full resource back under its limit; whoever

    takes of it afterwards waits for them all.
    """

    grants: tuple[Grant, ...]
    absorbing: Mapping[ResourceId, tuple[StepId, ...]]


def fund(
    parts: Sequence[tuple[str, Part]],
    free: Mapping[ResourceId, int],
    waits: Mapping[StepId, Sequence[StepId]],
) -> Funding:
    """`parts`: the key of their function and they, in their order. `free`: of what is counted.

    `waits`: by step, the steps of other functions that must have ended before it starts.
    """
    purse = _Purse(free)
    ends: dict[StepId, int] = {}
    for key, part in parts:
        for step in part.steps:
            drawn = [one for charge in step.acquire for one in purse.draw(key, step.id, charge)]
            sources = (
                *(edge.step for edge in step.depends_on),
                *waits.get(step.id, ()),
                *(grant.source for grant in drawn if grant.source is not None),
            )
            start = max((ends.get(source, 0) for source in sources), default=0)
            ends[step.id] = start + step.expected_seconds
            for charge in step.release:
                purse.give(key, step, charge, ends[step.id])
    return Funding(grants=tuple(purse.grants), absorbing=purse.absorbing())


class _Purse:
    def __init__(self, free: Mapping[ResourceId, int]) -> None:
        self.free = {name: _Lot(None, max(0, units)) for name, units in free.items()}
        self.debts = {name: -units for name, units in free.items() if units < 0}
        self.own: dict[tuple[str, ResourceId], list[_Lot]] = {}
        self.given: dict[ResourceId, list[tuple[int, int, _Lot]]] = {}
        self.grants: list[Grant] = []
        self.absorbers: dict[ResourceId, list[StepId]] = {}
        self.count = 0

    def draw(self, key: str, taker: StepId, charge: Charge) -> list[Grant]:
        """Nothing of a resource that is not counted."""
        name, left = charge.resource, charge.units
        if name not in self.free:
            return []
        found: list[Grant] = []
        own = (*self.own.get((key, name), ()), self.free[name])
        queue = self.given.setdefault(name, [])
        place = 0
        while left:
            if place < len(own):
                lot = own[place]
                place += 1
            else:
                assert queue, f"{taker} was placed where {name} had room"
                lot = queue[0][2]
                if lot.units <= left:
                    heapq.heappop(queue)
            units = min(left, lot.units)
            if units:
                lot.units -= units
                left -= units
                found.append(Grant(step=taker, resource=name, units=units, source=lot.source))
        self.grants += found
        return found

    def give(self, key: str, step: Step, charge: Charge, end: int) -> None:
        name = charge.resource
        if name not in self.free:
            return
        paid = min(self.debts.get(name, 0), charge.units)
        if paid:
            self.debts[name] -= paid
            self.absorbers.setdefault(name, []).append(step.id)
        if charge.units > paid:
            lot = _Lot(step.id, charge.units - paid)
            self.count += 1
            self.own.setdefault((key, name), []).append(lot)
            heapq.heappush(self.given.setdefault(name, []), (end, self.count, lot))

    def absorbing(self) -> Mapping[ResourceId, tuple[StepId, ...]]:
        return {name: tuple(sorted(steps)) for name, steps in sorted(self.absorbers.items())}
