"""What would make a plan fit that does not: each is planned and proved again before it is named.

Bounded by a count of plans, never by time; the same inputs give the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import account_pools, place
from nvcfplan.diagnostics import Verdict, has_errors
from nvcfplan.model import (
    DesiredFunction,
    DesiredSpecification,
    Downtime,
    PoolId,
    Stack,
    UpdateOrder,
    canonical_json,
)
from nvcfplan.planning.planner import Inputs, PlanOptions, plan_stack
from nvcfplan.planning.raising import with_more
from nvcfplan.plans import Action, Alternative, AlternativeKind, Edit, Infeasible, Plan, Resource
from nvcfplan.proving import prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from nvcfplan.model import Account, Address, ResourceId

TRIES: Final = ((100, 24), (400, 6))
"""Up to so many changed functions, so many plans are made to look for a way out; of more:"""
TRIES_OF_MORE: Final = 2
MOST_OF_A_KIND: Final = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """An alternative, and the plan that it led to."""

    alternative: Alternative
    plan: Plan


@dataclass(frozen=True, slots=True)
class _Idea:
    kind: AlternativeKind
    edits: tuple[Edit, ...]
    inputs: Inputs


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
        pins = islice(_pins(inputs, risks), left)
        tried = _try(pins, options, lambda again: _at_risk(again) < risks)
        return tuple(islice(tried, MOST_OF_A_KIND))
    made: list[Tried] = []
    for ideas in _ways_out(inputs, found):
        some = list(islice(ideas, max(1, left // 2)))
        made += islice(_try(some, options, lambda _: True), MOST_OF_A_KIND)
        left -= len(some)
        if left <= 0:
            break
    return tuple(made)


def _try(
    ideas: Iterable[_Idea], options: PlanOptions, is_better: Callable[[Plan], bool]
) -> Iterator[Tried]:
    """Those that come out as plans, proved."""
    for idea in ideas:
        again = plan_stack(idea.inputs, options)
        if isinstance(again, Infeasible) or has_errors(again.diagnostics) or prove(again):
            continue
        if is_better(again):
            yield Tried(Alternative(kind=idea.kind, edits=idea.edits), again)


def _ways_out(inputs: Inputs, found: Infeasible) -> Iterator[Iterator[_Idea]]:
    short = {one.resource: one.missing for one in found.shortages}
    resources = [one for one in found.plan.resources if one.id in short]
    yield _raised(inputs, resources, short)
    touching = _touching(inputs, resources)
    yield _down(inputs, touching, found.plan)
    yield _elsewhere(inputs, touching, resources)
    yield _lowered(inputs, touching, resources, short)


def _raised(
    inputs: Inputs, resources: Sequence[Resource], short: dict[ResourceId, int]
) -> Iterator[_Idea]:
    """All that is short, by what is missing."""
    account: Account = inputs.account
    for one in resources:
        account = with_more(account, one, short[one.id])
    edits = tuple(
        Edit(path=one.id, value=canonical_json((one.limit or 0) + short[one.id]))
        for one in resources
    )
    yield _Idea(AlternativeKind.RAISE, edits, replace(inputs, account=account))


def _down(inputs: Inputs, touching: Sequence[DesiredFunction], plan: Plan) -> Iterator[_Idea]:
    """One function at a time, those that change first; then all that change together."""
    changing = {one.address for one in plan.changes if one.action is Action.UPDATE}
    held = [one for one in touching if _never_down(one)]
    held.sort(key=lambda one: (one.address not in changing, _size(one), one.key))
    together = [one for one in held if one.address in changing]
    for some in (*([one] for one in held), *([together] if len(together) > 1 else [])):
        edits = tuple(edit for one in some for edit in _letting_down(one))
        wanted = {one.key: _let_down(one) for one in some}
        yield _Idea(AlternativeKind.DOWNTIME, edits, _with(inputs, wanted))


def _never_down(function: DesiredFunction) -> bool:
    policy = function.update
    return policy.order is UpdateOrder.CREATE_FIRST or (
        policy.order is UpdateOrder.AUTO and policy.downtime is Downtime.NEVER
    )


def _letting_down(function: DesiredFunction) -> Iterator[Edit]:
    path = f"functions.{function.key}.update"
    yield Edit(path=f"{path}.downtime", value=canonical_json(Downtime.ALLOWED.value))
    if function.update.order is UpdateOrder.CREATE_FIRST:
        yield Edit(path=f"{path}.order", value=canonical_json(UpdateOrder.AUTO.value))


def _let_down(function: DesiredFunction) -> DesiredFunction:
    policy = replace(function.update, downtime=Downtime.ALLOWED, order=UpdateOrder.AUTO)
    return replace(function, update=policy)


def _elsewhere(
    inputs: Inputs, touching: Sequence[DesiredFunction], resources: Sequence[Resource]
) -> Iterator[_Idea]:
    """One specification on another cluster that has the same GPU and instance type."""
    short = {pool for one in resources for pool in one.pools}
    for function in touching:
        for one in function.specifications:
            for pool in _homes(inputs.account, one):
                if pool not in short:
                    yield _placed(inputs, function, one, pool, AlternativeKind.PLACE)


def _pins(inputs: Inputs, risks: AbstractSet[tuple[Address, str]]) -> Iterator[_Idea]:
    """One cluster for a specification that may land where one at risk may, itself included."""
    wide = [
        (function, one, place(one.specification, inputs.account).pools)
        for function in inputs.stack.functions
        for one in function.specifications
    ]
    risky = {
        pool
        for function, one, pools in wide
        if (function.address, f"deployment.specifications.{one.key}") in risks
        for pool in pools
    }
    for function, one, pools in wide:
        if len(pools) > 1 and not risky.isdisjoint(pools):
            for pool in pools:
                yield _placed(inputs, function, one, pool, AlternativeKind.PIN)


def _placed(
    inputs: Inputs,
    function: DesiredFunction,
    one: DesiredSpecification,
    pool: PoolId,
    kind: AlternativeKind,
) -> _Idea:
    """`backend` and regions go: the cluster says all."""
    path = f"functions.{function.key}.deployment.specifications.{one.key}"
    edits = [Edit(path=f"{path}.clusters", value=canonical_json([pool.cluster]))]
    gone = [name for name in ("backend", "regions") if getattr(one.specification, name)]
    edits += (Edit(path=f"{path}.{name}", value=None) for name in gone)
    moved = replace(one.specification, clusters=(pool.cluster,), backend=None, regions=())
    managed = tuple(sorted({*one.managed, "clusters"} - set(gone)))
    changed = replace(one, specification=moved, managed=managed)
    return _Idea(kind, tuple(edits), _with(inputs, {function.key: _having(function, changed)}))


def _lowered(
    inputs: Inputs,
    touching: Sequence[DesiredFunction],
    resources: Sequence[Resource],
    short: dict[ResourceId, int],
) -> Iterator[_Idea]:
    """The minimum of one specification, by as little as could be enough."""
    missing = max((short[one.id] for one in resources), default=0)
    for function in touching:
        for one in function.specifications:
            least = one.specification.min_instances
            each = _gpus_each(inputs.account, one)
            if not least or not each or not _lands_in(inputs.account, one, resources):
                continue
            low = max(0, least - -(-missing // each))
            for number in dict.fromkeys((low, low // 2, 0)):
                path = f"functions.{function.key}.deployment.specifications.{one.key}.minInstances"
                wanted = replace(
                    one, specification=replace(one.specification, min_instances=number)
                )
                yield _Idea(
                    AlternativeKind.LOWER,
                    (Edit(path=path, value=canonical_json(number)),),
                    _with(inputs, {function.key: _having(function, wanted)}),
                )


def _touching(inputs: Inputs, resources: Sequence[Resource]) -> list[DesiredFunction]:
    """Functions with a specification that may land on what is short; the smallest first."""
    found = [
        one
        for one in inputs.stack.functions
        if any(_lands_in(inputs.account, each, resources) for each in one.specifications)
    ]
    return sorted(found, key=lambda one: (_size(one), one.key))


def _size(function: DesiredFunction) -> int:
    return sum(one.specification.min_instances for one in function.specifications)


def _lands_in(account: Account, one: DesiredSpecification, resources: Sequence[Resource]) -> bool:
    pools = {pool for resource in resources for pool in resource.pools}
    return not pools.isdisjoint(place(one.specification, account).pools)


def _gpus_each(account: Account, one: DesiredSpecification) -> int:
    return place(one.specification, account).gpus_each or 0


def _homes(account: Account, one: DesiredSpecification) -> Iterator[PoolId]:
    """Pools of the same GPU that offer the instance type, those with most room first."""
    wanted = one.specification
    offered = [
        pool
        for pool in account_pools(account)
        if pool.id.gpu.casefold() == wanted.gpu.casefold()
        and any(kind.name == wanted.instance_type for kind in pool.instance_types)
    ]
    for pool in sorted(offered, key=lambda pool: (-(pool.available or 0), pool.id)):
        yield pool.id


def _having(function: DesiredFunction, changed: DesiredSpecification) -> DesiredFunction:
    return replace(
        function,
        specifications=tuple(
            changed if one.key == changed.key else one for one in function.specifications
        ),
    )


def _with(inputs: Inputs, wanted: dict[str, DesiredFunction]) -> Inputs:
    stack: Stack = replace(
        inputs.stack,
        functions=tuple(wanted.get(one.key, one) for one in inputs.stack.functions),
    )
    return replace(inputs, stack=stack)


def _at_risk(plan: Plan) -> set[tuple[Address, str]]:
    return {
        (one.subject.address, one.subject.path)
        for one in plan.diagnostics
        if one.verdict is Verdict.AT_RISK and one.code == "capacity-at-risk" and one.subject
    }
