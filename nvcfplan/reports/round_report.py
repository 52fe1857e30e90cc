"""What one look at several stacks came to: a report of each, or why it could not be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from nvcfplan.reports.drift_report import DriftReport

if TYPE_CHECKING:
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


def not_looked(label: str, error: NvcfplanError) -> NotLooked:
    return NotLooked(
        label=label,
        code=error.code,
        summary=error.summary,
        detail=error.detail,
        remedy=error.remedy,
    )
