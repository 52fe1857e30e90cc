"""Which live specification is which wanted one: by placement, never by position or by id.

The service stores specifications in a map by random id and accepts duplicates, so identity is the
multiset of placements. Source: nvcf-api.md 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.differences.assigning import assign
from nvcfplan.differences.mutability import FOLDED, PLACEMENT_ROWS, SPECIFICATION_ROWS
from nvcfplan.model import (
    DesiredSpecification,
    GpuSpecification,
    GpuSpecificationId,
    LiveSpecification,
)

_FAR: Final = 100_000
"""More than any bound of instances, and any number of specifications times fields."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """`wanted` has what the stack does not manage filled in from `live` (carried forward)."""

    wanted: GpuSpecification
    live: LiveSpecification


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """`moved`: the same specification on another placement, what is not managed carried along.

    `added`: wanted and not there. `removed`: there and not wanted. Each sorted by key or id.
    """

    pairs: tuple[Pairing, ...]
    moved: tuple[Pairing, ...]
    added: tuple[GpuSpecification, ...]
    removed: tuple[LiveSpecification, ...]

    @property
    def wanted(self) -> tuple[GpuSpecification, ...]:
        """All that is wanted, sorted by key."""
        paired = (pair.wanted for pair in (*self.pairs, *self.moved))
        return tuple(sorted((*paired, *self.added), key=lambda one: one.key))


def match_specifications(
    wanted: Sequence[DesiredSpecification],
    live: Sequence[LiveSpecification],
    applied: Sequence[DesiredSpecification] = (),
) -> Matching:
    """As many as can take a live one with the placement that they ask for, so that all together
    are as near as can be.

    `applied` tells which live one had the key before, where the placement has changed.
    """
    rows = {one.id: one for one in live}
    open_keys = {one.key: one for one in sorted(wanted, key=lambda wish: wish.key)}
    taken = assign(
        {
            key: {
                str(row.id): _distance(one, row.specification)
                for row in live
                if _is_placed_as(one, row.specification)
            }
            for key, one in open_keys.items()
        }
    )
    pairs = [
        Pairing(wanted=carry_forward(open_keys.pop(key), rows[id_].specification), live=rows[id_])
        for key, row in taken.items()
        for id_ in (GpuSpecificationId(row),)
    ]
    known = {pair.live.id for pair in pairs}
    left = [rows[id_] for id_ in sorted(rows) if id_ not in known]
    moved = _moved(open_keys, left, {one.key: one for one in applied})
    return Matching(
        pairs=tuple(sorted(pairs, key=lambda pair: pair.wanted.key)),
        moved=tuple(moved),
        added=tuple(one.specification for one in open_keys.values()),
        removed=tuple(left),
    )


def carry_forward(wanted: DesiredSpecification, live: GpuSpecification) -> GpuSpecification:
    """What the stack manages, over what the live specification has.

    Where only the case of a name differs the live spelling stays: the service does not mind.
    """
    kept = {
        name: value
        for name in wanted.managed
        if _folded(value := getattr(wanted.specification, name)) != _folded(getattr(live, name))
        or name not in FOLDED
    }
    return replace(live, key=wanted.key, **kept)


def _moved(
    open_keys: dict[str, DesiredSpecification],
    left: list[LiveSpecification],
    applied: Mapping[str, DesiredSpecification],
) -> Iterator[Pairing]:
    """Takes what it pairs out of both: by what had the key last, or where one is left of each."""
    is_plain = len(open_keys) == 1 and len(left) == 1
    for key, wish in tuple(open_keys.items()):
        last = applied.get(key)
        found = next(
            (row for row in left if is_plain or (last and _is_placed_as(last, row.specification))),
            None,
        )
        if found is not None:
            left.remove(found)
            del open_keys[key]
            yield Pairing(wanted=_carry_along(wish, found.specification), live=found)


def _carry_along(wanted: DesiredSpecification, live: GpuSpecification) -> GpuSpecification:
    """To another placement: everything unmanaged but where it was."""
    carried = {
        name: getattr(live, name) for name in SPECIFICATION_ROWS if name not in wanted.managed
    }
    return replace(wanted.specification, **carried)


def _is_placed_as(wanted: DesiredSpecification, live: GpuSpecification) -> bool:
    managed = set(wanted.managed) & PLACEMENT_ROWS.keys()
    return all(
        _folded(getattr(wanted.specification, name)) == _folded(getattr(live, name))
        if name in FOLDED
        else getattr(wanted.specification, name) == getattr(live, name)
        for name in managed
    )


def _folded(value: object) -> object:
    """Names of backend, GPU and instance type match without regard to case; others as they are.

    Source: nvcf-api.md 4.3.
    """
    return value.casefold() if isinstance(value, str) else value


def _distance(wanted: DesiredSpecification, live: GpuSpecification) -> int:
    """Managed fields that differ, then unmanaged placement, then how far the bounds are."""
    one = wanted.specification
    scalars = SPECIFICATION_ROWS.keys() & set(wanted.managed)
    unmanaged = PLACEMENT_ROWS.keys() - set(wanted.managed)
    different = sum(1 for name in scalars if getattr(one, name) != getattr(live, name))
    placed = sum(1 for name in unmanaged if getattr(live, name) not in (None, ()))
    far = abs(one.min_instances - live.min_instances) + abs(one.max_instances - live.max_instances)
    return (different * _FAR + placed) * _FAR + min(far, _FAR - 1)
