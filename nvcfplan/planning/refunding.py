"""Whether the steps of a made plan still have every unit they take, with fresh readings.

What each step takes and gives is worked out again; then every unit needs a source of its own once
more: one that is free now, or one that a step before it gives back (ordering.md 2, theorem 1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import VERSION_LIMIT, Limits, deploy_charges
from nvcfplan.differences import has_row
from nvcfplan.planning.ways.standing import (
    deployed,
    given_by,
    given_up,
    has_row_of,
    taken_by,
    updated,
)
from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    Charge,
    CreateFunction,
    Deploy,
    Plan,
    Shortage,
    Step,
    Undeploy,
    UpdateDeployment,
    VersionRef,
)
from nvcfplan.proving import ancestry, missing_units, unproved_resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.model import LiveVersion, VersionId
    from nvcfplan.plans import Resource


def find_lost_units(
    plan: Plan, limits: Limits, versions: Mapping[VersionId, LiveVersion]
) -> tuple[Shortage, ...]:
    """Per resource that can be checked now, the units for which no source is left.

    What the plan itself declared at risk was never proved, so it cannot be lost.
    """
    steps = recharge(plan, limits, versions)
    order = ancestry(steps)
    waived = unproved_resources(plan)
    return tuple(
        Shortage(
            resource=one.id,
            missing=missing,
            users=_users(one, limits),
        )
        for one in limits.resources
        if one.limit is not None and one.id not in waived
        if (missing := missing_units(one, steps, order, plan.funding)) > 0
    )


def _users(one: Resource, limits: Limits) -> tuple[tuple[str, int], ...]:
    published = limits.published.get(one.id, ())
    others = one.before - one.ours - sum(units for _, units in published)
    applies = ((f"a running apply of {stack}", units) for stack, units in published)
    return (("others (running)", others), ("this stack", one.ours), *applies)


def recharge(
    plan: Plan, limits: Limits, versions: Mapping[VersionId, LiveVersion]
) -> tuple[Step, ...]:
    """The plan's steps with what they take and give by fresh readings."""
    standing = {
        one.version: versions[one.version_id]
        for one in plan.bindings
        if one.version_id is not None and one.version_id in versions
    }
    changed: dict[VersionRef, list[UpdateDeployment]] = {}
    found: list[Step] = []
    for step in plan.steps:
        found.append(
            replace(
                step,
                acquire=_acquired(step, limits, standing),
                release=_released(step, limits, standing, changed),
            )
        )
        _take_effect(step, limits, standing, changed)
    return tuple(found)


def _acquired(
    step: Step, limits: Limits, standing: Mapping[VersionRef, LiveVersion]
) -> tuple[Charge, ...]:
    match step.task:
        case CreateFunction():
            is_limited = any(one.id == VERSION_LIMIT for one in limits.resources)
            return (Charge(resource=VERSION_LIMIT, units=1),) if is_limited else ()
        case Deploy(specifications=specifications):
            return deploy_charges(limits, specifications)
        case UpdateDeployment(version=ref) as task if has_row_of(standing.get(ref), task):
            return taken_by(standing[ref], task, limits)
        case _:
            return step.acquire


def _released(
    step: Step,
    limits: Limits,
    standing: Mapping[VersionRef, LiveVersion],
    changed: Mapping[VersionRef, Sequence[UpdateDeployment]],
) -> tuple[Charge, ...]:
    """All that the version holds, or what updates of it give; nothing where its row is gone."""
    match step.task:
        case AwaitReleased(version=ref) if ref in standing:
            if changed.get(ref):
                return given_by(standing[ref], changed[ref], limits)
            return given_up(standing[ref], limits) if has_row(standing[ref]) else ()
        case _:
            return step.release


def _take_effect(
    step: Step,
    limits: Limits,
    standing: dict[VersionRef, LiveVersion],
    changed: dict[VersionRef, list[UpdateDeployment]],
) -> None:
    """`changed`: by version, the updates that no wait for their release has followed yet."""
    match step.task:
        case Deploy(version=ref, specifications=specifications):
            standing[ref] = deployed(ref, specifications)
        case UpdateDeployment(version=ref) as task if has_row_of(standing.get(ref), task):
            changed.setdefault(ref, []).append(task)
        case AwaitActive(version=ref) if ref in changed:
            for task in [one for one in changed[ref] if _is_growth(one)]:
                changed[ref].remove(task)
                standing[ref] = updated(standing[ref], task, limits)
        case Undeploy(version=ref):
            for task in changed.pop(ref, ()):
                standing[ref] = updated(standing[ref], task, limits)
        case AwaitReleased(version=ref) if ref in changed:
            for task in changed.pop(ref):
                standing[ref] = updated(standing[ref], task, limits)
        case _:
            pass


def _is_growth(task: UpdateDeployment) -> bool:
    return (
        task.specification.min_instances > task.before.min_instances
        and task.specification.max_instances >= task.before.max_instances
    )
