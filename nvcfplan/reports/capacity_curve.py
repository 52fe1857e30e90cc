"""How much of each resource is used before, at worst during, and after a plan.

The peak is exact: the most that is in use in any state that some interleaving of the steps can
reach, when every step that may start has started and every release comes as late as it can. It
counts our own steps only; what others take meanwhile is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.model import ResourceId, StepId
from nvcfplan.plans import Charge, Infeasible, Plan, Resource, Step
from nvcfplan.reports.closure import heaviest_closure

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Fit(StrEnum):
    """FITS: at worst it stays within the limit. VIOLATION: the plan was refused for it."""

    FITS = "fits"
    AT_RISK = "at-risk"
    VIOLATION = "violation"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRow:
    """`peak_step`: the last step of the list that takes from it at the peak; None: at the start.

    `is_touched`: the plan takes from it or gives to it, or fails for it.
    """

    resource: Resource
    peak: int
    peak_step: StepId | None
    after: int
    is_touched: bool
    fit: Fit


def capacity_rows(plan: Plan | Infeasible) -> tuple[CapacityRow, ...]:
    """One row per resource, in their order."""
    if isinstance(plan, Infeasible):
        short = frozenset(shortage.resource for shortage in plan.shortages)
        return tuple(_row(one, plan.plan.steps, short) for one in plan.plan.resources)
    return tuple(_row(one, plan.steps, frozenset()) for one in plan.resources)


def _row(resource: Resource, steps: Sequence[Step], short: Collection[ResourceId]) -> CapacityRow:
    taken = {step.id: _units(step.acquire, resource.id) for step in steps}
    given = {step.id: _units(step.release, resource.id) for step in steps}
    touching = [step.id for step in steps if taken[step.id] or given[step.id]]
    started, ended = _worst_state(touching, taken, given, _nearest(steps, frozenset(touching)))
    peak = resource.before + sum(taken[one] for one in started) - sum(given[one] for one in ended)
    running = [one for one in touching if one in started - ended and taken[one]]
    return CapacityRow(
        resource=resource,
        peak=peak,
        peak_step=running[-1] if running else None,
        after=resource.before + sum(taken.values()) - sum(given.values()),
        is_touched=bool(touching) or resource.id in short,
        fit=Fit.VIOLATION if resource.id in short else _fit(resource, peak),
    )


def _units(charges: Sequence[Charge], resource: ResourceId) -> int:
    return sum(charge.units for charge in charges if charge.resource == resource)


def _nearest(
    steps: Sequence[Step], touching: Collection[StepId]
) -> Mapping[StepId, frozenset[StepId]]:
    """For each step the touching steps that must have ended before it, without those implied."""
    found: dict[StepId, frozenset[StepId]] = {}
    for step in steps:
        before: set[StepId] = set()
        for edge in step.depends_on:
            before |= {edge.step} if edge.step in touching else found[edge.step]
        found[step.id] = frozenset(before)
    return found


def _worst_state(
    touching: Sequence[StepId],
    taken: Mapping[StepId, int],
    given: Mapping[StepId, int],
    nearest: Mapping[StepId, frozenset[StepId]],
) -> tuple[frozenset[StepId], frozenset[StepId]]:
    """Which steps have started and which have ended where most is in use.

    Two nodes a step: "has started" is worth what it takes and needs the end of all that it waits
    for; "has ended" costs what it gives and needs its own start.
    """
    place = {one: index for index, one in enumerate(touching)}
    count = len(touching)
    weights = [taken[one] for one in touching] + [-given[one] for one in touching]
    needs: dict[int, list[int]] = {count + index: [index] for index in range(count)}
    for one in touching:
        needs[place[one]] = sorted(count + place[before] for before in nearest[one])
    chosen = heaviest_closure(weights, needs)
    started = frozenset(one for one in touching if place[one] in chosen)
    ended = frozenset(one for one in touching if count + place[one] in chosen)
    return started, ended


def _fit(resource: Resource, peak: int) -> Fit:
    """A resource from which nothing more is taken fits, whatever others have done to it.

    A plan that goes beyond a limit has been let through only where the limit is not certain.
    """
    if resource.limit is None:
        return Fit.NOT_CHECKED
    is_within = peak <= resource.before or peak + resource.headroom <= resource.limit
    return Fit.FITS if is_within else Fit.AT_RISK
