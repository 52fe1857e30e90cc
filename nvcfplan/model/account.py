"""What the account may use: inventory, capacity, quotas, limits, and what could not be read.

Numbers are readings, so each carries where it came from; when it was taken stands in `readings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nvcfplan.model.addresses import PoolId, ResourceId


class GpuCountSource(StrEnum):
    """How the GPUs per instance are known, best first; below the first two at risk at most."""

    DECLARED = "declared"
    ALLOCATOR = "allocator"
    VIEW = "capacity-view"
    SUFFIX = "name-suffix"
    UNKNOWN = "unknown"

    @property
    def is_guess(self) -> bool:
        return self in (GpuCountSource.VIEW, GpuCountSource.SUFFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """`gpu_count` None: unknown, hence not checked; it is never taken to be 1."""

    name: str
    gpu_count: int | None
    gpu_count_source: GpuCountSource
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuOffer:
    name: str
    instance_types: tuple[InstanceType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterGroup:
    """`name` is what `backend` refers to. Source: nvcf-api.md 2.2."""

    name: str
    clusters: tuple[str, ...]
    gpus: tuple[GpuOffer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Whole GPUs. None: not known. Source: nvcf-api.md 8.1."""

    id: PoolId
    capacity: int | None
    available: int | None
    instance_types: tuple[InstanceType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """None: not known. clusterGroups tells neither region nor attributes, the hosted capacity view
    neither groups nor attributes.
    """

    name: str
    groups: tuple[str, ...] | None
    region: str | None
    attributes: tuple[str, ...] | None
    pools: tuple[Pool, ...]


class QuotaUnit(StrEnum):
    GPUS = "gpus"
    INSTANCES = "instances"


class QuotaCount(StrEnum):
    """Which of the bounds of a deployed specification a quota adds up."""

    MIN = "minInstances"
    MAX = "maxInstances"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """GPUs of one name, or instances with them, over clusters and cluster groups by their names.

    No names: everywhere. `instance_type` None: of any type. `counts` None: it is not known which.
    The quota rules that can be read are in GPUs and do not say what they count; NGC's own classes
    count instances by type. Source: nvcf-api.md 2.3.
    """

    gpu: str
    names: tuple[str, ...]
    limit: int
    unit: QuotaUnit = QuotaUnit.GPUS
    instance_type: str | None = None
    counts: QuotaCount | None = None


@dataclass(frozen=True, slots=True)
class DeclaredQuota:
    """One that the stack says there is, under the key that it has there."""

    key: str
    quota: Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLimit:
    """Tested by the service when a *function* is created, against stored versions.

    Source: nvcf-api.md 4.2.
    """

    limit: int
    stored: int


class Readable(StrEnum):
    INVENTORY = "inventory"
    CAPACITY = "capacity"
    QUOTA = "quota"
    VERSION_LIMIT = "version-limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A reading that succeeded: which route or file, and when."""

    what: Readable
    source: str
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A reading that failed: what depends on it is "not checked", with this reason."""

    what: Readable
    source: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Claim:
    """`gpus` that will be taken, to land in any of the pools."""

    pools: tuple[PoolId, ...]
    gpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a running apply of another stack still will take, beyond what the readings show.

    `charges`: of what is counted by its name: quotas and the version limit.
    """

    stack: str
    claims: tuple[Claim, ...] = ()
    charges: tuple[tuple[ResourceId, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIdentity:
    endpoint: str
    org: str | None
    nca_id: str | None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.endpoint, self.org, self.nca_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """None in a field: not read, and `unread` says why. Tuples are sorted by name.

    `declared`: quotas that a stack says there are.
    """

    identity: AccountIdentity
    groups: tuple[ClusterGroup, ...] | None
    clusters: tuple[Cluster, ...] | None
    quotas: tuple[Quota, ...] | None
    version_limit: VersionLimit | None
    taken: tuple[Taken, ...] = ()
    unread: tuple[Unread, ...] = ()
    published: tuple[Publication, ...] = ()
    declared: tuple[DeclaredQuota, ...] = ()
