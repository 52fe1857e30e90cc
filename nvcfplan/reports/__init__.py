"""What there is to say of a plan or a run, as frozen values: every view draws from these."""

from __future__ import annotations

from nvcfplan.reports.capacity_curve import (
    CapacityRow,
    Fit,
    capacity_curve,
)
from nvcfplan.reports.closure import (
    heaviest_closure,
)
from nvcfplan.reports.interruptions import (
    Exposure,
    Interruption,
    ancestors_of,
    expected_ends,
    exposures,
    interruptions,
)

__all__ = [
    "CapacityRow",
    "Exposure",
    "Fit",
    "Interruption",
    "ancestors_of",
    "capacity_curve",
    "expected_ends",
    "exposures",
    "heaviest_closure",
    "interruptions",
]
