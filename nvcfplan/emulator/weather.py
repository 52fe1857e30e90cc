"""What comes over the world on schedule: tenants, clusters that go and come, losses, outages."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from nvcfplan.emulator.allocation import give_back_held, grab_free, lose
from nvcfplan.emulator.failures import BROKEN, USUAL_LOSS, broken_text
from nvcfplan.emulator.rules import Happening
from nvcfplan.emulator.world import Holding

if TYPE_CHECKING:
    from nvcfplan.emulator.prospects import Planned
    from nvcfplan.emulator.rules import ClusterRule, ScheduleRule
    from nvcfplan.emulator.world import Instance, World

_LOSSES = {"DELETED": "cloud-offline", "CORDON_AND_DRAIN": "maintenance"}


def next_event(world: World) -> float:
    return min((one.at for one in world.agenda), default=math.inf)


def happen(world: World) -> None:
    """All that is due by now, in its order."""
    due = [one for one in world.agenda if one.at <= world.time]
    if not due:
        return
    world.agenda = [one for one in world.agenda if one.at > world.time]
    for one in sorted(due, key=lambda planned: (planned.at, not planned.is_end)):
        taken = _end(world, one) if one.is_end else _begin(world, one.rule)
        world.agenda += _follow_ups(one, taken)
    world.stir()


def _follow_ups(one: Planned, taken: int) -> list[Planned]:
    """Its end, and its next time."""
    rule = one.rule
    found: list[Planned] = []
    if one.is_end:
        return found
    if rule.lasts is not None:
        found.append(replace(one, at=one.at + rule.lasts, is_end=True, gpus=taken))
    if rule.every is not None and one.left != 0:
        left = None if one.left is None else one.left - 1
        found.append(replace(one, at=one.at + rule.every, left=left))
    return found


def _begin(world: World, rule: ScheduleRule) -> int:
    """The GPUs that a tenant took, else 0."""
    match rule.what:
        case Happening.GRAB:
            return grab_free(world, _holding(rule), gpus=rule.gpus)
        case Happening.GIVE_BACK:
            give_back_held(world, _holding(rule), gpus=rule.gpus)
        case Happening.STATUS:
            set_status(world, _cluster(world, rule), rule.status)
        case Happening.LOSE:
            lose_some(world, rule)
        case Happening.ALLOCATOR_DOWN:
            world.down_since = world.time if world.down_since is None else world.down_since
            world.tell("allocator-down", "the allocator answers nobody")
            world.is_upset = True
        case _:
            assert_never(rule.what)
    return 0


def _end(world: World, planned: Planned) -> int:
    rule = planned.rule
    match rule.what:
        case Happening.GRAB if planned.gpus:
            give_back_held(world, _holding(rule), gpus=planned.gpus)
        case Happening.STATUS:
            cluster = _cluster(world, rule)
            set_status(world, cluster, cluster.status)
        case Happening.ALLOCATOR_DOWN:
            world.down_since = None
            world.tell("allocator-up", "the allocator answers again")
            world.is_upset = True
        case Happening.GRAB | Happening.GIVE_BACK | Happening.LOSE:
            pass
        case _:
            assert_never(rule.what)
    return 0


def _holding(rule: ScheduleRule) -> Holding:
    return Holding(
        tenant=rule.tenant, cluster=rule.cluster or "", gpu=rule.gpu or "", gpus=0, is_scripted=True
    )


def _cluster(world: World, rule: ScheduleRule) -> ClusterRule:
    cluster = world.cluster(rule.cluster or "")
    assert cluster is not None, rule
    return cluster


def set_status(world: World, cluster: ClusterRule, status: str) -> None:
    """From now on. A cluster that is gone or drained loses its instances."""
    if world.status(cluster) == status:
        return
    world.stand(cluster, status)
    world.tell("cluster-status", f"{cluster.name} is {status}")
    failure = _LOSSES.get(status)
    if failure is None:
        return
    there = [one.id for one in world.instances.shown() if one.cluster == cluster.name]
    for id_ in there:
        if world.instances[id_].is_live:
            _lose(world, world.instances[id_], failure)


def lose_some(world: World, rule: ScheduleRule) -> None:
    """The oldest first of the live instances that the rule means."""
    meant = [one.id for one in world.instances.shown() if _is_meant(world, one, rule)]
    for id_ in meant if rule.instances is None else meant[: rule.instances]:
        _lose(world, world.instances[id_], rule.failure or USUAL_LOSS)


def _is_meant(world: World, instance: Instance, rule: ScheduleRule) -> bool:
    version = world.versions.look(instance.version)
    return (
        instance.is_live
        and (rule.function is None or (version is not None and version.name == rule.function))
        and (rule.cluster is None or rule.cluster == instance.cluster)
        and (rule.gpu is None or rule.gpu.casefold() == instance.gpu.casefold())
        and (
            rule.instance_type is None
            or rule.instance_type.casefold() == instance.instance_type.casefold()
        )
    )


def _lose(world: World, instance: Instance, failure: str) -> None:
    lose(world, instance, broken_text(BROKEN[failure]))
    words = f"{instance.instance_type} in {instance.cluster}: {failure}"
    world.tell("instance-lost", words, world.versions.look(instance.version))
