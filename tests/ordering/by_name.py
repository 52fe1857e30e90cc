"""Who knows neither inventory nor quota: one function after the other, by name, each waited for.

The new version beside the old one where that finds room, else instead of it where that is allowed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.ordering.fleets import held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.ordering.fleets import Fleet, Function, Place


def name_order_works(fleet: Fleet) -> bool:
    ground = _Ground(fleet)
    return all(ground.rolls(one) for one in sorted(fleet.functions, key=lambda one: one.key))


class _Ground:
    """Free GPUs by cluster, and every specification that is deployed."""

    def __init__(self, fleet: Fleet) -> None:
        used = held(fleet.functions)
        self.quotas = fleet.quotas
        self.free = Counter({name: gpus - used[name] for name, gpus in fleet.capacity.items()})
        self.standing = [place for one in fleet.functions for place in one.before]

    def rolls(self, one: Function) -> bool:
        if not one.before or one.is_replaced:
            return self._replaces(one) or (one.may_pause and self._replaces(one, is_apart=True))
        if not one.after:
            self._drop(one.before)
            return True
        was = {place.key: place for place in one.before}
        return all(self._updates(was[place.key], place) for place in one.after)

    def _replaces(self, one: Function, *, is_apart: bool = False) -> bool:
        free, standing = self.free.copy(), list(self.standing)
        if is_apart:
            self._drop(one.before)
        if all(self._deploys(place) for place in one.after):
            if not is_apart:
                self._drop(one.before)
            return True
        self.free, self.standing = free, standing
        return False

    def _deploys(self, place: Place) -> bool:
        """On the first cluster that has room, all of it."""
        self.standing.append(place)
        home = next((name for name in place.pools if self.free[name] >= place.units), None)
        if home is None or self._is_over_quota(place):
            return False
        self.free[home] -= place.units
        return True

    def _updates(self, before: Place, after: Place) -> bool:
        runs = min(max(before.runs, after.instances), after.highest)
        self.standing[self.standing.index(before)] = replace(after, runs=runs)
        self.free[before.home] -= (runs - before.runs) * before.gpus
        rises = after.highest > before.highest
        return self.free[before.home] >= 0 and not (rises and self._is_over_quota(after))

    def _drop(self, places: Sequence[Place]) -> None:
        for one in places:
            self.standing.remove(one)
            self.free[one.home] += one.runs * one.gpus

    def _is_over_quota(self, place: Place) -> bool:
        return any(
            sum(cap.counts(one.pools, one.highest, one.gpus) for one in self.standing) > cap.limit
            for cap in self.quotas
            if not set(place.pools).isdisjoint(cap.names)
        )
