"""How the world moves by itself: instances boot and are released, the service reconciles.

Event by event, so that two hours cost no more than what happens in them. Source: nvcf-api.md 5.
"""

from __future__ import annotations

import math

from nvcfplan.emulator.allocation import land, lose, scale
from nvcfplan.emulator.reconcile import Case, reconcile
from nvcfplan.emulator.settling import let_go, settle, stir_concerned
from nvcfplan.emulator.weather import happen, next_event
from nvcfplan.emulator.world import Instance, Phase, Request, Status, World

_FIRST_REST = 60.0
_LONGEST_REST = 3600.0
"""Seconds before instances are asked for anew after some broke: the first time, and at most."""

_MOST_MOVES = 2000
"""Moments at which something happens, in one go: whoever else waits has to have his turn."""


def advance(world: World, until: float) -> None:
    """Lets everything happen that is due up to then, in its order.

    Not all the way where too much happens on it: the world is then at what came last, and goes on
    from there the next time. What is changed afterwards, even at the very moment of a tick, waits
    for the next one. A row taken from a table before must be taken again to be changed.
    """
    for _ in range(_MOST_MOVES):
        if world.due is None:
            stir_concerned(world)
            world.due = min(_next_move(world), _next_tick(world))
        if world.due > until:
            _pass(world, until)
            break
        ticks = _next_tick(world) <= world.due
        _pass(world, world.due)
        world.due = None
        moving = world.instances.in_order(world.outlook.take_moves(world.time))
        leaving = [one for one in moving if one.phase is Phase.TERMINATED]
        _boot(world, [one for one in moving if one.phase is Phase.STARTING])
        _release(world, leaving)
        happen(world)
        _carry_load(world)
        if ticks:
            _tick(world)
    world.pass_ticks()


def _pass(world: World, until: float) -> None:
    """Time goes on and nothing happens, but the agents' heartbeat."""
    beat, was = world.rules.heartbeat, world.time
    world.time = max(was, until)
    if beat and math.floor(world.time / beat) > math.floor(was / beat):
        world.report()


def _next_move(world: World) -> float:
    """When an instance next boots, breaks or is released, or something comes from outside."""
    return min(world.outlook.next_move(), world.outlook.next_load(), next_event(world))


def _next_tick(world: World) -> float:
    """The next tick at which something can change; infinity if nothing will."""
    expiries = (one.expires_at for one in world.requests.shown())
    reasons = [one for one in expiries if one is not None]
    if world.is_stirring:
        reasons.append(world.time)
    first = min([*reasons, world.outlook.next_deadline()])
    return math.inf if first == math.inf else _tick_at(world, first)


def _tick_at(world: World, time: float) -> float:
    """The first tick, not yet done, at or after a time. Without ticks, it follows at once."""
    tick = world.rules.tick
    if not tick:
        return time if time > world.ticked_at or world.is_stirring else math.inf
    return max(math.ceil(time / tick), round(world.ticked_at / tick) + 1) * tick


def _boot(world: World, due: list[Instance]) -> None:
    booted: dict[str, int] = {}
    for one in due:
        if one.failure is not None:
            _break(world, one)
            continue
        one.phase = Phase.RUNNING
        one.updated_at = world.time
        booted[one.version] = booted.get(one.version, 0) + 1
    for version, count in booted.items():
        world.tell("instances-running", f"{count} running", world.versions.look(version))
        world.stir()


def _break(world: World, instance: Instance) -> None:
    specification = lose(world, instance, instance.failure)
    if specification is not None:
        rest = min(_FIRST_REST * 2.0 ** min(specification.setbacks, 10), _LONGEST_REST)
        specification.setbacks += 1
        specification.rests_until = world.time + rest
        if specification.doom and specification.doom.is_spent:
            specification.doom = None
    words = f"{instance.instance_type} in {instance.cluster} broke"
    world.tell("instance-broke", words, world.versions.look(instance.version))


def _carry_load(world: World) -> None:
    """The autoscaler acts only on what is ACTIVE. Source: nvcf-api.md 8.3."""
    late = [id_ for id_, at in world.outlook.loads.items() if at <= world.time]
    for version in world.versions.in_order(late):
        while version.loads and version.loads[0].at <= world.time:
            load = version.loads.pop(0)
            world.stir()
            if version.status is not Status.ACTIVE or version.deployment is None:
                continue
            for one in version.deployment.specifications:
                scale(world, one, target=max(one.min, min(load.running, one.max)))


def _release(world: World, due: list[Instance]) -> None:
    counts: dict[tuple[str, str, str], int] = {}
    for one in due:
        del world.instances[one.id]
        key = (one.version, one.cluster, one.gpu)
        counts[key] = counts.get(key, 0) + one.gpus
    for (version, cluster, gpu), gpus in counts.items():
        words = f"{gpus} {gpu} free again in {cluster}"
        world.tell("released", words, world.versions.look(version))
        world.stir()


def _tick(world: World) -> None:
    """Every request is offered again; of the versions, only those are looked at that may move."""
    world.ticked_at = world.time
    world.is_changed = True
    world.is_stirring = False
    for request in list(world.requests.values()):
        _follow_up(world, request)
    stir_concerned(world)
    outlook = world.outlook
    late = (id_ for id_, at in outlook.deadlines.items() if at <= world.time)
    cases = dict.fromkeys([*outlook.restless, *late, *(world.versions if world.is_upset else ())])
    world.is_upset = False
    outlook.restless.clear()
    for version in world.versions.in_order(cases):
        if version.deployment is not None and _moves(Case(world, version, version.deployment)):
            outlook.restless[version.id] = None
    outlook.restless.update(dict.fromkeys(settle(world).difference(cases)))
    let_go(world)


def _moves(case: Case) -> bool:
    """Reconciles it; whether that may have consequences at the next tick."""
    world = case.world
    was, world.is_stirring = world.is_stirring, False
    reconcile(case)
    has_moved = world.is_stirring
    world.is_stirring = was or has_moved
    return has_moved


def _follow_up(world: World, request: Request) -> None:
    """Expires a request nobody took in time, else offers it again."""
    if request.expires_at is not None and world.time >= request.expires_at:
        _expire(world, request)
        return
    land(world, request)
    if not request.waiting(world.rules.batch_size):
        del world.requests[request.id]
    world.outlook.restless[request.version] = None


def _expire(world: World, request: Request) -> None:
    version = world.versions[request.version]
    missing = request.waiting(world.rules.batch_size)
    del world.requests[request.id]
    world.ledger.expire(request.position)
    for one in version.deployment.specifications if version.deployment else ():
        if one.id == request.specification:
            one.failed += missing
            one.failure = request.failure
    minutes = (world.time - request.asked_at) / 60
    words = f"{missing} {request.instance_type} given up after {minutes:g} min in the queue"
    world.tell("request-expired", words, version)
    world.stir()
