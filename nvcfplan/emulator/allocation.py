"""Who gets which GPUs: requests in whole batches, landings, grabs by other tenants.

Source: nvcf-api.md 8.1 to 8.4.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.emulator.inventory import matching, reachable
from nvcfplan.emulator.ledger import Cause, LedgerEntry, Service
from nvcfplan.emulator.refusals import bad_request
from nvcfplan.emulator.rules import Landing
from nvcfplan.emulator.world import (
    Holding,
    Instance,
    Phase,
    Request,
    Specification,
    World,
    pool_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.emulator.prospects import Doom

Room = dict[str, int]
"""Free GPUs of one name by cluster."""


def pin(world: World, specification: Specification) -> None:
    """Ties a `backend` specification, once, to one cluster of its group: with room, if any has."""
    if specification.backend is None or specification.pinned is not None:
        return
    clusters = matching(world, specification)
    free = {one.name: world.free(one, specification.gpu) for one in clusters}
    with_room = {name: gpus for name, gpus in free.items() if gpus > 0}
    if free:
        specification.pinned = _choose(world, with_room or free)


def landing_clusters(world: World, specification: Specification) -> tuple[str, ...]:
    """The cluster it is pinned to, else every one that matches."""
    if specification.pinned is not None:
        return (specification.pinned,)
    return tuple(one.name for one in matching(world, specification))


def ask(world: World, specification: Specification, *, count: int) -> None:
    """Asks for `count` instances; what fits lands at once, the rest waits.

    What a fault keeps from coming is asked for apart: the others come.
    """
    pin(world, specification)
    specification.failed = 0
    specification.failure = None
    doom = specification.doom
    withheld = doom.take(count) if doom and not doom.is_started else 0
    for part, is_withheld in ((count - withheld, False), (withheld, True)):
        if part:
            _ask(world, specification, wish(world, specification, part, is_withheld=is_withheld))
    if doom and doom.is_spent:
        specification.doom = None
    world.stir()


def _ask(world: World, specification: Specification, request: Request) -> None:
    count = request.waiting(world.rules.batch_size)
    would_fit = fits_without_troubles(world, specification, request)
    landed = land(world, request)
    waiting = request.waiting(world.rules.batch_size)
    entry = replace(
        demand(world, specification, count=count),
        cluster=_one_of(landed, request),
        outcome=Service.WAITED if waiting else Service.AT_ONCE,
        cause=Cause.CAPACITY if waiting else None,
        is_injected=bool(waiting) and (request.is_withheld or would_fit),
    )
    request.position = world.ledger.append(entry)
    if waiting:
        world.requests[request.id] = request
        words = f"{waiting} of {count} {specification.instance_type} wait for room"
        world.tell("request-waiting", words, world.versions[request.version])


def wish(
    world: World, specification: Specification, count: int, *, is_withheld: bool = False
) -> Request:
    """A request for `count` instances that nobody has heard of yet."""
    batches, rest = divmod(count, world.rules.batch_size)
    doom = specification.doom if is_withheld else None
    return Request(
        id=world.new_id(),
        version=specification.version,
        specification=specification.id,
        gpu=specification.gpu,
        gpu_count=specification.gpu_count,
        instance_type=specification.instance_type,
        clusters=landing_clusters(world, specification),
        batches=batches,
        rest=rest,
        asked_at=world.time,
        position=-1,
        expires_at=_expiry(world, doom),
        is_withheld=is_withheld,
        failure=doom.text if doom else None,
    )


def _expiry(world: World, doom: Doom | None) -> float | None:
    """When a request is given up. Source: nvcf-api.md 6.2."""
    if doom is not None:
        return None if doom.seconds is None else world.time + doom.seconds
    return None if world.rules.stuck_instead_of_error else world.time + world.rules.queue_timeout


def demand(world: World, specification: Specification, *, count: int) -> LedgerEntry:
    """A ledger entry for `count` instances, served at once unless the caller says otherwise."""
    version = world.versions[specification.version]
    return LedgerEntry(
        at=world.moment(world.time),
        function=version.name,
        version=version.id,
        specification=specification.id,
        gpu=specification.gpu,
        cluster=None,
        instances=count,
        gpus=count * specification.gpu_count,
        outcome=Service.AT_ONCE,
    )


def _one_of(landed: set[str], request: Request) -> str | None:
    if len(landed) == 1:
        return next(iter(landed))
    return request.clusters[0] if len(request.clusters) == 1 else None


def land(world: World, request: Request) -> set[str]:
    """Lands every batch for which a cluster has room; the clusters that took one."""
    if request.is_withheld or world.down_since is not None:
        return set()
    room = _room(world, request)
    landed: set[str] = set()
    size = world.rules.batch_size
    while request.batches and (cluster := _taker(world, room, gpus=size * request.gpu_count)):
        _place(world, request, cluster=cluster, count=size)
        request.batches -= 1
        landed.add(cluster)
    rest = request.rest
    if rest and (cluster := _taker(world, room, gpus=rest * request.gpu_count)):
        _place(world, request, cluster=cluster, count=rest)
        request.rest = 0
        landed.add(cluster)
    if landed:
        world.stir()
    return landed


def _room(world: World, request: Request) -> Room:
    clusters = (world.cluster(name) for name in request.clusters)
    return {
        one.name: world.free(one, request.gpu) for one in clusters if one and world.is_ready(one)
    }


def _taker(world: World, room: Room, *, gpus: int) -> str | None:
    """The cluster that takes a batch, whole, and has that much less room after it."""
    fitting = {name: free for name, free in room.items() if free >= gpus}
    if not fitting:
        return None
    cluster = _choose(world, fitting)
    room[cluster] -= gpus
    return cluster


def _choose(world: World, free: Mapping[str, int]) -> str:
    names = sorted(free)
    match world.rules.landing:
        case Landing.FIRST:
            return names[0]
        case Landing.ADVERSARIAL:
            return min(names, key=lambda name: (free[name], name))
        case Landing.RANDOM:
            world.counter += 1
            throw = hashlib.sha256(f"{world.rules.seed}:{world.counter}".encode()).digest()
            return names[int.from_bytes(throw[:4]) % len(names)]


def _place(world: World, request: Request, *, cluster: str, count: int) -> None:
    for _ in range(count):
        _start(world, request, cluster=cluster)
    words = f"{count} x {request.instance_type} starting in {cluster}"
    world.tell("instances-starting", words, world.versions[request.version])


def _start(world: World, request: Request, *, cluster: str) -> Instance:
    """Of those that a fault lets start and break, `until` is when they do."""
    doom = _started_doom(world, request)
    id_ = world.new_id()
    delay = _boot_seconds(world, id_) if doom is None else doom.seconds or 0.0
    instance = Instance(
        id=id_,
        version=request.version,
        specification=request.specification,
        request=request.id,
        cluster=cluster,
        gpu=request.gpu,
        gpus=request.gpu_count,
        instance_type=request.instance_type,
        created_at=world.time,
        updated_at=world.time,
        until=world.time + delay,
        failure=doom.text if doom else None,
    )
    world.instances[instance.id] = instance
    return instance


def _boot_seconds(world: World, instance: str) -> float:
    """Ids are by the seed, so this is too."""
    spread = world.rules.boot_spread
    share = zlib.crc32(instance.encode()) / 2**32 if spread else 0.0
    return world.rules.boot_time + spread * share


def _started_doom(world: World, request: Request) -> Doom | None:
    """What befalls the next instance of the specification that was asked for."""
    deployment = world.versions[request.version].deployment
    for one in deployment.specifications if deployment else ():
        doom = one.doom
        if one.id == request.specification and doom and doom.is_started and doom.take(1):
            return doom
    return None


def scale(world: World, specification: Specification, *, target: int) -> int:
    """The autoscaler's doing: instances come while there is room, or the oldest go.

    The live count afterwards. New ones run at once; the demand ledger does not list them. That
    there is no room is told to nobody but the event log. Source: nvcf-api.md 6.2 (min = 0).
    """
    live = world.live_instances(specification.id)
    for one in live[: max(0, len(live) - target)]:
        terminate(world, one)
    pin(world, specification)
    for _ in range(target - len(live)):
        request = wish(world, specification, 1)
        cluster = _taker(world, _room(world, request), gpus=request.gpu_count)
        if cluster is None or world.down_since is not None:
            break
        instance = _start(world, request, cluster=cluster)
        if instance.failure is None:
            instance.phase = Phase.RUNNING
    count = len(world.live_instances(specification.id))
    if count < target:
        words = f"{specification.instance_type}: {target} wanted, {count} is all there is room for"
        world.tell("scaled-short", words, world.versions[specification.version])
    if count != len(live):
        words = f"{specification.instance_type}: {len(live)} -> {count} instances"
        world.tell("scaled", words, world.versions[specification.version])
        world.stir()
    return count


def room_for_more(world: World, specification: Specification) -> int:
    """Instances that could still come, one by one."""
    pin(world, specification)
    room = _room(world, wish(world, specification, 1))
    return sum(gpus // specification.gpu_count for gpus in room.values() if gpus > 0)


def fits_without_troubles(world: World, specification: Specification, request: Request) -> bool:
    """Whether it could be served whole, but only without what a script did to the clusters.

    That is: without tenants it brought in, statuses it set, or an allocator it took down.
    """
    room = _untroubled_room(world, specification, request)
    if world.down_since is None and room == _room(world, request):
        return False
    sizes = [world.rules.batch_size] * request.batches + [request.rest] * bool(request.rest)
    for size in sizes:
        needed = size * request.gpu_count
        fitting = [name for name, gpus in room.items() if gpus >= needed]
        if not fitting:
            return False
        room[min(fitting, key=lambda name: (room[name], name))] -= needed
    return True


def _untroubled_room(world: World, specification: Specification, request: Request) -> Room:
    """A pinned request could have been pinned elsewhere only if its cluster was closed since."""
    clusters = [
        one
        for one in reachable(world.rules, specification)
        if one.is_ready and (one.name in request.clusters or not world.is_ready(one))
    ]
    return {
        one.name: world.free(one, request.gpu) + world.grabbed(one.name, request.gpu)
        for one in clusters
    }


def terminate(world: World, instance: Instance) -> None:
    """Stops it now; its GPUs are free only after the release lag. Source: nvcf-api.md 5."""
    instance.phase = Phase.TERMINATED
    instance.updated_at = world.time
    instance.until = world.time + world.rules.release_lag
    world.stir()


def grab(world: World, holding: Holding) -> None:
    """Another tenant takes free GPUs. Raises Refusal when there are not so many."""
    cluster = world.cluster(holding.cluster)
    pool = pool_of(cluster, holding.gpu) if cluster else None
    if cluster is None or pool is None:
        raise bad_request(f"no pool {holding.gpu} in cluster '{holding.cluster}'")
    free = world.free(cluster, pool.name)
    if not 0 < holding.gpus <= free:
        raise bad_request(
            f"{holding.cluster} has {free} free {pool.name}; {holding.gpus} cannot be taken"
        )
    holding.gpu = pool.name
    world.holdings.append(holding)
    words = f"{holding.tenant} takes {holding.gpus} {pool.name} in {holding.cluster}"
    world.tell("grabbed", words)
    world.stir()


def lose(world: World, instance: Instance, failure: str | None) -> Specification | None:
    """Stopped without anybody's wish. Its specification, where it still has one."""
    terminate(world, instance)
    version = world.versions.get(instance.version)
    for one in version.deployment.specifications if version and version.deployment else ():
        if one.id == instance.specification:
            one.failed += 1
            one.failure = failure
            return one
    return None


def grab_free(world: World, wanted: Holding, *, gpus: int | None) -> int:
    """A tenant takes what is free of so many, None: of all; how many that was, maybe none."""
    cluster = world.cluster(wanted.cluster)
    pool = pool_of(cluster, wanted.gpu) if cluster else None
    if cluster is None or pool is None:
        return 0
    free = max(world.free(cluster, pool.name), 0)
    taken = free if gpus is None else min(gpus, free)
    if taken:
        grab(world, replace(wanted, gpus=taken))
    return taken


def give_back_held(world: World, wanted: Holding, *, gpus: int | None) -> None:
    """A tenant returns what it has of so many, None: of all; maybe nothing."""
    held = sum(one.gpus for one in world.holdings if _is_same_hold(one, wanted))
    returned = held if gpus is None else min(gpus, held)
    if returned:
        give_back(world, replace(wanted, gpus=returned))


def give_back(world: World, wanted: Holding) -> None:
    """The tenant returns GPUs, scripted ones first. Raises Refusal when it has fewer."""
    theirs = [one for one in world.holdings if _is_same_hold(one, wanted)]
    held = sum(one.gpus for one in theirs)
    if not 0 < wanted.gpus <= held:
        raise bad_request(
            f"{wanted.tenant} holds {held} {wanted.gpu} in {wanted.cluster}; "
            f"{wanted.gpus} cannot be returned"
        )
    left = wanted.gpus
    for one in sorted(theirs, key=lambda hold: not hold.is_scripted):
        returned = min(left, one.gpus)
        one.gpus -= returned
        left -= returned
    world.holdings = [one for one in world.holdings if one.gpus]
    words = f"{wanted.tenant} returns {wanted.gpus} {wanted.gpu} in {wanted.cluster}"
    world.tell("gave-back", words)
    world.stir()


def _is_same_hold(one: Holding, other: Holding) -> bool:
    return (
        one.tenant == other.tenant
        and one.cluster == other.cluster
        and one.gpu.casefold() == other.gpu.casefold()
    )
