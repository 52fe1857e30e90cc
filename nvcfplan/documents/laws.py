"""Laws of a plan that its types cannot say, without which nothing else may be computed from it.

Whether the funding adds up and the end state is right is `proving`'s question, not this one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.plans import Funded, Reversible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.plans import Charge, Plan, Resource, Step

_MOST_UNITS: Final = 2**40
_MOST_SECONDS: Final = 10**9
"""Beyond these nothing is counted, and what adds them up, or sets them in rows, may rely on it."""


def broken_law(plan: Plan) -> str | None:
    """The first one that does not hold, in words; None: all do."""
    return next(_broken(plan), None)


def _broken(plan: Plan) -> Iterator[str]:
    resources = [resource.id for resource in plan.resources]
    yield from _repeated("resource", resources)
    yield from _beyond_counting(plan.resources)
    yield from _repeated("step", [step.id for step in plan.steps])
    yield from _repeated("change of", [change.address for change in plan.changes])
    yield from _out_of_order(plan.steps)
    known = frozenset(resources)
    for step in plan.steps:
        needs = step.undo.needs if isinstance(step.undo, Reversible) else ()
        for charges in (step.acquire, step.release, needs):
            yield from _bad_charges(step, charges, known)
    yield from _unknown_steps(plan)


def _repeated(what: str, names: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"the {what} {name} is in it twice"
        seen.add(name)


def _out_of_order(steps: Sequence[Step]) -> Iterator[str]:
    seen: set[str] = set()
    for step in steps:
        for edge in step.depends_on:
            if edge.step not in seen:
                yield f"{step.id} stands before {edge.step}, which it waits for"
            if isinstance(edge, Funded) and edge.units <= 0:
                yield f"{step.id} is funded with {edge.units} units"
        if step.expected_seconds < 0 or step.limit_seconds < 0:
            yield f"{step.id} takes less than no time"
        if max(step.expected_seconds, step.limit_seconds) > _MOST_SECONDS:
            yield f"{step.id} takes longer than anybody waits"
        seen.add(step.id)


def _beyond_counting(resources: Sequence[Resource]) -> Iterator[str]:
    for one in resources:
        if max(map(abs, (one.limit or 0, one.before, one.ours, one.headroom))) > _MOST_UNITS:
            yield f"the resource {one.id} has more units than are counted"


def _bad_charges(step: Step, charges: Sequence[Charge], known: frozenset[str]) -> Iterator[str]:
    names = [charge.resource for charge in charges]
    if names != sorted(set(names)):
        yield f"{step.id} charges its resources twice or out of order"
    for charge in charges:
        if charge.units <= 0:
            yield f"{step.id} charges {charge.units} units"
        if charge.units > _MOST_UNITS:
            yield f"{step.id} charges more units than are counted"
        if charge.resource not in known:
            yield f"{step.id} charges {charge.resource}, which the plan does not list"


def _unknown_steps(plan: Plan) -> Iterator[str]:
    known = {step.id for step in plan.steps}
    for grant in plan.funding:
        if grant.step not in known or (grant.source is not None and grant.source not in known):
            yield (
                f"a grant of {grant.resource} to {grant.step} from {grant.source or 'the start'} "
                "names a step that is not in the plan"
            )
    for step in plan.point_of_no_return:
        if step not in known:
            yield f"the point of no return names {step}, which is not in the plan"
