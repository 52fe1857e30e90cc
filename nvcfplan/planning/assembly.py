"""Chosen drafts -> the steps of a plan: edges of funding, of dependencies, and deletes last."""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.planning.parts import settling, undeploying
from nvcfplan.plans import (
    After,
    CreateFunction,
    CreateVersion,
    Deploy,
    Edge,
    Funded,
    Order,
    Resource,
    Step,
    Undeploy,
    UpdateDeployment,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nvcfplan.model import ResourceId, StepId
    from nvcfplan.planning.scheduler import Chosen, Schedule


def assemble(
    schedule: Schedule,
    uses: Mapping[str, tuple[str, ...]],
    used_by: Mapping[str, tuple[str, ...]],
    *,
    is_limit_near: bool = False,
) -> tuple[Step, ...]:
    """`uses`: by function key, what it depends on. `used_by`: what depended on one that goes.

    `is_limit_near`: not all creations fit the limit on stored versions.
    """
    steps = {step.id: step for one in schedule.chosen for step in one.draft.steps}
    by_key = {one.work.key: one for one in schedule.chosen}
    _add(steps, _funding_edges(schedule, steps))
    _add(steps, _dependency_edges(by_key, uses))
    _add(steps, _removal_edges(by_key, used_by))
    _add(steps, _uncut_edges(schedule, steps))
    if is_limit_near:
        _add(steps, _creation_edges(steps))
    deletes = {step.id: step for one in schedule.chosen for step in one.draft.deletes}
    _add(deletes, _barriers(steps, deletes))
    return topological([*steps.values(), *deletes.values()])


def topological(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Each step after all it depends on, ties by id. Edges of each step sorted."""
    by_id = {step.id: step for step in steps}
    open_edges = {step.id: len(_sources(step)) for step in by_id.values()}
    successors: dict[StepId, list[StepId]] = {}
    for step in by_id.values():
        for source in _sources(step):
            successors.setdefault(source, []).append(step.id)
    ready = [name for name, count in open_edges.items() if not count]
    heapq.heapify(ready)
    ordered: list[Step] = []
    while ready:
        name = heapq.heappop(ready)
        ordered.append(_with_sorted_edges(by_id[name]))
        for successor in successors.get(name, ()):
            open_edges[successor] -= 1
            if not open_edges[successor]:
                heapq.heappush(ready, successor)
    assert len(ordered) == len(by_id), "the edges of a plan have no cycle"
    return tuple(ordered)


def components(steps: Sequence[Step]) -> Mapping[StepId, StepId]:
    """Each step -> the least id of all it is connected with, whatever the direction."""
    parent = {step.id: step.id for step in steps}

    def root(name: StepId) -> StepId:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for step in steps:
        for source in _sources(step) & parent.keys():
            low, high = sorted((root(step.id), root(source)))
            parent[high] = low
    return {step.id: root(step.id) for step in steps}


def point_of_no_return(steps: Sequence[Step], resources: Sequence[Resource]) -> tuple[StepId, ...]:
    """Per component, the first release after which less is held than at the start.

    From then on the old state needs units that somebody else may have taken (ordering.md 2). A
    resource that nobody else shares cannot be lost, but no reading says so yet.
    """
    component = components(steps)
    held = {one.id: 0 for one in resources}
    found: dict[StepId, StepId] = {}
    for step in steps:
        for charge in step.acquire:
            held[charge.resource] = held.get(charge.resource, 0) + charge.units
        for charge in step.release:
            held[charge.resource] = held.get(charge.resource, 0) - charge.units
        if any(held[charge.resource] < 0 for charge in step.release):
            found.setdefault(component[step.id], step.id)
    return tuple(sorted(found.values()))


def _sources(step: Step) -> set[StepId]:
    return {edge.step for edge in step.depends_on}


def _with_sorted_edges(step: Step) -> Step:
    edges = sorted(set(step.depends_on), key=_edge_key)
    return replace(step, depends_on=tuple(edges))


def _edge_key(edge: Edge) -> tuple[str, int, str]:
    match edge:
        case After(step, order):
            return (step, 0, order)
        case Funded(step, resource):
            return (step, 1, resource)


def _add(steps: dict[StepId, Step], edges: Iterable[tuple[StepId, Edge]]) -> None:
    for name, edge in edges:
        step = steps[name]
        steps[name] = replace(step, depends_on=(*step.depends_on, edge))


def _funding_edges(schedule: Schedule, steps: Mapping[StepId, Step]) -> list[tuple[StepId, Edge]]:
    edges: list[tuple[StepId, Edge]] = [
        (grant.step, Funded(grant.source, grant.resource, grant.units))
        for grant in schedule.grants
        if grant.source is not None
    ]
    for resource, absorbers in schedule.absorbing.items():
        edges += (
            (step.id, After(absorber, Order.BARRIER))
            for step in steps.values()
            for absorber in absorbers
            if _acquires(step, resource) and absorber != step.id
        )
    return edges


def _acquires(step: Step, resource: ResourceId) -> bool:
    return any(charge.resource == resource for charge in step.acquire)


def _dependency_edges(
    chosen: Mapping[str, Chosen], uses: Mapping[str, tuple[str, ...]]
) -> list[tuple[StepId, Edge]]:
    """A function is deployed, or grown, once all it depends on serves as wanted."""
    return [
        (step.id, After(last, Order.DEPENDS_ON))
        for key, needed in uses.items()
        if key in chosen
        for name in needed
        if name in chosen
        for last in settling(chosen[name].draft.steps)
        for step in chosen[key].draft.steps
        if isinstance(step.task, Deploy | UpdateDeployment)
    ]


def _removal_edges(
    chosen: Mapping[str, Chosen], used_by: Mapping[str, tuple[str, ...]]
) -> list[tuple[StepId, Edge]]:
    """What goes is undeployed only after every old user of it has been."""
    return [
        (step.id, After(user, Order.DEPENDS_ON))
        for key, users in used_by.items()
        if key in chosen
        for name in users
        if name in chosen
        for user in undeploying(chosen[name].draft.steps)
        for step in chosen[key].draft.steps
        if isinstance(step.task, Undeploy)
    ]


def _uncut_edges(schedule: Schedule, steps: Mapping[StepId, Step]) -> list[tuple[StepId, Edge]]:
    """Where a gap must not grow, nothing is undeployed before all is there that its successor will
    wait for from other functions.
    """
    edges: list[tuple[StepId, Edge]] = []
    for one in schedule.chosen:
        own = {step.id for step in one.draft.steps}
        for part in one.draft.parts if one.draft.has_gap else ():
            names = [step.id for step in part.steps]
            first = next((o.id for o in part.steps if isinstance(o.task, Undeploy)), None)
            if first is not None:
                later = names[names.index(first) + 1 :]
                waits = {source for name in later for source in _sources(steps[name])} - own
                waits -= _sources(steps[first])
                edges += ((first, After(source, Order.BARRIER)) for source in sorted(waits))
    return edges


def _creation_edges(steps: Mapping[StepId, Step]) -> list[tuple[StepId, Edge]]:
    """New functions before new versions: only the former are tested against the limit.

    Source: nvcf-api.md 4.2.
    """
    functions = [one.id for one in steps.values() if isinstance(one.task, CreateFunction)]
    return [
        (one.id, After(function, Order.BARRIER))
        for one in steps.values()
        if isinstance(one.task, CreateVersion)
        for function in functions
    ]


def _barriers(
    steps: Mapping[StepId, Step], deletes: Mapping[StepId, Step]
) -> list[tuple[StepId, Edge]]:
    """Deletes cannot be undone, so they come after everything they are connected with.

    The first of a component waits for all its leaves, the others for the first: edges stay few.
    """
    component = components([*steps.values(), *deletes.values()])
    has_successor = {source for step in steps.values() for source in _sources(step)}
    leaves: dict[StepId, list[StepId]] = {}
    for name in sorted(steps.keys() - has_successor):
        leaves.setdefault(component[name], []).append(name)
    gates: dict[StepId, StepId] = {}
    edges: list[tuple[StepId, Edge]] = []
    for name in sorted(deletes):
        gate = gates.setdefault(component[name], name)
        waits = leaves.get(component[name], []) if gate == name else [gate]
        already = _sources(deletes[name])
        edges += ((name, After(one, Order.BARRIER)) for one in waits if one not in already)
    return edges
