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
MOST_RESULTS: Final = 25_000
"""A forge refuses a run of more. Source: docs.github.com, "SARIF support for code scanning"."""
_ANYWHERE: Final = "."
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render_sarif(diagnostics: Sequence[Located], *, tool_version: str, place: str = "") -> str:
    """In their order. Paths are as the user named the files: relative ones to where we stand.

    `place`: the file to point at for what has no place of its own; empty: the first that is named.
    Forges refuse all of a document in which one result points at no file.
    """
    named = (one.diagnostic.span.file for one in diagnostics if one.diagnostic.span)
    home = place or next(named, _ANYWHERE)
    left = len(diagnostics) - MOST_RESULTS
    diagnostics = diagnostics[:MOST_RESULTS]
    codes = sorted({one.diagnostic.code for one in diagnostics})
    rules = {code: place for place, code in enumerate(codes)}
    run: dict[str, object] = {
        "tool": {
            "driver": {
                "name": "nvcfplan",
                "version": tool_version,
                "rules": [{"id": code} for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, rules[one.diagnostic.code], home) for one in diagnostics],
    }
    if left > 0:
        run["properties"] = {"leftOut": left}
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, sort_keys=True)


def _result(located: Located, rule: int, home: str) -> dict[str, object]:
    found = located.diagnostic
    place = _location(found.span, found.subject, located.line)
    place.setdefault("physicalLocation", {"artifactLocation": {"uri": _uri(home)}})
    return {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": _message(found)},
        "locations": [place],
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
    """As far as a place in a file and a name are known."""
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
