"""How the world moves by itself: instances boot and are released, the service reconciles.

Event by event, so that two hours cost no more than what happens in them. Source: nvcf-api.md 5.
"""

from __future__ import annotations

import math

from nvcfplan.emulator.allocation import land
from nvcfplan.emulator.reconcile import ERROR_KEPT_SECONDS, Case, LiveInstances, reconcile
from nvcfplan.emulator.world import Phase, Request, Version, World


def advance(world: World, until: float) -> None:
    """Lets everything happen that is due up to then, in its order.

    What is changed afterwards, even at the very moment of a tick, waits for the next one.
    """
    while True:
        if world.due is None:
            world.due = min(_next_move(world), _next_tick(world))
        if world.due > until:
            break
        ticks = _next_tick(world) <= world.due
        world.time = max(world.time, world.due)
        world.due = None
        _boot(world)
        _release(world)
        if ticks:
            _tick(world)
    world.time = max(world.time, until)
    world.pass_ticks()


def _next_move(world: World) -> float:
    """When an instance next boots or is released."""
    moves = (one.until for one in world.instances.values() if one.phase is not Phase.RUNNING)
    return min(moves, default=math.inf)


def _next_tick(world: World) -> float:
    """The next tick at which something can change; infinity if nothing will."""
    reasons = [one.asked_at + world.rules.queue_timeout for one in world.requests.values()]
    if world.is_stirring:
        reasons.append(world.time)
    for version in world.versions.values():
        reasons.extend(_own_reasons(version))
    return _tick_at(world, min(reasons)) if reasons else math.inf


def _own_reasons(version: Version) -> list[float]:
    deployment = version.deployment
    if deployment is None:
        return []
    if deployment.erred_at is not None:
        return [deployment.erred_at + ERROR_KEPT_SECONDS]
    empty_at = version.queue.empty_at() if deployment.is_draining else None
    return [] if empty_at is None else [empty_at]


def _tick_at(world: World, time: float) -> float:
    """The first tick, not yet done, at or after a time. Without ticks, it follows at once."""
    tick = world.rules.tick
    if not tick:
        return time if time > world.ticked_at or world.is_stirring else math.inf
    return max(math.ceil(time / tick), round(world.ticked_at / tick) + 1) * tick


def _boot(world: World) -> None:
    booted: dict[str, int] = {}
    for one in world.instances.values():
        if one.phase is Phase.STARTING and one.until <= world.time:
            one.phase = Phase.RUNNING
            one.updated_at = world.time
            booted[one.version] = booted.get(one.version, 0) + 1
    for version, count in booted.items():
        world.tell("instances-running", f"{count} running", world.versions.get(version))
        world.stir()


def _release(world: World) -> None:
    gone = [
        one
        for one in world.instances.values()
        if one.phase is Phase.TERMINATED and one.until <= world.time
    ]
    counts: dict[tuple[str, str, str], int] = {}
    for one in gone:
        del world.instances[one.id]
        key = (one.version, one.cluster, one.gpu)
        counts[key] = counts.get(key, 0) + one.gpus
    for (version, cluster, gpu), gpus in counts.items():
        words = f"{gpus} {gpu} free again in {cluster}"
        world.tell("released", words, world.versions.get(version))
        world.stir()


def _tick(world: World) -> None:
    world.ticked_at = world.time
    world.is_stirring = False
    world.is_changed = True
    for request in list(world.requests.values()):
        _follow_up(world, request)
    live: LiveInstances = {}
    for one in world.instances.values():
        if one.is_live:
            live.setdefault(one.specification, []).append(one)
    for version in list(world.versions.values()):
        if version.deployment is not None:
            reconcile(Case(world, version, version.deployment, live))


def _follow_up(world: World, request: Request) -> None:
    """Expires a request nobody took in time, else offers it again."""
    if world.time >= request.asked_at + world.rules.queue_timeout:
        _expire(world, request)
        return
    land(world, request)
    if not request.waiting(world.rules.batch_size):
        del world.requests[request.id]


def _expire(world: World, request: Request) -> None:
    version = world.versions[request.version]
    missing = request.waiting(world.rules.batch_size)
    del world.requests[request.id]
    world.ledger.expire(request.position)
    for one in version.deployment.specifications if version.deployment else ():
        if one.id == request.specification:
            one.failed = missing
    minutes = world.rules.queue_timeout / 60
    words = f"{missing} {request.instance_type} given up after {minutes:g} min in the queue"
    world.tell("request-expired", words, version)
    world.stir()
