"""What could be asked of the account or changed in the stack so that a plan fits.

Only thought of here: whether an idea is one is found out by planning with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import account_pools, limits_by, place
from nvcfplan.model import (
    DesiredFunction,
    DesiredSpecification,
    Downtime,
    GpuSpecification,
    PoolId,
    Stack,
    UpdateOrder,
    canonical_json,
)
from nvcfplan.planning.planner import Inputs
from nvcfplan.planning.raising import with_more
from nvcfplan.plans import Action, AlternativeKind, Edit, Means, Plan, Resource, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.model import Account, Address, ResourceId

LOWER_SHARES: Final = (0.5, 0.0)
"""Of the running instances, the shares that are tried as `minServing`."""


@dataclass(frozen=True, slots=True)
class Idea:
    kind: AlternativeKind
    edits: tuple[Edit, ...]
    inputs: Inputs


def raised(
    inputs: Inputs, resources: Sequence[Resource], short: dict[ResourceId, int]
) -> Iterator[Idea]:
    """All that is short, by what is missing; a quota that the stack declares is written anew."""
    account, declared = inputs.account, list(inputs.stack.quotas)
    edits: list[Edit] = []
    for one in resources:
        needed = (one.limit or 0) + short[one.id]
        account = with_more(account, one, short[one.id])
        edits.append(Edit(path=one.id, value=canonical_json(needed)))
        for place_in, each in enumerate(declared):
            if limits_by(each.quota, one.id) and each.quota.limit < needed:
                declared[place_in] = replace(each, quota=replace(each.quota, limit=needed))
                path = f"quotas.{each.key}.limit"
                edits.append(Edit(path=path, value=canonical_json(needed)))
    stack = replace(inputs.stack, quotas=tuple(declared))
    yield Idea(AlternativeKind.RAISE, tuple(edits), replace(inputs, account=account, stack=stack))


def let_down(inputs: Inputs, touching: Sequence[DesiredFunction], plan: Plan) -> Iterator[Idea]:
    """One function at a time, those that change first; then all that change together."""
    changing = {one.address for one in plan.changes if one.action is Action.UPDATE}
    held = [one for one in touching if _never_down(one)]
    held.sort(key=lambda one: (one.address not in changing, _size(one), one.key))
    together = [one for one in held if one.address in changing]
    for some in (*([one] for one in held), *([together] if len(together) > 1 else [])):
        edits = tuple(edit for one in some for edit in _letting_down(one))
        wanted = {one.key: _let_down(one) for one in some}
        yield Idea(AlternativeKind.DOWNTIME, edits, with_functions(inputs, wanted))


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


def stepped(inputs: Inputs, touching: Sequence[DesiredFunction], plan: Plan) -> Iterator[Idea]:
    """Fewer instances of one function serve meanwhile, so that it can be replaced in steps."""
    replaced = _replaced(plan)
    for function in touching:
        policy = function.update
        if function.address not in replaced or not _comes_first(function):
            continue
        for share in LOWER_SHARES:
            if share < policy.min_serving:
                path = f"functions.{function.key}.update.minServing"
                wanted = replace(function, update=replace(policy, min_serving=share))
                yield Idea(
                    AlternativeKind.STEPPED,
                    (Edit(path=path, value=canonical_json(share or 0)),),
                    with_functions(inputs, {function.key: wanted}),
                )


def bounced(
    inputs: Inputs, touching: Sequence[DesiredFunction], plan: Plan, resources: Sequence[Resource]
) -> Iterator[Idea]:
    """One function serves from another cluster while its own room is made free."""
    short = {pool for one in resources for pool in one.pools}
    replaced = _replaced(plan)
    for function in touching:
        is_open = not function.update.bounce and function.specifications
        if function.address not in replaced or not _comes_first(function) or not is_open:
            continue
        base = min(function.specifications, key=lambda one: one.key).specification
        for pool in homes(inputs.account, base):
            if pool not in short:
                yield _bounced(inputs, function, base, pool)


def _bounced(
    inputs: Inputs, function: DesiredFunction, base: GpuSpecification, pool: PoolId
) -> Idea:
    """As the stack is read: what a placement leaves out is as in the first specification."""
    written: dict[str, object] = {"clusters": [pool.cluster]}
    if base.attributes:
        written["attributes"] = list(base.attributes)
    least = max(1, base.min_instances)
    there = replace(
        on_cluster(base, pool),
        key="bounce-1",
        min_instances=least,
        max_instances=max(least, base.max_instances),
    )
    wanted = replace(function, update=replace(function.update, bounce=(there,)))
    edit = Edit(path=f"functions.{function.key}.update.bounce", value=canonical_json([written]))
    return Idea(AlternativeKind.BOUNCE, (edit,), with_functions(inputs, {function.key: wanted}))


def _replaced(plan: Plan) -> frozenset[Address]:
    means = {Means.NEW_VERSION, Means.REDEPLOY}
    return frozenset(one.address for one in plan.changes if means.intersection(one.means))


def _comes_first(function: DesiredFunction) -> bool:
    return function.update.replacing_order is not UpdateOrder.DELETE_FIRST


def lowered(
    inputs: Inputs,
    touching: Sequence[DesiredFunction],
    resources: Sequence[Resource],
    short: dict[ResourceId, int],
) -> Iterator[Idea]:
    """The minimum of one specification, by as little as could be enough."""
    for function in touching:
        for one in function.specifications:
            least = one.specification.min_instances
            each = _gpus_each(inputs.account, one)
            if not least or not each or not lands_in(inputs.account, one, resources):
                continue
            by_unit = {Unit.GPUS: each, Unit.INSTANCES: 1}
            missing = (-(-short[o.id] // by_unit.get(o.unit, each)) for o in resources)
            low = max(0, least - max(missing, default=0))
            for number in dict.fromkeys((low, low // 2, 0)):
                path = f"functions.{function.key}.deployment.specifications.{one.key}.minInstances"
                wanted = replace(
                    one, specification=replace(one.specification, min_instances=number)
                )
                yield Idea(
                    AlternativeKind.LOWER,
                    (Edit(path=path, value=canonical_json(number)),),
                    with_functions(inputs, {function.key: having(function, wanted)}),
                )


def touching(inputs: Inputs, resources: Sequence[Resource]) -> list[DesiredFunction]:
    """Functions with a specification that may land on what is short; the smallest first."""
    found = [
        one
        for one in inputs.stack.functions
        if any(lands_in(inputs.account, each, resources) for each in one.specifications)
    ]
    return sorted(found, key=lambda one: (_size(one), one.key))


def _size(function: DesiredFunction) -> int:
    return sum(one.specification.min_instances for one in function.specifications)


def lands_in(account: Account, one: DesiredSpecification, resources: Sequence[Resource]) -> bool:
    pools = {pool for resource in resources for pool in resource.pools}
    return not pools.isdisjoint(place(one.specification, account).pools)


def _gpus_each(account: Account, one: DesiredSpecification) -> int:
    return place(one.specification, account).gpus_each or 0


def homes(account: Account, wanted: GpuSpecification) -> Iterator[PoolId]:
    """Pools that offer the same GPU and type with all its attributes, most room first."""
    for pool in sorted(account_pools(account), key=lambda one: (-(one.available or 0), one.id)):
        if place(on_cluster(wanted, pool.id), account).pools == (pool.id,):
            yield pool.id


def on_cluster(wanted: GpuSpecification, pool: PoolId) -> GpuSpecification:
    """`backend` and regions go: the cluster says all."""
    return replace(wanted, clusters=(pool.cluster,), backend=None, regions=())


def having(function: DesiredFunction, changed: DesiredSpecification) -> DesiredFunction:
    return replace(
        function,
        specifications=tuple(
            changed if one.key == changed.key else one for one in function.specifications
        ),
    )


def with_functions(inputs: Inputs, wanted: dict[str, DesiredFunction]) -> Inputs:
    stack: Stack = replace(
        inputs.stack,
        functions=tuple(wanted.get(one.key, one) for one in inputs.stack.functions),
    )
    return replace(inputs, stack=stack)
