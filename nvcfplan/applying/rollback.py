"""The plan that undoes what was carried out of another plan. Pure, and carried out like any plan.

Each step says how it is undone; here the undos are put in the reverse of the order in which the
steps were allowed to happen, with the waits between them. Source: ordering.md 2, "Rollback".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from nvcfplan.applying.flows import Bound
from nvcfplan.applying.funding import grants_for, topological
from nvcfplan.model import Metadata, StepId, VersionId, tags_of_failed
from nvcfplan.plans import (
    After,
    AwaitActive,
    AwaitReleased,
    Binding,
    Charge,
    CreateFunction,
    CreateVersion,
    Deploy,
    Irreversible,
    Order,
    Plan,
    Resource,
    Reversible,
    Step,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
    VersionRef,
    is_waiting,
    step_id,
)

if TYPE_CHECKING:
    from nvcfplan.plans import Task

ASKED_FOR: Final = "rollback of the whole run, asked for"
ALL_FAILED: Final = "rollback of the whole run, because a part of it failed"
"""The `why` of a rollback that leaves no component to go on."""

PREFIX: Final = "undo:"

_SECONDS: Final[dict[type[Task], tuple[int, int]]] = {
    AwaitActive: (600, 7800),
    AwaitReleased: (360, 1800),
}
_CALL_SECONDS: Final = (5, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What a rollback starts from.

    `steps`: what has to be undone: done, or sent without a known end. `done`: surely done.
    `resources`: as used after them. `kept`: made by them, and not deleted until then.
    """

    plan: Plan
    steps: Collection[StepId]
    done: Collection[StepId]
    bound: tuple[tuple[VersionRef, Bound], ...]
    resources: tuple[Resource, ...]
    kept: tuple[tuple[VersionId, datetime], ...] = ()


def irreversible(plan: Plan, steps: Collection[StepId]) -> tuple[Step, ...]:
    """Those of `steps` that changed something for good, in plan order."""
    return tuple(
        step
        for step in plan.steps
        if step.id in steps and not is_waiting(step.task) and isinstance(step.undo, Irreversible)
    )


def rollback_plan(executed: Executed) -> Plan:
    """Without steps when there is nothing to undo.

    Law: if y could only begin after x had ended, then the undo of x begins after that of y ended.
    """
    names: Counter[str] = Counter()
    chains = {
        step.id: _chain(executed, step, names)
        for step in executed.plan.steps
        if step.id in executed.steps
    }
    ends = _ends(executed, chains)
    steps = []
    for original, chain in chains.items():
        if not chain:
            continue
        before = {end for later in _dependants(executed, original) for end in ends[later]}
        steps.append(replace(chain[0], depends_on=_after(before)))
        steps.extend(chain[1:])
    ordered = topological(steps)
    return replace(
        executed.plan,
        changes=(),
        resources=executed.resources,
        steps=ordered,
        bindings=bindings_of(executed.bound),
        funding=grants_for(ordered),
        point_of_no_return=(),
        is_proved_minimal=False,
        diagnostics=(),
    )


def resources_after(
    plan: Plan, steps: Collection[StepId], done: Collection[StepId]
) -> tuple[Resource, ...]:
    """As used once `steps` took and `done` gave what the plan says; other tenants not counted."""
    used: Counter[str] = Counter()
    for step in plan.steps:
        for charge in step.acquire if step.id in steps else ():
            used[charge.resource] += charge.units
        for charge in step.release if step.id in done else ():
            used[charge.resource] -= charge.units
    return tuple(
        replace(one, before=max(one.before + used[one.id], 0), ours=max(one.ours + used[one.id], 0))
        for one in plan.resources
    )


def bindings_of(bound: tuple[tuple[VersionRef, Bound], ...]) -> tuple[Binding, ...]:
    return tuple(
        Binding(version=version, function_id=function, version_id=version_id)
        for version, (function, version_id) in bound
    )


def _chain(executed: Executed, step: Step, names: Counter[str]) -> tuple[Step, ...]:
    """The undo of one step, one after another; empty for what needs none or cannot be undone.

    A creating call that never got an id has nothing to delete: it is watched for instead.
    """
    if is_waiting(step.task) or not isinstance(step.undo, Reversible):
        return ()
    known = {version for version, _ in executed.bound}
    if isinstance(step.task, CreateFunction | CreateVersion) and step.task.version not in known:
        return ()
    links = _links(executed, step, _undo(executed, step.task, step.undo))
    made: list[Step] = []
    for task, acquire, release in links:
        name = f"{PREFIX}{step_id(task)}"
        names[name] += 1
        unique = name if names[name] == 1 else f"{name}~{names[name]}"
        expected, limit = _SECONDS.get(type(task), _CALL_SECONDS)
        made.append(
            Step(
                id=StepId(unique),
                address=step.address,
                task=task,
                depends_on=_after({made[-1].id} if made else set()),
                acquire=acquire,
                release=release,
                undo=Irreversible("a rollback is not rolled back"),
                expected_seconds=expected,
                limit_seconds=limit,
            )
        )
    return tuple(made)


def _undo(executed: Executed, task: Task, undo: Reversible) -> Reversible:
    """What failed and is to be looked at keeps its version, and tells by a tag that it failed."""
    if not isinstance(task, CreateFunction | CreateVersion):
        return undo
    until = dict(executed.kept).get(dict(executed.bound)[task.version][1] or VersionId(""))
    if until is None:
        return undo
    tags = tags_of_failed(task.config.tags, until)
    return replace(undo, tasks=(UpdateMetadata(task.version, Metadata(tags=tags)),))


_Link = tuple["Task", tuple[Charge, ...], tuple[Charge, ...]]


def _links(executed: Executed, step: Step, undo: Reversible) -> tuple[_Link, ...]:
    """Tasks with what each takes and gives; the waits that the undo leaves out are put in."""
    links: list[_Link] = []
    needs = undo.needs
    if isinstance(step.task, Undeploy) and any(isinstance(one, Deploy) for one in undo.tasks):
        links.extend(_clearing(executed, step.task.version))
    for index, task in enumerate(undo.tasks):
        following = undo.tasks[index + 1] if index + 1 < len(undo.tasks) else None
        if isinstance(task, Deploy | UpdateDeployment):
            links.append((task, needs, ()))
            needs = ()
        elif isinstance(task, AwaitReleased):
            links.append((task, (), step.acquire))
        else:
            links.append((task, (), ()))
        for wait in _waits_after(task):
            if following is None or type(wait) is not type(following):
                gives = step.acquire if isinstance(wait, AwaitReleased) else ()
                links.append((wait, (), gives))
    return tuple(links)


def _clearing(executed: Executed, version: VersionRef) -> tuple[_Link, ...]:
    """A graceful undeploy that still drains keeps its row, and a row refuses a new deployment.

    So it is ended the plain way first (queued work is lost), and waited for.
    Source: nvcf-api.md 5, "Sequence for redeploy".
    """
    waits = [
        step
        for step in executed.plan.steps
        if isinstance(step.task, AwaitReleased) and step.task.version == version
    ]
    if any(step.id in executed.done for step in waits):
        return ()
    release = waits[0].release if waits else ()
    return (
        (Undeploy(version, graceful=False), (), ()),
        (AwaitReleased(version), (), release),
    )


def _waits_after(task: Task) -> tuple[Task, ...]:
    match task:
        case Deploy(version=version):
            return (AwaitActive(version),)
        case Undeploy(version=version):
            return (AwaitReleased(version),)
        case UpdateDeployment(version=version, specification=then, before=before):
            grows = then.min_instances > before.min_instances
            shrinks = then.max_instances < before.max_instances
            return (
                *((AwaitActive(version),) if grows else ()),
                *((AwaitReleased(version),) if shrinks else ()),
            )
        case _:
            return ()


def _dependants(executed: Executed, step: StepId) -> tuple[StepId, ...]:
    return tuple(
        later.id
        for later in executed.plan.steps
        if later.id in executed.steps and any(edge.step == step for edge in later.depends_on)
    )


def _ends(
    executed: Executed, chains: Mapping[StepId, tuple[Step, ...]]
) -> dict[StepId, frozenset[StepId]]:
    """By step: the undos that have to have ended before anything that it waited for is undone."""
    ends: dict[StepId, frozenset[StepId]] = {}
    for step in reversed(list(chains)):
        if chains[step]:
            ends[step] = frozenset({chains[step][-1].id})
        else:
            later = (ends[one] for one in _dependants(executed, step))
            ends[step] = frozenset().union(*later)
    return ends


def _after(steps: Collection[StepId]) -> tuple[After, ...]:
    return tuple(After(one, Order.REQUIRES) for one in sorted(steps))
