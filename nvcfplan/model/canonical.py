"""One text per JSON value, so that equal values are equal bytes and digests can be compared."""

from __future__ import annotations

import hashlib
import json

from nvcfplan.model.addresses import Digest, Json


def canonical_json(value: object) -> Json:
    """Sorted keys, no spaces, non-ASCII kept as it is.

    Raises: TypeError for what JSON cannot say, ValueError for NaN and infinities.
    """
    return Json(
        json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    )


def parse_json(text: Json) -> object:
    parsed: object = json.loads(text)
    return parsed


def digest_of(text: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
