"""What has to be read before a plan is made, or applied: no more than it rests on.

Lists and rows are always read. From them follows what would change; from that, whether numbers of
capacity and quota matter; from those, whose instances do: those in pools that may bind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import Involved, Limits, find_limits, place, with_declared
from nvcfplan.differences import (
    Difference,
    Holdings,
    conceal,
    find_owned,
    manages_sharing,
    standing,
)
from nvcfplan.model import (
    Account,
    DeclaredQuota,
    FunctionId,
    LiveFunction,
    LiveVersion,
    PoolId,
    Readable,
    ResourceId,
    Stack,
    State,
    VersionId,
    function_key,
)
from nvcfplan.planning.context import Context
from nvcfplan.planning.fingerprints import returning_in
from nvcfplan.planning.planner import PlanOptions, find_differences, find_involved
from nvcfplan.planning.refunding import recharge
from nvcfplan.planning.staleness import involved_in
from nvcfplan.planning.works import find_works
from nvcfplan.plans import Action, Basis, Change, Means, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvcfplan.plans import Step

Ids = tuple[tuple[FunctionId, VersionId], ...]

_TAKING: Final = frozenset(
    {Means.NEW_VERSION, Means.REDEPLOY, Means.SPECIFICATION, Means.DEPLOYMENT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNeeds:
    """Of a plan that is to be made. To destroy everything, `stack` has no functions."""

    stack: Stack
    state: State | None
    options: PlanOptions = field(default_factory=PlanOptions)

    @property
    def quotas(self) -> tuple[DeclaredQuota, ...]:
        return self.stack.quotas

    def first(self, live: Sequence[LiveFunction]) -> Ids:
        """The current versions of functions whose secrets are managed: their names are compared."""
        managed = {one.key for one in self.stack.functions if "secrets" in one.managed}
        holdings = self._holdings(live)
        return tuple(
            (owned.function_id, owned.current.version_id)
            for key, owned in holdings.owned.items()
            if key in managed
        )

    def shared(self, live: Sequence[LiveFunction]) -> tuple[FunctionId, ...]:
        """Functions of ours whose list of who may call is managed: nobody else's is read."""
        managed = {one.key for one in self.stack.functions if manages_sharing(one)}
        holdings = self._holdings(live)
        return tuple(owned.function_id for key, owned in holdings.owned.items() if key in managed)

    def outlook(self, live: Sequence[LiveFunction]) -> PlanOutlook:
        holdings = self._holdings(live)
        stack = self.as_it_stands(live)
        differences = find_differences(stack, holdings, self.options)
        return PlanOutlook(
            stack=stack, holdings=holdings, differences=differences, live=tuple(live)
        )

    def as_it_stands(self, live: Sequence[LiveFunction]) -> Stack:
        """With functions on the rungs that they stand on, unless they are to climb back."""
        return self.stack if self.options.climbs else standing(self.stack, self._holdings(live))

    def _holdings(self, live: Sequence[LiveFunction]) -> Holdings:
        stack = self.stack
        found = find_owned(
            stack.name, stack.environment, live, self.state, returning=self.options.returning
        )
        return conceal(found, stack)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyNeeds:
    """Of a plan that was made: what its staleness is judged by."""

    plan: Plan
    state: State | None

    @property
    def quotas(self) -> tuple[DeclaredQuota, ...]:
        return self.plan.desired.quotas

    def first(self, live: Sequence[LiveFunction]) -> Ids:
        """What changes: its images hold the names of secrets."""
        return _ids(_changed(self._holdings(live), self.plan.changes))

    def shared(self, live: Sequence[LiveFunction]) -> tuple[FunctionId, ...]:
        """Of functions that change, those whose images hold who may call them."""
        holdings = self._holdings(live)
        managed = {one.address for one in self.plan.desired.functions if manages_sharing(one)}
        return tuple(
            holdings.owned[key].function_id
            for change in self.plan.changes
            if change.action is not Action.NO_OP and change.address in managed
            if (key := function_key(change.address)) in holdings.owned
        )

    def outlook(self, live: Sequence[LiveFunction]) -> ApplyOutlook:
        return ApplyOutlook(plan=self.plan, holdings=self._holdings(live), live=tuple(live))

    def _holdings(self, live: Sequence[LiveFunction]) -> Holdings:
        name, _, environment = self.plan.stack.partition("@")
        returning = returning_in(self.plan)
        found = find_owned(name, environment, live, self.state, returning=returning)
        return conceal(found, self.plan.desired)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutlook:
    stack: Stack
    holdings: Holdings
    differences: tuple[Difference, ...]
    live: tuple[LiveFunction, ...]

    def readings(self) -> frozenset[Readable]:
        return _readings(self.stack, self._changes)

    def instances(self, account: Account) -> Ids:
        """Versions not read in full so far whose instances or secret names the plan rests on."""
        involved = find_involved(self.live, self.holdings, self.differences)
        limits = find_limits(with_declared(account, self.stack.quotas), involved)
        context = Context(limits=limits, stack=self.stack.name, environment=self.stack.environment)
        taken: Counter[ResourceId] = Counter()
        for work in find_works(self.differences, context):
            if work.is_optional:
                continue
            most: Counter[ResourceId] = Counter()
            for draft in work.drafts:
                most |= Counter(_sums(draft.steps))
            taken.update(most)
        return _unread(_changed(self.holdings, self._changes), involved, limits, taken)

    @property
    def _changes(self) -> tuple[Change, ...]:
        return tuple(one.change for one in self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOutlook:
    plan: Plan
    holdings: Holdings
    live: tuple[LiveFunction, ...]

    def readings(self) -> frozenset[Readable]:
        return _readings(self.plan.desired, self.plan.changes)

    def instances(self, account: Account) -> Ids:
        involved = involved_in(self.plan, self.live, self.holdings)
        limits = find_limits(with_declared(account, self.plan.desired.quotas), involved)
        versions = {
            version.version_id: version
            for owned in self.holdings.owned.values()
            for version in owned.versions
        }
        taken = Counter(_sums(recharge(self.plan, limits, versions)))
        return _unread(_changed(self.holdings, self.plan.changes), involved, limits, taken)


def _readings(stack: Stack, changes: Sequence[Change]) -> frozenset[Readable]:
    """Names are always checked; regions and attributes only the view of clusters shows."""
    found = {Readable.INVENTORY}
    wanted = {change.address for change in changes}
    specifications = [
        one.specification
        for function in stack.functions
        if function.address in wanted
        for one in function.specifications
    ]
    if any(one.regions or one.attributes for one in specifications):
        found.add(Readable.CAPACITY)
    means = {one for change in changes for one in change.means}
    if means & _TAKING:
        found |= {Readable.CAPACITY, Readable.QUOTA}
    if Means.NEW_VERSION in means:
        found.add(Readable.VERSION_LIMIT)
    return frozenset(found)


def _sums(steps: Iterable[Step]) -> Mapping[ResourceId, int]:
    """Units taken, whatever is given back in between: no order of the steps takes more."""
    found: Counter[ResourceId] = Counter()
    for step in steps:
        for charge in step.acquire:
            found[charge.resource] += charge.units
    return found


def _changed(holdings: Holdings, changes: Sequence[Change]) -> Iterator[LiveVersion]:
    """The current version of each function that changes, and every other deployed one of it."""
    for change in changes:
        owned = holdings.owned.get(function_key(change.address))
        if change.action is Action.NO_OP or owned is None:
            continue
        for version in (*owned.versions, *owned.foreign):
            if version.is_deployed or version.version_id == owned.current.version_id:
                yield version


def _unread(
    changed: Iterable[LiveVersion],
    involved: Involved,
    limits: Limits,
    taken: Mapping[ResourceId, int],
) -> Ids:
    binding = _binding(limits, taken)
    touching = (
        version
        for version in involved.ours
        if version.is_deployed and _touches(version, limits.account, binding)
    )
    return _ids(one for one in (*changed, *touching) if one.instances is None)


def _ids(versions: Iterable[LiveVersion]) -> Ids:
    return tuple(sorted({(one.function_id, one.version_id) for one in versions}))


def _binding(limits: Limits, taken: Mapping[ResourceId, int]) -> frozenset[PoolId]:
    """Pools where others, what is held and what the plan takes may together exceed the capacity.

    In the rest it does not matter how many instances run: everything fits at once.
    """
    return frozenset(
        pool
        for one in limits.resources
        if one.basis is Basis.HELD and one.limit is not None and taken.get(one.id)
        if one.before + taken[one.id] > one.limit
        for pool in one.pools
    )


def _touches(version: LiveVersion, account: Account, binding: frozenset[PoolId]) -> bool:
    rows = version.deployment.specifications if version.deployment and binding else ()
    return any(not binding.isdisjoint(place(row.specification, account).pools) for row in rows)
