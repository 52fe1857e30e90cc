"""What is wanted: a stack of functions, resolved, with its policies.

Fields keep the API's names in snake case. "Absent" and "empty" differ: a field is managed when its
name stands in `managed`; an empty or null value that is managed is wanted to be empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from math import ceil
from typing import Final

from nvcfplan.model.account import DeclaredQuota
from nvcfplan.model.addresses import Address, Json, function_address, specification_address

EVERYONE: Final = "*"
"""In a list of accounts: all there are. Source: nvcf-api.md 2.4."""


class SecretOrigin(StrEnum):
    """Where a value that must not be written down can be found again."""

    ENV = "env"  # locator: the variable's name
    FILE = "file"  # locator: the path
    STACK = "stack"  # locator: "chat/API_TOKEN", a sensitive variable in the stack's own files
    LIVE = "live"  # locator: "FUNCTION-ID/VERSION-ID/API_TOKEN", carried forward from that version


@dataclass(frozen=True, slots=True)
class SecretReference:
    name: str
    origin: SecretOrigin
    locator: str


class Secret:
    """A value that is compared but never shown: `repr`, `str` and pickling do not give it away."""

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: SecretReference) -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        """The value, for the one request that has to carry it."""
        return self._value

    def __repr__(self) -> str:
        return "(sensitive value)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret value is not written anywhere")


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """`value` is a `Secret` in memory and a reference in every document."""

    key: str
    value: str | Secret | SecretReference


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model or a resource, mounted into the container. Source: nvcf-api.md 3.1."""

    name: str
    version: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    protocol: str  # HTTP or gRPC
    uri: str
    port: int
    timeout: timedelta
    expected_status_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`rate_limit` as the API writes it: `100-S`, several joined by commas."""

    rate_limit: str
    exempted_nca_ids: tuple[str, ...] = ()
    sync_check: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetries:
    logs_telemetry_id: str | None = None
    metrics_telemetry_id: str | None = None
    traces_telemetry_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfig:
    """All of a version but its placement and its secrets. None: not stated (the API's default).

    Tuples that the API treats as sets (`tags`, `container_environment`, `models`, `resources`) are
    sorted by name. Source: nvcf-api.md 3.1.
    """

    name: str
    inference_url: str
    inference_port: int | None = None
    container_image: str | None = None
    container_args: str | None = None
    container_environment: tuple[EnvironmentVariable, ...] = ()
    models: tuple[Artifact, ...] = ()
    resources: tuple[Artifact, ...] = ()
    helm_chart: str | None = None
    helm_chart_service_name: str | None = None
    health: Health | None = None
    api_body_format: str | None = None
    function_type: str | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    rate_limit: RateLimit | None = None
    telemetries: Telemetries | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a metadata PUT carries; omitted stays as it is. Source: nvcf-api.md 3.5."""

    tags: tuple[str, ...] | None = None
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSpecification:
    """One placement of a deployment. `key` is the user's; a live one that matches none has its id.

    None: not stated. `clusters`, `regions` and `attributes` are sets, sorted.
    Source: nvcf-api.md 3.3.
    """

    key: str
    gpu: str
    instance_type: str
    min_instances: int
    max_instances: int
    max_request_concurrency: int | None = None
    backend: str | None = None
    clusters: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    configuration: Json | None = None
    autoscaling_configuration: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredSpecification:
    specification: GpuSpecification
    managed: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.specification.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Other placements: all specifications of the function, some laid over the base ones."""

    specifications: tuple[DesiredSpecification, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What is wanted already, tried for so long."""

    duration: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrink:
    """Fewer instances: all specifications of the function, some laid over the base ones."""

    specifications: tuple[DesiredSpecification, ...]


Rung = Fallback | Wait | Shrink


class LastResort(StrEnum):
    """What becomes of a function for which no rung of its ladder has room."""

    ROLLBACK = "rollback"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNoCapacity:
    """The ladder: its rungs are taken in order, each once, each laid over the base."""

    rungs: tuple[Rung, ...] = ()
    last: LastResort = LastResort.ROLLBACK


class UpdateOrder(StrEnum):
    AUTO = "auto"
    CREATE_FIRST = "create-first"
    DELETE_FIRST = "delete-first"


class Downtime(StrEnum):
    NEVER = "never"
    ALLOWED = "allowed"


class Warm(StrEnum):
    """How many instances a new version has when the old one goes."""

    MATCH_RUNNING = "match-running"
    MIN = "min"


class Prove(StrEnum):
    """What shows that a version works whose minima are all 0: it is ACTIVE at once."""

    ONE = "one"
    NONE = "none"


class OnDrainTimeout(StrEnum):
    """FORCE: undeployed at once, queued work is lost. WAIT: until the limit of the wait."""

    FORCE = "force"
    WAIT = "wait"
    FAIL = "fail"


class OnRemove(StrEnum):
    DELETE = "delete"
    UNDEPLOY = "undeploy"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePolicy:
    """`max_downtime` None: any. `min_serving`: share of the running instances.

    `bounce`: where a version of it may live while its own room is made free, by key.
    `coexist` False: two versions of it must never serve at once. `is_pinned`: callers name the
    version's id, so every new version is an outage to them.
    """

    order: UpdateOrder = UpdateOrder.AUTO
    downtime: Downtime = Downtime.NEVER
    max_downtime: timedelta | None = None
    warm: Warm = Warm.MATCH_RUNNING
    prove: Prove = Prove.ONE
    min_serving: float = 0.5
    bounce: tuple[GpuSpecification, ...] = ()
    coexist: bool = True
    is_pinned: bool = False
    keep_versions: int = 1
    drain: bool = True
    drain_timeout: timedelta = timedelta(minutes=15)
    on_drain_timeout: OnDrainTimeout = OnDrainTimeout.FAIL

    @property
    def replacing_order(self) -> UpdateOrder:
        """What cannot serve beside its successor goes first, whatever the order asked for."""
        return self.order if self.coexist else UpdateOrder.DELETE_FIRST

    def least_serving(self, running: int) -> int:
        """Of so many running instances, how many must serve at every moment of a change."""
        share = ceil(self.min_serving * running - 1e-9)
        return min(running, max(1, share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """`keep_failed`: for how long a version that failed is kept, undeployed. None: not at all."""

    prevent_destroy: bool = False
    on_remove: OnRemove = OnRemove.DELETE
    keep_failed: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredFunction:
    """`managed` holds field names of `FunctionConfig`, `authorized_parties`, `secrets` and
    `deployment`, sorted.

    `specifications` is sorted by key; it is empty while `deployment` is managed when the function
    is wanted undeployed. `authorized_parties`: accounts that may call every version, sorted; they
    stand with the function, not with a version. Source: nvcf-api.md 2.4.

    `rung`: the number, from 1, of the rung of `on_no_capacity` whose `specifications` these are;
    None: they are the base ones, which the stack asks for first.
    """

    key: str
    config: FunctionConfig
    managed: tuple[str, ...]
    secrets: tuple[SecretReference, ...] = ()
    specifications: tuple[DesiredSpecification, ...] = ()
    authorized_parties: tuple[str, ...] = ()
    update: UpdatePolicy = field(default_factory=UpdatePolicy)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    depends_on: tuple[str, ...] = ()
    on_no_capacity: OnNoCapacity = field(default_factory=OnNoCapacity)
    rung: int | None = None

    @property
    def address(self) -> Address:
        return function_address(self.key)

    def specification_address(self, key: str) -> Address:
        return specification_address(self.key, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBinding:
    """The account a stack may be applied to; None: any."""

    endpoint: str | None = None
    org: str | None = None
    nca_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Functions are sorted by key, whatever the order of files and mappings.

    `quotas`: limits of the account that no reading may show, sorted by key.
    """

    name: str
    environment: str
    functions: tuple[DesiredFunction, ...]
    account: AccountBinding = field(default_factory=AccountBinding)
    quotas: tuple[DeclaredQuota, ...] = ()
