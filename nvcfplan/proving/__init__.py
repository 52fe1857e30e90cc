"""Re-checks a plan from its own value, without the planner's code."""

from __future__ import annotations

from nvcfplan.proving.certificate import (
    ancestors,
    check_funding,
    check_order,
    unproved_resources,
)
from nvcfplan.proving.ends import (
    check_lifecycles,
    check_succession,
)
from nvcfplan.proving.proof import (
    prove,
)

__all__ = [
    "ancestors",
    "check_funding",
    "check_lifecycles",
    "check_order",
    "check_succession",
    "prove",
    "unproved_resources",
]
