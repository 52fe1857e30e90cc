"""Whether a saved plan still holds, and if not, what moved or no longer suffices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.errors import Moved
from nvcfplan.model import Digest
from nvcfplan.plans import Shortage

if TYPE_CHECKING:
    from nvcfplan.planning import Freshness
    from nvcfplan.plans import Plan


class Validity(StrEnum):
    """NO_CAPACITY: nothing the plan saw has moved but numbers, and it does not fit them."""

    VALID = "valid"
    STALE = "stale"
    NO_CAPACITY = "no-capacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    stack: str
    digest: Digest
    created_at: datetime
    checked_at: datetime
    moved: tuple[Moved, ...]
    shortages: tuple[Shortage, ...]

    @property
    def standing(self) -> Validity:
        if self.moved:
            return Validity.STALE
        return Validity.NO_CAPACITY if self.shortages else Validity.VALID


def check_report(plan: Plan, freshness: Freshness, *, digest: Digest, at: datetime) -> CheckReport:
    return CheckReport(
        stack=plan.stack,
        digest=digest,
        created_at=plan.provenance.created_at,
        checked_at=at,
        moved=freshness.moved,
        shortages=freshness.shortages,
    )
