"""The JSON of a look for drift, with its schema."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.documents.records import record_of, shape_of
from nvcfplan.documents.shapes import object_schema
from nvcfplan.drifting import Finding, FindingClass, Oversubscription
from nvcfplan.model import Acknowledgement, Json, Unread, parse_json
from nvcfplan.reports import LastRun, LookOutcome

if TYPE_CHECKING:
    from nvcfplan.documents.shapes import Definitions
    from nvcfplan.drifting import Standing
    from nvcfplan.model import Remembered
    from nvcfplan.reports import DriftReport

DRIFT_FORMAT_VERSION: Final = "1.0"
_UNREAD: Final = shape_of(tuple[Unread, ...])
_POOLS: Final = shape_of(tuple[Oversubscription, ...])
_ACKNOWLEDGEMENT: Final = shape_of(Acknowledgement | None)
_TEXT: Final[dict[str, object]] = {"type": "string"}
_TIME: Final[dict[str, object]] = {"type": "string", "format": "date-time"}
_REMEMBERED: Final[dict[str, object]] = {
    **dict.fromkeys(
        ("class", "code", "severity", "address", "subject", "summary", "fingerprint"), _TEXT
    ),
    **dict.fromkeys(("first_seen", "last_seen"), _TIME),
}


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
        "previous_look": report.previous.isoformat() if report.previous else None,
        "acknowledged": len(report.acknowledged),
        "findings": [_standing(one) for one in report.standing],
        "notes": [_finding(one) for one in report.notes],
        "cleared": [_remembered(one) for one in report.cleared],
        "unseen": [_remembered(one) for one in report.unseen],
        "warnings": [
            {"code": one.code, "summary": one.summary, "detail": one.detail, "remedy": one.remedy}
            for one in report.warnings
        ],
        "not_checked": _UNREAD.encode(drift.unread if drift else ()),
        "pending": list(drift.pending if drift else ()),
        "pools": _POOLS.encode(drift.pools if drift else ()),
    }
    return json.dumps(document, indent=2, sort_keys=True).encode("ascii") + b"\n"


def drift_json_schema() -> dict[str, object]:
    """Draft-07, as published in `schemas/drift.schema.json`."""
    definitions: Definitions = {}
    note = _finding_schema(definitions)
    remembered = {"type": "array", "items": object_schema(_REMEMBERED)}
    document = object_schema(
        {
            "format_version": {"const": DRIFT_FORMAT_VERSION},
            "outcome": {"enum": [one.value for one in LookOutcome]},
            "exit_code": {"type": "integer"},
            "stack": _TEXT,
            "account": _TEXT,
            "looked_at": _TIME,
            "previous_look": {**_maybe(_TIME), "description": "null: none is remembered."},
            "last_run": {"enum": [one.value for one in LastRun]},
            "has_state": {"type": "boolean"},
            "counts": object_schema(
                {kind.value: {"type": "integer", "minimum": 0} for kind in FindingClass}
            ),
            "acknowledged": {"type": "integer", "minimum": 0},
            "findings": {"type": "array", "items": object_schema(note | _story(definitions))},
            "notes": {"type": "array", "items": object_schema(note)},
            "cleared": {**remembered, "description": "Stood at the previous look, and no more."},
            "unseen": {**remembered, "description": "Stood then, and could not be looked at."},
            "warnings": {
                "type": "array",
                "items": object_schema(
                    dict.fromkeys(("code", "summary", "detail", "remedy"), _TEXT)
                ),
            },
            "not_checked": _UNREAD.schema(definitions),
            "pending": {"type": "array", "items": _TEXT},
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


def _standing(standing: Standing) -> dict[str, object]:
    known = "known" if standing.counts else "acknowledged"
    return {
        **_finding(standing.finding),
        "status": "new" if standing.is_new and standing.counts else known,
        "first_seen": standing.first_seen.isoformat(),
        "standing_seconds": int(standing.stood.total_seconds()),
        "acknowledgement": _ACKNOWLEDGEMENT.encode(standing.acknowledgement),
    }


def _story(definitions: Definitions) -> dict[str, object]:
    return {
        "status": {"enum": ["new", "known", "acknowledged"]},
        "first_seen": _TIME,
        "standing_seconds": {"type": "integer", "minimum": 0},
        "acknowledgement": _ACKNOWLEDGEMENT.schema(definitions),
    }


def _remembered(one: Remembered) -> dict[str, object]:
    return {
        "class": one.kind,
        "code": one.code,
        "severity": one.severity,
        "address": one.address,
        "subject": one.subject,
        "summary": one.summary,
        "fingerprint": one.fingerprint,
        "first_seen": one.first_seen.isoformat(),
        "last_seen": one.last_seen.isoformat(),
    }


def _maybe(schema: dict[str, object]) -> dict[str, object]:
    return {"anyOf": [schema, {"type": "null"}]}


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
    """Its properties."""
    properties = dict(record_of(Finding).properties(definitions))
    return {
        "class": properties.pop("kind"),
        "fingerprint": _TEXT,
        **properties,
        "before": {"description": "As applied last, or as wanted; null: absent, or sensitive."},
        "after": {"description": "As found; null: absent, or sensitive."},
    }
