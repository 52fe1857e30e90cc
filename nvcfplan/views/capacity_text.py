"""Capacity, gaps in service and risk, as text."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from nvcfplan.plans import Unit
from nvcfplan.reports import Fit, Moment
from nvcfplan.views.ink import folded
from nvcfplan.views.neutralise import safe
from nvcfplan.views.table import draw_table
from nvcfplan.views.wording import counted, is_gpus, lasting, units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import StepId
    from nvcfplan.plans import Demand, Shortage
    from nvcfplan.reports import CapacityRow, PlanReport, TrafficShift
    from nvcfplan.views.ink import Ink

_HEAD: Final = ("resource", "before", "peak", "step", "after", "limit", "verdict")


def draw_capacity(report: PlanReport, ink: Ink) -> list[str]:
    """Empty when the plan takes and gives nothing."""
    if not report.rows:
        return []
    numbers = {entry.step.id: entry.number for entry in report.steps}
    title = "Capacity, at worst over every order in which these steps may run:"
    cells = [_cells(row, numbers) for row in report.rows]
    return [ink.bold(title), *draw_table(_HEAD, cells, indent="  ")]


def draw_interruptions(report: PlanReport, ink: Ink) -> list[str]:
    """What callers will notice; first, because it is what a reviewer must not miss."""
    lines: list[str] = []
    numbers = {entry.step.id: entry.number for entry in report.steps}
    if report.interruptions:
        functions = counted(len(report.interruptions), "function")
        verb = "stops" if len(report.interruptions) == 1 else "stop"
        lines.append(ink.red(f"Downtime: {functions} {verb} serving for a while"))
    for gap in report.interruptions:
        window = f"step {numbers[gap.begins]} to step {numbers[gap.ends]}"
        times = f"about {lasting(gap.expected_seconds)}, at most {lasting(gap.limit_seconds)}"
        lines += folded(f"{gap.address}: {times}, from {window}", first="  ", rest="    ")
        for one in report.exposures:
            if one.address == gap.address and is_gpus(one.resource):
                given = units(one.units, one.resource)
                lines += folded(
                    f"gives up {given} for about {lasting(one.expected_seconds)} before its "
                    "successor is safe",
                    first="    ",
                    rest="      ",
                )
    if report.retaken:
        given = ", ".join(units(one.units, one.resource) for one in report.retaken)
        lines.append(ink.yellow("Exposure: GPUs given back and taken again by these steps"))
        lines += folded(f"{given}: another tenant could take them between", first="  ", rest="    ")
    if report.destroyed:
        functions = counted(len(report.destroyed), "function")
        verb = "loses its id" if len(report.destroyed) == 1 else "lose their ids"
        lines.append(ink.red(f"Destroys: {functions} {verb}; there is no undo"))
        lines += [f"  {safe(address)}" for address in report.destroyed]
    return lines


def draw_demand(report: PlanReport, ink: Ink) -> list[str]:
    """Only of pools that this plan is about."""
    touched = {pool for row in report.rows for pool in row.resource.pools}
    shown = [one for one in report.demand if one.pool in touched]
    if not shown:
        return []
    cells = [
        (
            safe(str(one.pool)),
            str(one.least),
            str(one.most),
            "?" if one.capacity is None else str(one.capacity),
            _promised(one),
        )
        for one in shown
    ]
    head = ("pool", "at minima", "at maxima", "has", "")
    title = "GPUs of the whole stack when done (so many GPU-hours an hour):"
    return [ink.bold(title), *draw_table(head, cells, indent="  ")]


def _promised(one: Demand) -> str:
    if one.capacity is None or one.most <= one.capacity:
        return ""
    return f"oversubscribed by {one.most - one.capacity}"


def draw_traffic(report: PlanReport, ink: Ink) -> list[str]:
    """Per function one line of what serves, and from when."""
    if not report.traffic:
        return []
    numbers = {entry.step.id: entry.number for entry in report.steps}
    lines = [ink.bold("Traffic, split evenly over the versions that serve:")]
    for address, shifts in groupby(report.traffic, key=lambda shift: shift.address):
        words = "; ".join(_shift(one, numbers) for one in shifts)
        lines += folded(f"{address}: {words}", first="  ", rest="      ")
    return lines


def _shift(shift: TrafficShift, numbers: Mapping[StepId, int]) -> str:
    shares = ", ".join(f"{one.version} {one.share:.0%}" for one in shift.shares) or "nobody"
    if shift.step is None:
        return shares
    word = "after" if shift.moment is Moment.END else "from"
    return f"{word} {numbers[shift.step]} {shares}"


def draw_shortages(shortages: Sequence[Shortage], ink: Ink) -> list[str]:
    lines: list[str] = []
    for one in shortages:
        users = ", ".join(f"{name} {units}" for name, units in one.users)
        lines.append(ink.red(f"  {one.missing} more needed of {safe(one.resource)}"))
        lines += folded(f"by whom: {users}", first="    ", rest="      ") if users else []
    return lines


def draw_verdicts(title: str, found: Sequence[Diagnostic], ink: Ink) -> list[str]:
    """At risk, or not checked: what, of which functions, why, and what would change that.

    What is said of several in the same words is said once. Empty when there is none.
    """
    places: dict[Diagnostic, list[str]] = {}
    for one in found:
        place = f"{one.subject.address} {one.subject.path}".strip() if one.subject else ""
        alike = replace(one, subject=None, span=None, related=())
        places.setdefault(alike, []).extend([place] if place else [])
    if not places:
        return []
    lines = [ink.yellow(f"{title} ({len(places)}):")]
    for one, where in places.items():
        lines += folded(f"{one.summary} [{one.code}]", first="  ", rest="    ")
        for lead, text in (
            ("in: ", ", ".join(dict.fromkeys(where))),
            ("why: ", one.detail),
            ("fix: ", one.remedy),
        ):
            rest = " " * (4 + len(lead))
            lines += folded(text, first=f"    {lead}", rest=rest) if text else []
    return lines


def draw_readings(report: PlanReport) -> list[str]:
    lines: list[str] = []
    for entry in report.readings:
        age = "age unknown" if entry.age_seconds is None else f"{lasting(entry.age_seconds)} old"
        partial = ", partial" if entry.reading.is_partial else ""
        text = f"{entry.reading.id}: {entry.reading.source}, {age}{partial}"
        lines += folded(text, first="  ", rest="    ")
    return ["Read from:", *lines] if lines else []


def _cells(row: CapacityRow, numbers: Mapping[StepId, int]) -> tuple[str, ...]:
    resource = row.resource
    unit = " (instances)" if resource.unit is Unit.INSTANCES else ""
    return (
        f"{safe(resource.id)}{unit}",
        str(resource.before),
        str(row.peak),
        "" if row.peak_step is None else str(numbers[row.peak_step]),
        str(row.after),
        "?" if resource.limit is None else str(resource.limit),
        _verdict(row),
    )


def _verdict(row: CapacityRow) -> str:
    match row.fit:
        case Fit.FITS:
            return "fits"
        case Fit.AT_RISK:
            return "at risk"
        case Fit.VIOLATION:
            return "VIOLATION"
        case Fit.NOT_CHECKED:
            return "not checked"
