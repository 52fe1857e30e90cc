"""What works take and give, added up once: by part, and of all that follows a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nvcfplan.model import ResourceId
from nvcfplan.planning.parts import Draft, Work, settling, undeploying
from nvcfplan.plans import Deploy, Step, Undeploy, UpdateDeployment

_NOTHING: Final = -(10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`needs`: units that must be free, below zero where it gives before it takes.

    `nets`: what is taken for good; below zero: given. `takes`: it deploys or changes a deployment.
    `leaves`: it undeploys.
    """

    needs: Mapping[ResourceId, int]
    nets: Mapping[ResourceId, int]
    seconds: int
    takes: bool
    leaves: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedDraft:
    """`rests`: by how many parts are done, all that follow as one.

    `settled`: so many parts until it serves as wanted; `left`: until nothing old serves.
    `exposure`: units given up before the last part takes them again.
    """

    parts: tuple[Size, ...]
    rests: tuple[Size, ...]
    has_gap: bool
    exposure: int
    settled: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedWork:
    work: Work
    drafts: tuple[SizedDraft, ...]

    def worst(self) -> Mapping[ResourceId, int]:
        """The most it may need of each resource that it takes of, whichever draft is taken."""
        found: dict[ResourceId, int] = {}
        for draft in self.drafts:
            for name, units in draft.rests[0].needs.items():
                found[name] = max(0, units, found.get(name, 0))
        return found

    def least(self) -> Mapping[ResourceId, int]:
        """What it takes for good of each resource, on the way that takes the least of it."""
        nets = [draft.rests[0].nets for draft in self.drafts]
        return {name: min(one.get(name, 0) for one in nets) for name in sorted(self.touched())}

    def touched(self) -> frozenset[ResourceId]:
        return frozenset(name for draft in self.drafts for name in draft.rests[0].nets)


def size_works(works: Iterable[Work]) -> tuple[SizedWork, ...]:
    """Sorted by key."""
    return tuple(
        SizedWork(work=work, drafts=tuple(_sized(draft) for draft in work.drafts))
        for work in sorted(works, key=lambda work: work.key)
    )


def worst_of(works: Iterable[SizedWork]) -> Counter[ResourceId]:
    """All at their worst at once: no order of them needs more."""
    found: Counter[ResourceId] = Counter()
    for one in works:
        found.update(one.worst())
    return found


def end_of(works: Iterable[SizedWork]) -> Counter[ResourceId]:
    """What is taken for good when all is done, in whatever order and way."""
    found: Counter[ResourceId] = Counter()
    for one in works:
        if not one.work.is_optional:
            found.update(one.least())
    return found


def _sized(draft: Draft) -> SizedDraft:
    serving, leaving = set(settling(draft.steps)), set(undeploying(draft.steps))
    held = [{step.id for step in part.steps} for part in draft.parts]
    parts = tuple(_size(part.steps) for part in draft.parts)
    rests = tuple(
        _size([step for part in draft.parts[done:] for step in part.steps])
        for done in range(len(draft.parts) + 1)
    )
    return SizedDraft(
        parts=parts,
        rests=rests,
        has_gap=draft.has_gap,
        exposure=sum(
            max((charge.units for charge in step.release), default=0)
            for part in draft.parts[:-1]
            for step in part.steps
        ),
        settled=max((n for n, ids in enumerate(held, 1) if ids & serving), default=0),
        left=max((n for n, ids in enumerate(held, 1) if ids & leaving), default=0),
    )


def _size(steps: Sequence[Step]) -> Size:
    held: dict[ResourceId, int] = {}
    needs: dict[ResourceId, int] = {}
    for step in steps:
        for charge in step.acquire:
            name = charge.resource
            held[name] = held.get(name, 0) + charge.units
            needs[name] = max(held[name], needs.get(name, _NOTHING))
        for charge in step.release:
            held[charge.resource] = held.get(charge.resource, 0) - charge.units
    return Size(
        needs=needs,
        nets=held,
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
