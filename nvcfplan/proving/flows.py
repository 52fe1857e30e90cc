"""Whether any funding of a plan exists: each unit that is taken from a source of its own.

By theorem 1 of ordering.md that decides whether a plan is safe on a resource, whatever funding is
written in it. A maximum flow from what is free and what steps before give to what steps take.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvcfplan.model import StepId
from nvcfplan.proving.evidence import Ancestry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvcfplan.model import ResourceId
    from nvcfplan.plans import Charge, Grant, Resource, Step


def missing_units(
    resource: Resource, steps: Sequence[Step], order: Ancestry, written: Sequence[Grant]
) -> int:
    """Units that find no source, however they are funded; 0: safe. The resource has a limit.

    `written`: a funding to begin with, which is kept where it still holds: most is right already.
    """
    free = (resource.limit or 0) - resource.before - resource.headroom
    short = dict(_units(((one.id, one.acquire) for one in steps), resource.id))
    if sum(short.values()) <= free:
        return 0
    left = dict(_units(((one.id, one.release) for one in steps), resource.id))
    flow = _Flow(order, left, short)
    for grant in written:
        source, taker = grant.source, grant.step
        if grant.resource != resource.id or source not in left or taker not in short:
            continue
        if order.precedes(source, taker):
            flow.move(source, taker, min(grant.units, left[source], short[taker]))
    for taker in short:
        if sum(short.values()) > max(0, free):
            flow.fill(taker)
    return max(0, sum(short.values()) - max(0, free)) + _debt(flow, max(0, -free))


def _debt(flow: _Flow, over: int) -> int:
    """Of a resource over its limit, the units that nobody gives back before it is taken again."""
    paid = (
        sum(units for source, units in flow.left.items() if flow.order.precedes(source, taker))
        for taker in flow.short
    )
    return max((over - one for one in paid), default=0) if over else 0


def _units(
    charges: Iterable[tuple[StepId, Sequence[Charge]]], resource: ResourceId
) -> Iterator[tuple[StepId, int]]:
    for step, some in charges:
        for charge in some:
            if charge.resource == resource:
                yield step, charge.units


@dataclass(slots=True)
class _Flow:
    """Units of one resource: from releases (`left` to give) to steps (`short` of them)."""

    order: Ancestry
    left: dict[StepId, int]
    short: dict[StepId, int]
    given: dict[StepId, Counter[StepId]] = field(default_factory=dict)

    def move(self, source: StepId, taker: StepId, units: int) -> None:
        self.given.setdefault(source, Counter())[taker] += units
        self.left[source] -= units
        self.short[taker] -= units

    def fill(self, taker: StepId) -> None:
        """Takes from releases before it, moving others to other sources where that helps."""
        while self.short[taker] > 0 and (path := self._path(taker)):
            sources, takers = path[::2], path[1::2]
            units = min(self.left[sources[0]], self.short[taker])
            for source, holder in zip(sources[1:], takers, strict=False):
                units = min(units, self.given[source][holder])
            self.move(sources[0], takers[0], units)
            for source, holder, following in zip(sources[1:], takers, takers[1:], strict=False):
                self.given[source][holder] -= units
                self.left[source] += units
                self.short[holder] += units
                self.move(source, following, units)

    def _path(self, taker: StepId) -> list[StepId]:
        """A source with units left, who takes them, whose source then is free, ... to `taker`."""
        paths = {taker: [taker]}
        pending, seen = [taker], set[StepId]()
        while pending:
            one = pending.pop(0)
            for source in self.left:
                if source in seen or not self.order.precedes(source, one):
                    continue
                seen.add(source)
                path = [source, *paths[one]]
                if self.left[source] > 0:
                    return path
                for holder, units in self.given.get(source, Counter[StepId]()).items():
                    if units > 0 and holder not in paths:
                        paths[holder] = [holder, *path]
                        pending.append(holder)
        return []
