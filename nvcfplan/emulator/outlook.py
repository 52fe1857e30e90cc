"""What may still happen, and to whom: kept up to date so that nobody has to look at every row."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class Outlook:
    """`restless`: versions that the next tick may change. `deadlines`: of versions, in virtual
    seconds. `loads`: when the load of a version next changes. `deployments`: version id by
    deployment id. `promised`: GPUs per quota by version id.
    """

    restless: dict[str, None] = field(default_factory=dict)
    deadlines: dict[str, float] = field(default_factory=dict)
    loads: dict[str, float] = field(default_factory=dict)
    deployments: dict[str, str] = field(default_factory=dict)
    promised: dict[str, tuple[int, ...]] = field(default_factory=dict)
    promised_in_all: list[int] = field(default_factory=list)
    _deployment_of: dict[str, str] = field(default_factory=dict)
    _moves: list[tuple[float, str]] = field(default_factory=list)
    _moves_at: dict[str, float] = field(default_factory=dict)

    def expect_move(self, instance: str, at: float | None) -> None:
        """`at` None: it stays as it is, or is gone."""
        if at is None:
            self._moves_at.pop(instance, None)
        elif self._moves_at.get(instance) != at:
            self._moves_at[instance] = at
            heapq.heappush(self._moves, (at, instance))

    def next_move(self) -> float:
        """When an instance next boots or is released; infinity: none does."""
        moves = self._moves
        while moves and self._moves_at.get(moves[0][1]) != moves[0][0]:
            heapq.heappop(moves)
        return moves[0][0] if moves else math.inf

    def take_moves(self, until: float) -> list[str]:
        """Instances whose time has come, in no order that means anything."""
        found: list[str] = []
        while self.next_move() <= until:
            _, instance = heapq.heappop(self._moves)
            del self._moves_at[instance]
            found.append(instance)
        return found

    def next_deadline(self) -> float:
        return min(self.deadlines.values(), default=math.inf)

    def set_deadline(self, version: str, at: float | None) -> None:
        if at is None:
            self.deadlines.pop(version, None)
        else:
            self.deadlines[version] = at

    def next_load(self) -> float:
        return min(self.loads.values(), default=math.inf)

    def set_load(self, version: str, at: float | None) -> None:
        if at is None:
            self.loads.pop(version, None)
        else:
            self.loads[version] = at

    def set_deployment(self, version: str, deployment: str | None) -> None:
        former = self._deployment_of.pop(version, None)
        if former is not None:
            del self.deployments[former]
        if deployment is not None:
            self._deployment_of[version] = deployment
            self.deployments[deployment] = version

    def set_promised(self, version: str, gpus: tuple[int, ...] | None) -> None:
        """One number per quota of the account."""
        former = self.promised.pop(version, None)
        if former is not None:
            self._add(former, sign=-1)
        if gpus is not None:
            self.promised[version] = gpus
            self._add(gpus, sign=1)

    def _add(self, gpus: tuple[int, ...], *, sign: int) -> None:
        missing = len(gpus) - len(self.promised_in_all)
        self.promised_in_all.extend([0] * missing)
        for index, count in enumerate(gpus):
            self.promised_in_all[index] += sign * count
