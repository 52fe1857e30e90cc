"""What `validate -json` has written, read again: by somebody else, and perhaps forged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Position, Severity, Span
from nvcfplan.documents.reading import Unreadable, parse_object
from nvcfplan.documents.report import REPORT_FORMAT_VERSION
from nvcfplan.errors import DocumentError
from nvcfplan.model import is_name
from nvcfplan.reports import validate_report

if TYPE_CHECKING:
    from nvcfplan.reports import ValidateReport

_MOST_FAULTS: Final = 10_000
_MOST_LINES: Final = 10**9
_SEVERITIES: Final = {one.value: one for one in Severity}


def decode_validate_report(data: bytes) -> ValidateReport | None:
    """None: it is no such document, whatever else it may be. Raises: DocumentError.

    Counts are counted again. Lines of files are not taken over, nor where else a fault is seen.
    """
    try:
        document = parse_object(data)
    except Unreadable:
        return None
    if "plan" in document or not isinstance(document.get("valid"), bool):
        return None
    if document.get("format_version") != REPORT_FORMAT_VERSION:
        raise _refused("its `format_version` is not " + REPORT_FORMAT_VERSION)
    faults = document.get("diagnostics")
    if not isinstance(faults, list) or len(faults) > _MOST_FAULTS:
        raise _refused("`diagnostics` is not a list that anybody reads")
    report = validate_report(
        [_diagnostic(one) for one in faults],
        lambda _: None,
        stack=_name(document, "stack"),
        environment=_name(document, "environment"),
    )
    if report.is_valid is not document["valid"]:
        raise _refused("`valid` is not what its diagnostics say")
    return report


def _name(document: dict[str, object], key: str) -> str:
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not is_name(value):
        raise _refused(f"`{key}` is no name")
    return value


def _diagnostic(value: object) -> Diagnostic:
    if not isinstance(value, dict):
        raise _refused("a diagnostic is not an object")
    severity = _text(value, "severity")
    if severity not in _SEVERITIES:
        raise _refused("a diagnostic has no known severity")
    return Diagnostic(
        code=_text(value, "code"),
        severity=_SEVERITIES[severity],
        summary=_text(value, "summary"),
        detail=_text(value, "detail"),
        remedy=_text(value, "remedy"),
        span=None if value.get("range") is None else _span(value["range"]),
    )


def _span(value: object) -> Span:
    if not isinstance(value, dict):
        raise _refused("a range is not an object")
    start, end = _position(value.get("start")), _position(value.get("end"))
    return Span(_text(value, "filename"), start, end)


def _position(value: object) -> Position:
    numbers = [value.get(name) for name in ("line", "column")] if isinstance(value, dict) else []
    line, column = (one if type(one) is int else 0 for one in numbers or (0, 0))
    if not (0 < line < _MOST_LINES and 0 < column < _MOST_LINES):
        raise _refused("a range has no line and column")
    return Position(line, column)


def _text(value: dict[str, object], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise _refused(f"`{key}` of a diagnostic is not text")
    return found


def _refused(why: str) -> DocumentError:
    return DocumentError(
        "this is not a report of `validate -json` that nvcfplan can read",
        detail=why,
        remedy="make it again, with `nvcfplan validate -json STACK > FILE`",
    )
