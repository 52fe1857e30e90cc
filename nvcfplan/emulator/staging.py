"""An account as it stands put into a world: versions under ids of their own, instances in place.

Each version is created and deployed by the requests that anybody would send, without instances;
what runs is then put where it was seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from nvcfplan.emulator.messages import Incoming, Reply
from nvcfplan.emulator.refusals import EmulatorError
from nvcfplan.emulator.resources import Telemetry
from nvcfplan.emulator.world import (
    Instance,
    Phase,
    Specification,
    Status,
    Version,
    World,
)

Exchange = Callable[[Incoming], Reply]
Turns = Callable[[], AbstractContextManager[World]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRow:
    """A specification: `entry` as it would be sent, and a cluster for each instance that runs."""

    id: str
    entry: dict[str, object]
    least: int
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedVersion:
    """`body`: of the request that creates it. `rows` empty: it is not deployed."""

    function: str
    version: str
    status: str
    body: dict[str, object]
    parties: tuple[str, ...]
    deployment: str
    rows: tuple[StagedRow, ...]


def stage(exchange: Exchange, turns: Turns, versions: Sequence[StagedVersion]) -> None:
    """Oldest first. Raises: EmulatorError for what this emulator would not have let come about."""
    known: set[str] = set()
    for one in versions:
        path = "functions" if one.function not in known else f"functions/{one.function}/versions"
        names = [one.version] if one.function in known else [one.function, one.version]
        known.add(one.function)
        _ask(exchange, turns, (path, one.body), names)
        if one.rows:
            entries = [{**row.entry, "minInstances": 0} for row in one.rows]
            path = f"deployments/functions/{one.function}/versions/{one.version}"
            names = [*(row.id for row in one.rows), one.deployment]
            _ask(exchange, turns, (path, {"deploymentSpecifications": entries}), names)
        with turns() as world:
            _settle_in(world, one)


def stage_telemetries(world: World, ids: Iterable[str]) -> None:
    """Endpoints of which no more is known than that functions name them: good for every type."""
    for id_ in sorted(set(ids) - world.telemetries.keys()):
        world.telemetries[id_] = Telemetry(
            id=id_,
            name=f"staged-{id_}",
            endpoint="https://telemetry.invalid",
            protocol="HTTP",
            provider="OTEL_COLLECTOR",
            types=["LOGS", "METRICS", "TRACES"],
            secret="",
            created_at=world.time,
        )
    world.is_changed = True


def _ask(
    exchange: Exchange, turns: Turns, request: tuple[str, dict[str, object]], names: list[str]
) -> None:
    path, body = request
    with turns() as world:
        world.names = names
    reply = exchange(
        Incoming(
            method="POST",
            path=f"/v2/nvcf/{path}",
            authorization="Bearer staging",
            body=json.dumps(body).encode(),
        )
    )
    with turns() as world:
        world.names = []
    if reply.status >= 300:
        raise EmulatorError(
            f"what runs in the account cannot be rehearsed: POST {path} was answered"
            f" {reply.status}: {reply.body.decode(errors='replace')[:300]}",
            remedy="the inventory that was read does not offer what runs; see `plan`",
        )


def _settle_in(world: World, staged: StagedVersion) -> None:
    version = world.versions[staged.version]
    version.parties = list(staged.parties)
    rows = {row.id: row for row in staged.rows}
    for one in version.deployment.specifications if version.deployment else ():
        row = rows[one.id]
        one.min = row.least
        if one.backend is not None and row.clusters:
            one.pinned = row.clusters[0]
        for cluster in row.clusters:
            _run(world, version, one, cluster)
    if staged.status in set(Status):
        version.status = Status(staged.status)
    if version.deployment is not None:
        version.deployment.is_draining = version.status is Status.INACTIVE
        if version.status is Status.ERROR:
            version.deployment.erred_at = world.time
    world.stir()


def _run(world: World, version: Version, specification: Specification, cluster: str) -> None:
    instance = Instance(
        id=world.new_id(),
        version=version.id,
        specification=specification.id,
        request="",
        cluster=cluster,
        gpu=specification.gpu,
        gpus=specification.gpu_count,
        instance_type=specification.instance_type,
        created_at=world.time,
        updated_at=world.time,
        until=world.time,
        phase=Phase.RUNNING,
    )
    world.instances[instance.id] = instance
