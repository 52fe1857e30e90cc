"""Capacity, gaps in service and risk, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.views import sentences
from nvcfplan.views.ink import Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.table import draw_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.plans import Shortage
    from nvcfplan.reports import PlanReport
    from nvcfplan.views.ink import Ink


def draw_capacity(report: PlanReport, ink: Ink) -> list[str]:
    """Empty when the plan takes and gives nothing."""
    if not report.rows:
        return []
    title = "Capacity, at worst over every order in which these steps may run:"
    return [*ink.title(title), *draw_table(*sentences.capacity_table(report), ink.width)]


def draw_interruptions(report: PlanReport, ink: Ink) -> list[str]:
    """What callers will notice; first, because it is what a reviewer must not miss."""
    lines: list[str] = []
    numbers = sentences.numbers_of(report)
    if report.interruptions:
        lines.append(ink.red(sentences.downtime_title(report)))
    for gap in report.interruptions:
        times = sentences.gap_times(gap, numbers)
        lines += ink.folded(f"{gap.address}: {times}", first="  ", rest="    ")
        for text in sentences.given_up(report, gap):
            lines += ink.folded(text, first="    ", rest="      ")
    if report.retaken:
        lines.append(ink.yellow("Exposure: GPUs given back and taken again by these steps"))
        lines += ink.folded(sentences.retaken(report), first="  ", rest="    ")
    if report.destroyed:
        lines.append(ink.red(sentences.destroys_title(report)))
        lines += [f"  {safe(address)}" for address in report.destroyed]
    return lines


def draw_demand(report: PlanReport, ink: Ink) -> list[str]:
    """Only of pools that this plan is about."""
    shown = sentences.demand_of(report)
    if not shown:
        return []
    cells = [
        (
            safe(str(one.pool)),
            str(one.least),
            str(one.most),
            "?" if one.capacity is None else str(one.capacity),
            sentences.promised(one),
        )
        for one in shown
    ]
    head = ("pool", "at minima", "at maxima", "has", "")
    title = "GPUs of the whole stack when done (so many GPU-hours an hour):"
    return [*ink.title(title), *draw_table(head, cells, ink.width)]


def draw_traffic(report: PlanReport, ink: Ink) -> list[str]:
    """Per function one line of what serves, and from when."""
    if not report.traffic:
        return []
    lines = ink.title("Traffic, split evenly over the versions that serve:")
    for address, words in sentences.traffic_of(report):
        lines += ink.folded(f"{address}: {words}", first="  ", rest="      ")
    return lines


def draw_shortages(shortages: Sequence[Shortage], ink: Ink) -> list[str]:
    lines: list[str] = []
    for one in shortages:
        lines.append(ink.red(f"  {sentences.missing(one)}"))
        users = sentences.users(one)
        lines += ink.folded(f"by whom: {users}", first="    ", rest="      ") if users else []
    return lines


def draw_verdicts(title: str, found: Sequence[Diagnostic], ink: Ink) -> list[str]:
    """At risk, or not checked: what, of which functions, why, and what would change that.

    Empty when there is none.
    """
    shown = sentences.alike(found)
    if not shown:
        return []
    lines = [ink.yellow(f"{title} ({len(shown)}):")]
    for one, where in shown:
        lines += ink.folded(f"{one.summary} [{one.code}]", first="  ", rest="    ")
        for lead, text in (("in: ", where), ("why: ", one.detail), ("fix: ", one.remedy)):
            rest = " " * (4 + len(lead))
            lines += ink.folded(text, first=f"    {lead}", rest=rest) if text else []
    return lines


def draw_readings(report: PlanReport, ink: Ink) -> list[str]:
    lines: list[str] = []
    for entry in report.readings:
        lines += ink.folded(sentences.reading(entry), first="  ", rest="    ")
    return ["Read from:", *lines] if lines else []
