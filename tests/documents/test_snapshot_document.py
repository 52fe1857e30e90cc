"""Snapshot documents: read back as they were, refused when anything about them is off."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from nvcfplan.documents import decode_snapshot, encode_snapshot, snapshot_json_schema
from nvcfplan.errors import DocumentError
from nvcfplan.model import Snapshot, canonical_json, digest_of
from tests.documents.arbitrary import values_of

SCHEMA = Path(__file__).parents[2] / "schemas" / "snapshot.schema.json"
_SLOW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _any(drawn: object) -> Snapshot:
    return replace(cast("Snapshot", drawn), salt="00" * 16)


@_SLOW
@given(drawn=values_of(Snapshot))
def test_a_snapshot_reads_back_as_it_was(drawn: object) -> None:
    snapshot = _any(drawn)
    encoded = encode_snapshot(snapshot)
    assert decode_snapshot(encoded) == snapshot
    assert encode_snapshot(decode_snapshot(encoded)) == encoded


@_SLOW
@given(drawn=values_of(Snapshot))
def test_any_snapshot_follows_the_published_schema(drawn: object) -> None:
    jsonschema.validate(json.loads(encode_snapshot(_any(drawn))), snapshot_json_schema())


def test_the_published_schema_is_current() -> None:
    """Rewrite it with `nvcfplan schema snapshot > schemas/snapshot.schema.json`."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == snapshot_json_schema()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b"\xff\xfe", b'{"a": 1, "a": 2}', b"[" * 100_000,
        b'{"format_version": "2.0"}',
        b'{"format_version": "1.0", "snapshot": {}, "digest": "sha256:00"}',
        b'{"format_version": "1.0", "snapshot": {}, "digest": "", "more": 1}',
    ],
)  # fmt: skip
def test_what_is_no_snapshot_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError):
        decode_snapshot(content)


def _stated(body: object) -> bytes:
    digest = digest_of(canonical_json(body))
    return json.dumps({"format_version": "1.0", "snapshot": body, "digest": digest}).encode()


@pytest.mark.parametrize("body", [None, 1, [], {}, {"stack": 1}, {"salt": "xyz"}])
def test_a_right_digest_makes_no_wrong_shape_right(body: object) -> None:
    with pytest.raises(DocumentError, match="not a snapshot"):
        decode_snapshot(_stated(body))
