"""What a command prints, and where: reports on standard output, the rest on standard error.

With `-json` standard output holds exactly one JSON document, whatever happens; of a command that
runs it holds a line for each event, and the document as the last one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.adapters.storage.planfile import write_page
from nvcfplan.applying import RunBegan, RunFinished, RunOutcome
from nvcfplan.documents import (
    REPORT_FORMAT_VERSION,
    encode_apply_report,
    encode_check_report,
    encode_failure,
    encode_plan,
    encode_report_line,
    encode_validate_report,
    encode_verify_report,
)
from nvcfplan.errors import StoreError
from nvcfplan.frontends.drawing import draw_drift, draw_plan, draw_run, draw_validation
from nvcfplan.frontends.streaming import stream
from nvcfplan.frontends.terminal import Form
from nvcfplan.model import RunId
from nvcfplan.reports import Operation, apply_report, compacted, no_snippets, validate_report
from nvcfplan.views.text import (
    render_apply,
    render_check,
    render_diagnostics,
    render_failure,
    render_footer,
    render_verify,
    safe,
)
from nvcfplan.views.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.errors import NvcfplanError
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.loading import StackReading
    from nvcfplan.located import SourceMap
    from nvcfplan.model import Snapshot
    from nvcfplan.plans import Infeasible, Plan
    from nvcfplan.reports import (
        CheckReport,
        DriftReport,
        Snippets,
        ValidateReport,
        VerifyReport,
    )
    from nvcfplan.workflows import RunResult


def report_document(terminal: Terminal, document: bytes) -> None:
    """What a command says as JSON: a document, or the last line of its stream."""
    if terminal.is_stream:
        stream(terminal, lambda now: encode_report_line(document, now))
    else:
        terminal.report(document.decode("utf-8"))


def report_validation(terminal: Terminal, reading: StackReading) -> None:
    checked = reading.stack
    functions = len(checked.value.stack.functions) if checked.value else 0
    report = _validation(reading, functions)
    if terminal.form is Form.TEXT:
        say_diagnostics(terminal, checked.diagnostics, reading.sources.snippet)
    terminal.report(draw_validation(terminal, report))


def report_faults(terminal: Terminal, reading: StackReading) -> None:
    """Of a stack that another command needed: its errors are that command's report."""
    has_form = terminal.form not in (Form.TEXT, Form.GITLAB)
    if has_form and reading.stack.value is None:
        report = _validation(reading, 0)
        if terminal.is_stream:
            report_document(terminal, encode_validate_report(report))
        else:
            terminal.report(draw_validation(terminal, report))
        if terminal.form not in (Form.MARKDOWN, Form.HTML):
            return
    say_diagnostics(terminal, reading.stack.diagnostics, reading.sources.snippet)


def _validation(reading: StackReading, functions: int) -> ValidateReport:
    return validate_report(
        reading.stack.diagnostics,
        reading.sources.snippet,
        functions=functions,
        stack=reading.name,
        environment=reading.environment,
    )


def say_diagnostics(
    terminal: Terminal, diagnostics: Sequence[Diagnostic], snippets: Snippets = no_snippets
) -> None:
    if diagnostics:
        colour, width = terminal.say_in_colour(), terminal.say_width()
        found = compacted(diagnostics) if terminal.is_compact else diagnostics
        shown = render_diagnostics(found, snippets, colour=colour, width=width)
        terminal.say(shown + "\n")


def report_error(terminal: Terminal, error: NvcfplanError, exit_code: int) -> None:
    terminal.say(render_failure(error, colour=terminal.say_in_colour(), width=terminal.say_width()))
    if terminal.wants_json:
        report_document(terminal, encode_failure(error, exit_code=exit_code))


def report_plan(
    terminal: Terminal,
    plan: Plan | Infeasible,
    sources: SourceMap | None,
    saved_to: Path | None = None,
) -> None:
    """`sources` None: of a saved plan, whose files are not at hand."""
    if terminal.wants_json:
        report_document(terminal, encode_plan(plan))
    else:
        terminal.report(draw_plan(terminal, plan, sources, saved_to))


def report_verification(terminal: Terminal, report: VerifyReport, exit_code: int) -> None:
    if terminal.wants_json:
        report_document(terminal, encode_verify_report(report, exit_code=exit_code))
        return
    terminal.report(
        render_verify(report, colour=terminal.report_in_colour(), width=terminal.report_width())
    )


def report_check(terminal: Terminal, report: CheckReport, exit_code: int) -> None:
    if terminal.wants_json:
        report_document(terminal, encode_check_report(report, exit_code=exit_code))
        return
    terminal.report(
        render_check(report, colour=terminal.report_in_colour(), width=terminal.report_width())
    )


def report_drift(terminal: Terminal, report: DriftReport, exit_code: int) -> None:
    terminal.report(draw_drift(terminal, report, exit_code=exit_code))


def report_snapshot(terminal: Terminal, snapshot: Snapshot, path: Path) -> None:
    versions = sum(len(one.versions) for one in snapshot.live)
    scope = f"{snapshot.stack}@{snapshot.environment}"
    if terminal.wants_json:
        document = {
            "format_version": REPORT_FORMAT_VERSION,
            "path": str(path),
            "stack": scope,
            "functions": len(snapshot.live),
            "versions": versions,
            "unread": [one.what.value for one in snapshot.account.unread],
        }
        terminal.report(json.dumps(document, indent=2, sort_keys=True))
        return
    for one in snapshot.account.unread:
        terminal.say(safe(f"not read: {one.what.value}: {one.reason} ({one.remedy})"))
    terminal.report(
        f"Saved the snapshot of {scope} to {safe(str(path))}:"
        f" {counted(len(snapshot.live), 'function')}, {counted(versions, 'version')}."
    )


def report_footer(terminal: Terminal, saved_to: Path | None, again: str) -> None:
    """Whether the plan was kept, and how to apply it, `again` being the options for the account.

    Nothing in a pipeline, where nobody types what comes next.
    """
    if terminal.form is not Form.TEXT or (terminal.is_automation and saved_to is None):
        return
    shown = None if saved_to is None else str(saved_to)
    terminal.report("\n" + render_footer(shown, again))


def plain_text(diagnostic: Diagnostic) -> str:
    return render_diagnostics((diagnostic,), colour=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended for the shell. `again`: the options and paths that lead back to it, None:
    nothing does.

    `page`: the file in which it is told as HTML; None: it was not asked for.
    """

    operation: Operation
    exit_code: int
    again: str | None
    page: Path | None


def report_run(terminal: Terminal, result: RunResult, ending: Ending) -> None:
    operation, exit_code = ending.operation, ending.exit_code
    report = apply_report(operation, result.plan, result.events)
    if result.state_failure is not None:
        terminal.say(_unwritten(result.state_failure, terminal))
    if ending.page is not None:
        _write_page(terminal, ending.page, draw_run(result.plan, report))
    if terminal.wants_json:
        report_document(terminal, encode_apply_report(report, exit_code=exit_code))
        return
    again = None if terminal.is_automation else ending.again
    colour, width = terminal.report_in_colour(), terminal.report_width()
    terminal.report("\n" + render_apply(report, colour=colour, width=width, again=again))


def _write_page(terminal: Terminal, path: Path, page: str) -> None:
    """That it cannot be written changes nothing of how the run ended."""
    try:
        write_page(path, page.encode("utf-8"))
    except StoreError as error:
        terminal.say(render_failure(error, colour=terminal.say_in_colour()))
    else:
        terminal.say(f"The run is told in {safe(str(path))}.")


def report_no_changes(terminal: Terminal, plan: Plan, operation: Operation) -> None:
    """There is nothing to carry out, so there is no run; the last line is what scripts look for."""
    began = RunBegan(at=0.0, run=RunId("none"), planned=(), done=(), is_resumed=False)
    finished = RunFinished(at=0.0, outcome=RunOutcome.APPLIED, causes=(), blocked=None)
    report = apply_report(operation, plan, (began, finished))
    if terminal.wants_json:
        report_document(terminal, encode_apply_report(report, exit_code=0))
        return
    colour, width = terminal.report_in_colour(), terminal.report_width()
    terminal.report("\n" + render_apply(report, colour=colour, width=width))


def report_nothing(terminal: Terminal, operation: Operation, last: RunOutcome | None) -> None:
    """Nothing to resume or undo. `last`: how the last run ended; None: there was none."""
    verb = "resume" if operation is Operation.RESUME else "roll back"
    ended = f"the last run ended as {last.value}" if last else "no run was begun"
    terminal.say(f"Nothing to {verb}: {ended}.")
    if terminal.wants_json:
        document: dict[str, object] = {
            "format_version": REPORT_FORMAT_VERSION,
            "operation": operation.value,
            "outcome": "nothing-to-do",
            "exit_code": 0,
            "last_outcome": last.value if last else None,
            "diagnostics": [],
        }
        report_document(terminal, json.dumps(document, indent=2, sort_keys=True).encode("ascii"))


def _unwritten(error: StoreError, terminal: Terminal) -> str:
    shown = render_failure(error, colour=terminal.say_in_colour(), width=terminal.say_width())
    return (
        f"{shown}\n\nThe run itself ended as reported below; its journal is complete.\n"
        "Once the state can be written again, `nvcfplan resume` writes it."
    )
