"""Which unit funds which: an order of parts -> where each unit that a step takes comes from.

What it has to wait for anyway gives first: its own function, and whoever gives it units of another
resource. Then what is free at the start, then the release that is expected first. Every source is
placed before who takes of it, so the plan is safe in every order its edges permit (ordering.md 2,
theorem 1).
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
            drawn = purse.draw_all(key, step)
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
        self.lots: dict[tuple[ResourceId, StepId], _Lot] = {}
        self.given: dict[ResourceId, list[tuple[int, int, _Lot]]] = {}
        self.grants: list[Grant] = []
        self.absorbers: dict[ResourceId, list[StepId]] = {}
        self.count = 0

    def draw_all(self, key: str, step: Step) -> list[Grant]:
        """For all that a step takes; nothing of what is not counted."""
        drawn: list[Grant] = []
        sources: dict[StepId, None] = {}
        for charge in step.acquire:
            if charge.resource in self.free:
                found = self._draw(key, step.id, charge, tuple(sources))
                sources |= {one.source: None for one in found if one.source is not None}
                drawn += found
        self.grants += drawn
        return drawn

    def _draw(
        self, key: str, taker: StepId, charge: Charge, sources: Sequence[StepId]
    ) -> list[Grant]:
        """`sources`: steps that are waited for anyway, for units of another resource."""
        name, left = charge.resource, charge.units
        found: list[Grant] = []
        near = (
            *self.own.get((key, name), ()),
            *(self.lots[name, one] for one in sources if (name, one) in self.lots),
            self.free[name],
        )
        queue = self.given.setdefault(name, [])
        place = 0
        while left:
            if place < len(near):
                lot = near[place]
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
            self.lots[name, step.id] = lot
            self.count += 1
            self.own.setdefault((key, name), []).append(lot)
            heapq.heappush(self.given.setdefault(name, []), (end, self.count, lot))

    def absorbing(self) -> Mapping[ResourceId, tuple[StepId, ...]]:
        return {name: tuple(sorted(steps)) for name, steps in sorted(self.absorbers.items())}
