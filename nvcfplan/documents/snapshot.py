"""The snapshot document, `{format_version, snapshot, digest}`: what an offline plan is made from.

It may come from anybody: size, shape and digest are checked before anything is made of it.
"""

from __future__ import annotations

from typing import Final

from nvcfplan.documents.reading import Unreadable, canonical_bytes, parse_object
from nvcfplan.documents.records import record_of
from nvcfplan.documents.shapes import Definitions, ShapeError, object_schema
from nvcfplan.errors import DocumentError
from nvcfplan.model import Snapshot, canonical_json, digest_of

SNAPSHOT_FORMAT_VERSION: Final = "1.0"
_FIELDS: Final = frozenset({"format_version", "snapshot", "digest"})


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Raises: TypeError when a secret value is in it, which is a bug of the caller."""
    body = record_of(Snapshot).encode(snapshot)
    return canonical_bytes(
        {
            "format_version": SNAPSHOT_FORMAT_VERSION,
            "snapshot": body,
            "digest": digest_of(canonical_json(body)),
        }
    )


def decode_snapshot(data: bytes) -> Snapshot:
    """Raises: DocumentError."""
    try:
        document = parse_object(data)
    except Unreadable as error:
        raise _refused(str(error)) from error
    version = document.get("format_version")
    if version != SNAPSHOT_FORMAT_VERSION:
        raise _refused(f"it is not of format {SNAPSHOT_FORMAT_VERSION}")
    if document.keys() != _FIELDS:
        raise _refused("it is not `{format_version, snapshot, digest}`")
    if document["digest"] != digest_of(canonical_json(document["snapshot"])):
        raise _refused("its digest does not match: it was altered, or is not whole")
    try:
        found = record_of(Snapshot).decode(document["snapshot"])
        assert isinstance(found, Snapshot)
        bytes.fromhex(found.salt)
    except ShapeError as error:
        raise _refused(f"at `snapshot.{error.path}`: expected {error.expected}") from error
    except ValueError as error:
        raise _refused("at `snapshot.salt`: expected hexadecimal digits") from error
    return found


def snapshot_json_schema() -> dict[str, object]:
    """Draft-07, as published in `schemas/snapshot.schema.json`."""
    definitions: Definitions = {}
    document = object_schema(
        {
            "format_version": {"const": SNAPSHOT_FORMAT_VERSION},
            "snapshot": record_of(Snapshot).schema(definitions),
            "digest": {"type": "string"},
        }
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nvcfplan snapshot document",
        "description": "What `nvcfplan snapshot -out=FILE` writes and `plan -offline=FILE` reads.",
        **document,
        "definitions": dict(sorted(definitions.items())),
    }


def _refused(why: str) -> DocumentError:
    return DocumentError(
        "this is not a snapshot that nvcfplan can read",
        detail=why,
        remedy="take it again, with `nvcfplan snapshot -out=FILE`",
    )
