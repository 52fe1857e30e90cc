"""Who takes what, so that as many as can take something, and all of them together at least cost.

One after the other by name; who comes later may make an earlier one take its second best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_Costs = dict[str, dict[str, int]]


def assign(costs: Mapping[str, Mapping[str, int]]) -> Mapping[str, str]:
    """`costs`: by taker, what it may take and at which cost, none below zero. The least of all
    pairings of the most pairs; deterministic.
    """
    dearest = 1 + sum(max(some.values(), default=0) for some in costs.values())
    priced: _Costs = {one: {**some, f"\0{one}": dearest} for one, some in costs.items()}
    taken: dict[str, str] = {}
    for one in sorted(priced):
        taken |= _cheapest(one, priced, taken)
    return {one: what for one, what in sorted(taken.items()) if what in costs[one]}


def _cheapest(start: str, costs: _Costs, taken: Mapping[str, str]) -> Mapping[str, str]:
    """The exchange that gives `start` something: a shortest path to what nobody has."""
    owners = {what: one for one, what in taken.items()}
    best: dict[str, tuple[int, tuple[tuple[str, str], ...]]] = {}
    pending: list[tuple[str, int, tuple[tuple[str, str], ...]]] = [(start, 0, ())]
    while pending:
        one, paid, path = pending.pop(0)
        back = costs[one][taken[one]] if one in taken else 0
        for what, cost in sorted(costs[one].items()):
            total = paid + cost - back
            if what not in best or total < best[what][0]:
                best[what] = (total, (*path, (one, what)))
                if what in owners:
                    pending.append((owners[what], *best[what]))
    return dict(min(found for what, found in best.items() if what not in owners)[1])
