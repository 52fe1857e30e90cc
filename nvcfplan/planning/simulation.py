"""Parts start as soon as they fit, in simulated time, and what that order of starts is.

Each start takes its units at once, each end gives units back; at every instant all that is ready
and fits is started, by a rule of priority. A function that would leave too little for the rest
waits (`reserve`). When nothing runs and nothing fits, somebody has to lend (`lending`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nvcfplan.planning.lending import Lending, find_loan
from nvcfplan.planning.numbers import Move, Piece, Problem
from nvcfplan.planning.reserve import Reserve

Priority = Callable[[int], tuple[int, ...]]
"""Of a job by its number; lower goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How one run decides. `ways`: by job, those it may take, the first as a matter of course.

    `is_patient`: what was lent is returned only when nothing else is left to do. `held`: jobs that
    do not begin by themselves, so that they can lend, while one of `awaited` has not begun.
    """

    priority: Priority
    ways: Sequence[Sequence[int]]
    is_patient: bool = False
    held: frozenset[int] = frozenset()
    awaited: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Stuck:
    """`short`: units missing, by resource, for what was nearest to fitting. `jobs`: all waiting."""

    short: tuple[tuple[int, int], ...]
    jobs: tuple[int, ...]


def simulate(problem: Problem, conduct: Conduct) -> Found | Stuck:
    return _Simulation(problem, conduct).run()


class _Simulation:
    def __init__(self, problem: Problem, conduct: Conduct) -> None:
        count = len(problem.jobs)
        self.problem, self.conduct = problem, conduct
        self.now = list(problem.free)
        self.later = list(problem.free)
        self.way: list[int | None] = [None] * count
        self.started, self.ended = [0] * count, [0] * count
        self.open = {number for number, job in enumerate(problem.jobs) if job.is_due}
        self.running: list[tuple[int, int, int, Piece]] = []
        self.time = 0
        self.freed: set[int] = set()
        self.moves: list[Move] = []
        self.waiting: list[list[int]] = [[] for _ in problem.free]
        self.users: list[list[int]] = [[] for _ in problem.jobs]
        for number, job in enumerate(problem.jobs):
            for other in (*job.uses, *job.users):
                self.users[other].append(number)
        self.reserves = [Reserve() for _ in problem.free]
        for number in self.open:
            self._expect(number)

    def run(self) -> Found | Stuck:
        self._consider(self.open)
        while self.open:
            if self.running:
                self._consider(self._advance())
                continue
            before = len(self.moves)
            self._consider(self.open)
            if len(self.moves) == before and not self._break_stall():
                return self._stuck()
        return Found(tuple(self.moves))

    def _consider(self, jobs: Iterable[int]) -> None:
        for job in sorted(jobs, key=self._rank):
            if job in self.open and self.started[job] == self.ended[job]:
                self._try(job)

    def _rank(self, job: int) -> tuple[int, ...]:
        return (*self.conduct.priority(job), job)

    def _try(self, job: int) -> None:
        way = self.way[job]
        if way is None and job in self.conduct.held and self._is_awaiting():
            return
        chosen = self.conduct.ways[job][0] if way is None else way
        piece = self.problem.jobs[job].ways[chosen].pieces[self.started[job]]
        if not self.is_ready(job, piece):
            return
        blocked = self._blocking(job, piece)
        if blocked is None and not (way is not None and self._is_too_early(piece)):
            self.start(job, chosen)
        elif blocked is not None:
            self.waiting[blocked].append(job)

    def _is_awaiting(self) -> bool:
        return any(self.way[job] is None for job in self.conduct.awaited)

    def is_ready(self, job: int, piece: Piece) -> bool:
        """What it uses serves, and who used it has left."""
        own = self.problem.jobs[job]
        if piece.takes and not all(self._has_settled(other) for other in own.uses):
            return False
        return not piece.leaves or all(self._has_left(other) for other in own.users)

    def _has_settled(self, job: int) -> bool:
        way = self.way[job]
        if way is None:
            return job not in self.open
        return self.ended[job] >= self.problem.jobs[job].ways[way].settled

    def _has_left(self, job: int) -> bool:
        way = self.way[job]
        if way is None:
            return job not in self.open
        return self.ended[job] >= self.problem.jobs[job].ways[way].left

    def _blocking(self, job: int, piece: Piece) -> int | None:
        """The first resource that is short, or would be for the rest."""
        for resource, units in piece.needs:
            if self.now[resource] < units:
                return resource
        for resource, units in piece.nets:
            if units > 0 and not self.reserves[resource].keeps(self.later[resource] - units, job):
                return resource
        return None

    def _is_too_early(self, piece: Piece) -> bool:
        """A return waits, where runs are patient, until no other function has still to begin."""
        if not self.conduct.is_patient or not any(units > 0 for _, units in piece.nets):
            return False
        return any(self.way[job] is None for job in self.open)

    def start(self, job: int, way: int) -> None:
        if job in self.conduct.awaited and self.way[job] is None:
            self.freed.update(self.conduct.held & self.open)
        done = self.started[job]
        chosen = self.problem.jobs[job].ways[way]
        piece = chosen.pieces[done]
        self.way[job] = way
        self.started[job] = done + 1
        for resource, units in piece.needs:
            self.now[resource] -= max(0, units)
        for resource, units in piece.nets:
            self.later[resource] -= units
        self.open.add(job)
        self._expect(job)
        self.moves.append(Move(job, way, done))
        heapq.heappush(self.running, (self.time + piece.seconds, len(self.moves), job, piece))

    def _expect(self, job: int) -> None:
        """Tells the reserves what the job still has to do."""
        way = self.way[job]
        chosen = self.problem.jobs[job].ways[self.conduct.ways[job][0] if way is None else way]
        for resource, _ in (*chosen.rests[0].needs, *chosen.rests[0].nets):
            self.reserves[resource].drop(job)
        rest = chosen.rests[self.started[job]]
        needs = dict(rest.needs)
        for resource, units in rest.nets:
            self.reserves[resource].put(job, needs.pop(resource, 0), units)
        for resource, units in needs.items():
            self.reserves[resource].put(job, units, 0)

    def _advance(self) -> set[int]:
        """Ends all that ends next; the jobs that may have become able to start."""
        self.time = self.running[0][0]
        woken, self.freed = self.freed, set()
        while self.running and self.running[0][0] == self.time:
            _, _, job, piece = heapq.heappop(self.running)
            for resource, units in piece.gives:
                self.now[resource] += units
                woken.update(self.waiting[resource])
                self.waiting[resource] = []
            self.ended[job] += 1
            way = self.way[job]
            assert way is not None, "only what was started ends"
            if self.ended[job] == len(self.problem.jobs[job].ways[way].pieces):
                self.open.discard(job)
            else:
                woken.add(job)
            woken.update(self.users[job])
        return woken

    def _start_otherwise(self) -> bool:
        """Another way of a job that has not begun, if it fits as things are and leaves no gap."""
        for job in sorted(self.open, key=self._rank):
            if self.way[job] is not None:
                continue
            for way in self.conduct.ways[job][1:]:
                chosen = self.problem.jobs[job].ways[way]
                fits = all(self.now[one] >= units for one, units in chosen.rests[0].needs)
                if fits and not chosen.has_gap and self.is_ready(job, chosen.pieces[0]):
                    self.start(job, way)
                    return True
        return False

    def _break_stall(self) -> bool:
        """Somebody does without, or lends; else what was lent is returned, or the reserve is
        drawn on.
        """
        if self._start_otherwise():
            return True
        lending = Lending(
            problem=self.problem,
            free=self.now,
            ways=self.conduct.ways,
            way=self.way,
            started=self.started,
            open=self.open,
            touching=self.problem.touching,
            is_ready=self.is_ready,
        )
        loan = find_loan(lending)
        for job, way in loan:
            self.start(job, way)
        return bool(loan) or self._start_anyway()

    def _start_anyway(self) -> bool:
        """What fits at all: a return that others wait for, then what the reserve was kept from."""
        for job in sorted(self.open, key=lambda job: (self._is_idle_return(job), self._rank(job))):
            way = self.way[job]
            chosen = self.conduct.ways[job][0] if way is None else way
            piece = self.problem.jobs[job].ways[chosen].pieces[self.started[job]]
            fits = all(self.now[resource] >= units for resource, units in piece.needs)
            if fits and self.is_ready(job, piece):
                self.start(job, chosen)
                return True
        return False

    def _is_idle_return(self, job: int) -> int:
        if self.way[job] is None:
            return 1
        return 0 if any(user in self.open for user in self.users[job]) else 2

    def _stuck(self) -> Stuck:
        nearest: tuple[int, tuple[tuple[int, int], ...]] | None = None
        for job in sorted(self.open):
            way = self.way[job]
            for one in self.conduct.ways[job] if way is None else (way,):
                piece = self.problem.jobs[job].ways[one].pieces[self.started[job]]
                short = tuple(
                    (resource, units - self.now[resource])
                    for resource, units in piece.needs
                    if units > self.now[resource]
                )
                total = sum(units for _, units in short)
                if short and self.is_ready(job, piece) and (not nearest or total < nearest[0]):
                    nearest = (total, short)
        return Stuck(nearest[1] if nearest else (), tuple(sorted(self.open)))
