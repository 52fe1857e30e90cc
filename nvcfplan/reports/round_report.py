"""What one look at several stacks came to: a report of each, or why it could not be looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from nvcfplan.reports.drift_report import DriftReport, LookOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.errors import NvcfplanError


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLooked:
    """A stack that could not be looked at. `label`: its files, as they were named."""

    label: str
    code: str
    summary: str
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundReport:
    """`looks` and `failed` in the order in which the stacks were named. `requests`: sent for it."""

    began: datetime
    looks: tuple[DriftReport, ...]
    failed: tuple[NotLooked, ...]
    requests: int

    @property
    def counts(self) -> Mapping[LookOutcome, int]:
        """Every outcome named."""
        found = Counter(one.outcome for one in self.looks)
        return {outcome: found[outcome] for outcome in LookOutcome}


def not_looked(label: str, error: NvcfplanError) -> NotLooked:
    return NotLooked(
        label=label,
        code=error.code,
        summary=error.summary,
        detail=error.detail,
        remedy=error.remedy,
    )
