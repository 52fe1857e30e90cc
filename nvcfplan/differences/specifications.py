"""Which live specification is which wanted one: by placement, never by position or by id.

The service stores specifications in a map by random id and accepts duplicates, so identity is the
multiset of placements. Source: nvcf-api.md 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.differences.mutability import PLACEMENT_ROWS
from nvcfplan.model import DesiredSpecification, GpuSpecification, LiveSpecification

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """`wanted` has what the stack does not manage filled in from `live` (carried forward)."""

    wanted: GpuSpecification
    live: LiveSpecification


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """`added`: wanted and not there. `removed`: there and not wanted. Each sorted by key or id."""

    pairs: tuple[Pairing, ...]
    added: tuple[GpuSpecification, ...]
    removed: tuple[LiveSpecification, ...]

    @property
    def is_same_placement(self) -> bool:
        return not self.added and not self.removed

    @property
    def wanted(self) -> tuple[GpuSpecification, ...]:
        """All that is wanted, sorted by key."""
        return tuple(
            sorted((*(pair.wanted for pair in self.pairs), *self.added), key=lambda one: one.key)
        )


def match_specifications(
    wanted: Sequence[DesiredSpecification], live: Sequence[LiveSpecification]
) -> Matching:
    """Each wanted one takes the nearest live one with the placement it asks for, by key."""
    left = sorted(live, key=lambda one: one.id)
    pairs: list[Pairing] = []
    added: list[GpuSpecification] = []
    for one in sorted(wanted, key=lambda wish: wish.key):
        candidates = [found for found in left if _is_placed_as(one, found.specification)]
        if not candidates:
            added.append(one.specification)
            continue
        best = min(candidates, key=lambda found: _distance(one, found.specification))
        left.remove(best)
        pairs.append(Pairing(wanted=carry_forward(one, best.specification), live=best))
    return Matching(pairs=tuple(pairs), added=tuple(added), removed=tuple(left))


def carry_forward(wanted: DesiredSpecification, live: GpuSpecification) -> GpuSpecification:
    """What the stack manages, over what the live specification has."""
    kept = {name: getattr(wanted.specification, name) for name in wanted.managed}
    return replace(live, key=wanted.key, **kept)


def _is_placed_as(wanted: DesiredSpecification, live: GpuSpecification) -> bool:
    managed = set(wanted.managed) & PLACEMENT_ROWS.keys()
    return all(
        _folded(getattr(wanted.specification, name)) == _folded(getattr(live, name))
        for name in managed
    )


def _folded(value: object) -> object:
    """Names match without regard to case. Source: nvcf-api.md 4.3."""
    match value:
        case str():
            return value.casefold()
        case tuple():
            return tuple(sorted(str(one).casefold() for one in value))
        case _:
            return value


def _distance(wanted: DesiredSpecification, live: GpuSpecification) -> tuple[int, int, int]:
    """Unmanaged placement that is not empty counts first, then how far the bounds are."""
    unmanaged = PLACEMENT_ROWS.keys() - set(wanted.managed)
    extra = sum(1 for name in unmanaged if getattr(live, name) not in (None, ()))
    one = wanted.specification
    return (
        extra,
        abs(one.min_instances - live.min_instances) + abs(one.max_instances - live.max_instances),
        int(one.max_request_concurrency != live.max_request_concurrency),
    )
