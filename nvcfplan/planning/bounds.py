"""How many functions must be interrupted at least, whatever the order.

Looks at one resource at a time, as if the others were endless: where even the order that needs
least there does not fit, somebody who holds of it has to lend. Resources that no lender has in
common need one each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.planning.reserve import Reserve

if TYPE_CHECKING:
    from nvcfplan.planning.numbers import Job, Problem, Way


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
    """Resources that no order keeps if every job takes its first way.

    A first way in several pieces may lend between them: it is taken to give at once what it can,
    and to take nothing back.
    """
    reserves = [Reserve() for _ in problem.free]
    free = list(problem.free)
    for number, job in enumerate(problem.jobs):
        if job.is_optional:
            continue
        first = job.ways[0]
        if len(first.pieces) > 1:
            for piece in first.pieces:
                for resource, units in piece.gives:
                    free[resource] += units
            continue
        needs = dict(first.rests[0].needs)
        for resource, units in first.rests[0].nets:
            reserves[resource].put(number, needs.pop(resource, 0), units)
        for resource, units in needs.items():
            reserves[resource].put(number, units, 0)
    return [
        resource
        for resource, reserve in enumerate(reserves)
        if not reserve.keeps(free[resource], without=-1)
    ]


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
