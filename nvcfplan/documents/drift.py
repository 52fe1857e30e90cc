"""The JSON of a look for drift, with its schema."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.documents.records import record_of, shape_of
from nvcfplan.documents.shapes import object_schema
from nvcfplan.drifting import Finding, FindingClass, Oversubscription
from nvcfplan.model import Json, Unread, parse_json
from nvcfplan.reports import LastRun, LookOutcome

if TYPE_CHECKING:
    from nvcfplan.documents.shapes import Definitions
    from nvcfplan.reports import DriftReport

DRIFT_FORMAT_VERSION: Final = "1.0"
_UNREAD: Final = shape_of(tuple[Unread, ...])
_POOLS: Final = shape_of(tuple[Oversubscription, ...])


def encode_drift_report(report: DriftReport, *, exit_code: int) -> bytes:
    """`findings` are drift, `notes` are not; `outcome` is the word for the exit code."""
    drift = report.drift
    document = {
        "format_version": DRIFT_FORMAT_VERSION,
        "outcome": report.outcome.value,
        "exit_code": exit_code,
        "stack": report.stack,
        "account": report.account,
        "looked_at": report.looked_at.isoformat(),
        "last_run": report.last_run.value,
        "has_state": report.has_state,
        "counts": {kind.value: count for kind, count in report.counts.items()},
        "findings": [_finding(one) for one in report.drifted],
        "notes": [_finding(one) for one in report.notes],
        "not_checked": _UNREAD.encode(drift.unread if drift else ()),
        "pending": list(drift.pending if drift else ()),
        "pools": _POOLS.encode(drift.pools if drift else ()),
    }
    return json.dumps(document, indent=2, sort_keys=True).encode("ascii") + b"\n"


def drift_json_schema() -> dict[str, object]:
    """Draft-07, as published in `schemas/drift.schema.json`."""
    definitions: Definitions = {}
    findings: dict[str, object] = {"type": "array", "items": _finding_schema(definitions)}
    text: dict[str, object] = {"type": "string"}
    document = object_schema(
        {
            "format_version": {"const": DRIFT_FORMAT_VERSION},
            "outcome": {"enum": [one.value for one in LookOutcome]},
            "exit_code": {"type": "integer"},
            "stack": text,
            "account": text,
            "looked_at": {"type": "string", "format": "date-time"},
            "last_run": {"enum": [one.value for one in LastRun]},
            "has_state": {"type": "boolean"},
            "counts": object_schema(
                {kind.value: {"type": "integer", "minimum": 0} for kind in FindingClass}
            ),
            "findings": findings,
            "notes": findings,
            "not_checked": _UNREAD.schema(definitions),
            "pending": {"type": "array", "items": text},
            "pools": _POOLS.schema(definitions),
        }
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nvcfplan drift report",
        "description": "What `nvcfplan drift -json` writes. A minor version adds keys.",
        **document,
        "definitions": dict(sorted(definitions.items())),
    }


def _finding(finding: Finding) -> dict[str, object]:
    """A sensitive value is shown by neither side."""
    shown = replace(finding, before=None, after=None) if finding.is_sensitive else finding
    encoded = record_of(Finding).encode(shown)
    return {
        "class": encoded.pop("kind"),
        "fingerprint": finding.fingerprint,
        **encoded,
        **{name: _value(encoded[name]) for name in ("before", "after")},
    }


def _value(text: object) -> object:
    return parse_json(Json(text)) if isinstance(text, str) else None


def _finding_schema(definitions: Definitions) -> dict[str, object]:
    properties = dict(record_of(Finding).properties(definitions))
    return object_schema(
        {
            "class": properties.pop("kind"),
            "fingerprint": {"type": "string"},
            **properties,
            "before": {"description": "As applied last, or as wanted; null: absent, or sensitive."},
            "after": {"description": "As found; null: absent, or sensitive."},
        }
    )
