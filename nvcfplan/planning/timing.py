"""How long an order of parts takes, each begun as early as what it waits for allows."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.planning.numbers import Move, Piece, Problem


def makespan(problem: Problem, moves: Sequence[Move]) -> int:
    """Seconds, with the expected time of every step. Units are drawn from the oldest release."""
    lots = [[(0, units)] if units > 0 else [] for units in problem.free]
    debts = [max(0, -units) for units in problem.free]
    absorbed = [0] * len(lots)
    ends: dict[tuple[int, int], int] = {}
    ways = {move.job: move.way for move in moves}
    for move in moves:
        piece = problem.jobs[move.job].ways[move.way].pieces[move.piece]
        start = max(ends.get((move.job, move.piece), 0), _ready(problem, ways, ends, move, piece))
        for resource, units in piece.needs:
            start = max(start, absorbed[resource], _draw(lots[resource], units))
        end = start + piece.seconds
        ends[move.job, move.piece + 1] = end
        for resource, units in piece.gives:
            paid = min(debts[resource], units)
            debts[resource] -= paid
            if paid:
                absorbed[resource] = max(absorbed[resource], end)
            if units > paid:
                heapq.heappush(lots[resource], (end, units - paid))
    return max(ends.values(), default=0)


def _draw(lots: list[tuple[int, int]], units: int) -> int:
    """Takes the units; when the last of them is there."""
    ready = 0
    while units > 0:
        ready, found = lots[0]
        if found > units:
            heapq.heapreplace(lots, (ready, found - units))
            return ready
        heapq.heappop(lots)
        units -= found
    return ready


def _ready(
    problem: Problem,
    ways: dict[int, int],
    ends: dict[tuple[int, int], int],
    move: Move,
    piece: Piece,
) -> int:
    """When all that it uses serves, and all that used it has left."""
    job, ready = problem.jobs[move.job], 0
    for other in job.uses if piece.takes else ():
        if other in ways:
            ready = max(ready, ends.get((other, problem.jobs[other].ways[ways[other]].settled), 0))
    for other in job.users if piece.leaves else ():
        if other in ways:
            ready = max(ready, ends.get((other, problem.jobs[other].ways[ways[other]].left), 0))
    return ready
