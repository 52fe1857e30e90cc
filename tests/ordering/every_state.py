"""Every state that the edges of a plan permit, and every landing in it: is there always room?

Counts what the service counts: clusters, batches, instances where they landed. Knows the kinds of
steps and the fleet; nothing of the plan's own resources, charges and grants, nor of the planner.

What takes has no effect on room at its end, and what gives has none at its start, so each is one
event. Units come back at any time between the call that gives them up and the end of the wait.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.model import GpuSpecification, StepId
from nvcfplan.plans import AwaitReleased, Deploy, Plan, Step, Undeploy, UpdateDeployment, VersionRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.ordering.fleets import Fleet

T = TypeVar("T")
Held = tuple[int, ...]
"""The cluster of each instance of a row, oldest first."""


class Unserved(Exception):
    """A request that is made and finds no room, or exceeds a quota."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A specification of a version as it was deployed: by this step, or (None) before the plan."""

    version: VersionRef
    key: str
    deployed_by: StepId | None
    gpus_each: int
    clusters: frozenset[str]


@dataclass(frozen=True, slots=True)
class _State:
    """`done`: one bit per event. By cluster what is free; by row what it holds and promises."""

    done: int
    free: tuple[int, ...]
    held: tuple[Held, ...]
    most: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Ask:
    """`growing`: only what is missing to the minimum is asked for."""

    step: StepId
    row: int
    specification: GpuSpecification
    growing: bool


@dataclass(frozen=True, slots=True)
class _Return:
    """Instances above `most` stop, oldest first. `step`: the call that gives them up."""

    step: StepId
    row: int
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


def carry_out(fleet: Fleet, plan: Plan, seed: int, *, batch: int = 10) -> None:
    """One random order and landing, mostly where it hurts. Raises Unserved."""
    throw = random.Random(seed)
    course = _Course(fleet, plan, batch)
    state = course.start()
    while bits := course.possible(state):
        after = sorted(course.after(state, throw.choice(bits)), key=_blocking)
        state = after[0] if throw.random() < 0.6 else throw.choice(after)


def _blocking(state: _State) -> tuple[tuple[int, ...], tuple[Held, ...]]:
    """The fullest clusters fill first, as an adversary would have it."""
    return (tuple(sorted(state.free)), state.held)


def operations(plan: Plan) -> int:
    """Steps by which GPUs are taken or given."""
    kinds = (Deploy, UpdateDeployment, AwaitReleased)
    return sum(isinstance(step.task, kinds) for step in plan.steps)


def events_of(fleet: Fleet, plan: Plan) -> int:
    """How many things may happen; the states are at most two to that."""
    return len(_Course(fleet, plan, 1).events)


class _Course:
    """What may happen, and after what."""

    def __init__(self, fleet: Fleet, plan: Plan, batch: int) -> None:
        self.fleet, self.batch = fleet, batch
        self.clusters = tuple(fleet.capacity)
        self.rows = tuple(_rows(fleet, plan))
        self.events = tuple(_events(plan, self.rows))
        before = ancestors_of(plan.steps)
        self.shrinking = {one.row for one in self.events if isinstance(one, _Return) and one.most}
        self.needed = tuple(self._needed(one, plan, before) for one in self.events)

    def start(self) -> _State:
        """What runs stands on the first pool of its place."""
        free = [self.fleet.capacity[name] for name in self.clusters]
        held: list[Held] = [() for _ in self.rows]
        most = [0 for _ in self.rows]
        places = [place for one in self.fleet.functions for place in one.before]
        for at, place in enumerate(places):
            home = self.clusters.index(place.home)
            free[home] -= place.runs * place.gpus
            held[at] = (home,) * place.runs
            most[at] = place.highest
        return _State(0, tuple(free), tuple(held), tuple(most))

    def possible(self, state: _State) -> list[int]:
        """Places of the events that may happen now."""
        return [
            bit
            for bit, needed in enumerate(self.needed)
            if not state.done >> bit & 1 and not needed & ~state.done
        ]

    def next(self, state: _State) -> Iterator[_State]:
        for bit in self.possible(state):
            yield from self.after(state, bit)

    def after(self, state: _State, bit: int) -> Iterator[_State]:
        event, done = self.events[bit], state.done | 1 << bit
        if isinstance(event, _Return):
            yield self._returned(state, event, done)
        else:
            yield from self._asked(state, event, done)

    def _returned(self, state: _State, event: _Return, done: int) -> _State:
        mine = state.held[event.row]
        gone = max(0, len(mine) - event.most)
        free = list(state.free)
        for cluster in mine[:gone]:
            free[cluster] += self.rows[event.row].gpus_each
        return _State(
            done,
            tuple(free),
            _with(state.held, event.row, mine[gone:]),
            _with(state.most, event.row, min(event.most, state.most[event.row])),
        )

    def _asked(self, state: _State, event: _Ask, done: int) -> Iterator[_State]:
        wanted, mine = event.specification, state.held[event.row]
        most = _with(state.most, event.row, max(state.most[event.row], wanted.max_instances))
        if most != state.most:
            self._refuse_over_quota(most, event)
        count = wanted.min_instances - (len(mine) if event.growing else 0)
        landed = self._landings(state.free, event, max(0, count))
        for free, more in landed:
            yield _State(done, free, _with(state.held, event.row, mine + more), most)

    def _in_order(self, event: _Ask, landed: Held) -> Held:
        """By age only where that decides which ones stop: else there were states for nothing."""
        return landed if event.row in self.shrinking else tuple(sorted(landed))

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
        each = self.rows[event.row].gpus_each
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
        for cap in self.fleet.quotas:
            counted = sum(
                cap.counts(row.clusters, promised, row.gpus_each)
                for promised, row in zip(most, self.rows, strict=True)
            )
            if counted > cap.limit and not self.rows[event.row].clusters.isdisjoint(cap.names):
                raise Unserved(f"{event.step}: {counted} by max, the quota is {cap}")

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
                wait = waits.get(self.rows[other.row].version)
                is_over = wait is not None and other.step in before[wait]
            found |= is_over << bit
        return found


def _rows(fleet: Fleet, plan: Plan) -> Iterator[_Row]:
    """What is there first, in the order of the fleet; then what the plan deploys."""
    for one in fleet.functions:
        for place in one.before:
            old = VersionRef(one.desired_address, "old")
            yield _Row(old, place.key, None, place.gpus, frozenset(place.pools))
    for step in plan.steps:
        if isinstance(step.task, Deploy):
            for wanted in step.task.specifications:
                size = wanted.instance_type.removeprefix("type_").removesuffix("x")
                clusters = wanted.clusters if wanted.backend is None else fleet.capacity
                yield _Row(step.task.version, wanted.key, step.id, int(size), frozenset(clusters))


def _events(plan: Plan, rows: Sequence[_Row]) -> Iterator[_Event]:
    """A version that is deployed again has other rows from then on."""
    standing = {(row.version, row.key): at for at, row in enumerate(rows) if not row.deployed_by}
    for step in plan.steps:
        match step.task:
            case Deploy(version=version, specifications=specifications):
                mine = {row.key: at for at, row in enumerate(rows) if row.deployed_by == step.id}
                standing |= {(version, key): at for key, at in mine.items()}
                for one in specifications:
                    yield _Ask(step.id, mine[one.key], one, growing=False)
            case UpdateDeployment(version=version, specification=one, row=row):
                at = standing[version, row.removeprefix("g-") if row else one.key]
                yield _Ask(step.id, at, one, growing=True)
                yield _Return(step.id, at, one.max_instances)
            case Undeploy(version=version):
                gone = [key for key in standing if key[0] == version]
                yield from (_Return(step.id, standing.pop(key), 0) for key in sorted(gone))
            case _:
                pass


def ancestors_of(steps: Sequence[Step]) -> Mapping[StepId, frozenset[StepId]]:
    """All that has ended when a step starts."""
    found: dict[StepId, frozenset[StepId]] = {}
    for step in steps:
        near = {edge.step for edge in step.depends_on}
        found[step.id] = frozenset(near).union(*(found[one] for one in near))
    return found


def _with(some: tuple[T, ...], at: int, one: T) -> tuple[T, ...]:
    return (*some[:at], one, *some[at + 1 :])
