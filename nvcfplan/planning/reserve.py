"""How much of one resource must stay free so that what is still to come can come at all.

One pool, independent functions: who gives back at least what it took goes first, by ascending need;
then who keeps some, by descending return. No order needs less (ordering.md 1), so to start a
function that leaves less than this is to be stuck later on. Across several pools it is necessary
only.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import accumulate
from typing import Final

Entry = tuple[int, int, int, int, int]
"""Rank (0 gives, 1 takes), its order within, need, net, job."""
NOTHING: Final = -(10**9)


class Reserve:
    """Of one resource. Entries come and go as jobs are placed."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.known: dict[int, Entry] = {}
        self.taking = 0
        self.widest = 0
        self.maxima: tuple[list[int], list[int]] | None = None

    def put(self, job: int, need: int, net: int) -> None:
        """What the job still has to do here, in place of what was known."""
        self.drop(job)
        entry = (0, need, need, net, job) if net <= 0 else (1, net - need, need, net, job)
        insort(self.entries, entry)
        self.known[job] = entry
        self.taking += max(0, net)
        self.widest = max(self.widest, need)
        self.maxima = None

    def drop(self, job: int) -> None:
        entry = self.known.pop(job, None)
        if entry is not None:
            del self.entries[bisect_left(self.entries, entry)]
            self.taking -= max(0, entry[3])
            self.maxima = None

    def keeps(self, left: int, without: int) -> bool:
        """Whether `left` units do for all but the job `without`."""
        if left >= self.taking + self.widest:
            return True
        return left >= self._needed(without)

    def _needed(self, without: int) -> int:
        """The most that the best order needs at once; entries after `without` by its net less."""
        entry = self.known.get(without)
        at = len(self.entries) if entry is None else bisect_left(self.entries, entry)
        net = 0 if entry is None else entry[3]
        before, after = self._maxima()
        return max(before[at], after[at + 1] - net if at + 1 < len(after) else before[at])

    def _maxima(self) -> tuple[list[int], list[int]]:
        """By place: the most needed before it, and from it on."""
        if self.maxima is None:
            demands, taken = [], 0
            for _, _, need, net, _ in self.entries:
                demands.append(taken + need)
                taken += net
            before = [*accumulate(demands, max, initial=0)]
            after = [*accumulate(reversed(demands), max, initial=NOTHING)][::-1]
            self.maxima = (before, after)
        return self.maxima
