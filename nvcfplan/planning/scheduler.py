"""In which order functions take and give, and which unit funds which.

Functions that share nothing that can run out are ordered apart. The plan keeps an edge just where a
step takes units that another gave (ordering.md, theorem 1), so everything else may run side by
side. Deterministic: no clock, no randomness, ties by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import ResourceId, StepId
from nvcfplan.planning.concessions import settle
from nvcfplan.planning.funding import fund
from nvcfplan.planning.numbers import binding_resources
from nvcfplan.planning.parts import Draft, Work, settling, undeploying
from nvcfplan.plans import Deploy, Grant, Undeploy, UpdateDeployment

if TYPE_CHECKING:
    from nvcfplan.capacity import Limits
    from nvcfplan.planning.sizes import SizedWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    work: Work
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`waived`: soft resources that could not be kept.

    `raised`: how many more units of a hard resource it would take; empty when the plan is feasible.
    `absorbing`: releases that first bring an over-full resource back under its limit; whoever takes
    of it afterwards waits for them all. `is_minimal`: no order interrupts fewer functions.
    """

    chosen: tuple[Chosen, ...]
    grants: tuple[Grant, ...]
    waived: frozenset[ResourceId]
    raised: Mapping[ResourceId, int]
    absorbing: Mapping[ResourceId, tuple[StepId, ...]]
    is_minimal: bool = False


def schedule(
    sized: Sequence[SizedWork], limits: Limits, *, aside: AbstractSet[ResourceId] = frozenset()
) -> Schedule:
    """Places every work. Soft limits in the way are waived, hard ones raised and reported.

    `sized`: the works, sorted by key. `aside`: limits that are not looked at.
    """
    ordered = [one.work for one in sized]
    free = {
        one.id: one.limit - one.before - one.headroom
        for one in limits.resources
        if one.limit is not None and one.id not in aside
    }
    settled = [
        (group, settle(group, free, limits.soft.keys()))
        for group in _groups(sized, binding_resources(sized, free))
        if not all(one.work.is_optional for one in group)
    ]
    waived = {name for _, one in settled for name in one.waived}
    raised = dict(sorted(pair for _, one in settled for pair in one.raised.items()))
    if raised:
        return Schedule(chosen=(), grants=(), waived=frozenset(waived), raised=raised, absorbing={})
    counted = {name: units for name, units in free.items() if name not in waived}
    moves = [(group[move.job].work, move) for group, one in settled for move in one.moves]
    drafts = {work.key: work.drafts[0] for work in ordered if not work.is_optional}
    drafts |= {work.key: work.drafts[move.way] for work, move in moves}
    parts = [(work.key, work.drafts[move.way].parts[move.piece]) for work, move in moves]
    funding = fund(parts, counted, _waits(ordered, drafts))
    return Schedule(
        chosen=tuple(
            Chosen(work=work, draft=drafts[work.key]) for work in ordered if work.key in drafts
        ),
        grants=funding.grants,
        waived=frozenset(waived),
        raised={},
        absorbing=funding.absorbing,
        is_minimal=all(one.is_minimal for _, one in settled),
    )


def _waits(works: Sequence[Work], drafts: Mapping[str, Draft]) -> dict[StepId, list[StepId]]:
    """By step, the steps of other functions that must have ended before it starts."""
    found: dict[StepId, list[StepId]] = {}
    for work in works:
        draft = drafts.get(work.key)
        if draft is None or not (work.uses or work.users):
            continue
        serving = [one for key in work.uses if key in drafts for one in settling(drafts[key].steps)]
        leaving = [
            one for key in work.users if key in drafts for one in undeploying(drafts[key].steps)
        ]
        for step in draft.steps:
            if isinstance(step.task, Deploy | UpdateDeployment):
                found[step.id] = serving
            elif isinstance(step.task, Undeploy):
                found[step.id] = leaving
    return found


def _groups(works: Sequence[SizedWork], binding: AbstractSet[ResourceId]) -> list[list[SizedWork]]:
    """Works that share a resource that can run out, or depend on each other; by least key."""
    parent = {one.work.key: one.work.key for one in works}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(one: str, other: str) -> None:
        low, high = sorted((root(one), root(other)))
        parent[high] = low

    holders: dict[ResourceId, str] = {}
    for one in works:
        key = one.work.key
        for other in (*one.work.uses, *one.work.users):
            if other in parent:
                join(key, other)
        for name in one.touched() & binding:
            join(key, holders.setdefault(name, key))
    groups: dict[str, list[SizedWork]] = {}
    for one in works:
        groups.setdefault(root(one.work.key), []).append(one)
    return [groups[key] for key in sorted(groups)]
