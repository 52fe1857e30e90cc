"""What functions do where there is no capacity: ladders of every kind of rung, laid over a base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvcfplan.model import Fallback, LastResort, OnNoCapacity, Shrink, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from nvcfplan.model import DesiredFunction, DesiredSpecification, GpuSpecification, Rung

_SWAPPED: Final = {"a": "b", "b": "a", "1x": "2x", "2x": "1x"}


class Way(StrEnum):
    """RESIZED: a fallback to instances of another size, in the same cluster."""

    ELSEWHERE = "elsewhere"
    RESIZED = "resized"
    WAIT = "wait"
    SHRINK = "shrink"


@dataclass(frozen=True, slots=True)
class Ladder:
    """As people write it; what its rungs come to depends on what they are laid over."""

    ways: tuple[Way, ...] = ()
    wait_seconds: int = 600
    last: LastResort = LastResort.ROLLBACK


def make_ladder(random: Random, share: float) -> Ladder:
    """So many have one; of the others what fails goes back."""
    if random.random() >= share:
        return Ladder()
    return Ladder(
        ways=tuple(random.sample(tuple(Way), random.randint(1, 3))),
        wait_seconds=random.choice((300, 1200, 3000)),
        last=random.choice(tuple(LastResort)),
    )


def laid(function: DesiredFunction, ladder: Ladder) -> DesiredFunction:
    """A rung that leaves all as it is stands in no ladder: the loader refuses it."""
    rungs = tuple(_rungs(function.specifications, ladder))
    return replace(function, on_no_capacity=OnNoCapacity(rungs=rungs, last=ladder.last))


def _rungs(base: tuple[DesiredSpecification, ...], ladder: Ladder) -> Iterator[Rung]:
    for way in ladder.ways:
        over = tuple(replace(one, specification=_over(one.specification, way)) for one in base)
        if way is Way.WAIT:
            yield Wait(duration=timedelta(seconds=ladder.wait_seconds))
        elif over != base:
            yield (Shrink if way is Way.SHRINK else Fallback)(specifications=over)


def _over(one: GpuSpecification, way: Way) -> GpuSpecification:
    match way:
        case Way.ELSEWHERE:
            return replace(one, clusters=tuple(_SWAPPED[name] for name in one.clusters))
        case Way.RESIZED:
            gpu, _, size = one.instance_type.rpartition("_")
            return replace(one, instance_type=f"{gpu}_{_SWAPPED[size]}")
        case Way.SHRINK:
            return replace(one, min_instances=max(0, one.min_instances - 1))
        case Way.WAIT:
            return one
