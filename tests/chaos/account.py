"""The service under siege: requests come late, twice or never, others take GPUs and edit functions.

What serves is looked at around every request of ours, so that an outage has a culprit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nvcfplan.applying import Call, Done, Failure, FailureClass, Refused
from nvcfplan.model import (
    Account,
    FunctionId,
    GpuSpecification,
    PoolId,
    Readable,
    SecretReference,
    Taken,
    VersionId,
    operation_of,
    operation_tag,
    own_tags,
    owner_of,
    user_tags,
)
from nvcfplan.plans import SetSecrets, UpdateDeployment, UpdateMetadata
from tests.applying.service import (
    ALL_TAKEN,
    QUEUE_SECONDS,
    RELEASE_SECONDS,
    Row,
    Service,
)
from tests.planning.builders import START

if TYPE_CHECKING:
    from collections.abc import Sequence

FOREIGN = FunctionId("f-somebody-elses")
"""Not ours, though it has the name of one of ours."""

Unserved = Callable[[Call, frozenset[str]], None]


@dataclass(slots=True)
class Besieged(Service):
    """`on_outage` is told of the keys that a request of ours has taken out of service."""

    on_outage: Unserved = lambda _call, _keys: None
    served_calls: int = 0
    seized: list[tuple[float, PoolId, int]] = field(default_factory=list)

    # What others do.

    def seize(self, pool: PoolId, until: float, *, leaving: int = 0) -> None:
        """All that is free there but so many GPUs, for a while."""
        gpus = max(self.free(pool) - leaving, 0)
        if gpus:
            self.others[pool] = self.others.get(pool, 0) + gpus
            self.seized.append((until, pool, gpus))

    def give_back(self, *, everything: bool = False) -> None:
        for one in list(self.seized):
            until, pool, gpus = one
            if everything or until <= self.now:
                self.others[pool] -= gpus
                self.seized.remove(one)

    def go_idle(self) -> None:
        """Nobody calls: what runs above its minimum is taken back. Source: nvcf-api.md 8.3."""
        for stored in self._all():
            row = stored.row
            for one in row.placed if row and row.drains_until is None else ():
                surplus = one.running - one.specification.min_instances
                if one.landed and surplus > 0:
                    one.running -= surplus
                    gpus = surplus * _size(one.specification)
                    pool = _pool(one.specification)
                    self.releases.append((self.now + RELEASE_SECONDS, pool, gpus))

    def deployed(self) -> list[tuple[FunctionId, VersionId]]:
        return [
            (function, version)
            for function, versions in self.functions.items()
            if function != FOREIGN
            for version, stored in versions.items()
            if stored.row is not None
        ]

    def retag(self, function: FunctionId, version: VersionId) -> None:
        stored = self.functions[function][version]
        tags = (*own_tags(stored.config.tags), "edited-by-hand")
        stored.config = replace(stored.config, tags=tags)

    def rescale(self, function: FunctionId, version: VersionId) -> None:
        row = self.functions[function][version].row
        assert row is not None
        one = row.placed[0]
        most = one.specification.max_instances + 1
        one.specification = replace(one.specification, max_instances=most)

    def undeploy(self, function: FunctionId, version: VersionId) -> None:
        stored = self.functions[function][version]
        if stored.row is not None:
            self._drop_row(stored)

    # What our requests meet.

    def serve(self, call: Call) -> Done | Refused:
        return self._serve(call)

    def duplicate(self, call: Call) -> Done | Refused:
        first = self._serve(call)
        self._serve(call)
        return first

    def advance_to(self, moment: float) -> None:
        """What waits for room gets it when there is some, as long as it has not been given up."""
        Service.advance_to(self, moment)
        for stored in self._all():
            row = stored.row
            for one in row.placed if row and self.now < row.since + QUEUE_SECONDS else ():
                pool = _pool(one.specification)
                if not one.landed and self._needs(one.specification) <= self.free(pool):
                    one.landed, one.running = True, one.specification.min_instances

    def account(self) -> Account:
        """Asked with `Service.`: a slotted dataclass is made anew, and `super()` means the old."""
        found = Service.account(self)
        taken = tuple(Taken(what=what, source=f"/{what}", read_at=START) for what in Readable)
        return replace(found, taken=taken)

    def serving(self) -> frozenset[str]:
        """Keys of functions of ours of which a version serves."""
        return frozenset(
            owner.key
            for versions in self.functions.values()
            for stored in versions.values()
            if stored.row is not None
            and (owner := owner_of(stored.config.tags)) is not None
            and self._status(stored.row).is_serving
        )

    def _serve(self, call: Call) -> Done | Refused:
        self.served_calls += 1
        before = self.serving()
        answer = Service._serve(self, call)
        gone = before - self.serving()
        if gone:
            self.on_outage(call, gone)
        return answer

    def _change(self, call: Call) -> Done | Refused:
        assert call.bound is not None
        function, version = call.bound
        stored = self.functions.get(function, {}).get(version or VersionId(""))
        match call.task:
            case UpdateMetadata(metadata=metadata) if stored is not None:
                wanted = metadata.tags if metadata.tags is not None else stored.config.tags
                kept = own_tags(wanted) or own_tags(stored.config.tags)
                operation = operation_of(stored.config.tags)
                kept += () if operation is None else (operation_tag(operation),)
                tags = tuple(sorted({*kept, *user_tags(wanted)}))
                stored.config = replace(stored.config, tags=tags)
                return Done(call.id, function, version)
            case SetSecrets(secrets=secrets) if stored is not None:
                stored.secrets = _merged(stored.secrets, secrets)
                return Done(call.id, function, version)
            case UpdateDeployment() as task if stored is not None and stored.row is not None:
                key = _key_of(stored.row, task)
                if key is None:
                    gone = Failure(kind=FailureClass.NOT_FOUND, message="no such specification")
                    return Refused(call.id, gone)
                self._scale(stored, replace(task.specification, key=key))
                return Done(call.id, function, version)
            case _:
                return Service._change(self, call)


def _pool(specification: GpuSpecification) -> PoolId:
    return PoolId(specification.clusters[0], specification.gpu)


def _size(specification: GpuSpecification) -> int:
    return int(specification.instance_type.rpartition("_")[2].removesuffix("x"))


def _key_of(row: Row, task: UpdateDeployment) -> str | None:
    """Under which a specification was deployed: by its row's id, else by where it is placed."""
    keys = [one.specification.key for one in row.placed]
    named = [key for key in keys if f"s{row.number}-{key}" == task.row]
    placed = [
        one.specification.key
        for one in row.placed
        if one.specification.clusters == task.before.clusters
        and one.specification.instance_type == task.before.instance_type
    ]
    return next(iter((*named, *placed)), None)


def _merged(
    old: Sequence[SecretReference], new: Sequence[SecretReference]
) -> tuple[SecretReference, ...]:
    """Source: nvcf-api.md 3.4 (a PUT of secrets merges)."""
    merged = {one.name: one for one in (*old, *new)}
    return tuple(merged[name] for name in sorted(merged))


def no_room(call: Call) -> Refused:
    return Refused(call.id, Failure(kind=FailureClass.CAPACITY, message=ALL_TAKEN, status=400))
