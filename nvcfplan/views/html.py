"""A plan, and the run that carried it out, as one page that needs nothing else: no script, no
network, no font. It reads in light, in dark, on a telephone and on paper.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Final, assert_never

from markupsafe import Markup

from nvcfplan.applying import RunOutcome, remedy_of
from nvcfplan.diagnostics import Severity
from nvcfplan.reports import (
    ApplyReport,
    CommentFrame,
    Fit,
    Outlook,
    PlanReport,
    Snippets,
    StepFate,
    ValidateReport,
    find_curves,
    find_lanes,
)
from nvcfplan.views import sentences
from nvcfplan.views.apply_text import ending
from nvcfplan.views.change_text import draw_body, fate, symbol_of
from nvcfplan.views.charts import bar, capacity_chart, total_seconds
from nvcfplan.views.choice_text import alternative, strategy
from nvcfplan.views.event_text import failure_text
from nvcfplan.views.ink import Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.templating import Medium, compiled, html_quoting, html_text
from nvcfplan.views.wording import deed, described, lasting, subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jinja2 import Template

    from nvcfplan.diagnostics import Diagnostic, Span
    from nvcfplan.model import StepId
    from nvcfplan.reports import Curve, FunctionEntry, Interruption, Lane, Stretch

MOST_CHARTS: Final = 40
MOST_OPEN: Final = 20
"""With more changes than that each difference is folded away."""
_TICKS: Final = 4
_LATE: Final = 1.5
_TIGHTEST_FIRST: Final = (Fit.VIOLATION, Fit.AT_RISK, Fit.NOT_CHECKED, Fit.FITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`run` None: the plan has not been carried out. `snippets`: the lines of the stack's files."""

    report: PlanReport
    frame: CommentFrame
    snippets: Snippets
    run: ApplyReport | None = None


def draw_page(page: Page) -> str:
    """Ends in a newline. The same reports give the same bytes."""
    report, numbers = page.report, _numbers(page)
    verdict, tone = _verdict(page)
    head, cells = sentences.capacity_table(report)
    drawn = _template("report.html.j2").render(
        title=_title(page),
        frame=page.frame,
        report=report,
        run=page.run,
        verdict=verdict,
        tone=tone,
        causes=_causes(page.run),
        conflicts=page.frame.conflicts,
        edits=sentences.edits(report),
        faults=[(one, page.snippets(one.span) if one.span else None) for one in report.faults],
        alternatives_title=sentences.alternatives_title(report),
        head=head,
        cells=cells,
        charts=_charts(page),
        not_drawn=sentences.not_drawn(page.run),
        numbers=numbers,
        no_return=sentences.NO_RETURN,
        most_open=MOST_OPEN,
        traffic=sentences.traffic_of(report),
        demand=sentences.demand_of(report),
        doubts=[(title, sentences.alike(found)) for title, found in sentences.doubts(report)],
        gap_times=partial(_gap_times, numbers),
        given_up=partial(sentences.given_up, report),
        **_timeline(page),
    )
    return drawn.rstrip("\n") + "\n"


def draw_faults_page(report: ValidateReport, frame: CommentFrame) -> str:
    """Of a stack that does not read. Ends in a newline."""
    groups = [
        (title, [(one.diagnostic, one.line) for one in found])
        for title, found in sentences.by_severity(report)
    ]
    drawn = _template("faults.html.j2").render(
        title=f"No plan for {frame.stack or 'the stack'} in environment {frame.environment}",
        frame=frame,
        verdict=sentences.validation(report),
        tone="bad" if report.errors else "",
        groups=groups,
    )
    return drawn.rstrip("\n") + "\n"


def _numbers(page: Page) -> Mapping[StepId, int]:
    return sentences.numbers_of(page.report)


def _title(page: Page) -> str:
    what = "Plan for" if page.run is None else f"{page.run.operation.value.capitalize()} of"
    return f"{what} {page.frame.stack} in environment {page.frame.environment}"


def _verdict(page: Page) -> tuple[list[str], str]:
    """In words, and whether that is good, bad or neither."""
    report, run = page.report, page.run
    if run is not None:
        tone = "good" if run.outcome is RunOutcome.APPLIED else "bad"
        return [ending(run, Ink(False)), f"It took {lasting(run.seconds)}."], tone
    planned = sentences.summary(report.counts)
    match report.outlook:
        case Outlook.NO_CHANGES:
            return [sentences.NO_CHANGES], "good"
        case Outlook.CHANGES:
            expected = f"About {lasting(report.expected_seconds)}. " if report.steps else ""
            is_sure = all(row.fit is Fit.FITS for row in report.rows)
            return [planned, f"{expected}{sentences.confidence(report)}"], "" if is_sure else "warn"
        case Outlook.REFUSED | Outlook.INFEASIBLE:
            return [sentences.refusal(report), planned], "bad"
        case _:
            assert_never(report.outlook)


def _causes(run: ApplyReport | None) -> list[list[str]]:
    if run is None:
        return []
    found = []
    for cause in run.causes:
        head = f"{deed(cause.task)} of {subject_of(cause.task)} failed"
        remedy = remedy_of(cause.failure)
        told = [head, f"why: {failure_text(cause.failure)}"]
        found.append([*told, *([f"try: {remedy}"] if remedy else [])])
    if run.blocked is not None:
        where = f"at {run.blocked.step}" if run.blocked.step else "as a whole"
        lines = [f"Blocked {where}", f"why: {failure_text(run.blocked.failure)}"]
        lines += [sentences.missing(one) for one in run.blocked.missing]
        lines += [f"still to do: {', '.join(run.blocked.remaining)}"]
        found.append(lines)
    return found


def _charts(page: Page) -> list[tuple[Curve, object]]:
    """The tightest first, then as in the table."""
    report, run = page.report, page.run
    curves = sorted(
        find_curves(report, run), key=lambda one: (_TIGHTEST_FIRST.index(one.row.fit), _room(one))
    )
    drawn = [one for one in curves if len(one.levels) > 1][:MOST_CHARTS]
    seconds = max(float(report.expected_seconds), total_seconds(find_lanes(report, run)))
    return [(one, capacity_chart(one, seconds)) for one in drawn]


def _room(curve: Curve) -> float:
    limit = curve.row.resource.limit
    return float("inf") if limit is None else (limit - curve.row.peak) / max(limit, 1)


def _timeline(page: Page) -> dict[str, object]:
    lanes = find_lanes(page.report, page.run)
    seconds = total_seconds(lanes)
    drawn = [
        (
            entry,
            lane,
            bar(lane.expected, seconds),
            None if lane.actual is None else bar(lane.actual, seconds),
        )
        for entry, lane in zip(page.report.steps, lanes, strict=True)
    ]
    ticks = [lasting(round(seconds * one / _TICKS)) for one in range(_TICKS + 1)]
    chain = f"{lasting(page.report.expected_seconds)}: {sentences.chain(page.report)}"
    return {"lanes": drawn, "ticks": ticks, "chain": chain}


def _window(stretch: Stretch) -> str:
    return f"{lasting(stretch.begins)} to {lasting(stretch.ends)}"


def _fate(lane: Lane) -> str:
    expected = lasting(lane.expected.ends - lane.expected.begins)
    took = "" if lane.actual is None else lasting(lane.actual.ends - lane.actual.begins)
    match lane.fate:
        case StepFate.DONE:
            return f"done in {took}, expected {expected}"
        case StepFate.ADOPTED:
            return f"found done after {took}"
        case StepFate.FAILED:
            return f"failed after {took}"
        case StepFate.DONE_BEFORE:
            return "done by an earlier part of the run"
        case StepFate.UNKNOWN:
            return "sent, its end is not known"
        case StepFate.NOT_STARTED:
            return "not started"
        case StepFate.SUPERSEDED:
            return "given up: a rung of the ladder took its place"
        case None:
            return ""
        case _:
            assert_never(lane.fate)


def _is_late(lane: Lane) -> bool:
    if lane.actual is None:
        return False
    expected = lane.expected.ends - lane.expected.begins
    return lane.actual.ends - lane.actual.begins > max(expected * _LATE, expected + 30)


def _diff(entry: FunctionEntry) -> Iterator[tuple[str, str]]:
    """Each line with its kind; its sign says the same."""
    lines = draw_body(entry, Ink(False))
    kinds = {"+ ": "add", "- ": "del", "~ ": "mod"}
    for line in lines:
        yield kinds.get(line.lstrip()[:2], "same"), line.removeprefix("  ")


def _tone(found: Diagnostic) -> str:
    match found.severity:
        case Severity.ERROR:
            return "bad"
        case Severity.WARNING:
            return "warn"
        case Severity.NOTE:
            return "note"


def _anchor(span: Span) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", span.file)
    return f"line-{name}-{span.start.line}-{span.start.column}"


def _marked(line: str, span: Span) -> Markup:
    """The source line with its number, what the span covers of it set off."""
    start = min(span.start.column - 1, len(line))
    is_one_line = span.end.line == span.start.line
    end = max(start, min(span.end.column - 1, len(line)) if is_one_line else len(line.rstrip()))
    parts = [
        safe(part.replace("\t", "    ")) for part in (line[:start], line[start:end], line[end:])
    ]
    return Markup("{} | {}<mark>{}</mark>{}").format(span.start.line, *parts)


def _gap_times(numbers: Mapping[StepId, int], gap: Interruption) -> str:
    return sentences.gap_times(gap, numbers)


@cache
def _template(name: str) -> Template:
    filters: dict[str, Callable[..., object]] = {
        "downtime_title": sentences.downtime_title,
        "destroys_title": sentences.destroys_title,
        "faults_title": sentences.faults_title,
        "retaken": sentences.retaken,
        "quoting": html_quoting,
        "missing": sentences.missing,
        "users": sentences.users,
        "alternative": alternative,
        "strategy": strategy,
        "described": lambda entry: described(entry.step.task),
        "effects": lambda entry: "; ".join(sentences.effects(entry)),
        "promised": sentences.promised,
        "reading": sentences.reading,
        "symbol": symbol_of,
        "change_words": fate,
        "diff": _diff,
        "tone": _tone,
        "anchor": _anchor,
        "marked": _marked,
        "window": _window,
        "fate": _fate,
        "is_late": _is_late,
    }
    return compiled(name, Medium(draw=html_text, filters=filters))
