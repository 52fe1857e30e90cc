"""What `-json` prints when a command ends: validation in Terraform's shape, and a run's outcome.

Lines and texts may come from anybody: JSON escapes what could hurt a terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import remedy_of
from nvcfplan.documents.records import shape_of
from nvcfplan.plans import Shortage
from nvcfplan.reports import Located, failure_diagnostic

if TYPE_CHECKING:
    from nvcfplan.applying import Blocked, Cause, Failure
    from nvcfplan.diagnostics import Position, Related, Span
    from nvcfplan.errors import NvcfplanError
    from nvcfplan.reports import ApplyReport, CheckReport, Counts, ValidateReport, VerifyReport

REPORT_FORMAT_VERSION: Final = "1.0"
_SHORTAGES: Final = shape_of(tuple[Shortage, ...])


def encode_validate_report(report: ValidateReport) -> bytes:
    """Terraform's `validate -json`, with `code`, `remedy`, `verdict` and `related` beside it, and
    of which stack it is: null where that cannot be told.
    """
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "stack": report.stack or None,
            "environment": report.environment or None,
            "valid": report.is_valid,
            "error_count": report.errors,
            "warning_count": report.warnings,
            "diagnostics": [_diagnostic(one) for one in report.diagnostics],
        }
    )


def encode_verify_report(report: VerifyReport, *, exit_code: int) -> bytes:
    """`outcome`: proved, at-risk (all but what is named there is proved), or refused."""
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "outcome": report.verdict.value,
            "exit_code": exit_code,
            "stack": report.plan.stack,
            "digest": report.digest,
            "steps": len(report.plan.steps),
            "edges": report.edges,
            "grants": report.grants,
            "resources": [
                {
                    "id": row.resource.id,
                    "peak": row.peak,
                    "peak_step": row.peak_step,
                    "limit": row.resource.limit,
                    "verdict": row.fit.value,
                }
                for row in report.plan.rows
            ],
            "diagnostics": [
                _diagnostic(Located(diagnostic=one, line=None)) for one in report.faults
            ],
        }
    )


def encode_check_report(report: CheckReport, *, exit_code: int) -> bytes:
    """`outcome`: valid, stale (`moved` says what), or no-capacity (`shortages` says how much)."""
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "outcome": report.standing.value,
            "exit_code": exit_code,
            "stack": report.stack,
            "digest": report.digest,
            "moved": [
                {
                    "address": one.address,
                    "field": one.field,
                    "planned": one.planned,
                    "found": one.found,
                }
                for one in report.moved
            ],
            "shortages": _SHORTAGES.encode(report.shortages),
        }
    )


def encode_apply_report(report: ApplyReport, *, exit_code: int) -> bytes:
    """One object at the end of apply, destroy, resume and rollback."""
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "operation": report.operation.value,
            "outcome": report.outcome.value,
            "exit_code": exit_code,
            "stack": report.stack,
            "run": report.run,
            "changes": _counts(report.counts, report.operation.value),
            "steps": [
                {"id": one.step, "status": one.fate.value, "seconds": one.seconds}
                for one in report.steps
            ],
            "undone": list(report.undone),
            "causes": [_cause(one) for one in report.causes],
            "blocked": None if report.blocked is None else _blocked(report.blocked),
            "satisfied": [
                {"address": one.address, "rung": one.number, "of": one.total, "by": one.words}
                for one in report.satisfied
            ],
            "kept": [
                {
                    "address": one.version.address,
                    "version": one.version.label,
                    "until": one.until.isoformat(),
                }
                for one in report.kept
            ],
            "resumable": report.is_open,
            "seconds": report.seconds,
        }
    )


def encode_change_counts(counts: Counts) -> bytes:
    """What GitLab shows on a merge request of its `terraform` report: counts, no names."""
    return pretty({"create": counts.added, "update": counts.changed, "delete": counts.destroyed})


def encode_failure(error: NvcfplanError, *, exit_code: int) -> bytes:
    """A failure of the world that ended a command, as one error diagnostic."""
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "outcome": "error",
            "exit_code": exit_code,
            "diagnostics": [_diagnostic(Located(diagnostic=failure_diagnostic(error), line=None))],
        }
    )


def pretty(value: object) -> bytes:
    """In ASCII, so that no character of a foreign text acts on the terminal it is printed to."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False).encode("ascii") + b"\n"


def _diagnostic(located: Located) -> dict[str, object]:
    found = located.diagnostic
    described: dict[str, object] = {
        "severity": found.severity.value,
        "summary": found.summary,
        "detail": found.detail,
        "code": found.code,
        "remedy": found.remedy,
    }
    if found.subject is not None:
        described["address"] = found.subject.address
        described["path"] = found.subject.path
    if found.verdict is not None:
        described["verdict"] = found.verdict.value
    if found.span is not None:
        described["range"] = _range(found.span)
        described["snippet"] = _snippet(found.span, located)
    if found.related:
        described["related"] = [_related(one) for one in found.related]
    return described


def _range(span: Span) -> dict[str, object]:
    return {
        "filename": span.file,
        "start": _position(span.start),
        "end": _position(span.end),
    }


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column, "byte": position.byte}


def _snippet(span: Span, located: Located) -> dict[str, object] | None:
    """Offsets into `code`, in characters; a span over several lines ends with its first."""
    if located.line is None:
        return None
    code, subject = located.line, located.diagnostic.subject
    start = min(span.start.column - 1, len(code))
    is_one_line = span.end.line == span.start.line
    end = min(span.end.column - 1, len(code)) if is_one_line else len(code)
    return {
        "context": subject.address if subject else None,
        "code": code,
        "start_line": span.start.line,
        "highlight_start_offset": start,
        "highlight_end_offset": max(start, end),
        "values": [],
    }


def _related(related: Related) -> dict[str, object]:
    return {
        "message": related.message,
        "range": None if related.span is None else _range(related.span),
        "address": None if related.subject is None else related.subject.address,
    }


def _counts(counts: Counts, operation: str) -> dict[str, object]:
    return {
        "import": counts.imported,
        "add": counts.added,
        "change": counts.changed,
        "remove": counts.destroyed,
        "operation": operation,
    }


def _cause(cause: Cause) -> dict[str, object]:
    return {"step": cause.step, "address": cause.address, **encode_failed(cause.failure)}


def _blocked(blocked: Blocked) -> dict[str, object]:
    return {
        "step": blocked.step,
        **encode_failed(blocked.failure),
        "missing": _SHORTAGES.encode(blocked.missing),
        "remaining": list(blocked.remaining),
    }


def encode_failed(failure: Failure) -> dict[str, object]:
    return {
        "kind": str(failure.kind),
        "message": failure.message,
        "remedy": remedy_of(failure) or None,
        "status": failure.status,
        "request_id": failure.request_id,
    }
