"""Diagnostics as text: what, where with the line itself and a caret, why, and how to fix it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Severity
from nvcfplan.reports import failure_diagnostic, no_snippets, validate_report
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import columns, safe
from nvcfplan.views.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.diagnostics import Diagnostic, Related, Span
    from nvcfplan.errors import NvcfplanError
    from nvcfplan.reports import Located, Snippets, ValidateReport

_GUTTER: Final = 5
_TAB: Final = "    "


def render_diagnostics(
    diagnostics: Sequence[Diagnostic],
    snippets: Snippets = no_snippets,
    *,
    colour: bool,
    width: int = WIDTH,
) -> str:
    """In report order, an empty line between two; empty when there are none."""
    report = validate_report(diagnostics, snippets)
    return _stacked([render_located(one, Ink(colour, width)) for one in report.diagnostics])


def _stacked(texts: Sequence[str]) -> str:
    """Of two that are a line each, no empty one stands between."""
    parts = list(texts[:1])
    for before, text in pairwise(texts):
        is_close = "\n" not in before and "\n" not in text
        parts += ["\n" if is_close else "\n\n", text]
    return "".join(parts)


def render_failure(error: NvcfplanError, *, colour: bool, width: int = WIDTH) -> str:
    """A failure of the world: what happened, why, how to go on."""
    return render_diagnostics([failure_diagnostic(error)], colour=colour, width=width)


def render_validate(report: ValidateReport, *, colour: bool) -> str:
    """The verdict in one line; the diagnostics are drawn apart, for they go to another stream."""
    ink = Ink(colour)
    warnings = f", {counted(report.warnings, 'warning')}" if report.warnings else ""
    if report.is_valid:
        checked = counted(report.functions, "function")
        return f"{ink.green('Success!')} The stack is valid: {checked}{warnings}."
    return f"{ink.red('Invalid.')} {counted(report.errors, 'error')}{warnings}."


def render_located(located: Located, ink: Ink) -> str:
    found = located.diagnostic
    head = f"{found.severity.value}[{safe(found.code)}]"
    lines = [f"{_severity_ink(ink, found.severity, head)}: {ink.bold(safe(found.summary))}"]
    if found.span is not None:
        lines.append(f"  --> {safe(str(found.span))}")
        lines += _snippet(found.span, located.line, ink)
    elif found.subject is not None:
        place = f"{found.subject.address} {found.subject.path}".strip()
        lines += [f"  in {safe(place)}"] if place else []
    lines += ink.folded(found.detail, first="  why: ", rest="       ") if found.detail else []
    lines += ink.folded(found.remedy, first="  fix: ", rest="       ") if found.remedy else []
    for related in found.related:
        lines += _related(related, ink)
    return "\n".join(lines)


def _severity_ink(ink: Ink, severity: Severity, text: str) -> str:
    match severity:
        case Severity.ERROR:
            return ink.red(text)
        case Severity.WARNING:
            return ink.yellow(text)
        case Severity.NOTE:
            return ink.cyan(text)


def _related(related: Related, ink: Ink) -> list[str]:
    lines = ink.folded(related.message, first="  see: ", rest="       ")
    if related.span is not None:
        lines.append(f"    --> {safe(str(related.span))}")
    elif related.subject is not None:
        lines.append(f"    in {safe(related.subject.address)}")
    return lines


def _snippet(span: Span, line: str | None, ink: Ink) -> list[str]:
    """The source line and carets under what the span covers of it, at least one."""
    if line is None:
        return []
    start = min(span.start.column - 1, len(line))
    is_one_line = span.end.line == span.start.line
    end = min(span.end.column - 1, len(line)) if is_one_line else len(line.rstrip())
    before, marked, after = (
        _drawn(line[:start]),
        _drawn(line[start : max(start, end)]),
        _drawn(line[max(start, end) :]),
    )
    if columns(before + marked + after) > ink.width - _GUTTER - 3:
        before, marked, after = _cut(before, marked, after, ink.width - _GUTTER - 3)
    carets = "^" * max(1, columns(marked))
    number = f"{span.start.line:>{_GUTTER}}"
    empty = " " * _GUTTER
    text = f"{number} | {before}{marked}{after}".rstrip()
    return [text, f"{empty} | {' ' * columns(before)}{ink.red(carets)}"]


def _drawn(text: str) -> str:
    return safe(text.replace("\t", _TAB))


def _cut(before: str, marked: str, after: str, room: int) -> tuple[str, str, str]:
    """Keeps the start of what is marked in view, with what stands around it."""
    lead = min(len(before), room // 3)
    before = f"...{before[-lead:]}" if lead < len(before) else before
    room = max(room - columns(before) - 3, 1)
    if len(marked) > room:
        return before, f"{marked[:room]}...", ""
    left = room - len(marked)
    return before, marked, after if len(after) <= left + 3 else f"{after[:left]}..."
