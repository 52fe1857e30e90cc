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
from nvcfplan.proving import Ancestry, ancestry
from nvcfplan.reports.closure import heaviest_closure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Fit(StrEnum):
    """FITS: at worst it stays within the limit. VIOLATION: the plan was refused for it."""

    FITS = "fits"
    AT_RISK = "at-risk"
    VIOLATION = "violation"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRow:
    """`peak_step`: the last step of the list that takes from it at the peak; None: at the start.

    `is_touched`: the plan takes from it or gives to it, or fails for it, being `missing` units.
    """

    resource: Resource
    peak: int
    peak_step: StepId | None
    after: int
    is_touched: bool
    fit: Fit
    missing: int = 0


def capacity_rows(plan: Plan | Infeasible) -> tuple[CapacityRow, ...]:
    """One row per resource, in their order."""
    made = plan.plan if isinstance(plan, Infeasible) else plan
    shortages = plan.shortages if isinstance(plan, Infeasible) else ()
    short = {shortage.resource: shortage.missing for shortage in shortages}
    order = ancestry(made.steps)
    touches = _touches(made.steps)
    return tuple(
        _row(one, touches.get(one.id, ()), order, missing=short.get(one.id, 0))
        for one in made.resources
    )


@dataclass(frozen=True, slots=True)
class _Touch:
    """What one step takes of one resource, and gives of it."""

    step: StepId
    taken: int
    given: int


def _touches(steps: Sequence[Step]) -> Mapping[ResourceId, Sequence[_Touch]]:
    """In the order of the steps."""
    found: dict[ResourceId, list[_Touch]] = {}
    for step in steps:
        taken, given = _units(step.acquire), _units(step.release)
        for name in taken.keys() | given.keys():
            touch = _Touch(step.id, taken.get(name, 0), given.get(name, 0))
            found.setdefault(name, []).append(touch)
    return found


def _units(charges: Sequence[Charge]) -> dict[ResourceId, int]:
    return {charge.resource: charge.units for charge in charges}


def _row(
    resource: Resource, touches: Sequence[_Touch], order: Ancestry, *, missing: int
) -> CapacityRow:
    started, ended = _worst_state(touches, order)
    peak = resource.before
    peak += sum(one.taken for one in touches if one.step in started)
    peak -= sum(one.given for one in touches if one.step in ended)
    running = [one.step for one in touches if one.step in started - ended and one.taken]
    return CapacityRow(
        resource=resource,
        peak=peak,
        peak_step=running[-1] if running else None,
        after=resource.before + sum(one.taken - one.given for one in touches),
        is_touched=bool(touches) or missing > 0,
        fit=Fit.VIOLATION if missing else _fit(resource, peak),
        missing=missing,
    )


def _worst_state(
    touches: Sequence[_Touch], order: Ancestry
) -> tuple[frozenset[StepId], frozenset[StepId]]:
    """Which steps have started and which have ended where most is in use.

    Two nodes a step: "has started" is worth what it takes and needs the end of all that it waits
    for; "has ended" costs what it gives and needs its own start.
    """
    count = len(touches)
    weights = [one.taken for one in touches] + [-one.given for one in touches]
    needs: dict[int, list[int]] = {count + index: [index] for index in range(count)}
    for index, before in enumerate(_nearest([one.step for one in touches], order)):
        needs[index] = sorted(count + one for one in before)
    chosen = heaviest_closure(weights, needs)
    started = frozenset(one.step for index, one in enumerate(touches) if index in chosen)
    ended = frozenset(one.step for index, one in enumerate(touches) if count + index in chosen)
    return started, ended


def _nearest(touching: Sequence[StepId], order: Ancestry) -> Iterator[list[int]]:
    """For each the touching ones that must have ended before it, without those implied.

    The last of them is implied by no other, so it is one; what it waits for itself is implied.
    """
    index = {order.places[step]: number for number, step in enumerate(touching)}
    all_of_them = sum(1 << place for place in index)
    for step in touching:
        left = order.masks[order.places[step]] & all_of_them
        found: list[int] = []
        while left:
            place = left.bit_length() - 1
            found.append(index[place])
            left &= ~(order.masks[place] | 1 << place)
        yield found


def _fit(resource: Resource, peak: int) -> Fit:
    """A resource from which nothing more is taken fits, whatever others have done to it.

    A plan that goes beyond a limit has been let through only where the limit is not certain.
    """
    if resource.limit is None:
        return Fit.NOT_CHECKED
    is_within = peak <= resource.before or peak + resource.headroom <= resource.limit
    return Fit.FITS if is_within else Fit.AT_RISK
