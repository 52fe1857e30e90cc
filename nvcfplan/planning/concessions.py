"""Orders one group of functions, giving way where no order keeps every limit.

A soft limit in the way is waived, a hard one raised and reported; what was waived on the way is
tried to be kept in the end, so that no more is waived than has to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from nvcfplan.model import ResourceId
from nvcfplan.planning.numbers import Move, Problem, end_excess, state_problem
from nvcfplan.planning.search import Effort, Failure, Result, Solution, solve
from nvcfplan.planning.sizes import SizedWork

KEEP_TRIES: Final = 24
LOWER_JOBS: Final = 64
"""Only of so few functions is it worked out how little would be enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """`waived`: soft limits not kept. `raised`: units that hard ones would need more."""

    moves: tuple[Move, ...]
    waived: frozenset[ResourceId]
    raised: Mapping[ResourceId, int]
    is_minimal: bool


@dataclass(slots=True)
class _Attempt:
    works: Sequence[SizedWork]
    free: Mapping[ResourceId, int]
    soft: AbstractSet[ResourceId]
    waived: set[ResourceId] = field(default_factory=set)
    raised: Counter[ResourceId] = field(default_factory=Counter)
    effort: Effort = field(default_factory=Effort)

    def problem(self) -> Problem:
        counted = {
            name: units + self.raised[name]
            for name, units in self.free.items()
            if name not in self.waived
        }
        return state_problem(self.works, counted)

    def soft_ones(self) -> frozenset[ResourceId]:
        """Soft limits that are still kept and could bind."""
        return frozenset(self.problem().resources) & self.soft

    def solve(self, *, is_thorough: bool) -> tuple[Result, Mapping[ResourceId, int]]:
        """And the units missing where it came nearest, when there is none."""
        problem = self.problem()
        result = solve(problem, self.effort, is_thorough=is_thorough)
        if isinstance(result, Solution):
            return result, {}
        return result, {problem.resources[one]: units for one, units in result.stuck.short}


def settle(
    works: Sequence[SizedWork], free: Mapping[ResourceId, int], soft: AbstractSet[ResourceId]
) -> Settled:
    """`free` of every resource that is counted."""
    attempt = _Attempt(works, free, soft)
    excess = _give_way_at_end(attempt)
    stalled: list[ResourceId] = []
    while True:
        result, short = attempt.solve(is_thorough=False)
        if isinstance(result, Failure) and not attempt.raised and not short.keys() & soft:
            result, short = attempt.solve(is_thorough=True)
        if isinstance(result, Solution):
            break
        assert short, "dependencies between functions have no cycle"
        in_the_way = sorted(short.keys() & soft or attempt.soft_ones())
        stalled += in_the_way
        attempt.waived.update(in_the_way)
        if not in_the_way:
            attempt.raised.update(short)
    if attempt.raised:
        _lower(attempt, excess)
    else:
        result = _keep(attempt, stalled, result)
    return Settled(
        moves=result.moves,
        waived=frozenset(attempt.waived),
        raised=dict(attempt.raised),
        is_minimal=result.is_minimal,
    )


def _give_way_at_end(attempt: _Attempt) -> Mapping[ResourceId, int]:
    """What even the wanted end exceeds is exceeded in every order; of hard limits, by how much."""
    excess = end_excess(attempt.works, attempt.free)
    attempt.waived.update(excess.keys() & attempt.soft)
    hard = {name: units for name, units in excess.items() if name not in attempt.soft}
    attempt.raised.update(hard)
    return hard


def _keep(attempt: _Attempt, stalled: Sequence[ResourceId], result: Solution) -> Solution:
    """Tries to keep after all what was waived at a stall."""
    for name in stalled[:KEEP_TRIES]:
        attempt.waived.discard(name)
        again, _ = attempt.solve(is_thorough=True)
        if isinstance(again, Solution):
            result = again
        else:
            attempt.waived.add(name)
    return result


def _lower(attempt: _Attempt, excess: Mapping[ResourceId, int]) -> None:
    """Of each limit raised, the least that is still enough."""
    if len(attempt.works) > LOWER_JOBS:
        return
    for name in sorted(attempt.raised):
        least, enough = excess.get(name, 0), attempt.raised[name]
        while least < enough:
            attempt.raised[name] = (least + enough) // 2
            result, _ = attempt.solve(is_thorough=False)
            if isinstance(result, Solution):
                enough = attempt.raised[name]
            else:
                least = attempt.raised[name] + 1
        attempt.raised[name] = enough
        if not enough:
            del attempt.raised[name]
