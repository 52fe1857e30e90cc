"""What is offered where, and how many would fit: the rows of every view of capacity.

Source: nvcf-api.md 2.3; ICMS `AccountInfoService`, `GpuUsageFilter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.emulator.inventory import usable_clusters
from nvcfplan.emulator.rules import ClusterRule, GpuRule, InstanceTypeRule, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nvcfplan.emulator.world import World

T = TypeVar("T")

CPU_ARCH = "amd64"
OS = "linux"
DRIVER_VERSION = "550.90.07"
CPU_CORES_PER_GPU = 16
NODE_TYPE = "SINGLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An instance type of a GPU in a READY cluster. `free`: GPUs, as the views show them."""

    cluster: ClusterRule
    gpu: GpuRule
    kind: InstanceTypeRule
    free: int

    @property
    def fitting(self) -> int:
        """Instances that fit now."""
        return self.free // self.kind.gpu_count

    @property
    def group(self) -> str:
        return self.cluster.groups[0] if self.cluster.groups else ""

    @property
    def description(self) -> str:
        return description(self.gpu.name, self.kind)


def description(gpu: str, kind: InstanceTypeRule) -> str:
    return f"{kind.gpu_count} x {gpu}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Words are folded; an empty set of them wants everything, a cluster has all `attributes`.

    `usage` ANY: whatever an instance type is for.
    """

    gpus: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    backends: frozenset[str] = frozenset()
    instance_types: frozenset[str] = frozenset()
    usage: Usage = Usage.ANY
    is_fitting: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str], *, is_fitting: bool) -> Wanted:
        """`is_fitting`: what has no room for one instance is left out. No usage is asked about."""
        return cls(
            gpus=_words(query, "gpus"),
            regions=_words(query, "regions"),
            clusters=_words(query, "clusters"),
            attributes=_words(query, "attributes"),
            backends=_words(query, "backends"),
            instance_types=_words(query, "instanceType"),
            is_fitting=is_fitting,
        )

    def has_place(self, cluster: ClusterRule) -> bool:
        return (
            _is_in(self.clusters, (cluster.name,))
            and _is_in(self.regions, (cluster.region,))
            and _is_in(self.backends, cluster.groups)
            and self.attributes <= {one.casefold() for one in cluster.attributes}
        )

    def has_kind(self, offer: Offer) -> bool:
        return (
            _is_in(self.gpus, (offer.gpu.name,))
            and _is_in(self.instance_types, (offer.kind.name,))
            and (self.usage is Usage.ANY or offer.kind.usage in (Usage.ANY, self.usage))
            and (not self.is_fitting or offer.fitting > 0)
        )


def _words(query: Mapping[str, str], name: str) -> frozenset[str]:
    parts = query.get(name, "").split(",")
    return frozenset(part.strip().casefold() for part in parts if part.strip())


def _is_in(wanted: frozenset[str], found: Iterable[str]) -> bool:
    return not wanted or not wanted.isdisjoint(one.casefold() for one in found)


def offers(world: World, wanted: Wanted) -> tuple[Offer, ...]:
    """By GPU, instance type, region and cluster, in the order of their names."""
    found = (
        Offer(
            cluster=cluster,
            gpu=gpu,
            kind=kind,
            free=gpu.capacity - world.shown_held(cluster, gpu),
        )
        for cluster in usable_clusters(world.rules)
        if world.is_ready(cluster) and wanted.has_place(cluster)
        for gpu in cluster.gpus
        for kind in gpu.instance_types
    )
    return tuple(sorted((one for one in found if wanted.has_kind(one)), key=_place))


def _place(offer: Offer) -> tuple[str, str, str, str]:
    return (offer.gpu.name, offer.kind.name, offer.cluster.region, offer.cluster.name)


def by(key: Callable[[T], str], rows: Iterable[T]) -> Iterator[tuple[str, list[T]]]:
    """Neighbours with the same key; rows are sorted by it."""
    for value, same in groupby(rows, key=key):
        yield value, list(same)


def gpu_of(offer: Offer) -> str:
    return offer.gpu.name


def kind_of(offer: Offer) -> str:
    return offer.kind.name


def region_of(offer: Offer) -> str:
    return offer.cluster.region
