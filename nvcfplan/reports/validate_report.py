"""What `validate` found, with the lines it points at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Span, sort_key

if TYPE_CHECKING:
    from nvcfplan.errors import NvcfplanError

Snippets = Callable[[Span], str | None]
"""The source line in which a span starts; None where the file is not at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """`line`: the source line of the diagnostic's span."""

    diagnostic: Diagnostic
    line: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateReport:
    """`functions`: how many the stack has. Diagnostics as `sort_key` orders them.

    `stack` empty: what it is called cannot be told.
    """

    is_valid: bool
    errors: int
    warnings: int
    diagnostics: tuple[Located, ...]
    functions: int
    stack: str = ""
    environment: str = ""


def no_snippets(_span: Span) -> None:
    """For diagnostics whose files are not at hand."""


def failure_diagnostic(error: NvcfplanError) -> Diagnostic:
    """A failure of the world in the form in which faults of the user are shown."""
    return Diagnostic(
        code=error.code,
        severity=Severity.ERROR,
        summary=error.summary,
        detail=error.detail,
        remedy=error.remedy,
    )


def validate_report(
    diagnostics: Sequence[Diagnostic],
    snippets: Snippets,
    *,
    functions: int = 0,
    stack: str = "",
    environment: str = "",
) -> ValidateReport:
    severities = [one.severity for one in diagnostics]
    errors = severities.count(Severity.ERROR)
    return ValidateReport(
        is_valid=errors == 0,
        errors=errors,
        warnings=severities.count(Severity.WARNING),
        diagnostics=tuple(
            Located(diagnostic=one, line=snippets(one.span) if one.span else None)
            for one in sorted(diagnostics, key=sort_key)
        ),
        functions=functions,
        stack=stack,
        environment=environment,
    )
