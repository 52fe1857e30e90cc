"""When an account is looked at: on a grid, a little late by chance, never twice at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_LARGEST_SHARE: Final = 0.05
_LONGEST_SPREAD_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Seconds of a monotonic clock. `on_grid`: as declared; `begins`: with the spread.

    `missed`: times on the grid that went by while the look before this one was still at work.
    """

    on_grid: float
    begins: float
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """`every`: seconds, above 0. Many who watch must not all ask in the same second, so each turn
    begins up to a twentieth of that later, half a minute at most; the grid itself stays.
    """

    every: float

    @property
    def spread(self) -> float:
        return min(self.every * _LARGEST_SHARE, _LONGEST_SPREAD_SECONDS)

    def first(self, now: float) -> Turn:
        """At once: who has just begun to watch wants to see that it works."""
        return Turn(on_grid=now, begins=now)

    def next(self, last: Turn, now: float, chance: float) -> Turn:
        """`now`: when the last look ended. `chance`: from 0 to below 1."""
        steps = max(1, math.ceil((now - last.on_grid) / self.every))
        on_grid = last.on_grid + steps * self.every
        return Turn(on_grid=on_grid, begins=on_grid + chance * self.spread, missed=steps - 1)
