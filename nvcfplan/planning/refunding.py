"""Whether the steps of a made plan still have every unit they take, with fresh readings.

What each step takes and gives is worked out again; then every unit needs a source of its own once
more: one that is free now, or one that a step before it gives back (ordering.md 2, theorem 1).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import VERSION_LIMIT, Limits, deploy_charges
from nvcfplan.differences import has_row
from nvcfplan.model import LiveVersion, ResourceId, StepId, VersionId
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
    Resource,
    Shortage,
    Step,
    Undeploy,
    UpdateDeployment,
    VersionRef,
)
from nvcfplan.proving import Ancestry, ancestry, unproved_resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


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
            users=(("others (running)", one.before - one.ours), ("this stack", one.ours)),
        )
        for one in limits.resources
        if one.limit is not None and one.id not in waived
        if (missing := _missing(plan, steps, order, one)) > 0
    )


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


@dataclass(slots=True)
class _Flow:
    """Units of one resource: from releases (`left` to give) to steps (`short` of them)."""

    order: Ancestry
    left: dict[StepId, int]
    short: dict[StepId, int]
    given: dict[StepId, Counter[StepId]] = field(default_factory=dict)

    def move(self, source: StepId, taker: StepId, units: int) -> None:
        self.given.setdefault(source, Counter())[taker] += units
        self.left[source] -= units
        self.short[taker] -= units

    def fill(self, taker: StepId) -> None:
        """Takes from releases before it, moving others to other sources where that helps."""
        while self.short[taker] > 0 and (path := self._path(taker)):
            sources, takers = path[::2], path[1::2]
            units = min(self.left[sources[0]], self.short[taker])
            for source, holder in zip(sources[1:], takers, strict=False):
                units = min(units, self.given[source][holder])
            self.move(sources[0], takers[0], units)
            for source, holder, following in zip(sources[1:], takers, takers[1:], strict=False):
                self.given[source][holder] -= units
                self.left[source] += units
                self.short[holder] += units
                self.move(source, following, units)

    def _path(self, taker: StepId) -> list[StepId]:
        """A source with units left, who takes them, whose source then is free, ... to `taker`."""
        paths = {taker: [taker]}
        pending, seen = [taker], set[StepId]()
        while pending:
            one = pending.pop(0)
            for source in self.left:
                if source in seen or not self.order.precedes(source, one):
                    continue
                seen.add(source)
                path = [source, *paths[one]]
                if self.left[source] > 0:
                    return path
                for holder, units in self.given.get(source, Counter[StepId]()).items():
                    if units > 0 and holder not in paths:
                        paths[holder] = [holder, *path]
                        pending.append(holder)
        return []


def _missing(plan: Plan, steps: Sequence[Step], order: Ancestry, resource: Resource) -> int:
    free = (resource.limit or 0) - resource.before - resource.headroom
    short = dict(_units(((one.id, one.acquire) for one in steps), resource.id))
    if sum(short.values()) <= free:
        return 0
    left = dict(_units(((one.id, one.release) for one in steps), resource.id))
    flow = _Flow(order, left, short)
    for grant in plan.funding:
        if grant.resource == resource.id and grant.source in left and grant.step in short:
            units = min(grant.units, left[grant.source], short[grant.step])
            flow.move(grant.source, grant.step, units)
    for taker in short:
        if sum(short.values()) > max(0, free):
            flow.fill(taker)
    return max(0, sum(short.values()) - max(0, free)) + _debt(flow, max(0, -free))


def _debt(flow: _Flow, over: int) -> int:
    """Of a resource over its limit, the units that nobody gives back before it is taken again."""
    paid = (
        sum(units for source, units in flow.left.items() if flow.order.precedes(source, taker))
        for taker in flow.short
    )
    return max((over - one for one in paid), default=0) if over else 0


def _units(
    charges: Iterable[tuple[StepId, Sequence[Charge]]], resource: ResourceId
) -> Iterator[tuple[StepId, int]]:
    for step, some in charges:
        for charge in some:
            if charge.resource == resource:
                yield step, charge.units
