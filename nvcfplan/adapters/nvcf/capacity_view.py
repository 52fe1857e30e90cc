"""The hosted capacity view as clusters and as sizes of instances. Pure.

It knows regions and free GPUs, and neither groups nor attributes. Source: nvcf-api.md 2.3.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import PoolId
from nvcfplan.wire.capacity_view import ViewUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.wire.capacity_view import CapacityView

_MOST_GPUS = 1024
"""Of one instance, over all its nodes: bounds what a lying view can make us try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One instance type on one cluster."""

    pool: PoolId
    region: str | None
    instance_type: str
    usage: ViewUsage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Whole GPUs of a pool; None: not told, or told in two ways."""

    capacity: int | None
    available: int | None


def seen_in(view: CapacityView) -> tuple[Seen, ...]:
    return tuple(
        Seen(
            pool=PoolId(cluster.cluster_name, gpu),
            region=region.region_name,
            instance_type=kind.instance_name,
            usage=cluster.usage,
        )
        for gpu, kinds in view.gpus.items()
        for kind in kinds
        for region in kind.regions or ()
        for cluster in region.clusters or ()
    )


def numbers_of(seen: tuple[Seen, ...]) -> Mapping[PoolId, Numbers]:
    """Free GPUs stand beside every type of the pool, active ones beside their own type each."""
    found: dict[PoolId, list[ViewUsage | None]] = defaultdict(list)
    for one in seen:
        found[one.pool].append(one.usage)
    return {pool: _numbers(usages) for pool, usages in found.items()}


def possible_sizes(seen: tuple[Seen, ...]) -> Mapping[tuple[str, str], frozenset[int]]:
    """GPUs per instance that fit every number, by GPU and type; absent: no number tells.

    Empty: the numbers contradict each other.
    """
    found: dict[tuple[str, str], frozenset[int]] = {}
    for one in seen:
        for sizes in _told(one.usage):
            key = (one.pool.gpu, one.instance_type)
            found[key] = found.get(key, sizes) & sizes
    return found


def _numbers(usages: list[ViewUsage | None]) -> Numbers:
    free = {one.available_gpus for one in usages if one is not None}
    active = [one.active_gpus if one is not None else None for one in usages]
    available = next(iter(free)) if len(free) == 1 and None not in usages else None
    if available is None or available < 0:
        return Numbers(capacity=None, available=None)
    known = [one for one in active if one is not None and one >= 0]
    is_whole = len(known) == len(active)
    return Numbers(capacity=available + sum(known) if is_whole else None, available=available)


def _told(usage: ViewUsage | None) -> Iterator[frozenset[int]]:
    """Running instances have exactly their GPUs; free ones are rounded down."""
    if usage is None:
        return
    gpus, instances = usage.active_gpus, usage.active_instances
    if gpus and instances and gpus > 0 and instances > 0:
        yield frozenset({gpus // instances} if gpus % instances == 0 else ())
    gpus, instances = usage.available_gpus, usage.available_instances
    if gpus and instances and gpus > 0 and instances > 0:
        most = min(gpus, _MOST_GPUS)
        yield frozenset(size for size in range(1, most + 1) if gpus // size == instances)
