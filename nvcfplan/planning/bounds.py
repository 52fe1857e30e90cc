"""How many functions must be interrupted at least, whatever the order.

Looks at one resource at a time, as if the others were endless: where even the order that needs
least there does not fit, somebody who holds of it has to lend. Resources that no lender has in
common need one each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.planning.reserve import Reserve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.planning.numbers import Job, Problem, Units, Way


def least_lenders(problem: Problem) -> int:
    """Functions that are down though one of their ways would not have it."""
    served: set[int] = set()
    count = 0
    for resource in _overfull(problem):
        lenders = _lenders(problem, resource)
        if lenders is not None and served.isdisjoint(lenders):
            served |= lenders
            count += 1
    return count


def _overfull(problem: Problem) -> list[int]:
    """Resources that no order keeps if no job takes a way with a gap that it has a choice about.

    Of several such ways the least of each resource is counted. One in several pieces may lend
    between them: it is taken to give at once what it can, and to take nothing back.
    """
    reserves = [Reserve() for _ in problem.free]
    free = list(problem.free)
    for number, job in enumerate(problem.jobs):
        if job.is_optional:
            continue
        ways = [way for way in job.ways if not way.has_gap] or [job.ways[0]]
        if any(len(way.pieces) > 1 for way in ways):
            for resource, units in _gifts(ways).items():
                free[resource] += units
            continue
        needs = _least([way.rests[0].needs for way in ways])
        nets = _least([way.rests[0].nets for way in ways])
        for resource in sorted(needs.keys() | nets.keys()):
            reserves[resource].put(number, needs.get(resource, 0), nets.get(resource, 0))
    return [
        resource
        for resource, reserve in enumerate(reserves)
        if not reserve.keeps(free[resource], without=-1)
    ]


def _least(units: Sequence[Units]) -> dict[int, int]:
    """By resource; a way that does not name it has nothing of it."""
    found = [dict(one) for one in units]
    named = {resource for one in found for resource in one}
    return {resource: min(one.get(resource, 0) for one in found) for resource in sorted(named)}


def _gifts(ways: Sequence[Way]) -> dict[int, int]:
    """The most that one of the ways gives, by resource."""
    most: dict[int, int] = {}
    for way in ways:
        given: dict[int, int] = {}
        for piece in way.pieces:
            for resource, units in piece.gives:
                given[resource] = given.get(resource, 0) + units
        most |= {one: max(units, most.get(one, 0)) for one, units in given.items()}
    return most


def _lenders(problem: Problem, resource: int) -> set[int] | None:
    """Who could give of it on another way, at the price of downtime; None: some without."""
    found: set[int] = set()
    for number, job in enumerate(problem.jobs):
        for way in _others(job):
            if any(units < 0 for one, units in way.pieces[0].nets if one == resource):
                if not way.has_gap:
                    return None
                found.add(number)
    return found


def _others(job: Job) -> tuple[Way, ...]:
    return job.ways if job.is_optional else job.ways[1:]
