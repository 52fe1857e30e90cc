"""What a world is made of before anything happens in it: clusters, groups, quotas, knobs.

The frozen contents of a world file. Times are virtual seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nvcfplan.emulator.keys import KeyRule

STATUSES = (
    "READY",
    "PAUSED",
    "FAILED",
    "ABANDONED",
    "NOT_READY",
    "UNHEALTHY",
    "DELETED",
    "CORDON",
    "CORDON_AND_DRAIN",
)
"""Source: nvcf-api.md 2.3."""


class Landing(StrEnum):
    """Which cluster takes a batch, where several may.

    `FIRST`: by name. `RANDOM`: by the seed. `ADVERSARIAL`: the one with the least free room that
    still takes the batch, so that big rooms stay whole and small ones fill; a `backend` request is
    pinned to the cluster of its group with the least free room above zero, whether it fits or not.
    """

    FIRST = "first"
    RANDOM = "random"
    ADVERSARIAL = "adversarial"


class Trouble(StrEnum):
    """What a scripted fault does to the request it meets.

    `capacity-sync`: the allocator refuses the deployment; `capacity-async`: it takes it, and
    nothing comes; `break`: instances start, and fail; `lose`: running ones are lost.
    `answer`: not served, answered so; `garble`: served, the answer's body spoilt.
    `drop-reply`: no reply comes; `cut-reply`: the connection is cut in the middle of it;
    `stuck`: neither reply nor end; `late`: no reply, and served only after a while;
    `duplicate`: served twice.
    """

    CAPACITY_SYNC = "capacity-sync"
    CAPACITY_ASYNC = "capacity-async"
    BREAK = "break"
    LOSE = "lose"
    PAUSE = "pause"
    STUCK = "stuck"
    KILL = "kill"
    GRAB = "grab"
    ANSWER = "answer"
    GARBLE = "garble"
    DROP_REPLY = "drop-reply"
    CUT_REPLY = "cut-reply"
    LATE = "late"
    DUPLICATE = "duplicate"


class EmptyInventory(StrEnum):
    """How an account without a READY cluster reads. Source: nvcf-api.md 2.2."""

    ERROR = "error"
    LIST = "list"


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class FaultBody(StrEnum):
    """`TRUNCATED`: the first half. `WRONG_TYPE`: the right body under a wrong content type."""

    PROBLEM = "problem"
    HTML = "html"
    GARBAGE = "garbage"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    WRONG_TYPE = "wrong-type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Meets `count` requests of `route` (of the function named, if one is) from the `nth` on.

    `every`: all of them from then on. `since`, `until`: only requests of that time count at all.
    `when`: KILL and DROP_REPLY act before or after the request is served; the copy of a DUPLICATE
    is served before or after it.
    `seconds`: PAUSE holds the reply back so long, LATE and DUPLICATE the (second) delivery; BREAK
    and CAPACITY_ASYNC take so long to show, None: as long as that failure takes.
    `instance_type`: CAPACITY_*, BREAK and LOSE hit only specifications of this type.
    `failure`: a word of `failures`, of the table of its kind; None: the usual one.
    `is_silent`: CAPACITY_ASYNC never ends and is never told.
    `instances`: CAPACITY_ASYNC, BREAK and LOSE hit so many of a specification; None: all.
    `gpus`: GRAB takes so many, or what is free of them; None: all that is free.
    `text`: said in place of the usual words.
    """

    kind: Trouble
    route: str
    function: str | None = None
    nth: int = 1
    count: int = 1
    every: bool = False
    since: float = 0.0
    until: float | None = None
    when: When = When.AFTER
    seconds: float | None = None
    instance_type: str | None = None
    failure: str | None = None
    is_silent: bool = False
    instances: int | None = None
    cluster: str | None = None
    gpu: str | None = None
    gpus: int | None = None
    tenant: str = "other"
    status: int = 500
    retry_after: int | None = None
    body: FaultBody = FaultBody.PROBLEM
    text: str | None = None


class Happening(StrEnum):
    """What comes by itself, on the virtual clock.

    `STATUS` gives a cluster another status, so that it vanishes or appears. With DELETED its
    instances are lost, with CORDON_AND_DRAIN they are stopped. `ALLOCATOR_DOWN`: it answers nobody.
    """

    GRAB = "grab"
    GIVE_BACK = "give-back"
    STATUS = "status"
    LOSE = "lose"
    ALLOCATOR_DOWN = "allocator-down"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRule:
    """`at`: the first time. `lasts`: after so long it is undone. `every`: again, `times` in all.

    `gpus`: GRAB and GIVE_BACK move so many, or what there is of them; None: all there is.
    `instances`: LOSE takes so many, oldest first; None: all that match.
    """

    at: float
    what: Happening
    lasts: float | None = None
    every: float | None = None
    times: int | None = None
    tenant: str = "other"
    cluster: str | None = None
    gpu: str | None = None
    gpus: int | None = None
    status: str = "DELETED"
    function: str | None = None
    instance_type: str | None = None
    instances: int | None = None
    failure: str | None = None


class Usage(StrEnum):
    """Which functions an instance type is for. Source: nvcf-api.md 2.2.

    The allocator's DEFAULT list is for Helm chart functions and is the one that the API shows.
    """

    ANY = "any"
    CONTAINER = "container"
    HELM = "helm"


class Visibility(StrEnum):
    """How a function of another account comes to be seen. Source: nvcf-api.md 3.2."""

    PUBLIC = "public"
    AUTHORIZED = "authorized"


class ArtifactCheck(StrEnum):
    """What is done about an image or chart that is not there, or has no credential.

    `LOG`: an event says so, and the call goes on. `THROW`: 400. Source: nvcf-api.md 4.2, 9.1.
    """

    OFF = "off"
    LOG = "log"
    THROW = "throw"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceTypeRule:
    """`is_phantom`: listed, and to be had nowhere."""

    name: str
    gpu_count: int
    is_default: bool = False
    is_phantom: bool = False
    usage: Usage = Usage.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRule:
    """`capacity`: whole GPUs of this name in the cluster, shared by all its instance types.

    `misreported`: the allocator's views show so many more as free than there are.
    """

    name: str
    capacity: int
    instance_types: tuple[InstanceTypeRule, ...]
    misreported: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRule:
    """Only a READY cluster is seen and used. Source: nvcf-api.md 2.2, 2.3."""

    name: str
    groups: tuple[str, ...]
    region: str
    provider: str
    gpus: tuple[GpuRule, ...]
    attributes: tuple[str, ...] = ()
    status: str = "READY"
    k8s_version: str = "v1.30.4"

    @property
    def is_ready(self) -> bool:
        return self.status == "READY"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """`authorized`: accounts that may use it, `*` for everyone. The owner always may."""

    name: str
    nca_id: str
    authorized: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRule:
    """GPUs that another tenant holds from the start."""

    tenant: str
    cluster: str
    gpu: str
    gpus: int


class QuotaUnit(StrEnum):
    GPUS = "gpus"
    INSTANCES = "instances"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRule:
    """GPUs of one name over clusters and groups, by name, or instances. Counts max instances.

    In instances, or of one type, it is enforced but not shown: the view of rules has no word for
    that. Source: nvcf-api.md 2.3, 8.3.
    """

    gpu: str
    names: tuple[str, ...]
    limit: int
    unit: QuotaUnit = QuotaUnit.GPUS
    instance_type: str | None = None

    @property
    def is_shown(self) -> bool:
        return self.unit is QuotaUnit.GPUS and self.instance_type is None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRule:
    """`at`: seconds after the version became ACTIVE. `running`: as in `TrafficRule`."""

    at: float
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRule:
    """What callers do to each version of a function once it is ACTIVE.

    `running`: instances per specification, within [min, max] and as room allows; `load`: what it
    becomes later on. `queue_depth`: requests waiting, fewer by `drained_per_minute`.
    `idle_after`: seconds without load or queue until the autoscaler goes down to min.
    """

    function: str
    running: int = 0
    load: tuple[LoadRule, ...] = ()
    idle_after: float | None = None
    queue_depth: int = 0
    drained_per_minute: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFunctionRule:
    """A version of a function of another account, `nca_id`, that ours may see."""

    name: str
    function_id: str
    version_id: str
    nca_id: str
    visibility: Visibility = Visibility.AUTHORIZED
    status: str = "ACTIVE"
    function_type: str = "DEFAULT"
    tags: tuple[str, ...] = ()
    description: str | None = None
    queue_depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRule:
    """A registry that is recognized beside the usual ones, or has a credential from the start.

    `types`: of artifacts (CONTAINER, HELM, MODEL, RESOURCE).
    """

    hostname: str
    name: str
    types: tuple[str, ...]
    has_credential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldFile:
    """`unreadable`: a reading (inventory, capacity, quota, versionLimit) and the status it answers.

    `api_keys`: empty: any bearer token is good for everything.
    `hide_gpu_count`: the allocator does not say how many GPUs an instance has.
    `instant`: failures show at once as well. `inventory_cache`: how late the service learns that a
    cluster came or went. `heartbeat`: how old the allocator's counts may be; 0: always fresh.
    `boot_spread`: up to so much longer some instances take to boot, by the seed.
    `stuck_instead_of_error`: a request that nobody takes is never given up, and nobody is told.
    `patch_unsupported`: the status by which an older service answers PATCH; 0: it can.
    `gateway`: the NGC front stands before the short layout `/v2/nvcf` too. `quota_as_yaml`: it
    sends its quota rules so to who does not ask for JSON.
    `missing_artifacts`: images, charts, models and resources, by URL, that are in no registry.
    `vanishing_artifacts`: those that are in one, until that time.
    `refused_charts`: Helm charts, by URL, and what a deployment of one is answered.
    `accounts`: those that exist beside ours; empty: every account does.
    """

    starts_at: str = "2026-01-01T00:00:00Z"
    nca_id: str = "nca-demo-0001"
    org: str = "demo"
    clusters: tuple[ClusterRule, ...] = ()
    groups: tuple[GroupRule, ...] = ()
    tenants: tuple[TenantRule, ...] = ()
    quotas: tuple[QuotaRule, ...] = ()
    traffic: tuple[TrafficRule, ...] = ()
    function_limit: int = 50
    landing: Landing = Landing.FIRST
    seed: int = 0
    batch_size: int = 10
    boot_time: float = 120.0
    boot_spread: float = 0.0
    release_lag: float = 300.0
    queue_timeout: float = 1800.0
    tick: float = 60.0
    instant: bool = False
    inventory_cache: float = 900.0
    heartbeat: float = 0.0
    stuck_instead_of_error: bool = False
    patch_unsupported: int = 0
    unreadable: tuple[tuple[str, int], ...] = ()
    hide_gpu_count: bool = False
    api_keys: tuple[KeyRule, ...] = ()
    gateway: bool = False
    quota_as_yaml: bool = False
    empty_inventory: EmptyInventory = EmptyInventory.ERROR
    faults: tuple[Fault, ...] = ()
    schedule: tuple[ScheduleRule, ...] = ()
    shared_functions: tuple[SharedFunctionRule, ...] = ()
    accounts: tuple[str, ...] = ()
    registries: tuple[RegistryRule, ...] = ()
    artifact_check: ArtifactCheck = ArtifactCheck.OFF
    missing_artifacts: tuple[str, ...] = ()
    vanishing_artifacts: tuple[tuple[str, float], ...] = ()
    refused_charts: tuple[tuple[str, str], ...] = ()
    telemetry_limit: int = 25
    credential_limit: int = 25
