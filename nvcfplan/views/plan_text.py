"""A plan as text: what callers will notice, what differs, the steps, capacity, the risks."""

from __future__ import annotations

import shlex
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan.plans import Irreversible, Reversible
from nvcfplan.reports import Fit, Outlook, no_snippets
from nvcfplan.views.capacity_text import (
    draw_capacity,
    draw_demand,
    draw_interruptions,
    draw_readings,
    draw_shortages,
    draw_traffic,
    draw_verdicts,
)
from nvcfplan.views.change_text import draw_function, draw_function_line, fate
from nvcfplan.views.choice_text import draw_alternatives, draw_strategies
from nvcfplan.views.diagnostic_text import render_diagnostics
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.sentences import (
    NO_CHANGES,
    NO_RETURN,
    alike,
    alternatives_title,
    chain,
    confidence,
    doubts,
    edits,
    effects,
    refusal,
    summary,
)
from nvcfplan.views.wording import charged, counted, described, lasting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.plans import Change
    from nvcfplan.reports import PlanReport, Snippets, StepEntry


MOST_LINES: Final = 20
"""So many functions have a line each in a summary; of more those are put together that are alike.
"""


class Level(StrEnum):
    """SUMMARY: what a reviewer must not miss. FULL: also what stays, and how steps are undone."""

    SUMMARY = "summary"
    DEFAULT = "default"
    FULL = "full"


def render_plan(
    report: PlanReport,
    snippets: Snippets = no_snippets,
    *,
    colour: bool,
    width: int = WIDTH,
    level: Level = Level.DEFAULT,
) -> str:
    """All of it, the plan's diagnostics included: a front end has nothing to add."""
    ink = Ink(colour, width)
    faults = render_diagnostics(report.faults, snippets, colour=colour, width=width)
    parts: list[Iterable[str]] = [[faults] if faults else []]
    is_brief = level is Level.SUMMARY
    parts += _brief(report, ink) if is_brief else _whole(report, ink, is_full=level is Level.FULL)
    return "\n\n".join("\n".join(part) for part in parts if part)


def _whole(report: PlanReport, ink: Ink, *, is_full: bool) -> list[list[str]]:
    parts: list[list[str]] = []
    match report.outlook:
        case Outlook.CHANGES:
            parts += _changes(report, ink, is_full=is_full)
        case Outlook.NO_CHANGES:
            parts.append([ink.green(NO_CHANGES)])
        case Outlook.REFUSED:
            refused = ink.folded(_REFUSED, first="", rest="")
            parts += [_differences(report, ink, is_full=is_full), [*map(ink.red, refused)]]
        case Outlook.INFEASIBLE:
            parts += [_differences(report, ink, is_full=is_full), _infeasible(report, ink)]
        case _:
            assert_never(report.outlook)
    parts += [_unchanged(report, ink)] if is_full else []
    if report.outlook in (Outlook.INFEASIBLE, Outlook.REFUSED):
        parts += [
            draw_strategies(report.strategies, ink),
            draw_alternatives(alternatives_title(report), report.alternatives, ink),
        ]
    parts += [draw_verdicts(title, found, ink) for title, found in doubts(report)]
    return [*parts, draw_readings(report, ink)]


def _brief(report: PlanReport, ink: Ink) -> list[list[str]]:
    """A line for each function, and of the limits only those that are in doubt."""
    tight = [row for row in report.rows if row.fit is not Fit.FITS]
    changes = [entry.change for entry in report.functions]
    lines = [line for each in _grouped(changes) for line in draw_function_line(each, ink)]
    said = [f"{title}: {len(alike(found))}" for title, found in doubts(report)]
    verdict = [ink.green(NO_CHANGES)]
    if report.outlook is Outlook.CHANGES:
        verdict = [ink.bold(summary(report.counts)), *_scope(report, ink)]
    elif report.outlook is not Outlook.NO_CHANGES:
        verdict = [ink.red(refusal(report))]
    return [
        draw_interruptions(report, ink),
        _edits(report, ink),
        lines,
        verdict,
        draw_shortages(report.shortages, ink),
        draw_capacity(replace(report, rows=tuple(tight)), ink),
        [f"{'; '.join(said)}. What they are: without -summary."] if said else [],
    ]


def _grouped(changes: Sequence[Change]) -> list[Sequence[Change]]:
    """Few changes each by itself; many by what becomes of them."""
    if len(changes) <= MOST_LINES:
        return [(one,) for one in changes]
    alike: dict[str, list[Change]] = {}
    for one in changes:
        alike.setdefault(fate(one), []).append(one)
    return list(alike.values())


def _scope(report: PlanReport, ink: Ink) -> list[str]:
    steps = counted(len(report.steps), "step")
    about = f"{steps}, about {lasting(report.expected_seconds)}. " if report.steps else ""
    return ink.folded(f"{about}{confidence(report)}", first="", rest="")


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


def _changes(report: PlanReport, ink: Ink, *, is_full: bool) -> list[list[str]]:
    return [
        draw_interruptions(report, ink),
        _edits(report, ink),
        draw_strategies(report.strategies, ink),
        _differences(report, ink, is_full=is_full),
        [ink.bold(summary(report.counts)), *_count_unchanged(report, ink)],
        _steps(report, ink, is_full=is_full),
        draw_capacity(report, ink),
        draw_demand(report, ink),
        draw_traffic(report, ink),
        draw_alternatives(alternatives_title(report), report.alternatives, ink),
    ]


def _edits(report: PlanReport, ink: Ink) -> list[str]:
    found = edits(report)
    if not found:
        return []
    lines = [ink.yellow("Note: changed outside nvcfplan since the last apply")]
    for address, paths in found:
        lines += ink.folded(f"{address}: {paths}", first="  ", rest="    ")
    return lines


def _count_unchanged(report: PlanReport, ink: Ink) -> list[str]:
    if not report.unchanged:
        return []
    unchanged = len(report.unchanged)
    stays = "stays as it is" if unchanged == 1 else "stay as they are"
    return [ink.faint(f"{counted(unchanged, 'function')} {stays}.")]


def _unchanged(report: PlanReport, ink: Ink) -> list[str]:
    if not report.unchanged:
        return []
    return [ink.bold("Unchanged:"), *(f"  {safe(address)}" for address in report.unchanged)]


def _differences(report: PlanReport, ink: Ink, *, is_full: bool) -> list[str]:
    if not report.functions:
        return []
    is_certain = report.outlook is Outlook.CHANGES
    lines = [
        "nvcfplan will perform the following actions:" if is_certain else "What differs:",
    ]
    for entry in report.functions:
        lines += ["", *draw_function(entry, ink, shows_kept=is_full)]
    return lines


def _infeasible(report: PlanReport, ink: Ink) -> list[str]:
    title = "No order was found in which these changes fit. Nothing was changed."
    return [
        *map(ink.red, ink.folded(title, first="", rest="")),
        *draw_shortages(report.shortages, ink),
    ]


def _steps(report: PlanReport, ink: Ink, *, is_full: bool) -> list[str]:
    if not report.steps:
        return []
    expected = lasting(report.expected_seconds)
    lines = [ink.bold(f"Steps ({len(report.steps)}, about {expected}):")]
    for entry in report.steps:
        lines += _step(entry, ink)
        lines += _undoing(entry, ink) if is_full else []
        if entry.number in report.point_of_no_return:
            lines += map(ink.yellow, ink.folded(NO_RETURN, first=" " * 6, rest=" " * 8))
    decisive = chain(report)
    lines += ink.folded(f"The longest chain, {expected}: {decisive}", first="  ", rest="    ")
    return lines


def _step(entry: StepEntry, ink: Ink) -> list[str]:
    said = "; ".join(effects(entry))
    lines = ink.folded(described(entry.step.task), first=f"{entry.number:>4}. ", rest=" " * 8)
    return lines + (ink.folded(said, first=" " * 6, rest=" " * 8) if said else [])


def _undoing(entry: StepEntry, ink: Ink) -> list[str]:
    step = entry.step
    said = f"{step.id}; at most {lasting(step.limit_seconds)}"
    match step.undo:
        case Reversible(tasks=tasks, needs=needs):
            how = "; ".join(described(task) for task in tasks) or "nothing to undo"
            needed = f"; needs {charged(needs)}" if needs else ""
            said = f"{said}; undo: {how}{needed}"
        case Irreversible(why=why):
            said = f"{said}; no undo: {why}"
    return ink.folded(said, first=" " * 6, rest=" " * 8)
