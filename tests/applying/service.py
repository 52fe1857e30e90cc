"""A small service with scarce GPUs, for the machine alone: synchronous, its time set from outside.

It knows what a deployer meets: whole-row capacity, late release, drains, lost answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    Call,
    Done,
    Failure,
    FailureClass,
    Refused,
    Unanswered,
)
from nvcfplan.model import (
    Account,
    AccountIdentity,
    Cluster,
    DeploymentId,
    FunctionConfig,
    FunctionId,
    GpuCountSource,
    GpuSpecification,
    GpuSpecificationId,
    HealthNote,
    InstanceType,
    LiveDeployment,
    LiveFunction,
    LiveInstance,
    LiveSharing,
    LiveSpecification,
    LiveVersion,
    Pool,
    PoolId,
    Publication,
    SecretReference,
    Status,
    VersionId,
    operation_tag,
)
from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Probe,
    SetAuthorizations,
    SetSecrets,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BOOT_SECONDS = 120.0
QUEUE_SECONDS = 1800.0
RELEASE_SECONDS = 300.0
NO_CAPACITY = "Capacity not available at this time - Exceeded max queued duration '30' minutes"
ALL_TAKEN = "no available clusters with capacity"


class Fault(StrEnum):
    """DROPPED: never arrives. SWALLOWED: done, its answer lost. LATE: done in 20 s, no answer."""

    DROPPED = "dropped"
    SWALLOWED = "swallowed"
    LATE = "late"
    BUSY = "busy"
    REFUSED = "refused"


@dataclass(slots=True)
class Placed:
    """`landed`: its minimum has room; else it waits for 30 minutes, and is in error then."""

    specification: GpuSpecification
    running: int
    landed: bool


@dataclass(slots=True)
class Row:
    number: int
    since: float
    placed: list[Placed]
    drains_until: float | None = None


@dataclass(slots=True)
class Version:
    config: FunctionConfig
    secrets: tuple[SecretReference, ...] = ()
    row: Row | None = None


@dataclass(slots=True)
class Service:
    """`others`: GPUs that other tenants hold, by pool. `faults`: by number of the call, from 1.

    `releases`: GPUs given back that the account does not show yet, with the time when it will.
    `published`: what running applies of other stacks still will take.
    `forced`: versions that were deleted while deployed, which nobody should have asked for.
    """

    capacity: dict[PoolId, int]
    others: dict[PoolId, int] = field(default_factory=dict)
    faults: dict[int, Fault] = field(default_factory=dict)
    refusal: Failure = field(
        default_factory=lambda: Failure(kind=FailureClass.OTHER, message="not today", status=400)
    )
    now: float = 0.0
    drain_seconds: float = 0.0
    functions: dict[FunctionId, dict[VersionId, Version]] = field(default_factory=dict)
    releases: list[tuple[float, PoolId, int]] = field(default_factory=list)
    late: list[tuple[float, Call]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    forced: list[VersionId] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)
    parties: dict[FunctionId, tuple[str, ...]] = field(default_factory=dict)
    published: tuple[Publication, ...] = ()
    minted: int = 0

    # What a test sets up and looks at.

    def add(
        self, function: str, version: str, config: FunctionConfig, *specs: GpuSpecification
    ) -> None:
        stored = Version(config)
        self.functions.setdefault(FunctionId(function), {})[VersionId(version)] = stored
        if specs:
            stored.row = self._row(specs, since=self.now - BOOT_SECONDS)

    def picture(self) -> dict[str, object]:
        """All there is, up to what the service mints anew at each deployment."""
        return {
            f"{function}/{version}": (
                replace(stored.config, tags=_without_operation(stored.config.tags)),
                stored.secrets,
                self.parties.get(function, ()),
                stored.row and tuple((one.specification, one.landed) for one in stored.row.placed),
            )
            for function, versions in self.functions.items()
            for version, stored in versions.items()
        }

    def names(self) -> list[str]:
        """Of functions, one for each there is."""
        return sorted(next(iter(one.values())).config.name for one in self.functions.values())

    def free(self, pool: PoolId) -> int:
        late = sum(gpus for until, one, gpus in self.releases if one == pool and until > self.now)
        return self.capacity[pool] - self.others.get(pool, 0) - self._held(pool) - late

    def advance_to(self, moment: float) -> None:
        for when, call in sorted(self.late, key=lambda pair: pair[0]):
            if when <= moment:
                self.late.remove((when, call))
                self.now = max(self.now, when)
                self._serve(call)
        self.now = max(self.now, moment)
        for stored in self._all():
            row = stored.row
            if row and row.drains_until is not None and row.drains_until <= self.now:
                self._drop_row(stored)
            elif row and row.drains_until is None:
                self._fill(row)

    # What the ports ask for.

    def perform(self, call: Call) -> Done | Refused | Unanswered:
        self.calls.append(call)
        match self.faults.get(len(self.calls)):
            case Fault.DROPPED:
                return Unanswered(call.id, "the connection was reset")
            case Fault.SWALLOWED:
                self._serve(call)
                return Unanswered(call.id, "the connection was reset")
            case Fault.LATE:
                self.late.append((self.now + 20, call))
                return Unanswered(call.id, "no answer in time")
            case Fault.BUSY:
                busy = Failure(kind=FailureClass.TRANSIENT, message="slow down", status=429)
                return Refused(call.id, busy)
            case Fault.REFUSED:
                return Refused(call.id, self.refusal)
            case None:
                return self._serve(call)

    def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        stored = self.functions.get(function, {}).get(version)
        return None if stored is None else self._live(function, version, stored)

    def sharing(self, function: FunctionId) -> LiveSharing | None:
        if function not in self.functions:
            return None
        return LiveSharing(parties=self.parties.get(function, ()))

    def account(self) -> Account:
        clusters: dict[str, list[Pool]] = {}
        for pool, capacity in sorted(self.capacity.items()):
            clusters.setdefault(pool.cluster, []).append(
                Pool(
                    id=pool,
                    capacity=capacity,
                    available=self.free(pool),
                    instance_types=tuple(
                        InstanceType(
                            name=f"{pool.gpu}_{size}x",
                            gpu_count=size,
                            gpu_count_source=GpuCountSource.ALLOCATOR,
                        )
                        for size in (1, 2, 4)
                    ),
                )
            )
        return Account(
            identity=AccountIdentity(endpoint="http://fake", org=None, nca_id="nca"),
            groups=None,
            clusters=tuple(
                Cluster(name=name, groups=(), region=None, attributes=None, pools=tuple(pools))
                for name, pools in clusters.items()
            ),
            quotas=None,
            version_limit=None,
            published=self.published,
        )

    def live(self) -> tuple[LiveFunction, ...]:
        return tuple(
            LiveFunction(
                id=function,
                versions=tuple(self._live(function, one, stored) for one, stored in found.items()),
                sharing=self.sharing(function),
            )
            for function, found in self.functions.items()
        )

    # Its own business.

    def _serve(self, call: Call) -> Done | Refused:
        match call.task:
            case CreateFunction(config=config, secrets=secrets):
                function = FunctionId(f"f{self._mint()}")
                return self._create(call, function, config, secrets)
            case CreateVersion(config=config, secrets=secrets):
                assert call.bound is not None
                return self._create(call, call.bound[0], config, secrets)
            case AwaitActive() | AwaitReleased() | Probe():
                raise AssertionError(f"{call.step} is a wait")
            case _:
                return self._change(call)

    def _create(
        self,
        call: Call,
        function: FunctionId,
        config: FunctionConfig,
        secrets: tuple[SecretReference, ...],
    ) -> Done:
        version = VersionId(f"v{self._mint()}")
        tags = (*config.tags, operation_tag(call.operation))
        stored = Version(replace(config, tags=tags), secrets)
        self.functions.setdefault(function, {})[version] = stored
        return Done(call.id, function, version)

    def _change(self, call: Call) -> Done | Refused:
        assert call.bound is not None
        function, version = call.bound
        assert version is not None
        stored = self.functions.get(function, {}).get(version)
        if stored is None:
            return _refused(call, FailureClass.NOT_FOUND, "no such version", 404)
        match call.task:
            case Deploy(specifications=specifications):
                return self._deploy(call, stored, specifications)
            case Undeploy() | UpdateDeployment() if stored.row is None:
                return _refused(call, FailureClass.NOT_FOUND, "Deployment not found", 404)
            case Undeploy(graceful=graceful):
                self._undeploy(stored, graceful)
            case UpdateDeployment(specification=wanted):
                self._scale(stored, wanted)
            case UpdateMetadata(metadata=metadata):
                stored.config = replace(stored.config, tags=metadata.tags or stored.config.tags)
            case SetSecrets(secrets=secrets):
                kept = [one for one in stored.secrets if one.name not in {o.name for o in secrets}]
                stored.secrets = (*kept, *secrets)
            case SetAuthorizations(parties=parties):
                self.parties[function] = parties
            case DeleteVersion():
                self._delete(function, version, stored)
            case _:
                raise AssertionError(f"nothing to do for {call.task}")
        return Done(call.id, function, version)

    def _undeploy(self, stored: Version, graceful: bool) -> None:
        if graceful and self.drain_seconds and stored.row is not None:
            stored.row.drains_until = self.now + self.drain_seconds
        else:
            self._drop_row(stored)

    def _deploy(
        self, call: Call, stored: Version, specifications: tuple[GpuSpecification, ...]
    ) -> Done | Refused:
        """Refused only where not one GPU is free. Source: nvcf-api.md 8.2."""
        if stored.row is not None:
            return _refused(call, FailureClass.OTHER, "is already deployed", 400)
        full = [one for one in specifications if one.min_instances and self.free(_pool(one)) <= 0]
        if full:
            self.waited.append(call.step)
            return _refused(call, FailureClass.CAPACITY, ALL_TAKEN, 400)
        stored.row = self._row(specifications, since=self.now)
        if not all(one.landed for one in stored.row.placed):
            self.waited.append(call.step)
        return Done(call.id, *(call.bound or (None, None)))

    def _row(self, specifications: Sequence[GpuSpecification], *, since: float) -> Row:
        row = Row(self._mint(), since, [])
        for one in specifications:
            landed = self._needs(one) <= self.free(_pool(one)) - _sum_held(row, _pool(one))
            row.placed.append(Placed(one, one.min_instances if landed else 0, landed))
        return row

    def _scale(self, stored: Version, wanted: GpuSpecification) -> None:
        row = stored.row
        assert row is not None
        placed = next(one for one in row.placed if one.specification.key == wanted.key)
        surplus = placed.running - wanted.max_instances
        placed.specification = wanted
        if surplus > 0:
            placed.running -= surplus
            gpus = surplus * _size(wanted)
            self.releases.append((self.now + RELEASE_SECONDS, _pool(wanted), gpus))
        self._fill(row)

    def _fill(self, row: Row) -> None:
        """What serves and is below its minimum goes on asking. Source: nvcf-api.md 5."""
        for one in row.placed:
            short = one.specification.min_instances - one.running
            gpus = short * _size(one.specification)
            if one.landed and short > 0 and gpus <= self.free(_pool(one.specification)):
                one.running += short

    def _delete(self, function: FunctionId, version: VersionId, stored: Version) -> None:
        if stored.row is not None:
            self.forced.append(version)
            self._drop_row(stored)
        del self.functions[function][version]
        if not self.functions[function]:
            del self.functions[function]
            self.parties.pop(function, None)

    def _drop_row(self, stored: Version) -> None:
        assert stored.row is not None
        for one in stored.row.placed:
            gpus = one.running * _size(one.specification)
            if gpus:
                self.releases.append((self.now + RELEASE_SECONDS, _pool(one.specification), gpus))
        stored.row = None

    def _live(self, function: FunctionId, version: VersionId, stored: Version) -> LiveVersion:
        status = self._status(stored.row)
        return LiveVersion(
            function_id=function,
            version_id=version,
            nca_id="nca",
            status=status,
            config=stored.config,
            created_at=None,
            deployment=self._deployment(function, version, stored.row),
            instances=self._instances(version, stored.row),
            secret_names=tuple(one.name for one in stored.secrets),
        )

    def _status(self, row: Row | None) -> Status:
        if row is None or row.drains_until is not None:
            return Status.INACTIVE
        if not all(one.landed for one in row.placed):
            return Status.ERROR if self.now >= row.since + QUEUE_SECONDS else Status.DEPLOYING
        wanted = any(one.specification.min_instances for one in row.placed)
        if wanted and self.now < row.since + BOOT_SECONDS:
            return Status.DEPLOYING
        short = any(one.running < one.specification.min_instances for one in row.placed)
        return Status.DEGRADING if short else Status.ACTIVE

    def _deployment(
        self, function: FunctionId, version: VersionId, row: Row | None
    ) -> LiveDeployment | None:
        if row is None:
            return None
        status = self._status(row)
        lost = [one for one in row.placed if not one.landed] if status is Status.ERROR else []
        return LiveDeployment(
            function_id=function,
            version_id=version,
            deployment_id=DeploymentId(f"d{row.number}"),
            status=status,
            specifications=tuple(
                LiveSpecification(
                    id=GpuSpecificationId(f"s{row.number}-{one.specification.key}"),
                    specification=one.specification,
                )
                for one in row.placed
            ),
            health=tuple(HealthNote(instance_type="", error=NO_CAPACITY) for _ in lost),
        )

    def _instances(self, version: VersionId, row: Row | None) -> tuple[LiveInstance, ...]:
        is_up = row is not None and self.now >= row.since + BOOT_SECONDS
        return tuple(
            LiveInstance(
                id=f"{version}-{one.specification.key}-{number}",
                gpu=one.specification.gpu,
                instance_type=one.specification.instance_type,
                location=_pool(one.specification).cluster,
                is_running=is_up,
                created_at=None,
            )
            for one in (row.placed if row else ())
            for number in range(one.running)
        )

    def _held(self, pool: PoolId) -> int:
        return sum(_sum_held(stored.row, pool) for stored in self._all() if stored.row)

    def _needs(self, specification: GpuSpecification) -> int:
        return specification.min_instances * _size(specification)

    def _all(self) -> list[Version]:
        return [one for versions in self.functions.values() for one in versions.values()]

    def _mint(self) -> int:
        self.minted += 1
        return self.minted


def _sum_held(row: Row, pool: PoolId) -> int:
    return sum(
        one.running * _size(one.specification)
        for one in row.placed
        if _pool(one.specification) == pool
    )


def _pool(specification: GpuSpecification) -> PoolId:
    return PoolId(specification.clusters[0], specification.gpu)


def _size(specification: GpuSpecification) -> int:
    return int(specification.instance_type.rpartition("_")[2].removesuffix("x"))


def _without_operation(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(tag for tag in tags if not tag.startswith("nvcfplan:op="))


def _refused(call: Call, kind: FailureClass, message: str, status: int) -> Refused:
    return Refused(call.id, Failure(kind=kind, message=message, status=status))
