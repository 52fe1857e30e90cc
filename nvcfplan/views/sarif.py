"""Diagnostics as SARIF 2.1.0, which forges and editors read: each rule once, each place exactly."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvcfplan.diagnostics import Severity
from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.diagnostics import Diagnostic, Related, Span, Subject
    from nvcfplan.reports import Located

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render_sarif(diagnostics: Sequence[Located], *, tool_version: str) -> str:
    """In their order. Paths are as the user named the files: relative ones to where we stand."""
    codes = sorted({one.diagnostic.code for one in diagnostics})
    rules = {code: place for place, code in enumerate(codes)}
    run = {
        "tool": {
            "driver": {
                "name": "nvcfplan",
                "version": tool_version,
                "rules": [{"id": code} for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, rules[one.diagnostic.code]) for one in diagnostics],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, sort_keys=True)


def _result(located: Located, rule: int) -> dict[str, object]:
    found = located.diagnostic
    place = _location(found.span, found.subject, located.line)
    return {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": _message(found)},
        "locations": [place] if place else [],
        "relatedLocations": [_related(one, at) for at, one in enumerate(found.related, start=1)],
        "partialFingerprints": {"nvcfplan/v1": _fingerprint(found)},
    }


def _message(found: Diagnostic) -> str:
    why = [f"why: {found.detail}"] if found.detail else []
    fix = [f"fix: {found.remedy}"] if found.remedy else []
    return "\n".join(safe(line) for line in (found.summary, *why, *fix))


def _fingerprint(found: Diagnostic) -> str:
    """Of what is wrong, not of where: lines move."""
    subject = (found.subject.address, found.subject.path) if found.subject else ("", "")
    text = "\0".join((found.code, *subject, found.summary))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _location(
    span: Span | None, subject: Subject | None, line: str | None = None
) -> dict[str, object]:
    """Empty when neither a place in a file nor a name is known."""
    place: dict[str, object] = {}
    if span is not None:
        artifact = {"uri": _uri(span.file)}
        place["physicalLocation"] = {"artifactLocation": artifact, "region": _region(span, line)}
    if subject is not None and subject.address:
        name = f"{subject.address}.{subject.path}" if subject.path else subject.address
        place["logicalLocations"] = [{"fullyQualifiedName": safe(name)}]
    return place


def _region(span: Span, line: str | None) -> dict[str, object]:
    region: dict[str, object] = {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
    }
    if line is not None and span.start.line == span.end.line:
        region["snippet"] = {"text": safe(line[span.start.column - 1 : span.end.column - 1])}
    return region


def _uri(file: str) -> str:
    escaped = quote(file.replace("\\", "/"), safe="/~", errors="backslashreplace")
    return f"file://{escaped}" if escaped.startswith("/") else escaped


def _related(related: Related, number: int) -> dict[str, object]:
    return {
        "id": number,
        "message": {"text": safe(related.message)},
        **_location(related.span, related.subject),
    }
