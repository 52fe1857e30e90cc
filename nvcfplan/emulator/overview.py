"""What there is in the account and in its clusters, as whoever runs the emulator wants to see it.

Frozen, so that it is the same read from a file and over HTTP.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.emulator.world import Phase

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import ClusterRule, Fault, GpuRule
    from nvcfplan.emulator.world import Specification, Version, World


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """In GPUs. `leaving`: of ours, those of terminated instances that are not released yet."""

    cluster: str
    gpu: str
    status: str
    capacity: int
    ours: int
    leaving: int
    others: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationView:
    """`places`: clusters it may be in, empty: any that fits. `waiting`: instances wanted still."""

    gpu: str
    instance_type: str
    places: tuple[str, ...]
    min: int
    max: int
    running: int
    starting: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    function: str
    function_id: str
    version: str
    status: str
    specifications: tuple[SpecificationView, ...]
    health: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """`number`: its place in the list, from 1, by which it is cleared. `is_over`: it acts no more.

    `stated`: as in a world file. `met`: requests that it has looked at.
    """

    number: int
    stated: dict[str, object]
    met: int
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    now: datetime
    account: str
    org: str
    pools: tuple[PoolView, ...]
    versions: tuple[VersionView, ...]
    faults: tuple[FaultView, ...]


def overview(world: World) -> Overview:
    rules = world.rules
    leaving = Counter[tuple[str, str]]()
    for one in world.instances.shown():
        if not one.is_live:
            leaving[one.cluster, one.gpu] += one.gpus
    return Overview(
        now=world.moment(world.time),
        account=rules.nca_id,
        org=rules.org,
        pools=tuple(
            _pool(world, cluster, gpu, leaving[cluster.name, gpu.name])
            for cluster in rules.clusters
            for gpu in cluster.gpus
        ),
        versions=tuple(_version(world, one) for one in world.versions.shown()),
        faults=tuple(
            FaultView(number=number, stated=stated(one.fault), met=one.matched, is_over=one.is_over)
            for number, one in enumerate(world.scripts, start=1)
        ),
    )


def _pool(world: World, cluster: ClusterRule, gpu: GpuRule, leaving: int) -> PoolView:
    ours = world.instances.total((cluster.name, gpu.name))
    held = world.held(cluster.name, gpu.name)
    return PoolView(
        cluster=cluster.name,
        gpu=gpu.name,
        status=world.status(cluster),
        capacity=gpu.capacity,
        ours=ours,
        leaving=leaving,
        others=held - ours,
        free=gpu.capacity - held,
    )


def _version(world: World, version: Version) -> VersionView:
    deployment = version.deployment
    return VersionView(
        function=version.name,
        function_id=version.function_id,
        version=version.id,
        status=str(version.status),
        specifications=tuple(
            _specification(world, one) for one in (deployment.specifications if deployment else ())
        ),
        health=tuple(one["error"] for one in (deployment.health if deployment else ())),
    )


def _specification(world: World, one: Specification) -> SpecificationView:
    phases = Counter(
        instance.phase for instance in world.instances.shown_of("specification", one.id)
    )
    waiting = (
        request.waiting(world.rules.batch_size)
        for request in world.requests.shown_of("specification", one.id)
    )
    return SpecificationView(
        gpu=one.gpu,
        instance_type=one.instance_type,
        places=(one.pinned,) if one.pinned else one.clusters,
        min=one.min,
        max=one.max,
        running=phases[Phase.RUNNING],
        starting=phases[Phase.STARTING],
        waiting=sum(waiting),
    )


_WORDS = {"since": "from", "is_silent": "silent"}


def stated(fault: Fault) -> dict[str, object]:
    """As a world file states it, without what goes without saying."""
    found: dict[str, object] = {}
    for one in dataclasses.fields(fault):
        value = getattr(fault, one.name)
        if value != one.default:
            found[_WORDS.get(one.name, _camel(one.name))] = (
                str(value) if isinstance(value, StrEnum) else value
            )
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
