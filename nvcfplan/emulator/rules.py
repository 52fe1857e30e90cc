"""What a world is made of before anything happens in it: clusters, groups, quotas, knobs.

The frozen contents of a world file. Times are virtual seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """What a scripted fault does to the request it meets."""

    CAPACITY_SYNC = "capacity-sync"
    CAPACITY_ASYNC = "capacity-async"
    PAUSE = "pause"
    KILL = "kill"
    GRAB = "grab"
    ANSWER = "answer"
    DROP_REPLY = "drop-reply"


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class FaultBody(StrEnum):
    PROBLEM = "problem"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Meets the `nth` request of `route` (of the function named, if one is): once, or from then on.

    `when`: KILL and DROP_REPLY act before or after the request is served.
    `seconds`: PAUSE holds the reply back so long, in virtual time.
    `instance_type`: CAPACITY_* hit only specifications of this type.
    `gpus`: GRAB takes so many, or what is free of them; None: all that is free.
    `text`: what ANSWER says in `detail`, and CAPACITY_ASYNC in `healthInfo`, in place of the usual.
    """

    kind: Trouble
    route: str
    function: str | None = None
    nth: int = 1
    every: bool = False
    when: When = When.AFTER
    seconds: float = 0.0
    instance_type: str | None = None
    cluster: str | None = None
    gpu: str | None = None
    gpus: int | None = None
    tenant: str = "other"
    status: int = 500
    body: FaultBody = FaultBody.PROBLEM
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceTypeRule:
    name: str
    gpu_count: int
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRule:
    """`capacity`: whole GPUs of this name in the cluster, shared by all its instance types."""

    name: str
    capacity: int
    instance_types: tuple[InstanceTypeRule, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRule:
    """GPUs of one name over clusters and groups, by name. Counts max instances.

    Source: nvcf-api.md 2.3, 8.3.
    """

    gpu: str
    names: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRule:
    """What callers do to each version of a function once it is ACTIVE.

    `running`: instances per specification, within [min, max] and as room allows.
    `queue_depth`: requests waiting, fewer by `drained_per_minute` while instances run.
    """

    function: str
    running: int = 0
    queue_depth: int = 0
    drained_per_minute: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldFile:
    """`unreadable`: a reading (inventory, capacity, quota, versionLimit) and the status it answers.

    `api_key_digests`: SHA-256 of the tokens that are good; empty: any bearer token is.
    `hide_gpu_count`: the allocator does not say how many GPUs an instance has.
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
    release_lag: float = 300.0
    queue_timeout: float = 1800.0
    tick: float = 60.0
    unreadable: tuple[tuple[str, int], ...] = ()
    hide_gpu_count: bool = False
    api_key_digests: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
