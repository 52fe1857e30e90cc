"""What would make a plan fit that does not: each is planned and proved again before it is named.

Bounded by a count of plans, never by time; the same inputs give the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Verdict, has_errors
from nvcfplan.model import ResourceId
from nvcfplan.planning.planner import Inputs, PlanOptions, plan_stack
from nvcfplan.planning.ways_out.ideas import (
    Idea,
    bounced,
    let_down,
    lowered,
    raised,
    stepped,
    touching,
)
from nvcfplan.planning.ways_out.placing import elsewhere, pins
from nvcfplan.plans import Action, Alternative, AlternativeKind, Bound, Edit, Infeasible, Plan
from nvcfplan.proving import prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from nvcfplan.model import Address, PoolId

TRIES: Final = ((100, 24), (400, 6))
"""Up to so many changed functions, so many plans are made to look for a way out; of more:"""
TRIES_OF_MORE: Final = 2
MOST_OF_A_KIND: Final = 3
_BY_NUMBER: Final = frozenset({AlternativeKind.STEPPED, AlternativeKind.LOWER})


@dataclass(frozen=True, slots=True)
class Tried:
    """An alternative, and the plan that it led to."""

    alternative: Alternative
    plan: Plan


def find_alternatives(
    inputs: Inputs, options: PlanOptions, found: Plan | Infeasible
) -> tuple[Tried, ...]:
    """Ways out of an infeasible plan, or to be certain of one that is at risk; else none.

    By kind; of a kind those that change least first.
    """
    plan = found.plan if isinstance(found, Infeasible) else found
    changing = sum(one.action is not Action.NO_OP for one in plan.changes)
    left = next((tries for most, tries in TRIES if changing <= most), TRIES_OF_MORE)
    if not isinstance(found, Infeasible):
        risks = _at_risk(plan)
        if not risks:
            return ()
        pinned = islice(pins(inputs, risks, _pools_at_risk(plan, risks)), left)
        tried = _try(pinned, options, lambda again: _at_risk(again) < risks)
        return tuple(islice(tried, MOST_OF_A_KIND))
    made: list[Tried] = []
    kinds = _ways_out(inputs, found)
    for number, ideas in enumerate(kinds):
        some = list(islice(ideas, max(1, left // (len(kinds) - number))))
        made += islice(_try(some, options, lambda _: True), MOST_OF_A_KIND)
        left -= len(some)
        if left <= 0:
            break
    return tuple(made)


def _try(
    ideas: Iterable[Idea], options: PlanOptions, is_better: Callable[[Plan], bool]
) -> Iterator[Tried]:
    """Those that come out as plans, proved; of numbers for one key, the one that changes least.

    None that asks for more than another one that does.
    """
    done: set[str] = set()
    enough: list[frozenset[Edit]] = []
    for idea in ideas:
        key = idea.edits[0].path if idea.kind in _BY_NUMBER else ""
        if key in done or any(one <= frozenset(idea.edits) for one in enough):
            continue
        again = plan_stack(idea.inputs, options)
        if isinstance(again, Infeasible) or has_errors(again.diagnostics) or prove(again):
            continue
        if is_better(again):
            done |= {key} - {""}
            enough.append(frozenset(idea.edits))
            yield Tried(Alternative(kind=idea.kind, edits=idea.edits), again)


def _ways_out(inputs: Inputs, found: Infeasible) -> tuple[Iterator[Idea], ...]:
    """By kind, what is asked of the account first, what costs callers something last."""
    short = {one.resource: one.missing for one in found.shortages}
    resources = [one for one in found.plan.resources if one.id in short]
    users = touching(inputs, resources)
    return (
        raised(inputs, resources, short),
        let_down(inputs, users, found.plan),
        stepped(inputs, users, found.plan),
        bounced(inputs, users, found.plan, resources),
        elsewhere(inputs, users, resources),
        lowered(inputs, users, resources, short),
    )


def _at_risk(plan: Plan) -> set[tuple[Address, str]]:
    """By a landing: specifications, and quotas that it may count against."""
    known = {one.id for one in plan.resources if one.bound is Bound.NECESSARY}
    return {
        (one.subject.address, one.subject.path)
        for one in plan.diagnostics
        if one.verdict is Verdict.AT_RISK and one.subject
        if one.code == "capacity-at-risk"
        or (one.code == "quota-at-risk" and _within(one.subject.path) in known)
    }


def _within(resource: str) -> ResourceId:
    """Of a quota that says what it counts, the part that is certain."""
    head, _, name = resource.partition(":")
    return ResourceId(f"{head}-within:{name}")


def _pools_at_risk(plan: Plan, risks: AbstractSet[tuple[Address, str]]) -> frozenset[PoolId]:
    paths = {path for _, path in risks}
    return frozenset(pool for one in plan.resources if one.id in paths for pool in one.pools)
