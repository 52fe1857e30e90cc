"""Faults of the user as values: collected, located, never thrown.

A check says *what* and *which attribute* (`Subject`); the holder of the source later resolves that
into file, line and column (`SourceMap.locate` in `located.py`). Checks never deal in lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from nvcfplan.model import Address

if TYPE_CHECKING:
    from collections.abc import Iterable

T_co = TypeVar("T_co", covariant=True)


class Severity(StrEnum):
    """`WARNING` is also what "at risk" is; `NOTE` is also what "not checked" is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Verdict(StrEnum):
    """What is known about a limit: proved broken, may break, or no reading to tell by."""

    VIOLATION = "violation"
    AT_RISK = "at-risk"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """1-based; `byte` is the 0-based offset into the file's UTF-8 text, -1 where unknown."""

    line: int
    column: int
    byte: int = -1


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to, not including, `end`. `file` is as the user named it."""

    file: str
    start: Position
    end: Position

    def __str__(self) -> str:
        return f"{self.file}:{self.start.line}:{self.start.column}"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """`path`: keys and indices as in the stack file, such as `deployment.specifications.h100.gpu`.

    An empty address is the stack itself.
    """

    address: Address
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another place that matters, such as the first of two definitions."""

    message: str
    span: Span | None = None
    subject: Subject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """`code`: stable, kebab-case, listed in the README. `summary`: what, one line with the numbers.

    `detail`: why, the facts behind it. `remedy`: how to fix, an action.
    """

    code: str
    severity: Severity
    summary: str
    detail: str = ""
    remedy: str = ""
    subject: Subject | None = None
    span: Span | None = None
    related: tuple[Related, ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Checked(Generic[T_co]):
    """A value, or none, and all that was found. None exactly when there is an error."""

    value: T_co | None
    diagnostics: tuple[Diagnostic, ...]


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def sort_key(diagnostic: Diagnostic) -> tuple[object, ...]:
    """Errors first, then by place, code and text: the order of every report."""
    rank = list(Severity).index(diagnostic.severity)
    span = diagnostic.span
    place = (span.file, span.start.line, span.start.column) if span else ("", 0, 0)
    subject = diagnostic.subject
    named = (subject.address, subject.path) if subject else ("", "")
    return (rank, *place, *named, diagnostic.code, diagnostic.summary)
