"""Does a version serve, is its deployment gone, what does the account show as free?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying.failures import Failure, FailureClass, classify_text
from nvcfplan.capacity import counts_inside
from nvcfplan.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nvcfplan.model import (
        Account,
        GpuSpecification,
        LiveDeployment,
        LiveInstance,
        LiveVersion,
        PoolId,
    )
    from nvcfplan.plans import Resource


@dataclass(frozen=True, slots=True)
class Ready:
    pass


@dataclass(frozen=True, slots=True)
class Coming:
    """`is_empty`: instances are wanted and not one is there, though they could be seen.

    `is_short`: some are not even starting, and the service says nothing of it.
    `is_deploying`: the service has not called it ACTIVE yet. `is_unseen`: it calls it ACTIVE, and
    no instance shows; `may_idle`: where some minimum is 0, that can be so.
    Source: nvcf-api.md 6.2 (silent forms), 1.2 (a key without list_functions_details sees none).
    """

    reason: str
    is_empty: bool = False
    is_short: bool = False
    is_deploying: bool = False
    is_unseen: bool = False
    may_idle: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Terminal for the deployment; its row stays until it is undeployed."""

    failure: Failure


Readiness = Ready | Coming | Absent | Broken

_LONGEST_TEXT = 2000
"""Characters: the agent adds the container's own log lines to its reason."""
_NO_ROOM = (FailureClass.CAPACITY, FailureClass.PLACEMENT, FailureClass.QUOTA)
_AT_ONCE = (
    *_NO_ROOM,
    FailureClass.CONFIGURATION,
    FailureClass.RESTART_LOOP,
    FailureClass.MODEL_NOT_FOUND,
    FailureClass.MODEL_DOWNLOAD,
    FailureClass.IMAGE_PULL,
    FailureClass.ADMISSION,
    FailureClass.STORAGE,
)
"""Nothing more is tried for the specification whose note says so, though others come up."""


def readiness(version: LiveVersion | None) -> Readiness:
    """Source: nvcf-api.md 5; `min` and `max` are those of the row, as the service keeps them."""
    if version is None:
        return Absent("the version does not exist any more")
    row = version.deployment
    if row is None:
        return Absent("the version is not deployed")
    counts = _counts_in_words(row, version.instances)
    match row.status:
        case Status.ACTIVE if _has_minimum(row, version.instances):
            return Ready()
        case Status.ERROR:
            return Broken(_failure_of(row))
        case Status.INACTIVE:
            return Absent("the version is being undeployed")
        case Status.DEPLOYING:
            refused = [note for note in row.health if classify_text(note.error) in _AT_ONCE]
            if refused:
                return Broken(_failure_of(row))
            is_empty = version.instances == () and _wanted(row) > 0 and not row.health
            is_short = _is_short(row, version.instances)
            return Coming(counts, is_empty, is_short, is_deploying=True)
        case Status.ACTIVE if not version.instances:
            may_idle = any(one.specification.min_instances == 0 for one in row.specifications)
            is_short = _is_short(row, version.instances)
            return Coming(counts, is_short=is_short, is_unseen=True, may_idle=may_idle)
        case Status.ACTIVE | Status.DEGRADING | Status.DEGRADED | Status.UNKNOWN:
            return Coming(counts, is_short=_is_short(row, version.instances))
        case _:
            assert_never(row.status)


def is_released(version: LiveVersion | None) -> bool:
    """No row. One that drains is INACTIVE and still holds its GPUs. Source: nvcf-api.md 5."""
    return version is None or version.deployment is None


def is_within_maximum(version: LiveVersion | None) -> bool:
    """No more instances than the row allows; True where instances cannot be seen."""
    if version is None or version.deployment is None or version.instances is None:
        return True
    most = _per_type(version.deployment, lambda one: one.max_instances)
    return all(len(_matching(version.instances, *key)) <= limit for key, limit in most.items())


def available(account: Account, pools: Sequence[PoolId]) -> int | None:
    """Free GPUs over `pools`; None where one of them has no number."""
    free = {pool.id: pool.available for one in account.clusters or () for pool in one.pools}
    numbers = [free.get(pool) for pool in pools]
    known = [number for number in numbers if number is not None]
    return sum(known) if pools and len(known) == len(numbers) else None


def claimed(account: Account, resource: Resource) -> int:
    """GPUs that running applies of other stacks still will take of what it counts."""
    return sum(
        claim.gpus
        for one in account.published
        for claim in one.claims
        if counts_inside(resource, claim.pools)
    )


def held(account: Account, pools: Sequence[PoolId], instances: Iterable[LiveInstance]) -> int:
    """GPUs that `instances` hold in `pools`; a type of unknown size counts for nothing."""
    sizes = {
        (pool.id, kind.name.lower()): kind.gpu_count or 0
        for cluster in account.clusters or ()
        for pool in cluster.pools
        for kind in pool.instance_types
    }
    return sum(
        sizes.get((pool, one.instance_type.lower()), 0)
        for pool in pools
        for one in instances
        if one.location == pool.cluster and one.gpu.lower() == pool.gpu.lower()
    )


def _wanted(row: LiveDeployment) -> int:
    return sum(one.specification.min_instances for one in row.specifications)


def _has_minimum(row: LiveDeployment, instances: Sequence[LiveInstance] | None) -> bool:
    if instances is None:
        return True
    running = [one for one in instances if one.is_running]
    least = _per_type(row, lambda one: one.min_instances)
    if any(len(_matching(running, *key)) < count for key, count in least.items()):
        return False
    return all(_has_minimum_where_pinned(one.specification, running) for one in row.specifications)


def _is_short(row: LiveDeployment, instances: Sequence[LiveInstance] | None) -> bool:
    if instances is None or row.health:
        return False
    least = _per_type(row, lambda one: one.min_instances)
    return any(len(_matching(instances, *key)) < count for key, count in least.items())


def _has_minimum_where_pinned(
    specification: GpuSpecification, running: Sequence[LiveInstance]
) -> bool:
    if not specification.clusters:
        return True
    there = [
        one
        for one in _matching(running, specification.gpu, specification.instance_type)
        if one.location in specification.clusters
    ]
    return len(there) >= specification.min_instances


def _per_type(
    row: LiveDeployment, number: Callable[[GpuSpecification], int]
) -> Counter[tuple[str, str]]:
    """Two specifications of one type cannot be told apart by their instances: they add up.

    By GPU and instance type in lower case. Source: nvcf-api.md 4.3 (names match in any case).
    """
    total: Counter[tuple[str, str]] = Counter()
    for one in row.specifications:
        kept = one.specification
        total[kept.gpu.lower(), kept.instance_type.lower()] += number(kept)
    return total


def _matching(
    instances: Iterable[LiveInstance], gpu: str, instance_type: str
) -> list[LiveInstance]:
    meant = (gpu.lower(), instance_type.lower())
    return [one for one in instances if (one.gpu.lower(), one.instance_type.lower()) == meant]


def _counts_in_words(row: LiveDeployment, instances: Sequence[LiveInstance] | None) -> str:
    if instances is None:
        return str(row.status)
    running = sum(one.is_running for one in instances)
    return f"{row.status}, {running} of {_wanted(row)} instances running"


def _failure_of(row: LiveDeployment) -> Failure:
    """The kind is that of the first note that has one: capacity and its like before the rest."""
    kinds = [classify_text(note.error) for note in row.health]
    told = [kind for kind in kinds if kind in _NO_ROOM]
    known = told + [kind for kind in kinds if kind is not FailureClass.UNKNOWN]
    texts = "; ".join(dict.fromkeys(note.error for note in row.health))
    if len(texts) > _LONGEST_TEXT:
        texts = texts[:_LONGEST_TEXT] + " ..."
    return Failure(
        kind=known[0] if known else FailureClass.UNKNOWN,
        message=texts or f"the deployment is in {row.status} and gives no reason",
    )
