"""Bytes <-> values: plan, state and journal documents, canonical, strict, with their schemas."""

from __future__ import annotations

from nvcfplan.documents.journal import decode_record, encode_record
from nvcfplan.documents.plan import (
    FORMAT_VERSION,
    decode_document,
    decode_plan,
    encode_plan,
    plan_digest,
    plan_json_schema,
)
from nvcfplan.documents.plan_body import (
    is_applyable,
    is_complete,
    reversible_word,
)
from nvcfplan.documents.state import decode_state, encode_state

__all__ = [
    "FORMAT_VERSION",
    "decode_document",
    "decode_plan",
    "decode_record",
    "decode_state",
    "encode_plan",
    "encode_record",
    "encode_state",
    "is_applyable",
    "is_complete",
    "plan_digest",
    "plan_json_schema",
    "reversible_word",
]
