"""What there is to say of a plan or a run, as frozen values: every view draws from these."""

from __future__ import annotations

from nvcfplan.reports.capacity_curve import (
    CapacityRow,
    Fit,
    capacity_rows,
)
from nvcfplan.reports.closure import (
    heaviest_closure,
)
from nvcfplan.reports.interruptions import (
    Exposure,
    Interruption,
    ancestors_of,
    expected_ends,
    find_exposures,
    find_interruptions,
)

__all__ = [
    "CapacityRow",
    "Exposure",
    "Fit",
    "Interruption",
    "ancestors_of",
    "capacity_rows",
    "expected_ends",
    "find_exposures",
    "find_interruptions",
    "heaviest_closure",
]
