"""Every order of few functions, cheapest first: the least downtime, or the certainty of none.

Any plan that is safe has a sequence of whole parts with the same downtime (ordering.md 2, theorem
2), and what a sequence has done so far tells what is free. So states are few: by function, the way
taken and how far it has come. Bounded by a count of states, never by a clock.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvcfplan.planning.numbers import Job, Move, Piece, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNTOUCHED: Final = (-1, 0)
State = tuple[tuple[int, int], ...]
"""By job, its way (-1: none yet) and how many pieces of it are placed."""
Price = tuple[int, int, int]
"""Functions with downtime; functions touched only to lend; units given up."""


class Answer(StrEnum):
    BEST = "best"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Searched:
    """`answer` BEST: no order costs less than `moves`. NONE: there is no order. `states` seen."""

    answer: Answer
    moves: tuple[Move, ...]
    states: int


def search_all(problem: Problem, *, limit: int, without: frozenset[int] = frozenset()) -> Searched:
    """`limit`: of states. `without`: optional jobs that are left alone."""
    return _Search(problem, without).run(limit)


class _Search:
    def __init__(self, problem: Problem, without: frozenset[int]) -> None:
        self.problem = problem
        self.jobs = [
            (number, job) for number, job in enumerate(problem.jobs) if number not in without
        ]
        self.came: dict[State, tuple[State, Move] | None] = {}

    def run(self, limit: int) -> Searched:
        start: State = tuple(UNTOUCHED for _ in self.problem.jobs)
        self.came[start] = None
        queue: list[tuple[Price, int, int, State, tuple[int, ...]]] = []
        heapq.heappush(queue, ((0, 0, 0), 0, 0, start, self.problem.free))
        while queue and len(self.came) <= limit:
            cost, depth, _, state, free = heapq.heappop(queue)
            if self._is_done(state):
                return Searched(Answer.BEST, self._moves(state), len(self.came))
            for move in self._moves_from(state, free):
                after = _with(state, move)
                if after in self.came:
                    continue
                self.came[after] = (state, move)
                left = self._free_after(free, move)
                entry = (self._added(cost, move), depth - 1, len(self.came), after, left)
                heapq.heappush(queue, entry)
        answer = Answer.UNKNOWN if queue else Answer.NONE
        return Searched(answer, (), len(self.came))

    def _is_done(self, state: State) -> bool:
        return all(
            not job.is_due if way < 0 else done == len(job.ways[way].pieces)
            for job, (way, done) in zip(self.problem.jobs, state, strict=True)
        )

    def _moves_from(self, state: State, free: Sequence[int]) -> Sequence[Move]:
        """All that fit; one alone where it takes nothing and nothing is chosen by it."""
        found: list[Move] = []
        for number, job in self.jobs:
            for move, piece in _next(number, job, state[number]):
                if any(free[resource] < units for resource, units in piece.needs):
                    continue
                if not self._is_ready(job, piece, state):
                    continue
                if _is_free_choice(job, move) and all(units <= 0 for _, units in piece.nets):
                    return (move,)
                found.append(move)
        return found

    def _is_ready(self, job: Job, piece: Piece, state: State) -> bool:
        jobs = self.problem.jobs
        if piece.takes:
            for other in job.uses:
                way, done = state[other]
                if way < 0 and jobs[other].is_optional:
                    continue
                if way < 0 or done < jobs[other].ways[way].settled:
                    return False
        if piece.leaves:
            for other in job.users:
                way, done = state[other]
                if way < 0 and jobs[other].is_optional:
                    continue
                if way < 0 or done < jobs[other].ways[way].left:
                    return False
        return True

    def _free_after(self, free: tuple[int, ...], move: Move) -> tuple[int, ...]:
        piece = self.problem.jobs[move.job].ways[move.way].pieces[move.piece]
        left = list(free)
        for resource, units in piece.nets:
            left[resource] -= units
        return tuple(left)

    def _added(self, cost: Price, move: Move) -> Price:
        if move.piece:
            return cost
        job = self.problem.jobs[move.job]
        way = job.ways[move.way]
        return (cost[0] + way.has_gap, cost[1] + job.is_optional, cost[2] + way.exposure)

    def _moves(self, state: State) -> tuple[Move, ...]:
        found: list[Move] = []
        step = self.came[state]
        while step is not None:
            found.append(step[1])
            step = self.came[step[0]]
        return tuple(reversed(found))


def _next(number: int, job: Job, at: tuple[int, int]) -> Iterator[tuple[Move, Piece]]:
    way, done = at
    for one in range(len(job.ways)) if way < 0 else (way,):
        pieces = job.ways[one].pieces
        if done < len(pieces):
            yield Move(number, one, done), pieces[done]


def _is_free_choice(job: Job, move: Move) -> bool:
    """Nothing else could be done with the job instead."""
    return move.piece > 0 or (len(job.ways) == 1 and not job.is_optional)


def _with(state: State, move: Move) -> State:
    return (*state[: move.job], (move.way, move.piece + 1), *state[move.job + 1 :])
