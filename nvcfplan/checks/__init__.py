"""Judges a plan from the outside: what is offered, what is at risk, and the proof."""

from __future__ import annotations

from nvcfplan.checks.offered import (
    Narrowed,
    check_offered,
)
from nvcfplan.checks.risks import (
    check_growth,
    check_packing,
    check_risks,
)
from nvcfplan.checks.sharing import (
    check_sharing,
)
from nvcfplan.checks.suite import (
    REQUIRABLE,
    check_plan,
    require,
)

__all__ = [
    "REQUIRABLE",
    "Narrowed",
    "check_growth",
    "check_offered",
    "check_packing",
    "check_plan",
    "check_risks",
    "check_sharing",
    "require",
]
