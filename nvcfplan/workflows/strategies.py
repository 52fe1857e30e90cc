"""What the ways out and the other strategies cost: plans made beside the one that is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Severity, has_errors
from nvcfplan.planning import Inputs, PlanOptions, find_alternatives, plan_stack
from nvcfplan.plans import Basis, Candidate, Charge, Infeasible, Plan, Strategy
from nvcfplan.reports import capacity_rows, find_interruptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports import Interruption


def with_strategies(
    inputs: Inputs, options: PlanOptions, found: Plan | Infeasible
) -> Plan | Infeasible:
    """The same with every strategy's costs; `found` is the plan of the one that was chosen.

    `auto` only where it was: it comes to one of the others, or to what lies between.
    """
    chosen = options.strategy
    others = (Strategy.NO_DOWNTIME, Strategy.NO_EXTRA_GPUS)
    compared = (chosen, *others) if chosen not in others else others
    candidates = tuple(
        _candidate(
            found if one is chosen else plan_stack(inputs, replace(options, strategy=one)),
            one,
            is_chosen=one is chosen,
        )
        for one in compared
    )
    if isinstance(found, Infeasible):
        return replace(found, plan=replace(found.plan, strategies=candidates))
    return replace(found, strategies=candidates)


def with_alternatives(
    inputs: Inputs, options: PlanOptions, found: Plan | Infeasible
) -> Plan | Infeasible:
    """The same with what would make it fit, or be certain, and what that would cost."""
    alternatives = []
    for tried in find_alternatives(inputs, options, found):
        gaps = find_interruptions(tried.plan)
        alternatives.append(
            replace(
                tried.alternative,
                interrupted=tuple(one.address for one in gaps),
                unavailable_seconds=_seconds(gaps),
            )
        )
    if isinstance(found, Infeasible):
        return replace(found, plan=replace(found.plan, alternatives=tuple(alternatives)))
    return replace(found, alternatives=tuple(alternatives))


def _candidate(found: Plan | Infeasible, strategy: Strategy, *, is_chosen: bool) -> Candidate:
    refusal = _refusal(found)
    if isinstance(found, Infeasible) or refusal:
        return Candidate(strategy=strategy, is_chosen=is_chosen, refusal=refusal)
    gaps = find_interruptions(found)
    return Candidate(
        strategy=strategy,
        is_chosen=is_chosen,
        interrupted=tuple(one.address for one in gaps),
        unavailable_seconds=_seconds(gaps),
        extra=_extra(found),
    )


def _refusal(found: Plan | Infeasible) -> str:
    plan = found.plan if isinstance(found, Infeasible) else found
    if not has_errors(plan.diagnostics):
        return ""
    errors = [one for one in plan.diagnostics if one.severity is Severity.ERROR]
    return f"{errors[0].summary}; {errors[0].detail.partition('. ')[0]}"


def _extra(plan: Plan) -> tuple[Charge, ...]:
    """GPUs of pools at the peak beyond those used before and after."""
    return tuple(
        Charge(resource=row.resource.id, units=units)
        for row in capacity_rows(plan)
        if row.resource.basis is Basis.HELD
        and len(row.resource.pools) == 1
        and (units := row.peak - max(row.resource.before, row.after)) > 0
    )


def _seconds(gaps: Sequence[Interruption]) -> int:
    return sum(one.expected_seconds for one in gaps)
