"""Order of the steps of a made plan, and where the units that they take come from."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.plans import Grant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.model import ResourceId, StepId
    from nvcfplan.plans import Step


def topological(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Ties by id. Raises: AssertionError on a cycle."""
    by_id = {step.id: step for step in steps}
    waiting = {one: len({edge.step for edge in step.depends_on}) for one, step in by_id.items()}
    later: dict[StepId, list[StepId]] = {}
    for step in by_id.values():
        for before in {edge.step for edge in step.depends_on}:
            later.setdefault(before, []).append(step.id)
    ready = sorted(one for one, count in waiting.items() if count == 0)
    ordered = []
    while ready:
        one = heapq.heappop(ready)
        ordered.append(by_id[one])
        for following in later.get(one, ()):
            waiting[following] -= 1
            if waiting[following] == 0:
                heapq.heappush(ready, following)
    assert len(ordered) == len(by_id), "the steps wait for each other"
    return tuple(ordered)


def grants_for(steps: Sequence[Step]) -> tuple[Grant, ...]:
    """Units that ancestors gave back first, the rest from what is free at the start.

    `steps` in topological order. Law: as for every plan (`plans.Plan`).
    """
    ancestors: dict[StepId, frozenset[StepId]] = {}
    left: dict[tuple[StepId, ResourceId], int] = {}
    grants: list[Grant] = []
    for step in steps:
        direct = {edge.step for edge in step.depends_on}
        ancestors[step.id] = frozenset(direct).union(*(ancestors[one] for one in direct))
        sources = [one.id for one in steps if one.id in ancestors[step.id]]
        for charge in step.acquire:
            taken: Counter[StepId | None] = Counter()
            wanted = charge.units
            for source in sources:
                units = min(wanted, left.get((source, charge.resource), 0))
                if units:
                    left[source, charge.resource] -= units
                    taken[source] = units
                    wanted -= units
            if wanted:
                taken[None] = wanted
            grants.extend(
                Grant(step=step.id, resource=charge.resource, units=units, source=source)
                for source, units in taken.items()
            )
        for charge in step.release:
            left[step.id, charge.resource] = charge.units
    return tuple(grants)
