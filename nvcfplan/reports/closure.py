"""The heaviest set of nodes that is closed under "needs": project selection by a minimum cut.

Exact, in whole numbers. Of several heaviest sets the smallest is given, so the answer is unique.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SOURCE: Final = 0
_SINK: Final = 1


def heaviest_closure(weights: Sequence[int], needs: Mapping[int, Sequence[int]]) -> frozenset[int]:
    """Node n may be chosen only with all of `needs[n]`. Empty when no choice is worth anything."""
    network = _Network(len(weights) + 2)
    bound = sum(weight for weight in weights if weight > 0) + 1
    for node, weight in enumerate(weights):
        if weight > 0:
            network.connect(_SOURCE, node + 2, weight)
        elif weight < 0:
            network.connect(node + 2, _SINK, -weight)
        for needed in needs.get(node, ()):
            network.connect(node + 2, needed + 2, bound)
    network.saturate()
    return frozenset(node - 2 for node in network.reachable() if node >= 2)


class _Network:
    """Edges in pairs: edge e's reverse is e ^ 1. Dinic's algorithm."""

    def __init__(self, nodes: int) -> None:
        self._edges: list[list[int]] = [[] for _ in range(nodes)]
        self._ends: list[int] = []
        self._room: list[int] = []

    def connect(self, start: int, end: int, room: int) -> None:
        self._edges[start].append(len(self._ends))
        self._edges[end].append(len(self._ends) + 1)
        self._ends += [end, start]
        self._room += [room, 0]

    def saturate(self) -> None:
        while (levels := self._levels())[_SINK] >= 0:
            cursor = [0] * len(self._edges)
            while self._push(levels, cursor):
                pass

    def reachable(self) -> frozenset[int]:
        return frozenset(node for node, level in enumerate(self._levels()) if level >= 0)

    def _levels(self) -> list[int]:
        levels = [-1] * len(self._edges)
        levels[_SOURCE] = 0
        waiting = deque([_SOURCE])
        while waiting:
            node = waiting.popleft()
            for edge in self._edges[node]:
                end = self._ends[edge]
                if self._room[edge] and levels[end] < 0:
                    levels[end] = levels[node] + 1
                    waiting.append(end)
        return levels

    def _push(self, levels: Sequence[int], cursor: list[int]) -> bool:
        """One augmenting path, found without recursion: chains of steps are long."""
        path: list[int] = []
        node = _SOURCE
        while node != _SINK:
            edge = self._next_edge(node, levels, cursor)
            if edge is not None:
                path.append(edge)
                node = self._ends[edge]
            elif path:
                node = self._ends[path.pop() ^ 1]
                cursor[node] += 1
            else:
                return False
        units = min(self._room[edge] for edge in path)
        for edge in path:
            self._room[edge] -= units
            self._room[edge ^ 1] += units
        return True

    def _next_edge(self, node: int, levels: Sequence[int], cursor: list[int]) -> int | None:
        edges = self._edges[node]
        while cursor[node] < len(edges):
            edge = edges[cursor[node]]
            if self._room[edge] and levels[self._ends[edge]] == levels[node] + 1:
                return edge
            cursor[node] += 1
        return None
