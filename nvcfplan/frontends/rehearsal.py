"""The account as it was read, as an emulated one: what a saved plan is rehearsed in.

What is not ours is one other tenant's; what could not be read is taken to be plenty.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.nvcf.requests import create_function, deploy, references_of
from nvcfplan.capacity import atlas_of, find_instance_type
from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    Landing,
    QuotaRule,
    TenantRule,
)
from nvcfplan.emulator.rules import QuotaUnit as RuleUnit
from nvcfplan.emulator.serving import Emulator, WorldFile
from nvcfplan.emulator.staging import StagedRow, StagedVersion
from nvcfplan.model import (
    Account,
    FunctionConfig,
    LiveFunction,
    OperationId,
    QuotaCount,
    SecretOrigin,
    SecretReference,
    Status,
    operation_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nvcfplan.capacity import Atlas
    from nvcfplan.emulator.serving import Fault
    from nvcfplan.model import (
        Cluster,
        GpuSpecification,
        LiveInstance,
        LiveSpecification,
        LiveVersion,
        Pool,
        PoolId,
    )

PLENTY: Final = 4096
"""GPUs of a pool of which no number could be read, and versions that may be stored."""
STAND_IN: Final = "rehearsed"
"""Takes the place of every secret value: none is needed, none is looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What was read of an account, and when; `wanted`: what is to be made in it."""

    account: Account
    functions: tuple[LiveFunction, ...]
    org: str | None
    at: datetime
    wanted: tuple[FunctionConfig, ...] = ()


def set_up(scene: Scene, faults: Sequence[Fault], path: Path | None = None) -> Emulator:
    """In memory without a `path`. Raises: EmulatorError where what runs could not have come about
    here.
    """
    specifications = [row.specification for version in _deployed(scene) for row in _rows(version)]
    atlas = atlas_of(scene.account, specifications)
    staged = tuple(
        _staged(version, function, atlas)
        for function in scene.functions
        for version in function.versions
    )
    emulator = Emulator.open(path, _world(scene, _held(staged, atlas)))
    emulator.ask_for_no_key()
    emulator.stage(staged, _telemetries(scene))
    for fault in faults:
        emulator.add_fault(fault)
    return emulator


def _telemetries(scene: Scene) -> tuple[str, ...]:
    """That they are there was found out where the plan was made, or will be."""
    there = (one.config for function in scene.functions for one in function.versions)
    return tuple(
        id_
        for config in (*there, *scene.wanted)
        if (named := config.telemetries) is not None
        for id_ in (
            named.logs_telemetry_id,
            named.metrics_telemetry_id,
            named.traces_telemetry_id,
        )
        if id_ is not None
    )


def _deployed(scene: Scene) -> Iterator[LiveVersion]:
    return (one for function in scene.functions for one in function.versions if one.deployment)


def _rows(version: LiveVersion) -> tuple[LiveSpecification, ...]:
    return version.deployment.specifications if version.deployment else ()


def _staged(version: LiveVersion, function: LiveFunction, atlas: Atlas) -> StagedVersion:
    rows = tuple(row for row in _rows(version) if atlas.place(row.specification).pools)
    entries = deploy(version.function_id, version.version_id, [row.specification for row in rows])
    sent = entries.body["deploymentSpecifications"] if entries.body else []
    assert isinstance(sent, list)
    places = _places(version, rows, atlas)
    return StagedVersion(
        function=version.function_id,
        version=version.version_id,
        status=version.status if rows or version.deployment else Status.INACTIVE,
        body=_body(version),
        parties=function.sharing.parties if function.sharing else (),
        deployment=version.deployment.deployment_id if version.deployment else "",
        rows=tuple(
            StagedRow(
                id=row.id,
                entry=entry,
                least=row.specification.min_instances,
                clusters=places[row.id],
            )
            for row, entry in zip(rows, sent, strict=True)
        ),
    )


def _body(version: LiveVersion) -> dict[str, object]:
    """Tags as they are: by them it is known whose it is."""
    config, origin = version.config, SecretOrigin.ENV
    secrets = [SecretReference(name, origin, name) for name in version.secret_names or ()]
    values = dict.fromkeys((*secrets, *references_of(config)), STAND_IN)
    made_by = operation_of(config.tags) or OperationId("rehearsed")
    body = create_function(config, secrets, made_by, values).body
    assert body is not None
    return {**body, "tags": list(config.tags)}


def _places(
    version: LiveVersion, rows: Sequence[LiveSpecification], atlas: Atlas
) -> dict[str, tuple[str, ...]]:
    """By row, the clusters of its instances; where they were not read, its minimum somewhere."""
    found: dict[str, list[str]] = {row.id: [] for row in rows}
    if version.status in (Status.INACTIVE, Status.ERROR):
        return {row: () for row in found}
    if version.instances is None:
        for row in rows:
            wanted = row.specification
            cluster = atlas.place(wanted).pools[0].cluster
            found[row.id] = [cluster] * wanted.min_instances
    for instance in version.instances or ():
        owners = [row for row in rows if _may_own(row.specification, instance)]
        if owners:
            row = min(owners, key=lambda one: len(found[one.id]) - one.specification.min_instances)
            found[row.id].append(instance.location)
    return {row: tuple(clusters) for row, clusters in found.items()}


def _may_own(one: GpuSpecification, instance: LiveInstance) -> bool:
    kind = (one.gpu.casefold(), one.instance_type.casefold())
    is_kind = kind == (instance.gpu.casefold(), instance.instance_type.casefold())
    return is_kind and (not one.clusters or instance.location in one.clusters)


def _held(staged: Sequence[StagedVersion], atlas: Atlas) -> Counter[PoolId]:
    """GPUs of ours by pool, as they will be staged."""
    held: Counter[PoolId] = Counter()
    for version in staged:
        for row in version.rows:
            for cluster in row.clusters:
                pool = atlas.pool_at(cluster, str(row.entry["gpu"]))
                if pool is not None:
                    kind = find_instance_type(pool, str(row.entry["instanceType"]))
                    held[pool.id] += (kind.gpu_count if kind else None) or 1
    return held


def _world(scene: Scene, held: Counter[PoolId]) -> WorldFile:
    account, identity = scene.account, scene.account.identity
    clusters = account.clusters or ()
    pools = [pool for cluster in clusters for pool in cluster.pools]
    ours = identity.nca_id or "nca-rehearsal"
    names = sorted({name for one in clusters for name in _groups(one)})
    stored = sum(len(one.versions) for one in scene.functions)
    limit = account.version_limit
    return WorldFile(
        starts_at=scene.at.isoformat(),
        nca_id=ours,
        org=scene.org or "rehearsal",
        clusters=tuple(_cluster(one, held) for one in clusters),
        groups=tuple(GroupRule(name=name, nca_id=ours) for name in names),
        tenants=tuple(
            TenantRule(tenant="others", cluster=pool.id.cluster, gpu=pool.id.gpu, gpus=others)
            for pool in pools
            if (others := _others(pool, held)) > 0
        ),
        quotas=tuple(_quotas(account)),
        function_limit=PLENTY if limit is None else stored + max(0, limit.limit - limit.stored),
        landing=Landing.ADVERSARIAL,
    )


def _groups(cluster: Cluster) -> tuple[str, ...]:
    return cluster.groups if cluster.groups else (cluster.name,)


def _others(pool: Pool, held: Counter[PoolId]) -> int:
    if pool.capacity is None or pool.available is None:
        return 0
    return max(0, pool.capacity - pool.available - held[pool.id])


def _cluster(cluster: Cluster, held: Counter[PoolId]) -> ClusterRule:
    return ClusterRule(
        name=cluster.name,
        groups=_groups(cluster),
        region=cluster.region or "unknown",
        provider="ON-PREM",
        gpus=tuple(_gpu(pool, held) for pool in cluster.pools),
        attributes=cluster.attributes or (),
    )


def _gpu(pool: Pool, held: Counter[PoolId]) -> GpuRule:
    capacity = PLENTY if pool.capacity is None or pool.available is None else pool.capacity
    return GpuRule(
        name=pool.id.gpu,
        capacity=max(capacity, held[pool.id]),
        instance_types=tuple(
            InstanceTypeRule(name=kind.name, gpu_count=kind.gpu_count or 1)
            for kind in pool.instance_types
        ),
    )


def _quotas(account: Account) -> Iterator[QuotaRule]:
    """What is read, and what is declared to count maxima: the emulator knows no other."""
    declared = (one.quota for one in account.declared if one.quota.counts is QuotaCount.MAX)
    known = {name for one in account.clusters or () for name in (one.name, *_groups(one))}
    for one in (*(account.quotas or ()), *declared):
        names = tuple(name for name in one.names if name in known) or tuple(sorted(known))
        yield QuotaRule(
            gpu=one.gpu,
            names=names,
            limit=one.limit,
            unit=RuleUnit(one.unit.value),
            instance_type=one.instance_type,
        )
