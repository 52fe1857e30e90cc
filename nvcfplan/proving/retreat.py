"""Re-checks from the plan alone from which step on going back needs room that others may take."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.proving.faults import broken_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import ResourceId, StepId
    from nvcfplan.plans import Plan, Step
    from nvcfplan.proving.evidence import Evidence


def check_retreat(evidence: Evidence) -> Iterator[Diagnostic]:
    """The steps named are those that are, no fewer: a reviewer relies on what can be undone."""
    expected = _first_dips(evidence.plan)
    named = evidence.plan.point_of_no_return
    for step in sorted(expected.keys() - set(named)):
        yield broken_order(
            step,
            f"leaves less of {expected[step]} held than at the start, and is not named as the "
            "point of no return",
        )
    for step in sorted(set(named) - expected.keys()):
        yield broken_order(step, "is named as the point of no return, and is none")


def _first_dips(plan: Plan) -> Mapping[StepId, ResourceId]:
    """Of each connected part the first step that leaves some resource below its start."""
    part = _parts(plan.steps)
    held: Counter[ResourceId] = Counter()
    found: dict[int, tuple[StepId, ResourceId]] = {}
    for step in plan.steps:
        held.update({charge.resource: charge.units for charge in step.acquire})
        held.subtract({charge.resource: charge.units for charge in step.release})
        below = [charge.resource for charge in step.release if held[charge.resource] < 0]
        if below:
            found.setdefault(part[step.id], (step.id, below[0]))
    return dict(found.values())


def _parts(steps: Sequence[Step]) -> Mapping[StepId, int]:
    """A number for each set of steps that hang together; equal numbers, same set."""
    part: dict[StepId, int] = {}
    members: dict[int, list[StepId]] = {}
    for number, step in enumerate(steps):
        part[step.id], members[number] = number, [step.id]
        for other in {part[edge.step] for edge in step.depends_on}:
            own = part[step.id]
            small, large = sorted((own, other), key=lambda one: len(members[one]))
            if small == large:
                continue
            members[large] += members[small]
            part.update(dict.fromkeys(members.pop(small), large))
    return part
