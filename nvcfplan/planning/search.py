"""The best order of a few or of thousands of functions, as far as a bounded search can tell.

Several rules of priority are simulated and the best run is kept; few functions are searched
through, so that the answer is certain. Where neither finds an order, runs are repeated with those
that were stuck put first, and what was lent kept open longer. Last, each lender is tried without.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from nvcfplan.planning.bounds import least_lenders
from nvcfplan.planning.exhaustive import Answer, search_all
from nvcfplan.planning.numbers import Job, Move, Problem
from nvcfplan.planning.simulation import Conduct, Found, Priority, Stuck, simulate
from nvcfplan.planning.timing import makespan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EXACT_JOBS: Final = 16
"""So many functions that depend on each other are searched through in full."""
STATES_AT_ONCE: Final = 20_000
STATE_LIMIT: Final = 100_000
RESTARTS: Final = 30
PRUNINGS: Final = 24
MOVE_LIMIT: Final = 100_000
"""Restarts and prunings place no more parts than this, so that large fleets stay quick."""

INSISTENCE: Final = 12
PRUNING_TRIES: Final = 3

Cost = tuple[int, int, int, int, tuple[Move, ...]]
Ways = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """`is_minimal`: no order of these ways has fewer functions with downtime."""

    moves: tuple[Move, ...]
    is_minimal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`stuck`: the run that came nearest. `is_proved`: there is no order at all."""

    stuck: Stuck
    is_proved: bool


Result = Solution | Failure


@dataclass(slots=True)
class Effort:
    """What is left to spend on a group of functions, in states looked at and parts placed."""

    states: int = STATE_LIMIT
    moves: int = MOVE_LIMIT


def solve(problem: Problem, effort: Effort, *, is_thorough: bool) -> Result:
    """`is_thorough`: with restarts where the first runs find nothing."""
    search = _Search(problem, effort)
    found = search.first_runs()
    if isinstance(found, Solution) and found.is_minimal:
        return found
    return search.all_orders() or search.more_runs(RESTARTS if is_thorough else 0)


class _Search:
    def __init__(self, problem: Problem, effort: Effort) -> None:
        self.problem, self.effort = problem, effort
        self.rules = tuple(_rules(problem))
        self.best: tuple[Cost, Conduct] | None = None
        self.nearest = self.last = Stuck((), ())
        self.least = _unavoidable(problem) + least_lenders(problem)

    def first_runs(self) -> Result:
        """Every rule, with nobody lending but functions that change anyway; then with all."""
        alone = tuple(() if job.is_optional else _all_ways(job) for job in self.problem.jobs)
        for rule in self.rules:
            self._run(Conduct(priority=rule, ways=alone))
        if self._gaps() and any(job.is_optional for job in self.problem.jobs):
            for rule in self.rules[:2]:
                self._run(Conduct(priority=rule, ways=self._ways()))
        return self._result()

    def all_orders(self) -> Result | None:
        """The certain answer where few functions are in question; None: too many for that.

        Of many that only could lend, those that promise most are tried, and the answer is certain
        only if it has nobody down or none was left out.
        """
        jobs = self.problem.jobs
        room = EXACT_JOBS - sum(not job.is_optional for job in jobs)
        if room < 0 or self.effort.states <= 0:
            return None
        left_out = frozenset(self._lenders_by_promise()[room:])
        exact = search_all(
            self.problem, limit=min(STATES_AT_ONCE, self.effort.states), without=left_out
        )
        self.effort.states -= exact.states
        match exact.answer:
            case Answer.BEST:
                return self._better_of(exact.moves, is_complete=not left_out)
            case Answer.NONE if not left_out:
                return Failure(stuck=self.nearest, is_proved=True)
            case _:
                return None

    def _lenders_by_promise(self) -> list[int]:
        """Jobs that only could lend: without downtime first, then by how much of what is short."""
        short = {resource for resource, _ in self.nearest.short}
        found: list[tuple[bool, int, int, int]] = []
        for number, job in enumerate(self.problem.jobs):
            if job.is_optional:
                given = min(
                    sum(units for resource, units in way.pieces[0].nets if resource in short)
                    for way in job.ways
                )
                has_gap = all(way.has_gap for way in job.ways)
                found.append((has_gap, given, job.ways[0].exposure, number))
        return [number for *_, number in sorted(found)]

    def more_runs(self, restarts: int) -> Result:
        """Until one comes through; then with nobody down, and with ever fewer lenders."""
        if self.best is None:
            self._insist(self._ways(), restarts)
        if self._gaps() and self.best is not None:
            self._insist(self._ways_of(frozenset()), INSISTENCE)
        self._prune()
        return self._result()

    def _insist(self, ways: Ways, tries: int) -> bool:
        """Runs until one is better than the best so far.

        Who was stuck goes first, and whoever could lend what it lacked is kept from beginning until
        it has; just enough of them, or all.
        """
        boosts: Counter[int] = Counter()
        held: set[int] = set()
        awaited: set[int] = set()
        for attempt in range(tries):
            if self.effort.moves <= 0:
                break
            rule = self.rules[attempt % len(self.rules)]
            conduct = Conduct(
                priority=_boosted(rule, dict(boosts)) if attempt % 2 else rule,
                ways=ways,
                is_patient=attempt % 3 != 1,
                held=frozenset(held),
                awaited=frozenset(awaited),
            )
            if self._run(conduct):
                return True
            boosts.update(self.last.jobs)
            awaited |= set(self.last.jobs)
            helping = _helpers(self.problem, self.last, ways, is_sparing=attempt % 4 == 0)
            held |= set(helping) - awaited
        return False

    def _better_of(self, moves: tuple[Move, ...], *, is_complete: bool) -> Solution:
        """An order that is known to cost least, or a run that costs no more and is shorter."""
        cost = _cost(self.problem, moves)
        if self.best is not None and self.best[0] < cost:
            cost = self.best[0]
        return Solution(moves=cost[-1], is_minimal=is_complete or cost[0] <= self.least)

    def _prune(self) -> None:
        """Tries to do with one lender less, of those that are used and no others."""
        tried: set[int] = set()
        for _ in range(PRUNINGS):
            if self.best is None or self.effort.moves <= 0:
                return
            used = _lenders(self.problem, self.best[0][-1])
            left = [job for job in used if job not in tried]
            if not left:
                return
            tried.add(left[0])
            self._insist(self._ways_of(frozenset(used) - {left[0]}), PRUNING_TRIES)

    def _run(self, conduct: Conduct) -> bool:
        """Whether it is the best so far."""
        outcome = simulate(self.problem, conduct)
        match outcome:
            case Found(moves):
                self.effort.moves -= len(moves)
                self.last = Stuck((), ())
                cost = _cost(self.problem, moves)
                if self.best is None or cost < self.best[0]:
                    self.best = (cost, conduct)
                    return True
            case Stuck(short, _):
                self.effort.moves -= len(self.problem.jobs)
                self.last = outcome
                if not self.nearest.jobs or _size(short) < _size(self.nearest.short):
                    self.nearest = outcome
        return False

    def _ways_of(self, lenders: frozenset[int]) -> Ways:
        """Nobody but these is made to lend."""
        return tuple(
            _all_ways(job) if number in lenders else _without_gap(job)
            for number, job in enumerate(self.problem.jobs)
        )

    def _ways(self) -> Ways:
        return tuple(_all_ways(job) for job in self.problem.jobs)

    def _gaps(self) -> bool:
        return self.best is None or self.best[0][0] > self.least

    def _result(self) -> Result:
        if self.best is None:
            return Failure(stuck=self.nearest, is_proved=False)
        return Solution(moves=self.best[0][-1], is_minimal=not self._gaps())


def _cost(problem: Problem, moves: tuple[Move, ...]) -> Cost:
    """What is least first: functions with downtime, functions that only lend, units given up."""
    ways = {move.job: problem.jobs[move.job].ways[move.way] for move in moves}
    return (
        sum(way.has_gap for way in ways.values()),
        sum(problem.jobs[job].is_optional for job in ways),
        sum(way.exposure for way in ways.values()),
        makespan(problem, moves),
        moves,
    )


def _unavoidable(problem: Problem) -> int:
    """Functions whose every way has a gap."""
    return sum(all(way.has_gap for way in job.ways) for job in problem.jobs if not job.is_optional)


def _all_ways(job: Job) -> tuple[int, ...]:
    return tuple(range(len(job.ways)))


def _without_gap(job: Job) -> tuple[int, ...]:
    """Nobody who could do without is made to lend."""
    if job.is_optional:
        return ()
    return tuple(number for number, way in enumerate(job.ways) if not way.has_gap) or (0,)


def _lenders(problem: Problem, moves: Sequence[Move]) -> list[int]:
    """Jobs that are down, or only lend, and need not; the most exposed first."""
    found = {
        move.job: problem.jobs[move.job].ways[move.way].exposure
        for move in moves
        if _is_lender(problem.jobs[move.job], move.way)
    }
    return sorted(found, key=lambda job: (-found[job], job))


def _is_lender(job: Job, way: int) -> bool:
    return job.is_optional or (
        job.ways[way].has_gap and any(not other.has_gap for other in job.ways)
    )


def _helpers(problem: Problem, stuck: Stuck, ways: Ways, *, is_sparing: bool) -> list[int]:
    """Jobs that could lend of what was short, the largest first: as many as it takes, or all."""
    short = dict(stuck.short)
    offers = {
        number: min(
            (
                sum(u for resource, u in job.ways[way].pieces[0].nets if resource in short)
                for way in ways[number][1:]
            ),
            default=0,
        )
        for number, job in enumerate(problem.jobs)
        if not job.is_optional
    }
    found: list[int] = []
    missing = sum(short.values())
    for number in sorted(offers, key=lambda number: (offers[number], number)):
        if offers[number] < 0 and (missing > 0 or not is_sparing):
            found.append(number)
            missing += offers[number]
    return found


def _size(short: Sequence[tuple[int, int]]) -> int:
    return sum(units for _, units in short)


def _boosted(rule: Priority, boosts: Mapping[int, int]) -> Priority:
    """Those that were stuck go first, the more often the earlier."""
    return lambda job: (-boosts.get(job, 0), *rule(job))


def _rules(problem: Problem) -> Iterator[Callable[[int], tuple[int, ...]]]:
    """Givers first; then the small, the long, the least area, the large."""
    sizes = [sum(max(0, units) for _, units in _need(job)) for job in problem.jobs]
    tails = _tails(problem)
    takes = [int(any(units > 0 for _, units in job.ways[0].rests[0].nets)) for job in problem.jobs]
    areas = [
        size * job.ways[0].rests[0].seconds for size, job in zip(sizes, problem.jobs, strict=True)
    ]
    yield lambda job: (takes[job], sizes[job])
    yield lambda job: (takes[job], -tails[job])
    yield lambda job: (takes[job], areas[job])
    yield lambda job: (takes[job], -sizes[job])


def _need(job: Job) -> Sequence[tuple[int, int]]:
    return job.ways[0].rests[0].needs


def _tails(problem: Problem) -> list[int]:
    """Seconds from the start of a job to the end of all that waits for it."""
    jobs = problem.jobs
    waits = [{*job.uses, *job.users} for job in jobs]
    waiters = [0] * len(jobs)
    for number in chain.from_iterable(waits):
        waiters[number] += 1
    tails = [job.ways[0].rests[0].seconds for job in jobs]
    own = list(tails)
    ready = [number for number, count in enumerate(waiters) if not count]
    while ready:
        number = ready.pop()
        for before in waits[number]:
            tails[before] = max(tails[before], own[before] + tails[number])
            waiters[before] -= 1
            if not waiters[before]:
                ready.append(before)
    return tails
