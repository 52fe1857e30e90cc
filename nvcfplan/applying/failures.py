"""Why the remote did not do as asked, as data: what steers rollback, exit code and words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureClass(StrEnum):
    """Source: nvcf-api.md 6. Not one word for quota, not offered, and full right now.

    UNREACHABLE: never sent. TRANSIENT: may be sent again after a pause (429, 502, 503, 504 of a
    read, and refusals that say the service did nothing).
    """

    CAPACITY = "capacity"
    QUOTA = "quota"
    PLACEMENT = "placement"
    ACCOUNT_LIMIT = "account-limit"
    AUTHORIZATION = "authorization"
    SECRET_UNAVAILABLE = "secret-unavailable"
    NOT_FOUND = "not-found"
    UNREACHABLE = "unreachable"
    TRANSIENT = "transient"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`kind` is a word of `FailureClass`. `message` is the server's, neutralised and redacted."""

    kind: str
    message: str
    status: int | None = None
    request_id: str | None = None
    retry_after_seconds: float | None = None
