"""What somebody has said of findings of drift, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvcfplan.documents.records import record_of
from nvcfplan.model import Acknowledgement

if TYPE_CHECKING:
    from collections.abc import Sequence

ACKNOWLEDGEMENTS_FORMAT_VERSION: Final = "1.0"


def encode_acknowledgements(
    stack: str, acknowledgements: Sequence[Acknowledgement], *, outcome: str
) -> bytes:
    """`until` null: for as long as the finding stands."""
    shape = record_of(Acknowledgement)
    document = {
        "format_version": ACKNOWLEDGEMENTS_FORMAT_VERSION,
        "outcome": outcome,
        "exit_code": 0,
        "stack": stack,
        "acknowledgements": [shape.encode(one) for one in acknowledgements],
    }
    return json.dumps(document, indent=2, sort_keys=True).encode("ascii") + b"\n"
