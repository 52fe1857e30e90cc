"""What the service does with each deployment at a tick, and how a deployment ends.

Source: nvcf-api.md 3.5, 5 and 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.emulator.allocation import ask, scale, terminate
from nvcfplan.emulator.failures import UNSERVED, USUAL_ABSENCE
from nvcfplan.emulator.prospects import Load
from nvcfplan.emulator.world import (
    Deployment,
    Instance,
    Phase,
    Specification,
    Status,
    Version,
    World,
)

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import TrafficRule

ERROR_KEPT_SECONDS = 7 * 24 * 3600.0
_NO_REQUEST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Case:
    """A deployed version of a world."""

    world: World
    version: Version
    deployment: Deployment

    def of(self, specification: Specification) -> list[Instance]:
        """Its live instances, oldest first."""
        return self.world.live_instances(specification.id)

    def running(self, specification: Specification) -> int:
        return sum(one.phase is Phase.RUNNING for one in self.of(specification))


def deadline(version: Version) -> float | None:
    """When a tick has to look at it though nothing has changed, in virtual seconds."""
    deployment = version.deployment
    if deployment is None:
        return None
    if deployment.erred_at is not None:
        return deployment.erred_at + ERROR_KEPT_SECONDS
    if deployment.is_draining:
        return version.queue.empty_at()
    return min(
        (one.rests_until for one in deployment.specifications if one.rests_until), default=None
    )


def reconcile(case: Case) -> None:
    version, world = case.version, case.world
    if case.deployment.is_draining:
        if version.queue.at(world.time) == 0:
            undeploy(world, version)
        return
    if version.status is Status.ERROR:
        erred_at = case.deployment.erred_at
        if erred_at is not None and world.time >= erred_at + ERROR_KEPT_SECONDS:
            undeploy(world, version)
        return
    if world.down_since is not None:
        _reconcile_blindly(case)
        return
    for one in case.deployment.specifications:
        if one.rests_until <= world.time:
            one.rests_until = 0.0
        _stop_surplus(case, one)
    if version.status is Status.DEPLOYING:
        _reconcile_deploying(case)
    else:
        _reconcile_serving(case)


def _reconcile_blindly(case: Case) -> None:
    """The allocator does not answer: here nothing can be said of instances.

    Source: nvcf-api.md 5, 6.2.
    """
    if case.version.status is not Status.DEPLOYING:
        enter(case.world, case.version, Status.DEGRADED)
        return
    case.deployment.health = [
        {
            "icmsRequestId": _NO_REQUEST,
            "gpu": one.gpu,
            "backend": one.backend or provider_of(case.world, one),
            "instanceType": one.instance_type,
            "error": "Failed to update deploying function status:"
            " Failed to get response from 'ICMS' after retries.",
        }
        for one in case.deployment.specifications
    ]
    _fail(case)


def _reconcile_deploying(case: Case) -> None:
    world, deployment = case.world, case.deployment
    specifications = deployment.specifications
    if all(case.running(one) >= one.min for one in specifications):
        deployment.health = []
        enter(world, case.version, Status.ACTIVE)
        return
    failed = [one for one in specifications if one.failed and not case.of(one)]
    health = [_health(world, one) for one in failed]
    if health != deployment.health:
        deployment.health = health
        deployment.updated_at = world.time
        world.stir()
    if failed and sum(one.failed for one in failed) >= sum(one.min for one in specifications):
        _fail(case)
    elif all(case.running(one) for one in specifications if one.min):
        _top_up(case)


def _reconcile_serving(case: Case) -> None:
    world, version = case.world, case.version
    specifications = case.deployment.specifications
    _top_up(case)
    if all(case.running(one) >= one.min for one in specifications):
        enter(world, version, Status.ACTIVE)
    elif any(case.of(one) for one in specifications):
        enter(world, version, Status.DEGRADING)
    elif version.status is not Status.ACTIVE or all(one.min for one in specifications):
        enter(world, version, Status.DEGRADED)


def _stop_surplus(case: Case, specification: Specification) -> None:
    """Above max: what is still waiting is not wanted any more, what lives goes oldest first."""
    world = case.world
    live = case.of(specification)
    waiting = _waiting(world, specification)
    if waiting and len(live) + waiting > specification.max:
        _drop_requests(world, specification.id)
    surplus = len(live) - specification.max
    if surplus <= 0:
        return
    for one in live[:surplus]:
        terminate(world, one)
    world.tell("instances-stopped", f"{surplus} above maxInstances stopped", case.version)


def _waiting(world: World, specification: Specification) -> int:
    return sum(
        request.waiting(world.rules.batch_size)
        for request in world.requests.shown_of("specification", specification.id)
    )


def _top_up(case: Case) -> None:
    """Asks for what is missing to min and is not asked for yet."""
    world = case.world
    for one in case.deployment.specifications:
        wanted = one.min - len(case.of(one)) - _waiting(world, one)
        if case.running(one) and case.running(one) >= one.min:
            one.setbacks = 0
        if wanted > 0 and not one.rests_until:
            ask(world, one, count=wanted)


def _health(world: World, specification: Specification) -> dict[str, str]:
    """Source: nvcf-api.md 3.4 (`gpu` holds the instance type) and 6.2."""
    provider = provider_of(world, specification)
    usual = UNSERVED[USUAL_ABSENCE].text.format(
        provider=provider,
        gpu=specification.gpu,
        type=specification.instance_type,
        minutes=round(world.rules.queue_timeout / 60),
    )
    return {
        "icmsRequestId": _NO_REQUEST,
        "gpu": specification.instance_type,
        "backend": provider,
        "instanceType": specification.instance_type,
        "error": specification.failure or usual,
    }


def provider_of(world: World, specification: Specification) -> str:
    """The cloud provider of a cluster that it could have landed on."""
    named = {specification.pinned, *specification.clusters}
    by_nearness = sorted(
        world.rules.clusters,
        key=lambda one: (one.name not in named, specification.backend not in one.groups),
    )
    wanted = specification.instance_type.casefold()
    for cluster in by_nearness:
        types = (kind for gpu in cluster.gpus for kind in gpu.instance_types)
        if any(kind.name.casefold() == wanted for kind in types):
            return cluster.provider
    return "unknown"


def _fail(case: Case) -> None:
    """The row stays, the instances go. Source: nvcf-api.md 5."""
    case.deployment.erred_at = case.world.time
    _drop_instances(case.world, case.version)
    enter(case.world, case.version, Status.ERROR)


def enter(world: World, version: Version, status: Status) -> None:
    """Puts a version into a status, and says so if it was not in it."""
    if version.status is status:
        return
    was, version.status = version.status, status
    if version.deployment is not None:
        version.deployment.updated_at = world.time
    world.tell(status.lower(), f"{version.name} {version.id}: {was} -> {status}", version)
    world.stir()
    if status is Status.ACTIVE and was in (Status.INACTIVE, Status.DEPLOYING):
        _bring_traffic(world, version)


def _bring_traffic(world: World, version: Version) -> None:
    """What the world file says of its callers, as far as there is room."""
    for rule in world.rules.traffic:
        if rule.function != version.name or version.deployment is None:
            continue
        version.queue.depth = rule.queue_depth
        version.queue.since = world.time
        version.queue.per_minute = rule.drained_per_minute
        version.loads = _loads(world, version, rule)
        for one in version.deployment.specifications:
            scale(world, one, target=max(one.min, min(rule.running, one.max)))


def _loads(world: World, version: Version, rule: TrafficRule) -> list[Load]:
    loads = [Load(at=world.time + one.at, running=one.running) for one in rule.load]
    if rule.idle_after is not None and rule.drained_per_minute:
        last = loads[-1].at if loads else world.time
        idle_from = max(last, version.queue.empty_at() or world.time)
        loads.append(Load(at=idle_from + rule.idle_after, running=0))
    return loads


def undeploy(world: World, version: Version) -> None:
    """By force: requests dropped, instances stopped, the row gone."""
    _drop_instances(world, version)
    version.deployment = None
    version.queue.depth = 0
    version.loads = []
    was, version.status = version.status, Status.INACTIVE
    world.tell("undeployed", f"{version.name} {version.id}: {was} -> gone", version)
    world.stir()


def drain(world: World, version: Version, deployment: Deployment) -> None:
    """INACTIVE at once, but the row and the instances stay until the queue is empty."""
    deployment.is_draining = True
    version.status = Status.INACTIVE
    left = version.queue.at(world.time)
    world.tell("draining", f"{version.name} {version.id}: {left} requests left", version)
    world.stir()


def _drop_requests(world: World, specification: str) -> None:
    for one in world.requests.of("specification", specification):
        del world.requests[one.id]
    world.stir()


def _drop_instances(world: World, version: Version) -> None:
    for request in world.requests.of("version", version.id):
        del world.requests[request.id]
    for one in world.instances.of("version", version.id):
        if one.is_live:
            terminate(world, one)
