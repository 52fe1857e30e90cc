"""A loan without downtime: what runs above its minimum is stopped for a while.

Lowering the maximum stops the surplus, lowering the minimum frees nothing; the maximum is raised
again in the end, and the autoscaler takes what it then needs. Source: nvcf-api.md 8.3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import growth_charges, shrink_charges
from nvcfplan.model import GpuSpecification, GpuSpecificationId, StepId, specification_with_defaults
from nvcfplan.planning.context import Context, current_of
from nvcfplan.planning.drafts import FREE, Waits, await_released_step, update_step
from nvcfplan.planning.parts import Draft, draft_of
from nvcfplan.plans import Step, UpdateDeployment, VersionRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.differences import Difference


def lower_for_a_while(difference: Difference, context: Context) -> Draft | None:
    """None where nothing would be freed, or it is not certain where."""
    rows = _rows(difference)
    lowered = {row: _at_least(one) for row, one in rows.items() if _at_least(one) != one}
    current = current_of(difference)
    release = shrink_charges(context.limits, current, lowered)
    if not release:
        return None
    down: list[Step] = []
    for row, low in lowered.items():
        down.append(_as_loan(_update(difference, context, (row, rows[row], low), down)))
    old = VersionRef(difference.change.address, "old")
    waits = Waits(steps=down[-1:])
    down.append(await_released_step(old, waits, release=release))
    up: list[Step] = []
    for row, low in lowered.items():
        up.append(_update(difference, context, (row, low, rows[row]), [*down, *up]))
    return draft_of(down, up)


def _rows(difference: Difference) -> Mapping[GpuSpecificationId, GpuSpecification]:
    matching = difference.matching
    return {
        pair.live.id: specification_with_defaults(
            replace(pair.live.specification, key=pair.wanted.key)
        )
        for pair in (matching.pairs if matching else ())
    }


def _at_least(one: GpuSpecification) -> GpuSpecification:
    return replace(one, max_instances=max(1, one.min_instances))


def _update(
    difference: Difference,
    context: Context,
    change: tuple[GpuSpecificationId, GpuSpecification, GpuSpecification],
    first: list[Step],
) -> Step:
    row, before, after = change
    limits, current = context.limits, current_of(difference)
    return update_step(
        UpdateDeployment(VersionRef(difference.change.address, "old"), after, before, row=row),
        Waits(steps=first[-1:]) if first else FREE,
        acquire=growth_charges(limits, current, row, (before, after)),
        needs=(),
    )


def _as_loan(step: Step) -> Step:
    """The two updates of one specification need two names."""
    return replace(step, id=StepId(f"{step.id}.lent"))
