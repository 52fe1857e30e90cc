"""What is wrong in one document, by path; where that is in the file is resolved at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Related, Severity, Subject
from nvcfplan.located import Path
from nvcfplan.model import Address, function_address

if TYPE_CHECKING:
    from nvcfplan.located import Located


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`at_key`: the key itself is meant, not its value. `related`: message and path of others."""

    code: str
    path: Path
    summary: str
    detail: str = ""
    remedy: str = ""
    severity: Severity = Severity.ERROR
    at_key: bool = False
    related: tuple[tuple[str, Path], ...] = ()


def located(finding: Finding, document: Located) -> Diagnostic:
    span = document.key_span if finding.at_key else document.span
    return Diagnostic(
        code=finding.code,
        severity=finding.severity,
        summary=finding.summary,
        detail=finding.detail,
        remedy=finding.remedy,
        subject=subject_of(finding.path),
        span=span(finding.path),
        related=tuple(
            Related(message=message, span=document.span(path), subject=subject_of(path))
            for message, path in finding.related
        ),
    )


def subject_of(path: Path) -> Subject:
    """Under `functions.KEY` the function is the subject, else the stack."""
    if len(path) >= 2 and path[0] == "functions":
        return Subject(function_address(str(path[1])), dotted(path[2:]))
    return Subject(Address(""), dotted(path))


def dotted(path: Path) -> str:
    """`deployment.specifications.h100.regions[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
