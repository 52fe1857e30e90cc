"""The emulated account as it stands: versions, deployments, instances, who holds which GPUs.

Plain state and the arithmetic of room. What moves it is `lifecycle`, `allocation` and `routes`.
Times are virtual seconds since the world's start.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from nvcfplan.emulator.backlog import Queue
from nvcfplan.emulator.codec import TRANSIENT
from nvcfplan.emulator.ledger import Ledger
from nvcfplan.emulator.outlook import Outlook
from nvcfplan.emulator.prospects import (
    Arrival,
    Doom,
    Load,
    Planned,
    Script,
    Standing,
    first_of,
    status_at,
)
from nvcfplan.emulator.resources import Credential, Telemetry, provisioned
from nvcfplan.emulator.rules import ClusterRule, GpuRule, WorldFile
from nvcfplan.emulator.tables import Share, Table

_READY = "READY"


class Status(StrEnum):
    """Source: nvcf-api.md 5."""

    INACTIVE = "INACTIVE"
    DEPLOYING = "DEPLOYING"
    ACTIVE = "ACTIVE"
    DEGRADING = "DEGRADING"
    DEGRADED = "DEGRADED"
    ERROR = "ERROR"


DEPLOYED = frozenset({Status.DEPLOYING, Status.ACTIVE, Status.DEGRADING, Status.DEGRADED})


class Phase(StrEnum):
    """`TERMINATED` still holds its GPUs: they show as free only after the release lag."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    TERMINATED = "TERMINATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`function` is a name, `version` an id; both empty where another tenant acts."""

    at: datetime
    kind: str
    words: str
    function: str = ""
    version: str = ""


@dataclass(slots=True, kw_only=True)
class Specification:
    """A deployed GPU specification. `answer`: the rest of it as the API shows it.

    `pinned`: the cluster of its `backend` that the service picked. `failed`: instances since it was
    last asked for any that never came or broke, and `failure` what the service says of it, None:
    the usual. `setbacks`: breaks in a row, after which nothing is asked for until `rests_until`.
    """

    id: str
    version: str
    gpu: str
    instance_type: str
    gpu_count: int
    min: int
    max: int
    concurrency: int
    backend: str | None = None
    clusters: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    answer: dict[str, object] = field(default_factory=dict)
    pinned: str | None = None
    failed: int = 0
    failure: str | None = None
    doom: Doom | None = None
    setbacks: int = 0
    rests_until: float = 0.0


@dataclass(slots=True, kw_only=True)
class Deployment:
    """`specifications`: by id, as the service keeps them, not in the order sent.

    `erred_at`: when it went to ERROR. `health`: one entry per failed specification.
    """

    id: str
    created_at: float
    updated_at: float
    specifications: list[Specification]
    health: list[dict[str, str]] = field(default_factory=list)
    is_draining: bool = False
    erred_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Version:
    """`answer`: the version as the API shows it, without status. `secrets`: SHA-256 by name.

    `loads`: what its callers are still going to make of it, earliest first.
    `parties`: accounts that may use all versions of the function, `own_parties`: this one.
    """

    function_id: str
    id: str
    name: str
    created_at: float
    answer: dict[str, object]
    status: Status = Status.INACTIVE
    secrets: dict[str, str] = field(default_factory=dict)
    parties: list[str] = field(default_factory=list)
    own_parties: list[str] = field(default_factory=list)
    deployment: Deployment | None = None
    queue: Queue = field(default_factory=Queue)
    loads: list[Load] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Request:
    """Instances still wanted, in batches that are taken whole: `batches` full ones and a `rest`.

    `clusters`: where it may land. `position`: its entry in the ledger. `is_withheld`: by a fault.
    `expires_at`: when it is given up, None: never; `failure`: what is then said, None: the usual.
    """

    id: str
    version: str
    specification: str
    gpu: str
    gpu_count: int
    instance_type: str
    clusters: tuple[str, ...]
    batches: int
    rest: int
    asked_at: float
    position: int
    expires_at: float | None
    is_withheld: bool = False
    failure: str | None = None

    def waiting(self, batch_size: int) -> int:
        return self.batches * batch_size + self.rest


@dataclass(slots=True, kw_only=True)
class Instance:
    """`until`: when it runs (STARTING) or is released (TERMINATED).

    `failure`: it breaks then instead of running, and this is what is said of it.
    """

    id: str
    version: str
    specification: str
    request: str
    cluster: str
    gpu: str
    gpus: int
    instance_type: str
    created_at: float
    updated_at: float
    until: float
    phase: Phase = Phase.STARTING
    failure: str | None = None

    @property
    def is_live(self) -> bool:
        return self.phase is not Phase.TERMINATED


def _gpus_held(instance: Instance) -> Share:
    return (instance.cluster, instance.gpu), instance.gpus


def _instances() -> Table[Instance]:
    return Table(by=("version", "specification"), counting=_gpus_held)


def _requests() -> Table[Request]:
    return Table(by=("version", "specification"))


def _versions() -> Table[Version]:
    return Table(by=("function_id",))


@dataclass(slots=True, kw_only=True)
class Holding:
    """GPUs of another tenant. `is_scripted`: taken by a fault or a call, not at the start."""

    tenant: str
    cluster: str
    gpu: str
    gpus: int
    is_scripted: bool = False


@dataclass(slots=True, kw_only=True)
class World:
    """`is_stirring`: the next tick may change something; `is_upset`: any version.

    `counter`: of everything ever named. `standings`: how the status of a cluster has changed,
    oldest first. `agenda`: what is still to come of the schedule. `arrivals`: requests on their
    way. `reported`: GPUs held, by `cluster/gpu`, as the allocator last heard. `down_since`: since
    when it answers nobody. `rules` and `time` are stored apart. `events`: those not stored yet.
    `names`: given to what is made next, while what was there before is staged.
    `due`: when something next happens, None: to be found out. `is_changed`: there is more to store
    than the time.
    """

    rules: WorldFile = field(default_factory=WorldFile, metadata=TRANSIENT)
    time: float = field(default=0.0, metadata=TRANSIENT)
    ticked_at: float = field(default=0.0, metadata=TRANSIENT)
    counter: int = 0
    is_stirring: bool = False
    is_upset: bool = False
    versions: Table[Version] = field(default_factory=_versions)
    requests: Table[Request] = field(default_factory=_requests)
    instances: Table[Instance] = field(default_factory=_instances)
    telemetries: dict[str, Telemetry] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    holdings: list[Holding] = field(default_factory=list)
    standings: dict[str, list[Standing]] = field(default_factory=dict)
    scripts: list[Script] = field(default_factory=list)
    agenda: list[Planned] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    reported: dict[str, int] = field(default_factory=dict)
    down_since: float | None = None
    ledger: Ledger = field(default_factory=Ledger)
    events: list[Event] = field(default_factory=list, metadata=TRANSIENT)
    names: list[str] = field(default_factory=list, metadata=TRANSIENT)
    due: float | None = field(default=None, metadata=TRANSIENT)
    is_changed: bool = field(default=False, metadata=TRANSIENT)
    outlook: Outlook = field(default_factory=Outlook, metadata=TRANSIENT)

    @classmethod
    def of(cls, rules: WorldFile) -> World:
        """A world in which nothing has happened yet."""
        world = cls(rules=rules)
        world.holdings = [
            Holding(tenant=one.tenant, cluster=one.cluster, gpu=one.gpu, gpus=one.gpus)
            for one in rules.tenants
        ]
        world.scripts = [Script(fault=fault) for fault in rules.faults]
        world.agenda = [first_of(rule) for rule in rules.schedule]
        if rules.heartbeat:
            world.report()
        world.credentials = {one.id: one for one in provisioned(rules.registries)}
        return world

    def tables(self) -> tuple[Table[Version], Table[Request], Table[Instance]]:
        return self.versions, self.requests, self.instances

    def stir(self) -> None:
        """Something changed: it must be stored, and a tick may follow it up."""
        self.is_stirring = True
        self.is_changed = True
        self.due = None

    def end_turn(self, *, others: bool = False) -> None:
        """All is stored, or was read as stored by `others`: then a tick may follow it up."""
        if others:
            self.due = None
        for table in self.tables():
            table.taken.clear()
            if not (self.is_changed or others):
                table.unsettled.clear()  # looked at, and left as they were
        self.is_changed = False

    def pass_ticks(self) -> None:
        """All ticks up to now are done, or had nothing to do."""
        tick = self.rules.tick
        passed = math.floor(self.time / tick) * tick if tick else self.time
        self.ticked_at = max(self.ticked_at, passed)

    def new_id(self) -> str:
        """Ids are the same for the same seed and history, and in no telling order."""
        if self.names:
            return self.names.pop(0)
        self.counter += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.rules.seed}:{self.counter}"))

    def moment(self, time: float) -> datetime:
        return starting_moment(self.rules) + timedelta(seconds=time)

    def last_time(self) -> float:
        """The calendar ends with the year 9999; a day of it is left for time zones."""
        left = datetime.max.replace(tzinfo=UTC) - timedelta(days=1) - starting_moment(self.rules)
        return max(0.0, left.total_seconds())

    def tell(self, kind: str, words: str, version: Version | None = None) -> None:
        name, id_ = (version.name, version.id) if version else ("", "")
        event = Event(at=self.moment(self.time), kind=kind, words=words, function=name, version=id_)
        self.events.append(event)

    def cluster(self, name: str) -> ClusterRule | None:
        return next((one for one in self.rules.clusters if one.name == name), None)

    def status(self, cluster: ClusterRule) -> str:
        """As the allocator sees it: at once."""
        return status_at(self.standings.get(cluster.name, ()), self.time, cluster.status)

    def is_ready(self, cluster: ClusterRule) -> bool:
        return self.status(cluster) == _READY

    def is_listed(self, cluster: ClusterRule) -> bool:
        """As the service sees it, which learns late that a cluster came or went.

        Source: nvcf-api.md 2.2.
        """
        then = self.time - self.rules.inventory_cache
        return status_at(self.standings.get(cluster.name, ()), then, cluster.status) == _READY

    def stand(self, cluster: ClusterRule, status: str) -> None:
        """Its status from now on."""
        then = self.time - self.rules.inventory_cache
        changes = self.standings.get(cluster.name, [])
        forgotten = sum(one.since <= then for one in changes) - 1
        changes = [*changes[max(forgotten, 0) :], Standing(since=self.time, status=status)]
        self.standings[cluster.name] = changes
        self.stir()

    def report(self) -> None:
        """The agents tell the allocator what is held."""
        held = {
            f"{cluster.name}/{gpu.name}": self.held(cluster.name, gpu.name)
            for cluster in self.rules.clusters
            for gpu in cluster.gpus
        }
        if held != self.reported:
            self.reported = held
            self.is_changed = True

    def shown_held(self, cluster: ClusterRule, gpu: GpuRule) -> int:
        """GPUs that the views show as held, which may be old, or a lie."""
        if not self.rules.heartbeat:
            held = self.held(cluster.name, gpu.name)
        else:
            held = self.reported.get(f"{cluster.name}/{gpu.name}", 0)
        return min(max(held - gpu.misreported, 0), gpu.capacity)

    def free(self, cluster: ClusterRule, gpu: str) -> int:
        """GPUs that nobody holds; terminated instances hold theirs until they are released."""
        pool = pool_of(cluster, gpu)
        return pool.capacity - self.held(cluster.name, pool.name) if pool else 0

    def held(self, cluster: str, gpu: str) -> int:
        return self.instances.total((cluster, gpu)) + sum(
            one.gpus for one in self.holdings if one.cluster == cluster and one.gpu == gpu
        )

    def grabbed(self, cluster: str, gpu: str) -> int:
        """GPUs held by tenants that a script brought in."""
        return sum(
            one.gpus
            for one in self.holdings
            if one.is_scripted and one.cluster == cluster and one.gpu == gpu
        )

    def live_instances(self, specification: str) -> list[Instance]:
        """STARTING and RUNNING ones, oldest first."""
        return [one for one in self.instances.of("specification", specification) if one.is_live]


def starting_moment(rules: WorldFile) -> datetime:
    moment = datetime.fromisoformat(rules.starts_at)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def pool_of(cluster: ClusterRule, gpu: str) -> GpuRule | None:
    """By GPU name, in any case. Source: nvcf-api.md 3.3."""
    wanted = gpu.casefold()
    return next((one for one in cluster.gpus if one.name.casefold() == wanted), None)
