"""Why the remote did not do as asked, as data: what steers rollback, exit code and words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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


_MARKERS: Final = (
    # Synchronous, in the answer of POST deployment. Source: nvcf-api.md 6.1. The two that name a
    # cause stand before the general "for", which they would match otherwise.
    ("no available clusters with capacity", FailureClass.CAPACITY),
    ("no available clusters with reservation", FailureClass.CAPACITY),
    ("no available clusters for", FailureClass.PLACEMENT),
    ("does not have access to any ready cluster", FailureClass.PLACEMENT),
    ("nvcf_customer_no_access_to_", FailureClass.PLACEMENT),
    ("all allocated gpu instances in use", FailureClass.QUOTA),
    ("reached or exceeded the max limit", FailureClass.ACCOUNT_LIMIT),
    ("under reconfiguration", FailureClass.TRANSIENT),
    ("failed to get response from 'icms'", FailureClass.TRANSIENT),
    ("insufficient reserved capacity", FailureClass.CAPACITY),
    ("is fully utilized", FailureClass.CAPACITY),
    # Names the inventory does not know. Source: nvcf-api.md 4.3, checks 7 to 12.
    ("no backends defined for account", FailureClass.PLACEMENT),
    ("invalid backend '", FailureClass.PLACEMENT),
    ("gpus missing for backend", FailureClass.PLACEMENT),
    ("invalid gpu '", FailureClass.PLACEMENT),
    ("invalid instancetype '", FailureClass.PLACEMENT),
    # Asynchronous, in `healthInfo[].error`. Source: nvcf-api.md 6.2.
    ("failed to update deploying function status", FailureClass.TRANSIENT),
    ("capacity not available at this time", FailureClass.CAPACITY),
    ("failed to create instances in the stipulated", FailureClass.CAPACITY),
    ("acknowledged capacity expired without instance creation", FailureClass.CAPACITY),
    ("instance request schedule expired for this batch", FailureClass.CAPACITY),
    ("cluster could not fulfill the instance request", FailureClass.CAPACITY),
    ("cluster became unhealthy after acknowledging capacity", FailureClass.CAPACITY),
    ("instance-terminated-no-capacity", FailureClass.CAPACITY),
    ("podstuckscheduling", FailureClass.CAPACITY),
    ("insufficient nvidia.com/gpu", FailureClass.CAPACITY),
    ("no_capacity", FailureClass.CAPACITY),
    ("capacity-not-available", FailureClass.CAPACITY),
    ("schedule-expired", FailureClass.CAPACITY),
    ("cannot-fulfill", FailureClass.CAPACITY),
    ("constraint-not-fulfillable", FailureClass.CAPACITY),
)

_AGENT_STATE: Final = re.compile(r"pod terminated due to state ([a-z0-9_-]+)", re.IGNORECASE)


def classify_text(text: str) -> FailureClass:
    """What the service's free text means: an error body, or `healthInfo[].error`. OTHER: no marker.

    Substrings, whatever their case, first match wins: the text is nested and reworded at each hop.
    Where the agent names the state of a pod that state alone counts, for the container's own log
    follows it and may say anything. Source: nvcf-api.md 6.1 to 6.3.
    """
    state = _AGENT_STATE.search(text)
    searched = (state.group(1) if state else text).lower()
    return next((kind for marker, kind in _MARKERS if marker in searched), FailureClass.OTHER)
