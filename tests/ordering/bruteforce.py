"""The truth about small fleets: every sequence of what can be done, without the planner's code.

By theorem 2 of ordering.md a sequence decides: whether a safe plan exists, and how few functions
must be down in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.ordering.fleets import Fleet, Function, held, units_of

Take = Mapping[str, int]
"""GPUs by pool; below zero: gives them back."""


@dataclass(frozen=True, slots=True)
class Act:
    """Takes `first`, then gives `then`. `takes`: it deploys or changes a deployment."""

    first: Take
    then: Take
    takes: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    acts: tuple[Act, ...]
    down: int


def least_downtime(fleet: Fleet) -> int | None:
    """None: no order exists."""
    choices = [choices_of(one, fleet) for one in fleet.functions]
    start = tuple((-1, 0) for _ in choices)
    seen = {start}
    queue = [(0, 0, start)]
    while queue:
        down, _, state = heapq.heappop(queue)
        if all(_is_done(one, at) for one, at in zip(choices, state, strict=True)):
            return down
        for number, at, added in _steps(fleet, choices, state):
            after = (*state[:number], at, *state[number + 1 :])
            if after not in seen:
                seen.add(after)
                heapq.heappush(queue, (down + added, -len(seen), after))
    return None


def _steps(
    fleet: Fleet, choices: Sequence[Sequence[Choice]], state: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, tuple[int, int], int]]:
    used = dict(held(fleet.functions))
    for some, (chosen, done) in zip(choices, state, strict=True):
        for act in some[chosen].acts[:done] if chosen >= 0 else ():
            used = _plus(_plus(used, act.first), act.then)
    for number, (some, (chosen, done)) in enumerate(zip(choices, state, strict=True)):
        for option in range(len(some)) if chosen < 0 else (chosen,):
            acts = some[option].acts
            if done == len(acts):
                continue
            if acts[done].takes and not _has_what_it_uses(fleet, choices, state, number):
                continue
            if _fits(fleet, _plus(used, acts[done].first)):
                yield number, (option, done + 1), some[option].down if not done else 0


def _has_what_it_uses(
    fleet: Fleet,
    choices: Sequence[Sequence[Choice]],
    state: Sequence[tuple[int, int]],
    number: int,
) -> bool:
    """All that the function uses and that changes has come to its end."""
    places = {one.key: place for place, one in enumerate(fleet.functions)}
    for key in fleet.functions[number].uses:
        other = places[key]
        chosen, done = state[other]
        if chosen < 0 and not _is_done(choices[other], (chosen, done)):
            return False
        if chosen >= 0 and done < len(choices[other][chosen].acts):
            return False
    return True


def _is_done(choices: Sequence[Choice], at: tuple[int, int]) -> bool:
    chosen, done = at
    if chosen < 0:
        return any(not choice.acts for choice in choices)
    return done == len(choices[chosen].acts)


def choices_of(one: Function, fleet: Fleet) -> tuple[Choice, ...]:
    before, after = units_of(one.before), units_of(one.after)
    gone = {pool: -units for pool, units in before.items()}
    if not one.before:
        return (Choice((Act(after, {}),), 0),)
    if not one.after:
        return (Choice((Act({}, gone, takes=False),), 0),)
    pausing = Choice((Act({}, gone, takes=False), Act(after, {})), 1)
    if one.is_replaced:
        beside = Choice((Act(after, gone),), 0)
        return (beside, pausing) if one.may_pause else (beside,)
    difference = {pool: after[pool] - before[pool] for pool in after if after[pool] != before[pool]}
    if difference:
        grown = {pool: units for pool, units in difference.items() if units > 0}
        shrunk = {pool: units for pool, units in difference.items() if units < 0}
        return (Choice((Act(grown, shrunk),), 0),)
    is_used = any(one.key in other.uses for other in fleet.functions if other.after)
    nothing = Choice((), 0)
    return (nothing, pausing) if one.may_pause and not is_used else (nothing,)


def _fits(fleet: Fleet, used: Mapping[str, int]) -> bool:
    return all(used.get(pool, 0) <= most for pool, most in fleet.capacity.items()) and all(
        sum(used.get(pool, 0) for pool in one.names) <= one.limit for one in fleet.quotas
    )


def _plus(used: Mapping[str, int], take: Take) -> dict[str, int]:
    found = dict(used)
    for pool, units in take.items():
        found[pool] = found.get(pool, 0) + units
    return found
