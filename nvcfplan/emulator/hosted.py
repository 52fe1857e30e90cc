"""What the NGC front shows of an org: deployments, capacity, quota, instances, clusters.

Source: nvcf-api.md 1.1, 2.3.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvcfplan.emulator.bodies import detailed_function, one_deployment
from nvcfplan.emulator.inventory import lasting_id, matching, usable_clusters
from nvcfplan.emulator.messages import Reply, reply_of
from nvcfplan.emulator.offers import Offer, Wanted, by, gpu_of, kind_of, offers, region_of
from nvcfplan.emulator.readings import CAPACITY, QUOTA, cluster_answer, refuse_unreadable
from nvcfplan.emulator.world import DEPLOYED, Specification, Status, World
from nvcfplan.wire.capacity_view import ViewCluster, ViewInstanceType, ViewRegion, ViewUsage
from nvcfplan.wire.front import ClusterVersions, GpuPlacement, GpuUse, GpuUseList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.emulator.turns import Turn

_SHOWN = DEPLOYED | {Status.ERROR}
_COUNTED = frozenset({Status.ACTIVE, Status.DEPLOYING})
_AGENT_VERSION = "2.245.7"

Place = tuple[str, str, str]
"""Cluster, GPU and instance type."""


def list_deployments(turn: Turn) -> dict[str, object]:
    """Busy or failed ones; not one that drains. Source: CF `FunctionDeploymentService`."""
    world = turn.world
    return {
        "deployments": [
            one_deployment(world, one, one.deployment)["deployment"]
            for one in world.versions.shown()
            if one.deployment is not None and one.status in _SHOWN
        ]
    }


def quota(turn: Turn) -> Reply:
    """A GPU without a rule has `clusters: null`, and says so."""
    world = turn.world
    refuse_unreadable(world, QUOTA)
    limits: dict[str, list[dict[str, object]]] = {}
    for rule in (one for one in world.rules.quotas if one.is_shown):
        entry: dict[str, object] = {"names": ",".join(rule.names), "limit": rule.limit}
        limits.setdefault(rule.gpu, []).append(entry)
    offered = [gpu.name for one in usable_clusters(world.rules) for gpu in one.gpus]
    names = dict.fromkeys([*limits, *offered])
    if world.rules.quota_as_yaml and "json" not in (turn.incoming.accept or ""):
        return Reply(status=200, body=_yaml(list(names), limits), media_type="application/yaml")
    return reply_of({"gpus": [{"name": name, "clusters": limits.get(name)} for name in names]})


def _yaml(names: list[str], limits: dict[str, list[dict[str, object]]]) -> bytes:
    """As it may come to who does not ask for JSON. Scalars of JSON are scalars of YAML."""
    lines = ["gpus:" if names else "gpus: []"]
    for name in names:
        lines.append(f"- name: {json.dumps(name)}")
        rows = limits.get(name)
        lines.append("  clusters:" if rows else "  clusters: null")
        for row in rows or []:
            lines.append(f"  - names: {json.dumps(row['names'])}")
            lines.append(f"    limit: {row['limit']}")
    return "\n".join([*lines, ""]).encode()


@dataclass(frozen=True, slots=True)
class _Use:
    """By place: what deployed specifications may take there at least and at most, and instances."""

    least: Counter[Place] = field(default_factory=Counter)
    most: Counter[Place] = field(default_factory=Counter)
    active: Counter[Place] = field(default_factory=Counter)


def _use(world: World) -> _Use:
    use = _Use()
    for one in _specifications(world, DEPLOYED):
        for cluster in matching(world, one):
            place = _place(cluster.name, one.gpu, one.instance_type)
            use.least[place] += one.min
            use.most[place] += one.max
    for instance in world.instances.shown():
        if instance.is_live:
            use.active[_place(instance.cluster, instance.gpu, instance.instance_type)] += 1
    return use


def _place(cluster: str, gpu: str, kind: str) -> Place:
    """Names of GPUs and types are the same in any case. Source: nvcf-api.md 4.3."""
    return (cluster, gpu.casefold(), kind.casefold())


def _specifications(world: World, statuses: frozenset[Status]) -> Iterator[Specification]:
    for version in world.versions.shown():
        if version.deployment is not None and version.status in statuses:
            yield from version.deployment.specifications


def capacity_view(turn: Turn) -> dict[str, object]:
    return _view(turn, is_fitting=False)


def available_instance_types(turn: Turn) -> dict[str, object]:
    """What there is room for, for one instance at least."""
    return _view(turn, is_fitting=True)


def _view(turn: Turn, *, is_fitting: bool) -> dict[str, object]:
    world = turn.world
    refuse_unreadable(world, CAPACITY)
    use = _use(world)
    return {
        gpu: [_view_type(use, same).to_json() for _, same in by(kind_of, rows)]
        for gpu, rows in by(gpu_of, offers(world, Wanted.of(turn.query, is_fitting=is_fitting)))
    }


def _view_type(use: _Use, same: list[Offer]) -> ViewInstanceType:
    name = same[0].kind.name
    return ViewInstanceType(
        instance_name=name,
        value=name,
        regions=[
            ViewRegion(region_name=region, clusters=[_view_cluster(use, one) for one in there])
            for region, there in by(region_of, same)
        ],
    )


def _view_cluster(use: _Use, offer: Offer) -> ViewCluster:
    place = _place(offer.cluster.name, offer.gpu.name, offer.kind.name)
    active = use.active[place]
    usage = ViewUsage(
        min_instances=use.least[place],
        max_instances=use.most[place],
        active_instances=active,
        available_instances=offer.fitting,
        active_gpus=active * offer.kind.gpu_count,
        available_gpus=offer.free,
    )
    return ViewCluster(
        cluster_id=lasting_id(offer.cluster.name), cluster_name=offer.cluster.name, usage=usage
    )


def skyway_instances(turn: Turn) -> dict[str, object]:
    found = detailed_function(turn.world, turn.version(), with_secrets=False)["function"]
    assert isinstance(found, dict)
    return {"instances": found.get("activeInstances", [])}


def registered_clusters(turn: Turn) -> list[object]:
    """Those that the org brought itself: the front's array, without a name around it."""
    world = turn.world
    refuse_unreadable(world, CAPACITY)
    own = {one.name for one in world.rules.groups if one.nca_id == world.rules.nca_id}
    return [
        cluster_answer(world, one).to_json()
        for one in world.rules.clusters
        if own.intersection(one.groups)
    ]


def cluster_versions(turn: Turn) -> dict[str, object]:
    """Of the agent that a cluster may run."""
    refuse_unreadable(turn.world, CAPACITY)
    return ClusterVersions(versions=[_AGENT_VERSION]).to_json()


def gpu_use(turn: Turn) -> dict[str, object]:
    """Of what is ACTIVE or DEPLOYING. Source: CF `XAccountMiscEndpointsController`."""
    world = turn.world
    found: dict[tuple[str, str], list[Specification]] = {}
    for one in _specifications(world, _COUNTED):
        found.setdefault((one.gpu, one.instance_type), []).append(one)
    return GpuUseList(gpus=[_gpu_use(world, *key, found[key]) for key in sorted(found)]).to_json()


def _gpu_use(world: World, gpu: str, kind: str, specifications: list[Specification]) -> GpuUse:
    least: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for one in specifications:
        for cluster in matching(world, one):
            least[cluster.name] += one.min
            most[cluster.name] += one.max
    return GpuUse(
        gpu=gpu,
        instance_type=kind,
        current_max_usage=sum(one.max for one in specifications),
        current_min_usage=sum(one.min for one in specifications),
        placements=[_placement(world, name, most[name], least[name]) for name in sorted(most)],
    )


def _placement(world: World, name: str, most: int, least: int) -> GpuPlacement:
    cluster = world.cluster(name)
    group = cluster.groups[0] if cluster and cluster.groups else None
    return GpuPlacement(
        cluster_id=lasting_id(name),
        cluster=name,
        cluster_group_id=lasting_id(group) if group else None,
        cluster_group=group,
        cloud_provider=cluster.provider if cluster else None,
        region=cluster.region if cluster else None,
        current_max_usage=most,
        current_min_usage=least,
    )
