"""The whole proof of a plan, from its document alone; never imports the planner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.proving.certificate import check_funding, check_order
from nvcfplan.proving.ends import check_lifecycles, check_succession

if TYPE_CHECKING:
    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.plans import Plan


def prove(plan: Plan) -> tuple[Diagnostic, ...]:
    """Empty: proved, but for what the plan itself lists as at risk or not checked."""
    order = tuple(check_order(plan))
    if order:
        return order
    return (*check_funding(plan), *check_lifecycles(plan), *check_succession(plan))
