"""Bytes <-> values: plan, state, snapshot, journal, events, reports, with their schemas."""

from __future__ import annotations

from nvcfplan.documents.acknowledgements import encode_acknowledgements
from nvcfplan.documents.claims import decode_claims, encode_claims
from nvcfplan.documents.drift import drift_json_schema, encode_drift_report
from nvcfplan.documents.events import (
    encode_event,
    encode_log,
    encode_report_line,
    encode_stream_version,
    events_json_schema,
)
from nvcfplan.documents.journal import decode_record, decode_stamped, encode_record
from nvcfplan.documents.memory import decode_memory, encode_memory
from nvcfplan.documents.notice import encode_notice, notice_json_schema
from nvcfplan.documents.plan import (
    FORMAT_VERSION,
    Examined,
    decode_document,
    decode_plan,
    encode_plan,
    examine_document,
    plan_digest,
    plan_json_schema,
)
from nvcfplan.documents.plan_body import (
    is_applyable,
    is_complete,
)
from nvcfplan.documents.publication import decode_publication, encode_publication
from nvcfplan.documents.report import (
    REPORT_FORMAT_VERSION,
    encode_apply_report,
    encode_change_counts,
    encode_check_report,
    encode_failure,
    encode_validate_report,
    encode_verify_report,
)
from nvcfplan.documents.resource_changes import stated_function
from nvcfplan.documents.runs import encode_adoption, encode_history, encode_lock, encode_run
from nvcfplan.documents.snapshot import (
    SNAPSHOT_FORMAT_VERSION,
    decode_snapshot,
    encode_snapshot,
    snapshot_json_schema,
)
from nvcfplan.documents.state import decode_state, encode_state
from nvcfplan.documents.validation import decode_validate_report

__all__ = [
    "FORMAT_VERSION",
    "REPORT_FORMAT_VERSION",
    "SNAPSHOT_FORMAT_VERSION",
    "Examined",
    "decode_claims",
    "decode_document",
    "decode_memory",
    "decode_plan",
    "decode_publication",
    "decode_record",
    "decode_snapshot",
    "decode_stamped",
    "decode_state",
    "decode_validate_report",
    "drift_json_schema",
    "encode_acknowledgements",
    "encode_adoption",
    "encode_apply_report",
    "encode_change_counts",
    "encode_check_report",
    "encode_claims",
    "encode_drift_report",
    "encode_event",
    "encode_failure",
    "encode_history",
    "encode_lock",
    "encode_log",
    "encode_memory",
    "encode_notice",
    "encode_plan",
    "encode_publication",
    "encode_record",
    "encode_report_line",
    "encode_run",
    "encode_snapshot",
    "encode_state",
    "encode_stream_version",
    "encode_validate_report",
    "encode_verify_report",
    "events_json_schema",
    "examine_document",
    "is_applyable",
    "is_complete",
    "notice_json_schema",
    "plan_digest",
    "plan_json_schema",
    "snapshot_json_schema",
    "stated_function",
]
