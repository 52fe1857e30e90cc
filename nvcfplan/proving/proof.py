"""The whole proof of a plan, from its document alone; never imports the planner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.proving.certificate import check_funding, check_order
from nvcfplan.proving.charges import check_charges
from nvcfplan.proving.ends import check_ends
from nvcfplan.proving.evidence import Evidence, gather
from nvcfplan.proving.landings import check_landings
from nvcfplan.proving.lifecycles import check_lifecycles
from nvcfplan.proving.lowering import check_lowering
from nvcfplan.proving.quotas import check_quotas
from nvcfplan.proving.retiring import check_retiring
from nvcfplan.proving.retreat import check_retreat
from nvcfplan.proving.serving import check_gaps, check_serving
from nvcfplan.proving.succession import check_dependencies, check_succession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.plans import Plan

QUESTIONS: Final[tuple[Callable[[Evidence], Iterator[Diagnostic]], ...]] = (
    check_charges,
    check_funding,
    check_landings,
    check_quotas,
    check_ends,
    check_lifecycles,
    check_succession,
    check_serving,
    check_gaps,
    check_lowering,
    check_dependencies,
    check_retiring,
    check_retreat,
)


def prove(plan: Plan) -> tuple[Diagnostic, ...]:
    """Empty: proved, but for what the plan itself lists as at risk or not checked."""
    order = tuple(check_order(plan))
    if order:
        return order
    evidence = gather(plan)
    return tuple(found for question in QUESTIONS for found in question(evidence))
