"""Works as numbers: what each part takes and gives of the resources that can bind.

The search looks at nothing else. A unit is as good as another here; which one funds which is
settled when an order has been found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nvcfplan.model import ResourceId, StepId
from nvcfplan.planning.parts import Draft, Work, settling, undeploying
from nvcfplan.plans import Deploy, Step, Undeploy, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


def binding_resources(works: Sequence[Work], free: Mapping[ResourceId, int]) -> set[ResourceId]:
    """Resources that some state could exhaust: all functions at their worst at once.

    One that is over its limit binds as soon as somebody takes of it.
    """
    worst: Counter[ResourceId] = Counter()
    for work in works:
        peaks: dict[ResourceId, int] = {}
        for draft in work.drafts:
            for resource, units in most_held(draft.steps).items():
                peaks[resource] = max(0, units, peaks.get(resource, 0))
        worst.update(peaks)
    return {name for name, units in worst.items() if name in free and units > free[name]}


def state_problem(works: Sequence[Work], free: Mapping[ResourceId, int]) -> Problem:
    """`works` sorted by key; `free`: of every resource that is counted. Others limit nothing."""
    binding = sorted(binding_resources(works, free))
    index = {resource: number for number, resource in enumerate(binding)}
    place = {work.key: number for number, work in enumerate(works)}
    jobs = tuple(
        Job(
            key=work.key,
            ways=tuple(_way(draft, index) for draft in work.drafts),
            uses=tuple(place[key] for key in work.uses if _has(works, place, key, settling)),
            users=tuple(place[key] for key in work.users if _has(works, place, key, undeploying)),
            is_optional=work.is_optional,
        )
        for work in works
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


def most_held(steps: Sequence[Step]) -> dict[ResourceId, int]:
    """The most that is held, of what was not given before, where something is taken."""
    held: Counter[ResourceId] = Counter()
    most: dict[ResourceId, int] = {}
    for step in steps:
        for charge in step.acquire:
            held[charge.resource] += charge.units
            most[charge.resource] = max(held[charge.resource], most.get(charge.resource, -(10**9)))
        for charge in step.release:
            held[charge.resource] -= charge.units
    return most


def _nets(steps: Sequence[Step]) -> Counter[ResourceId]:
    nets: Counter[ResourceId] = Counter()
    for step in steps:
        for charge in step.acquire:
            nets[charge.resource] += charge.units
        for charge in step.release:
            nets[charge.resource] -= charge.units
    return nets


def _way(draft: Draft, index: Mapping[ResourceId, int]) -> Way:
    serving, leaving = set(settling(draft.steps)), set(undeploying(draft.steps))
    held = [{step.id for step in part.steps} for part in draft.parts]
    return Way(
        pieces=tuple(_piece(part.steps, index) for part in draft.parts),
        has_gap=draft.has_gap,
        exposure=sum(
            max((charge.units for charge in step.release), default=0)
            for part in draft.parts[:-1]
            for step in part.steps
        ),
        settled=max((n for n, ids in enumerate(held, 1) if ids & serving), default=0),
        left=max((n for n, ids in enumerate(held, 1) if ids & leaving), default=0),
        rests=tuple(
            _piece([step for part in draft.parts[done:] for step in part.steps], index)
            for done in range(len(draft.parts) + 1)
        ),
    )


def _piece(steps: Sequence[Step], index: Mapping[ResourceId, int]) -> Piece:
    needs = {index[name]: units for name, units in most_held(steps).items() if name in index}
    nets = {index[name]: units for name, units in _nets(steps).items() if name in index}
    gives = {
        number: units
        for number in sorted(needs.keys() | nets.keys())
        if (units := max(0, needs.get(number, 0)) - nets.get(number, 0)) > 0
    }
    return Piece(
        needs=tuple(sorted(needs.items())),
        nets=tuple((number, units) for number, units in sorted(nets.items()) if units),
        gives=tuple(gives.items()),
        seconds=_seconds(steps),
        takes=any(isinstance(step.task, Deploy | UpdateDeployment) for step in steps),
        leaves=any(isinstance(step.task, Undeploy) for step in steps),
    )


def _seconds(steps: Sequence[Step]) -> int:
    """The longest chain of waits among them."""
    ends: dict[str, int] = {}
    for step in steps:
        start = max((ends.get(edge.step, 0) for edge in step.depends_on), default=0)
        ends[step.id] = start + step.expected_seconds
    return max(ends.values(), default=0)


def _has(
    works: Sequence[Work],
    place: Mapping[str, int],
    key: str,
    of: Callable[[Sequence[Step]], Sequence[StepId]],
) -> bool:
    """Whether there is anything of it to wait for."""
    return key in place and any(of(draft.steps) for draft in works[place[key]].drafts)


def end_excess(problem: Problem) -> dict[int, int]:
    """By resource, units over its limit when all is done, in whatever order."""
    left = list(problem.free)
    for job in problem.jobs:
        for resource, units in () if job.is_optional else job.ways[0].rests[0].nets:
            left[resource] -= units
    taken = {
        resource
        for job in problem.jobs
        if not job.is_optional
        for resource, _ in job.ways[0].rests[0].needs
    }
    return {
        resource: -units for resource, units in enumerate(left) if units < 0 and resource in taken
    }
