"""A plan as text: what callers will notice, what differs, the steps, capacity, the risks."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, assert_never

from nvcfplan.reports import Outlook, no_snippets
from nvcfplan.views.capacity_text import (
    draw_capacity,
    draw_demand,
    draw_interruptions,
    draw_readings,
    draw_shortages,
    draw_traffic,
    draw_verdicts,
)
from nvcfplan.views.change_text import draw_function
from nvcfplan.views.choice_text import draw_alternatives, draw_strategies
from nvcfplan.views.diagnostic_text import render_diagnostics
from nvcfplan.views.ink import Ink, folded
from nvcfplan.views.neutralise import safe
from nvcfplan.views.sentences import NO_CHANGES, NO_RETURN, doubts, effects, summary
from nvcfplan.views.wording import described, lasting, runs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvcfplan.reports import PlanReport, Snippets, StepEntry


def render_plan(report: PlanReport, snippets: Snippets = no_snippets, *, colour: bool) -> str:
    """All of it, the plan's diagnostics included: a front end has nothing to add."""
    ink = Ink(colour)
    faults = render_diagnostics(report.faults, snippets, colour=colour)
    parts: list[Iterable[str]] = [[faults] if faults else []]
    match report.outlook:
        case Outlook.CHANGES:
            parts += _changes(report, ink)
        case Outlook.NO_CHANGES:
            parts.append([ink.green(NO_CHANGES)])
        case Outlook.REFUSED:
            parts += [_differences(report, ink), [ink.red(_REFUSED)]]
        case Outlook.INFEASIBLE:
            parts += [_differences(report, ink), _infeasible(report, ink)]
        case _:
            assert_never(report.outlook)
    if report.outlook in (Outlook.INFEASIBLE, Outlook.REFUSED):
        parts += [
            draw_strategies(report.strategies, ink),
            draw_alternatives("What would make it fit", report.alternatives, ink),
        ]
    parts += [draw_verdicts(title, found, ink) for title, found in doubts(report)]
    parts.append(draw_readings(report))
    return "\n\n".join("\n".join(part) for part in parts if part)


_REFUSED = "This plan cannot be applied: the errors above stand in its way. Nothing was changed."


def render_footer(saved_to: str | None, again: str = "") -> str:
    """Whether the plan was kept, and how to go on. `again`: options that lead to the account."""
    if saved_to is None:
        return (
            "The plan was not saved (no -out), so `nvcfplan apply` may do something else\n"
            "if the account changes until then."
        )
    command = f"nvcfplan apply{safe(again)} {safe(shlex.quote(saved_to))}"
    return f"Saved the plan to: {safe(saved_to)}\n\nTo apply exactly it:\n  {command}"


def _changes(report: PlanReport, ink: Ink) -> list[list[str]]:
    return [
        draw_interruptions(report, ink),
        draw_strategies(report.strategies, ink),
        _differences(report, ink),
        [ink.bold(summary(report.counts))],
        _steps(report, ink),
        draw_capacity(report, ink),
        draw_demand(report, ink),
        draw_traffic(report, ink),
        draw_alternatives("To be certain of room", report.alternatives, ink),
    ]


def _differences(report: PlanReport, ink: Ink) -> list[str]:
    if not report.functions:
        return []
    is_certain = report.outlook is Outlook.CHANGES
    lines = [
        "nvcfplan will perform the following actions:" if is_certain else "What differs:",
    ]
    for entry in report.functions:
        lines += ["", *draw_function(entry, ink)]
    return lines


def _infeasible(report: PlanReport, ink: Ink) -> list[str]:
    title = "No order was found in which these changes fit. Nothing was changed."
    return [ink.red(title), *draw_shortages(report.shortages, ink)]


def _steps(report: PlanReport, ink: Ink) -> list[str]:
    if not report.steps:
        return []
    expected = lasting(report.expected_seconds)
    lines = [ink.bold(f"Steps ({len(report.steps)}, about {expected}):")]
    for entry in report.steps:
        lines += _step(entry)
        if entry.number in report.point_of_no_return:
            lines.append(ink.yellow(f"      {NO_RETURN}"))
    chain = runs(report.critical_path)
    lines += folded(f"The longest chain, {expected}: {chain}", first="  ", rest="    ")
    return lines


def _step(entry: StepEntry) -> list[str]:
    said = "; ".join(effects(entry))
    lines = folded(described(entry.step.task), first=f"{entry.number:>4}. ", rest=" " * 8)
    return lines + (folded(said, first=" " * 6, rest=" " * 8) if said else [])
