"""A fleet that is to be changed: who runs where, what is wanted, and what there is room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from nvcfplan.model import (
    Address,
    DeclaredQuota,
    Downtime,
    GpuSpecification,
    Quota,
    QuotaCount,
    QuotaUnit,
    Stack,
    UpdatePolicy,
    function_address,
)
from tests.planning.builders import (
    ENVIRONMENT,
    STACK,
    START,
    account,
    cluster,
    plan,
    running,
    specification,
    wanted,
)

if TYPE_CHECKING:
    from nvcfplan.model import Account, DesiredFunction, LiveFunction, LiveInstance
    from nvcfplan.plans import Infeasible, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A specification. `pools`: one, or all that the service may choose from; by `backend` or by
    their names. `runs`: instances now, on the first of its pools; only of what is there before.
    """

    pools: tuple[str, ...]
    instances: int
    gpus: int
    is_backend: bool = False
    most: int = 0
    runs: int = 0
    key: str = "main"

    @property
    def units(self) -> int:
        return self.instances * self.gpus

    @property
    def home(self) -> str:
        return self.pools[0]

    @property
    def highest(self) -> int:
        return max(self.instances, self.most, 1)

    @property
    def where(self) -> tuple[tuple[str, ...], int, bool]:
        """What cannot change without another version."""
        return (self.pools, self.gpus, self.is_backend)

    def specification(self) -> GpuSpecification:
        found = specification(
            self.key, low=self.instances, high=self.highest, gpus=self.gpus, clusters=self.pools
        )
        return replace(found, clusters=(), backend="all") if self.is_backend else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """`before` empty: new. `after` empty: to be removed. `bumps`: gets a new image.

    Places by key; the same key before and after goes on as the same specification.
    """

    key: str
    before: tuple[Place, ...]
    after: tuple[Place, ...]
    bumps: bool
    policy: UpdatePolicy
    uses: tuple[str, ...] = ()

    @property
    def desired_address(self) -> Address:
        return function_address(self.key)

    @property
    def may_pause(self) -> bool:
        return self.policy.downtime is Downtime.ALLOWED

    @property
    def is_replaced(self) -> bool:
        if not self.before or not self.after:
            return False
        now, then = ({one.key: one.where for one in some} for some in (self.before, self.after))
        return self.bumps or now != then

    @property
    def runs(self) -> int:
        return sum(one.runs for one in self.before)

    def desired(self) -> DesiredFunction:
        assert self.after, "only of one that stays"
        return wanted(
            self.key,
            *(one.specification() for one in self.after),
            image="app:2" if self.bumps else "app:1",
            policy=self.policy,
            depends_on=self.uses,
        )

    def live(self) -> LiveFunction:
        assert self.before, "only of one that is there"
        function = wanted(self.key, *(one.specification() for one in self.before), image="app:1")
        found = running(function, instances=max(one.runs for one in self.before))
        (version,) = found.versions
        instances = tuple(self._at_home(version.instances or ()))
        return replace(found, versions=(replace(version, instances=instances),))

    def _at_home(self, instances: Sequence[LiveInstance]) -> Iterator[LiveInstance]:
        """As many of each place as run, on its first pool, in turns the oldest."""
        for nth, place in enumerate(self.before):
            mine = [one for one in instances if one.id.startswith(f"{self.key}-g-{place.key}-")]
            for number, one in enumerate(mine[: place.runs]):
                age = START + timedelta(seconds=number * len(self.before) + nth)
                yield replace(one, location=place.home, created_at=age)


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit over a set of pools that counts what may run at most."""

    names: tuple[str, ...]
    limit: int
    unit: QuotaUnit = QuotaUnit.GPUS

    def counts(self, pools: Collection[str], most: int, gpus: int) -> int:
        """Of something that may land on these: all of it, or nothing."""
        if set(self.names).isdisjoint(pools):
            return 0
        return most * (gpus if self.unit is QuotaUnit.GPUS else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """`capacity`: GPUs by pool. `quotas`: those in GPUs are read, those in instances declared by
    the stack, as no reading shows them.
    """

    functions: tuple[Function, ...]
    capacity: Mapping[str, int]
    quotas: tuple[Cap, ...] = ()

    def account(self) -> Account:
        used = held(self.functions)
        quotas = tuple(
            Quota(gpu="H100", names=one.names, limit=one.limit)
            for one in self.quotas
            if one.unit is QuotaUnit.GPUS
        )
        return account(
            *(
                replace(cluster(name, gpus=gpus, free=gpus - used[name]), groups=(name, "all"))
                for name, gpus in self.capacity.items()
            ),
            quotas=quotas,
        )

    def desired(self) -> list[DesiredFunction]:
        return [one.desired() for one in self.functions if one.after]

    def live(self) -> list[LiveFunction]:
        return [one.live() for one in self.functions if one.before]

    def declared(self) -> tuple[DeclaredQuota, ...]:
        return tuple(
            DeclaredQuota(
                f"q{number}",
                Quota(
                    gpu="H100",
                    names=one.names,
                    limit=one.limit,
                    unit=one.unit,
                    counts=QuotaCount.MAX,
                ),
            )
            for number, one in enumerate(self.quotas)
            if one.unit is QuotaUnit.INSTANCES
        )

    def stack(self) -> Stack:
        functions = tuple(sorted(self.desired(), key=lambda one: one.key))
        return Stack(
            name=STACK, environment=ENVIRONMENT, functions=functions, quotas=self.declared()
        )

    def plan(self) -> Plan | Infeasible:
        return plan(self.desired(), self.account(), self.live(), quotas=self.declared())


def held(functions: Sequence[Function]) -> Counter[str]:
    """GPUs by pool now."""
    used: Counter[str] = Counter()
    for one in functions:
        for place in one.before:
            used[place.home] += place.runs * place.gpus
    return used


def wanted_units(functions: Sequence[Function]) -> Counter[str]:
    """GPUs by pool in the end; of a choice, on its first pool."""
    used: Counter[str] = Counter()
    for one in functions:
        for place in one.after:
            used[place.home] += _end_units(one, place)
    return used


def units_of(places: Sequence[Place]) -> dict[str, int]:
    """Their minima, in GPUs by pool; of a choice, on its first pool."""
    found: dict[str, int] = {}
    for one in places:
        found[one.home] = found.get(one.home, 0) + one.units
    return found


def _end_units(one: Function, after: Place) -> int:
    """What an update leaves running counts too."""
    before = [place for place in one.before if place.key == after.key]
    if not before or one.is_replaced:
        return after.units
    return max(after.instances, min(before[0].runs, max(after.most, after.instances))) * after.gpus
