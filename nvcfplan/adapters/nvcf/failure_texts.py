"""What an error answer means: status and text together. The texts alone are `applying`'s table."""

from __future__ import annotations

from typing import Final

from nvcfplan.applying import FailureClass, classify_text

_BY_STATUS: Final = {
    401: FailureClass.AUTHORIZATION,
    402: FailureClass.QUOTA,
    403: FailureClass.AUTHORIZATION,
    404: FailureClass.NOT_FOUND,
    422: FailureClass.AUTHORIZATION,
    429: FailureClass.TRANSIENT,
    502: FailureClass.TRANSIENT,
    503: FailureClass.TRANSIENT,
    504: FailureClass.TRANSIENT,
}
"""Source: nvcf-api.md 1.2 (401, 403, 422), 6.1 (402), 7 (429, 502 to 504)."""


def classify(status: int | None, text: str) -> FailureClass:
    """The text decides where it holds a marker; the status only where it holds none.

    A refusal without either is OTHER, for it says itself what is wrong; UNKNOWN: no answer either.
    """
    kind = classify_text(text)
    if kind is not FailureClass.UNKNOWN or status is None:
        return kind
    return _BY_STATUS.get(status, FailureClass.OTHER)
