"""What a plan claims, as one line that a comment carries for the plans of other requests.

Compressed, bounded and with a digest. Whoever reads it treats it as anybody's: what does not read
is as if it were not there.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from dataclasses import replace
from typing import Final

from nvcfplan.documents.reading import Unreadable, parse_object
from nvcfplan.documents.records import record_of
from nvcfplan.documents.shapes import ShapeError
from nvcfplan.model import canonical_json, is_name
from nvcfplan.reports import Claims

MOST_ENCODED: Final = 8_192
"""Bytes of the line. A comment has little room, and a reader little patience."""
_MOST_DECODED: Final = 262_144
_MOST_CLAIMS: Final = 1_000
_MOST_UNITS: Final = 10**9
_LINE: Final = re.compile(r"<!-- nvcfplan-claims:v1:([0-9a-f]{64}):([A-Za-z0-9+/]+={0,2}) -->")


def encode_claims(claims: Claims, *, most_bytes: int = MOST_ENCODED) -> str:
    """The largest ones, where not all have room."""
    ordered = sorted(claims.claims, key=lambda one: (-one.net, one.resource))[:_MOST_CLAIMS]
    while True:
        kept = tuple(sorted(ordered, key=lambda one: one.resource))
        line = _line(replace(claims, claims=kept))
        if len(line) <= min(most_bytes, MOST_ENCODED) or not ordered:
            return line
        ordered = ordered[: len(ordered) // 2]


def decode_claims(comment: str) -> Claims | None:
    """The last such line of a comment; None: there is none, or it is not as we write it."""
    found = [line for line in comment.splitlines() if line.startswith("<!-- nvcfplan-claims:")]
    match = _LINE.fullmatch(found[-1]) if found and len(found[-1]) <= MOST_ENCODED else None
    if match is None:
        return None
    content = _unpacked(match[2])
    if content is None or hashlib.sha256(content).hexdigest() != match[1]:
        return None
    try:
        claims = record_of(Claims).decode(parse_object(content))
    except (Unreadable, ShapeError):
        return None
    assert isinstance(claims, Claims)
    return claims if _is_sound(claims) else None


def _line(claims: Claims) -> str:
    content = canonical_json(record_of(Claims).encode(claims)).encode("utf-8", "backslashreplace")
    packed = base64.b64encode(zlib.compress(content, 9)).decode("ascii")
    return f"<!-- nvcfplan-claims:v1:{hashlib.sha256(content).hexdigest()}:{packed} -->"


def _unpacked(text: str) -> bytes | None:
    """None: not what was packed, or more than anybody packs."""
    try:
        packed = base64.b64decode(text, validate=True)
        opened = zlib.decompressobj()
        content = opened.decompress(packed, _MOST_DECODED)
    except (ValueError, zlib.error):
        return None
    return content if opened.eof and not opened.unused_data else None


def _is_sound(claims: Claims) -> bool:
    resources = [one.resource for one in claims.claims]
    return (
        is_name(claims.stack)
        and is_name(claims.environment)
        and len(resources) <= _MOST_CLAIMS
        and resources == sorted(set(resources))
        and all(0 < one.net <= _MOST_UNITS for one in claims.claims)
    )
