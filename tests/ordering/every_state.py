"""Every state that the edges of a plan permit, and every landing in it: is there always room?

Counts what the service counts: clusters, batches, instances where they landed. Knows the kinds of
steps and the fleet; nothing of the plan's own resources, charges and grants, nor of the planner.

What takes has no effect on room at its end, and what gives has none at its start, so each is one
event. Units come back at any time between the call that gives them up and the end of the wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.model import GpuSpecification, StepId
from nvcfplan.plans import AwaitReleased, Deploy, Plan, Step, Undeploy, UpdateDeployment, VersionRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.ordering.instances import Fleet

T = TypeVar("T")
Held = tuple[int, ...]
"""The cluster of each instance of a version, oldest first."""


class Unserved(Exception):
    """A request that is made and finds no room, or exceeds a quota."""


@dataclass(frozen=True, slots=True)
class _State:
    """`done`: one bit per event. By cluster what is free; by version what it holds and promises."""

    done: int
    free: tuple[int, ...]
    held: tuple[Held, ...]
    most: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Ask:
    """`growing`: only what is missing to the minimum is asked for."""

    step: StepId
    version: int
    specification: GpuSpecification
    growing: bool


@dataclass(frozen=True, slots=True)
class _Return:
    """Instances above `most` stop, oldest first. `step`: the call that gives them up."""

    step: StepId
    version: int
    most: int


_Event = _Ask | _Return


def refuse_unserved(fleet: Fleet, plan: Plan, *, batch: int = 10) -> int:
    """How many states there are. Raises Unserved in the first one that lacks room for a request."""
    course = _Course(fleet, plan, batch)
    pending = [course.start()]
    seen = set(pending)
    while pending:
        state = pending.pop()
        for after in course.next(state):
            if after not in seen:
                seen.add(after)
                pending.append(after)
    return len(seen)


def has_room(fleet: Fleet, plan: Plan, *, batch: int = 10) -> bool:
    try:
        refuse_unserved(fleet, plan, batch=batch)
    except Unserved:
        return False
    return True


def operations(plan: Plan) -> int:
    """Steps by which GPUs are taken or given."""
    kinds = (Deploy, UpdateDeployment, AwaitReleased)
    return sum(isinstance(step.task, kinds) for step in plan.steps)


class _Course:
    """What may happen, and after what."""

    def __init__(self, fleet: Fleet, plan: Plan, batch: int) -> None:
        self.fleet, self.batch = fleet, batch
        self.clusters = tuple(fleet.capacity)
        self.versions = tuple(dict.fromkeys(_versions(fleet, plan)))
        self.events = tuple(_events(plan, {one: at for at, one in enumerate(self.versions)}))
        self.each = _sizes(fleet, plan, self.versions)
        before = ancestors_of(plan.steps)
        self.shrinking = {o.version for o in self.events if isinstance(o, _Return) and o.most}
        self.needed = tuple(self._needed(one, plan, before) for one in self.events)

    def start(self) -> _State:
        """What runs stands on the first pool of its function."""
        free = [self.fleet.capacity[name] for name in self.clusters]
        held: list[Held] = [() for _ in self.versions]
        most = [0 for _ in self.versions]
        for one in self.fleet.functions:
            if one.before is not None:
                at = self.versions.index(VersionRef(one.desired_address, "old"))
                home = self.clusters.index(one.before.pools[0])
                free[home] -= one.runs * one.before.gpus
                held[at] = (home,) * one.runs
                most[at] = one.before.specification().max_instances
        return _State(0, tuple(free), tuple(held), tuple(most))

    def next(self, state: _State) -> Iterator[_State]:
        for bit, (event, needed) in enumerate(zip(self.events, self.needed, strict=True)):
            if not state.done >> bit & 1 and not needed & ~state.done:
                done = state.done | 1 << bit
                if isinstance(event, _Return):
                    yield self._returned(state, event, done)
                else:
                    yield from self._asked(state, event, done)

    def _returned(self, state: _State, event: _Return, done: int) -> _State:
        mine = state.held[event.version]
        gone = max(0, len(mine) - event.most)
        free = list(state.free)
        for cluster in mine[:gone]:
            free[cluster] += self.each[event.version]
        return _State(
            done,
            tuple(free),
            _with(state.held, event.version, mine[gone:]),
            _with(state.most, event.version, min(event.most, state.most[event.version])),
        )

    def _asked(self, state: _State, event: _Ask, done: int) -> Iterator[_State]:
        wanted, mine = event.specification, state.held[event.version]
        most = _with(
            state.most, event.version, max(state.most[event.version], wanted.max_instances)
        )
        if most != state.most:
            self._refuse_over_quota(most, event)
        count = wanted.min_instances - (len(mine) if event.growing else 0)
        landed = self._landings(state.free, event, max(0, count))
        for free, more in landed:
            yield _State(done, free, _with(state.held, event.version, mine + more), most)

    def _in_order(self, event: _Ask, landed: Held) -> Held:
        """By age only where that decides which ones stop: else there were states for nothing."""
        return landed if event.version in self.shrinking else tuple(sorted(landed))

    def _landings(
        self, free: tuple[int, ...], event: _Ask, count: int
    ) -> set[tuple[tuple[int, ...], Held]]:
        """Batch by batch, each whole, on any that has room; all on one that is picked first."""
        if not count:
            return {(free, ())}
        pools = self._pools(event.specification)
        if event.specification.backend is None:
            return self._landed(free, event, count, pools)
        picked = [one for one in pools if free[one] > 0]
        if not picked:
            raise Unserved(f"{event.step}: no cluster of the group has a GPU free")
        return {end for one in picked for end in self._landed(free, event, count, (one,))}

    def _landed(
        self, free: tuple[int, ...], event: _Ask, count: int, pools: Sequence[int]
    ) -> set[tuple[tuple[int, ...], Held]]:
        each = self.each[event.version]
        found: set[tuple[tuple[int, ...], Held]] = {(free, ())}
        full, rest = divmod(count, self.batch)
        for size in (*(self.batch,) * full, *((rest,) if rest else ())):
            after: set[tuple[tuple[int, ...], Held]] = set()
            for now, landed in found:
                fitting = [one for one in pools if now[one] >= size * each]
                if not fitting:
                    raise Unserved(f"{event.step}: {size} x {each} GPUs, free {now} of {pools}")
                for one in fitting:
                    left = _with(now, one, now[one] - size * each)
                    after.add((left, self._in_order(event, landed + (one,) * size)))
            found = after
        return found

    def _refuse_over_quota(self, most: tuple[int, ...], event: _Ask) -> None:
        for names, limit in self.fleet.quotas:
            counted = sum(
                promised * each
                for promised, each, version in zip(most, self.each, self.versions, strict=True)
                if promised and not self._places(version).isdisjoint(names)
            )
            if counted > limit and self._places(self.versions[event.version]) & set(names):
                raise Unserved(f"{event.step}: {counted} GPUs by max, the quota is {limit}")

    def _places(self, version: VersionRef) -> set[str]:
        (one,) = (one for one in self.fleet.functions if one.desired_address == version.address)
        place = one.before if version.label == "old" else one.after
        return set(place.pools) if place is not None else set()

    def _pools(self, wanted: GpuSpecification) -> tuple[int, ...]:
        names = wanted.clusters if wanted.backend is None else self.clusters
        return tuple(self.clusters.index(name) for name in names)

    def _needed(self, event: _Event, plan: Plan, before: Mapping[StepId, frozenset[StepId]]) -> int:
        """The events that have happened once everything has ended that its step waits for."""
        found = 0
        waits = {
            step.task.version: step.id
            for step in plan.steps
            if isinstance(step.task, AwaitReleased) and step.id in before[event.step]
        }
        for bit, other in enumerate(self.events):
            if isinstance(other, _Ask):
                is_over = other.step in before[event.step]
                is_over |= isinstance(event, _Return) and other.step == event.step
            else:
                wait = waits.get(self.versions[other.version])
                is_over = wait is not None and other.step in before[wait]
            found |= is_over << bit
        return found


def _versions(fleet: Fleet, plan: Plan) -> Iterator[VersionRef]:
    for one in fleet.functions:
        if one.before is not None:
            yield VersionRef(one.desired_address, "old")
    for step in plan.steps:
        if isinstance(step.task, Deploy | Undeploy | UpdateDeployment):
            yield step.task.version


def _events(plan: Plan, places: Mapping[VersionRef, int]) -> Iterator[_Event]:
    for step in plan.steps:
        match step.task:
            case Deploy(version=version, specifications=specifications):
                for one in specifications:
                    yield _Ask(step.id, places[version], one, growing=False)
            case UpdateDeployment(version=version, specification=one):
                yield _Ask(step.id, places[version], one, growing=True)
                yield _Return(step.id, places[version], one.max_instances)
            case Undeploy(version=version):
                yield _Return(step.id, places[version], 0)
            case _:
                pass


def _sizes(fleet: Fleet, plan: Plan, versions: Sequence[VersionRef]) -> tuple[int, ...]:
    """GPUs of an instance, by version: all of a version are alike here."""
    found = {
        VersionRef(one.desired_address, "old"): one.before.gpus
        for one in fleet.functions
        if one.before is not None
    }
    for step in plan.steps:
        if isinstance(step.task, Deploy):
            for one in step.task.specifications:
                size = one.instance_type.removeprefix("type_").removesuffix("x")
                found[step.task.version] = int(size)
    return tuple(found.get(one, 0) for one in versions)


def ancestors_of(steps: Sequence[Step]) -> Mapping[StepId, frozenset[StepId]]:
    """All that has ended when a step starts."""
    found: dict[StepId, frozenset[StepId]] = {}
    for step in steps:
        near = {edge.step for edge in step.depends_on}
        found[step.id] = frozenset(near).union(*(found[one] for one in near))
    return found


def _with(some: tuple[T, ...], at: int, one: T) -> tuple[T, ...]:
    return (*some[:at], one, *some[at + 1 :])
