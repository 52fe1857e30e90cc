"""When each step is expected to run and how much of each resource is used then; and, of a run
that is over, when each really ran.

Expected times are one order of many: what is used at worst over all of them is the row's `peak`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.plans import expected_ends
from nvcfplan.reports.apply_report import ApplyReport, StepFate
from nvcfplan.reports.capacity_curve import CapacityRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.model import StepId
    from nvcfplan.plans import Step
    from nvcfplan.reports.apply_report import StepOutcome
    from nvcfplan.reports.plan_report import PlanReport, StepEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Seconds from the start of the run."""

    begins: float
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A step in time. `actual` None: it was not carried out in this run, or there is no run."""

    number: int
    expected: Stretch
    actual: Stretch | None
    fate: StepFate | None
    is_critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """From `at` on so many units are used, because of the steps with these numbers."""

    at: float
    used: int
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`levels`: the first is what is used before; ascending in time. `actual`: what the steps that
    were carried out have taken and given, when they did; empty: there is no run.
    """

    row: CapacityRow
    levels: tuple[Level, ...]
    actual: tuple[Level, ...] = ()


def find_lanes(report: PlanReport, run: ApplyReport | None = None) -> tuple[Lane, ...]:
    """In the order of the steps."""
    outcomes = {} if run is None else {one.step: one for one in run.steps}
    ends = expected_ends([entry.step for entry in report.steps])
    critical = frozenset(report.critical_path)
    return tuple(
        _lane(entry, ends, outcomes.get(entry.step.id), is_critical=entry.number in critical)
        for entry in report.steps
    )


def find_curves(report: PlanReport, run: ApplyReport | None = None) -> tuple[Curve, ...]:
    """One for each row. Of steps that were done and undone again `actual` shows the doing alone."""
    ends = expected_ends([entry.step for entry in report.steps])
    expected = {entry.step.id: _expected(entry.step, ends) for entry in report.steps}
    actual = {} if run is None else _carried_out(run)
    return tuple(
        Curve(
            row=row,
            levels=_levels(row, report.steps, expected),
            actual=() if run is None else _levels(row, report.steps, actual),
        )
        for row in report.rows
    )


def _expected(step: Step, ends: Mapping[StepId, int]) -> Stretch:
    return Stretch(begins=ends[step.id] - step.expected_seconds, ends=ends[step.id])


def _carried_out(run: ApplyReport) -> dict[StepId, Stretch]:
    """What an earlier part of the run has done is there from the start."""
    found = {}
    for one in run.steps:
        if one.fate is StepFate.DONE_BEFORE:
            found[one.step] = Stretch(begins=0.0, ends=0.0)
        elif one.fate in (StepFate.DONE, StepFate.ADOPTED) and (actual := _actual(one)):
            found[one.step] = actual
    return found


def _lane(
    entry: StepEntry,
    ends: Mapping[StepId, int],
    outcome: StepOutcome | None,
    *,
    is_critical: bool,
) -> Lane:
    step = entry.step
    return Lane(
        number=entry.number,
        expected=_expected(step, ends),
        actual=None if outcome is None else _actual(outcome),
        fate=None if outcome is None else outcome.fate,
        is_critical=is_critical,
    )


def _actual(outcome: StepOutcome) -> Stretch | None:
    if outcome.seconds is None or outcome.ended_at is None:
        return None
    return Stretch(begins=max(0.0, outcome.ended_at - outcome.seconds), ends=outcome.ended_at)


def _levels(
    row: CapacityRow, steps: Sequence[StepEntry], stretches: Mapping[StepId, Stretch]
) -> tuple[Level, ...]:
    """What is given and taken at one moment is one level: a release comes first then."""
    moves: dict[float, list[tuple[int, int]]] = {}
    for entry in steps:
        stretch = stretches.get(entry.step.id)
        for at, units in () if stretch is None else _moves(row, entry, stretch):
            moves.setdefault(at, []).append((entry.number, units))
    used = row.resource.before
    levels = [Level(at=0.0, used=used, steps=())]
    for at in sorted(moves):
        used += sum(units for _, units in moves[at])
        levels.append(Level(at=at, used=used, steps=tuple(number for number, _ in moves[at])))
    return tuple(levels)


def _moves(row: CapacityRow, entry: StepEntry, stretch: Stretch) -> list[tuple[float, int]]:
    step, name = entry.step, row.resource.id
    taken = [(float(stretch.begins), one.units) for one in step.acquire if one.resource == name]
    given = [(float(stretch.ends), -one.units) for one in step.release if one.resource == name]
    return taken + given
