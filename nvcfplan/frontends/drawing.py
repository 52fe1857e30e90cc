"""A plan, or what was found in a stack's files, in the form that was asked for.

Each view is loaded only where it is wanted: templates and their library are slow to load.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from nvcfplan import __version__
from nvcfplan.diagnostics import Subject
from nvcfplan.documents import (
    encode_change_counts,
    encode_drift_report,
    encode_plan,
    encode_validate_report,
    plan_digest,
)
from nvcfplan.frontends.terminal import Form
from nvcfplan.model import Address, Digest
from nvcfplan.plans import Infeasible
from nvcfplan.reports import CommentFrame, compact_report, no_snippets, plan_report, validate_report
from nvcfplan.views.text import Level, render_drift, render_plan, render_validate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.located import SourceMap
    from nvcfplan.plans import Plan
    from nvcfplan.reports import ApplyReport, DriftReport, Located, ValidateReport


def draw_plan(
    terminal: Terminal,
    plan: Plan | Infeasible,
    sources: SourceMap | None,
    saved_to: Path | None = None,
) -> str:
    """`sources` None: of a saved plan, whose files are not at hand."""
    snippets = no_snippets if sources is None else sources.snippet
    report = plan_report(plan if sources is None else located(plan, sources))
    match terminal.form:
        case Form.TEXT:
            return render_plan(
                compact_report(report) if terminal.is_compact else report,
                snippets,
                colour=terminal.report_in_colour(),
                width=terminal.report_width(),
                level=Level(terminal.level),
            )
        case Form.JSON:
            return encode_plan(plan).decode("utf-8")
        case Form.MARKDOWN:
            from nvcfplan.views.markdown import draw_comment

            return draw_comment(report, frame_of(plan, saved_to), budget=terminal.most_bytes)
        case Form.HTML:
            from nvcfplan.views.html import Page, draw_page

            return draw_page(Page(report=report, frame=frame_of(plan), snippets=snippets))
        case Form.SARIF | Form.GITHUB:
            found = (*report.faults, *report.at_risk, *report.not_checked, *report.notes)
            shown = validate_report(found, snippets).diagnostics
            return draw_diagnostics(terminal.form, shown, _home(sources))
        case Form.GITLAB:
            return encode_change_counts(report.counts).decode("ascii")
        case _:
            assert_never(terminal.form)


def draw_run(plan: Plan, run: ApplyReport) -> str:
    """As a page of HTML: what was planned, and what became of it."""
    from nvcfplan.views.html import Page, draw_page

    report = plan_report(plan)
    return draw_page(Page(report=report, frame=frame_of(plan), snippets=no_snippets, run=run))


def draw_drift(terminal: Terminal, report: DriftReport, *, exit_code: int) -> str:
    match terminal.form:
        case Form.JSON:
            return encode_drift_report(report, exit_code=exit_code).decode("ascii")
        case Form.MARKDOWN:
            from nvcfplan.views.drift_markdown import draw_drift as draw_markdown

            return draw_markdown(report, budget=terminal.most_bytes)
        case Form.HTML:
            from nvcfplan.views.drift_html import draw_drift_page

            return draw_drift_page(report)
        case _:
            return render_drift(
                report, colour=terminal.report_in_colour(), width=terminal.report_width()
            )


def draw_validation(terminal: Terminal, report: ValidateReport) -> str:
    match terminal.form:
        case Form.JSON:
            return encode_validate_report(report).decode("utf-8")
        case Form.SARIF | Form.GITHUB:
            return draw_diagnostics(terminal.form, report.diagnostics)
        case Form.MARKDOWN:
            from nvcfplan.views.faults_markdown import draw_faults

            return draw_faults(report, _frame_of_faults(report), budget=terminal.most_bytes)
        case Form.HTML:
            from nvcfplan.views.html import draw_faults_page

            return draw_faults_page(report, _frame_of_faults(report))
        case _:
            return render_validate(report, colour=terminal.report_in_colour())


def draw_diagnostics(form: Form, found: Sequence[Located], home: str = "") -> str:
    """As SARIF, or as commands of GitHub's. `home`: the file that speaks for the whole stack."""
    if form is Form.GITHUB:
        from nvcfplan.views.annotations import render_annotations

        return render_annotations([one.diagnostic for one in found])
    from nvcfplan.views.sarif import render_sarif

    return render_sarif(found, tool_version=__version__, place=home)


def _home(sources: SourceMap | None) -> str:
    span = None if sources is None else sources.locate(Subject(Address(""), ""))
    return "" if span is None else span.file


def _frame_of_faults(report: ValidateReport) -> CommentFrame:
    return CommentFrame(
        stack=report.stack,
        environment=report.environment,
        digest=Digest(""),
        tool_version=__version__,
    )


def frame_of(plan: Plan | Infeasible, saved_to: Path | None = None) -> CommentFrame:
    """What a plan says of itself beside what it would do, and how it is carried out."""
    made = plan.plan if isinstance(plan, Infeasible) else plan
    return CommentFrame(
        stack=made.desired.name,
        environment=made.desired.environment,
        digest=plan_digest(plan),
        tool_version=made.provenance.tool_version,
        apply="" if saved_to is None else f"run `nvcfplan apply {shlex.quote(str(saved_to))}`.",
    )


def located(plan: Plan | Infeasible, sources: SourceMap) -> Plan | Infeasible:
    """With the places in the stack's files, which the document leaves out: they are not content."""
    if isinstance(plan, Infeasible):
        placed = located(plan.plan, sources)
        assert not isinstance(placed, Infeasible)
        return replace(plan, plan=placed)
    diagnostics = tuple(
        replace(one, span=sources.locate(one.subject))
        if one.span is None and one.subject is not None
        else one
        for one in plan.diagnostics
    )
    return replace(plan, diagnostics=diagnostics)
