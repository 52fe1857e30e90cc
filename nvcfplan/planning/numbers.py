"""Works as numbers: what each part takes and gives of the resources that can bind.

The search looks at nothing else. A unit is as good as another here; which one funds which is
settled when an order has been found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nvcfplan.model import ResourceId
from nvcfplan.planning.sizes import Size, SizedDraft, SizedWork, end_of, worst_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Units = tuple[tuple[int, int], ...]
"""Units by the number of a resource, each resource once, in order."""


class Move(NamedTuple):
    """One part placed: of which job, on which of its ways, and which part of that."""

    job: int
    way: int
    piece: int


@dataclass(frozen=True, slots=True)
class Piece:
    """`needs`: units that must be free for it, below zero where it gives before it takes.

    `nets`: what it takes for good; below zero: gives. `gives`: what comes back when it ends, of
    what it held from its start. `takes`: deploys or changes a deployment. `leaves`: undeploys.
    """

    needs: Units
    nets: Units
    gives: Units
    seconds: int
    takes: bool
    leaves: bool


@dataclass(frozen=True, slots=True)
class Way:
    """`settled`: so many pieces until it serves as wanted; `left`: until nothing old serves.

    `exposure`: units given up before the last piece takes them again. `rests`: by how many pieces
    are done, all that follow as one.
    """

    pieces: tuple[Piece, ...]
    has_gap: bool
    exposure: int
    settled: int
    left: int
    rests: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """`uses`: jobs that must serve before it deploys. `users`: jobs that must leave before it.

    `is_optional`: nothing to do in itself, but it can lend.
    """

    key: str
    ways: tuple[Way, ...]
    uses: tuple[int, ...]
    users: tuple[int, ...]
    is_optional: bool

    @property
    def is_due(self) -> bool:
        """Whether something must be done; deletes alone take and give nothing."""
        return not self.is_optional and bool(self.ways[0].pieces)


@dataclass(frozen=True, slots=True)
class Problem:
    """`free`: units by resource, below zero where it is over its limit already.

    `touching`: by resource, the jobs that need it on the way they take as a matter of course.
    """

    resources: tuple[ResourceId, ...]
    free: tuple[int, ...]
    jobs: tuple[Job, ...]
    touching: tuple[tuple[int, ...], ...]


def binding_resources(
    works: Sequence[SizedWork], free: Mapping[ResourceId, int]
) -> set[ResourceId]:
    """Resources that some state could exhaust: all functions at their worst at once.

    One that is over its limit binds as soon as somebody takes of it.
    """
    worst = worst_of(works)
    return {name for name, units in worst.items() if name in free and units > free[name]}


def state_problem(works: Sequence[SizedWork], free: Mapping[ResourceId, int]) -> Problem:
    """`works` sorted by key; `free`: of every resource that is counted. Others limit nothing."""
    binding = sorted(binding_resources(works, free))
    index = {resource: number for number, resource in enumerate(binding)}
    place = {one.work.key: number for number, one in enumerate(works)}
    serving = {one.work.key for one in works if any(draft.settled for draft in one.drafts)}
    leaving = {one.work.key for one in works if any(draft.left for draft in one.drafts)}
    jobs = tuple(
        Job(
            key=one.work.key,
            ways=tuple(_way(draft, index) for draft in one.drafts),
            uses=tuple(place[key] for key in one.work.uses if key in serving),
            users=tuple(place[key] for key in one.work.users if key in leaving),
            is_optional=one.work.is_optional,
        )
        for one in works
    )
    touching: list[list[int]] = [[] for _ in binding]
    for number, job in enumerate(jobs):
        for resource, _ in job.ways[0].rests[0].needs:
            touching[resource].append(number)
    return Problem(
        resources=tuple(binding),
        free=tuple(free[resource] for resource in binding),
        jobs=jobs,
        touching=tuple(tuple(some) for some in touching),
    )


def end_excess(works: Sequence[SizedWork], free: Mapping[ResourceId, int]) -> dict[ResourceId, int]:
    """Units over a limit when all is done, in whatever order, of what somebody takes of."""
    taken = {
        name for one in works if not one.work.is_optional for name in one.drafts[0].rests[0].needs
    }
    return {
        name: units - free[name]
        for name, units in sorted(end_of(works).items())
        if name in free and name in taken and units > free[name]
    }


def _way(draft: SizedDraft, index: Mapping[ResourceId, int]) -> Way:
    return Way(
        pieces=tuple(_piece(size, index) for size in draft.parts),
        has_gap=draft.has_gap,
        exposure=draft.exposure,
        settled=draft.settled,
        left=draft.left,
        rests=tuple(_piece(size, index) for size in draft.rests),
    )


def _piece(size: Size, index: Mapping[ResourceId, int]) -> Piece:
    needs = {index[name]: units for name, units in size.needs.items() if name in index}
    nets = {index[name]: units for name, units in size.nets.items() if name in index}
    gives = {
        number: units
        for number in sorted(needs.keys() | nets.keys())
        if (units := max(0, needs.get(number, 0)) - nets.get(number, 0)) > 0
    }
    return Piece(
        needs=tuple(sorted(needs.items())),
        nets=tuple((number, units) for number, units in sorted(nets.items()) if units),
        gives=tuple(gives.items()),
        seconds=size.seconds,
        takes=size.takes,
        leaves=size.leaves,
    )
