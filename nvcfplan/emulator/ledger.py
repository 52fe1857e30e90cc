"""The demand ledger: every request for instances, and whether it was served at once.

A real service never over-allocates, so "not over capacity" proves nothing about a planner: what
counts is that, with no fault injected, no request of its own is refused or kept waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from nvcfplan.emulator.codec import TRANSIENT


class Service(StrEnum):
    """`WAITED`: not all was placed at once, whatever came later; `EXPIRED`: it never came."""

    AT_ONCE = "served-at-once"
    WAITED = "waited"
    REFUSED = "refused"
    EXPIRED = "expired"


class Cause(StrEnum):
    """Why a request was not served at once."""

    CAPACITY = "capacity"
    PLACEMENT = "placement"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """`cluster` None: several may, or did, serve it. `function` is a name, the others are ids.

    `is_injected`: a scripted fault or grab is the reason that it was not served at once.
    """

    at: datetime
    function: str
    version: str
    specification: str
    gpu: str
    cluster: str | None
    instances: int
    gpus: int
    outcome: Service
    cause: Cause | None = None
    is_injected: bool = False


@dataclass(slots=True)
class Ledger:
    """The end of the ledger: `new` entries and `expired` positions, until they are stored.

    `count`: entries written so far, stored ones included.
    """

    count: int = 0
    new: list[LedgerEntry] = field(default_factory=list, metadata=TRANSIENT)
    expired: list[int] = field(default_factory=list, metadata=TRANSIENT)

    def append(self, entry: LedgerEntry) -> int:
        """The entry's position."""
        self.new.append(entry)
        self.count += 1
        return self.count - 1

    def expire(self, position: int) -> None:
        self.expired.append(position)


def expired(entry: LedgerEntry) -> LedgerEntry:
    return replace(entry, outcome=Service.EXPIRED)
