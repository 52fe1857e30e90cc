"""Carries a plan out on paper, in a random order its edges permit, landing where it hurts.

Knows clusters, specifications and where instances run; nothing of the plan's own bounds.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.capacity import place
from nvcfplan.plans import AwaitReleased, Deploy, Step, Undeploy, UpdateDeployment, VersionRef
from tests.ordering.instances import Fleet, held

if TYPE_CHECKING:
    from nvcfplan.model import GpuSpecification
    from nvcfplan.plans import Plan


class Unserved(Exception):
    """A request that found no room at once."""


class Ledger:
    """GPUs by pool that are free, and by version the pools they are taken from."""

    def __init__(self, fleet: Fleet, throw: random.Random) -> None:
        self.fleet, self.throw = fleet, throw
        used = held(fleet.functions)
        self.free = Counter({name: gpus - used[name] for name, gpus in fleet.capacity.items()})
        self.taken: dict[VersionRef, Counter[str]] = {}
        for one in fleet.functions:
            if one.before is not None:
                ref = VersionRef(one.desired_address, "old")
                self.taken[ref] = Counter({one.before.pools[0]: one.runs * one.before.gpus})

    def ask(self, ref: VersionRef, wanted: GpuSpecification, instances: int) -> None:
        placement = place(wanted, self.fleet.account())
        pools = [pool.cluster for pool in placement.pools]
        each = placement.gpus_each or 0
        if wanted.backend is not None:
            pools = [self._pick([name for name in pools if self.free[name] > 0] or pools)]
        while instances:
            batch = min(10, instances)
            fitting = [name for name in pools if self.free[name] >= batch * each]
            if not fitting:
                raise Unserved(f"{ref}: {batch} x {each} in {pools}, free {dict(self.free)}")
            self._take(ref, self._pick(fitting), batch * each)
            instances -= batch

    def give(self, ref: VersionRef, pool: str, gpus: int) -> None:
        self.free[pool] += gpus
        self.taken[ref][pool] -= gpus

    def give_all(self, ref: VersionRef) -> None:
        for pool, gpus in list(self.taken.get(ref, Counter()).items()):
            self.give(ref, pool, gpus)

    def _take(self, ref: VersionRef, pool: str, gpus: int) -> None:
        self.free[pool] -= gpus
        self.taken.setdefault(ref, Counter())[pool] += gpus

    def _pick(self, pools: list[str]) -> str:
        """Mostly the fullest, as an adversary would."""
        if self.throw.random() < 0.6:
            return min(pools, key=lambda name: (self.free[name], name))
        return self.throw.choice(pools)


def carry_out(fleet: Fleet, plan: Plan, seed: int) -> None:
    """Raises Unserved. Releases come as late as they can, every other time."""
    throw = random.Random(seed)
    ledger = Ledger(fleet, throw)
    waiting = {step.id: step for step in plan.steps}
    running: list[Step] = []
    ended: set[str] = set()
    while waiting or running:
        ready = [
            step for step in waiting.values() if all(edge.step in ended for edge in step.depends_on)
        ]
        if ready and (not running or throw.random() < 0.8):
            step = throw.choice(ready)
            del waiting[step.id]
            _start(ledger, step)
            running.append(step)
        else:
            step = running.pop(throw.randrange(len(running)))
            _end(ledger, step, plan)
            ended.add(step.id)


def _start(ledger: Ledger, step: Step) -> None:
    match step.task:
        case Deploy(version=ref, specifications=specifications):
            for one in specifications:
                ledger.ask(ref, one, one.min_instances)
        case UpdateDeployment(version=ref, specification=one):
            each = int(one.instance_type.removeprefix("type_").removesuffix("x"))
            runs = sum(ledger.taken.get(ref, Counter()).values()) // each
            ledger.ask(ref, one, max(0, one.min_instances - runs))
        case _:
            pass


def _end(ledger: Ledger, step: Step, plan: Plan) -> None:
    """What an undeploy, or a lowered maximum, gives is there once its release was awaited."""
    if not isinstance(step.task, AwaitReleased):
        return
    ref = step.task.version
    same = [one.task for one in plan.steps if one.address == step.address]
    if any(isinstance(task, Undeploy) and task.version == ref for task in same):
        ledger.give_all(ref)
        return
    for task in same:
        if isinstance(task, UpdateDeployment) and task.version == ref:
            each = int(task.specification.instance_type.removeprefix("type_").removesuffix("x"))
            for pool, gpus in list(ledger.taken[ref].items()):
                surplus = gpus - task.specification.max_instances * each
                ledger.give(ref, pool, max(0, surplus))
