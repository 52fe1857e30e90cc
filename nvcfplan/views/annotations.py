"""Diagnostics as GitHub's workflow commands, which it draws beside the lines of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Severity
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.diagnostics import Diagnostic

MOST_SHOWN: Final = 10
"""GitHub draws no more of a kind for one step of a workflow."""
_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_annotations(diagnostics: Sequence[Diagnostic]) -> str:
    """The first ten as they are ordered, one a line; the rest is counted. Empty without any."""
    lines = [_command(one) for one in diagnostics[:MOST_SHOWN]]
    left = len(diagnostics) - MOST_SHOWN
    if left > 0:
        lines.append(f"{counted(left, 'more diagnostic')}, in the report of this step.")
    return "\n".join(lines)


def _command(found: Diagnostic) -> str:
    properties = {"title": found.code}
    if found.span is not None:
        properties |= {
            "file": found.span.file,
            "line": str(found.span.start.line),
            "col": str(found.span.start.column),
            "endLine": str(found.span.end.line),
        }
        if found.span.end.line == found.span.start.line:
            properties["endColumn"] = str(found.span.end.column)
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[found.severity]} {listed}::{_message(found)}"


def _message(found: Diagnostic) -> str:
    why = [f"why: {found.detail}"] if found.detail else []
    fix = [f"fix: {found.remedy}"] if found.remedy else []
    return "%0A".join(_escaped(line) for line in (found.summary, *why, *fix))


def _escaped(text: str) -> str:
    return safe(text).replace("%", "%25")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
