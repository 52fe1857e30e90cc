"""What a receiver of notices reads: the news, and all that stands, with its schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Severity
from nvcfplan.documents.shapes import object_schema
from nvcfplan.drifting import FindingClass
from nvcfplan.model import Json, parse_json

if TYPE_CHECKING:
    from nvcfplan.drifting import Notice, Standing
    from nvcfplan.model import Remembered

NOTICE_FORMAT_VERSION: Final = "1.0"
MOST_ROWS: Final = 200
"""Of each list; `counts` has them all."""

_TYPES: Final = ("drift.changed", "drift.reminder", "drift.clean")
_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_COUNT: Final = {"type": "integer", "minimum": 0}


def encode_notice(notice: Notice, *, tool_version: str) -> bytes:
    """Values that are sensitive are not in it."""
    acknowledged = [one for one in notice.standing if not one.counts]
    document = {
        "format_version": NOTICE_FORMAT_VERSION,
        "tool_version": tool_version,
        "type": _type_of(notice),
        "id": notice.id,
        "timestamp": notice.at.isoformat(),
        "stack": notice.stack,
        "environment": notice.environment,
        "account": notice.account,
        "is_first": notice.is_first,
        "counts": {
            "appeared": len(notice.appeared),
            "cleared": len(notice.cleared),
            "standing": len(notice.standing) - len(acknowledged),
            "acknowledged": len(acknowledged),
        },
        "appeared": [_news(one) for one in notice.appeared[:MOST_ROWS]],
        "cleared": [_news(one) for one in notice.cleared[:MOST_ROWS]],
        "standing": [_standing(one) for one in notice.standing[:MOST_ROWS]],
    }
    return json.dumps(document, indent=2, sort_keys=True).encode("ascii") + b"\n"


def notice_json_schema() -> dict[str, object]:
    """Draft-07, as published in `schemas/notice.schema.json`."""
    news: dict[str, object] = {
        "class": {"enum": [one.value for one in FindingClass]},
        "code": _TEXT,
        "severity": {"enum": [Severity.ERROR.value, Severity.WARNING.value]},
        "fingerprint": _TEXT | {"description": "The same from look to look."},
        "address": _TEXT | {"description": "Empty for what is no function's alone."},
        "subject": _TEXT,
        "summary": _TEXT,
        "first_seen": _TIME,
    }
    acknowledgement = object_schema(
        {"why": _TEXT, "by": _TEXT, "until": {"type": ["string", "null"], "format": "date-time"}}
    )
    standing = news | {
        "remedy": _TEXT,
        "before": {"description": "As applied last, or as wanted; null: absent, or sensitive."},
        "after": {"description": "As found; null: absent, or sensitive."},
        "acknowledgement": {"oneOf": [{"type": "null"}, acknowledgement]},
    }
    document = object_schema(
        {
            "format_version": {"const": NOTICE_FORMAT_VERSION},
            "tool_version": _TEXT,
            "type": {"enum": list(_TYPES)},
            "id": _TEXT | {"description": "The same when a notice is repeated; webhook-id has it."},
            "timestamp": _TIME,
            "stack": _TEXT,
            "environment": _TEXT,
            "account": _TEXT,
            "is_first": {"type": "boolean", "description": "Nothing was told here before."},
            "counts": object_schema(
                {name: _COUNT for name in ("appeared", "cleared", "standing", "acknowledged")}
            ),
            "appeared": _list(news),
            "cleared": _list(news),
            "standing": _list(standing),
        }
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nvcfplan notice of drift",
        "description": "What `nvcfplan drift -webhook` posts. A minor version adds keys.",
        **document,
    }


def _type_of(notice: Notice) -> str:
    changed, reminder, clean = _TYPES
    if notice.is_clean:
        return clean
    return reminder if notice.is_reminder else changed


def _news(remembered: Remembered) -> dict[str, object]:
    return {
        "class": remembered.kind,
        "code": remembered.code,
        "severity": remembered.severity,
        "fingerprint": remembered.fingerprint,
        "address": remembered.address,
        "subject": remembered.subject,
        "summary": remembered.summary,
        "first_seen": remembered.first_seen.isoformat(),
    }


def _standing(standing: Standing) -> dict[str, object]:
    finding, known = standing.finding, standing.acknowledgement
    until = known.until.isoformat() if known and known.until else None
    return {
        "class": finding.kind.value,
        "code": finding.code,
        "severity": finding.severity.value,
        "fingerprint": finding.fingerprint,
        "address": finding.address,
        "subject": finding.subject,
        "summary": finding.summary,
        "first_seen": standing.first_seen.isoformat(),
        "remedy": finding.remedy,
        "before": _value(finding.before, is_sensitive=finding.is_sensitive),
        "after": _value(finding.after, is_sensitive=finding.is_sensitive),
        "acknowledgement": {"why": known.why, "by": known.by, "until": until} if known else None,
    }


def _value(side: Json | None, *, is_sensitive: bool) -> object:
    return None if side is None or is_sensitive else parse_json(side)


def _list(row: dict[str, object]) -> dict[str, object]:
    return {"type": "array", "items": object_schema(row), "maxItems": MOST_ROWS}
