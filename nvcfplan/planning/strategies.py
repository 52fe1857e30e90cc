"""What a strategy forbids: gaps in service, or GPUs beyond those used before and after.

Neither goes against a function's own policy: where that leaves no way, there is no such plan.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.model import function_address
from nvcfplan.plans import Basis, Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.capacity import Limits
    from nvcfplan.model import ResourceId
    from nvcfplan.planning.parts import Work


def restrict(
    works: tuple[Work, ...], strategy: Strategy
) -> tuple[tuple[Work, ...], tuple[Diagnostic, ...]]:
    """The drafts that are left; errors for functions that have none."""
    match strategy:
        case Strategy.AUTO | Strategy.NO_EXTRA_GPUS:
            return works, ()
        case Strategy.NO_DOWNTIME:
            due = [work for work in works if not work.is_optional]
            kept = {work.key: tuple(one for one in work.drafts if not one.has_gap) for work in due}
            refused = tuple(_refused(work) for work in due if not kept[work.key])
            return tuple(
                replace(work, drafts=kept[work.key] or work.drafts) for work in due
            ), refused
        case _:
            assert_never(strategy)


def tighten(limits: Limits, works: Sequence[Work], strategy: Strategy) -> Limits:
    """Without extra GPUs, a limit is what is used before or after, whichever is more.

    Limits that are not certain, and quotas, stay as they are.
    """
    if strategy is not Strategy.NO_EXTRA_GPUS:
        return limits
    net: Counter[ResourceId] = Counter()
    for work in works:
        for step in () if work.is_optional else work.drafts[0].steps:
            net.update({charge.resource: charge.units for charge in step.acquire})
            net.subtract({charge.resource: charge.units for charge in step.release})
    resources = tuple(
        replace(one, limit=min(one.limit, one.before + one.headroom + max(0, net[one.id])))
        if one.limit is not None and one.basis is Basis.HELD and one.id not in limits.soft
        else one
        for one in limits.resources
    )
    return replace(limits, resources=resources, by_id={one.id: one for one in resources})


def _refused(work: Work) -> Diagnostic:
    return Diagnostic(
        code="strategy-impossible",
        severity=Severity.ERROR,
        summary=f"function.{work.key} cannot be changed without a gap in service",
        detail="its policy, or what runs now, leaves only ways in which the old version goes first",
        remedy="leave out `-strategy no-downtime`, or drop `update.order: delete-first`",
        subject=Subject(function_address(work.key), "update"),
    )
