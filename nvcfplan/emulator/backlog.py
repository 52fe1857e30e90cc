"""What waits for a version: how many requests there are at a time, and when there are none.

Source: nvcf-api.md 2.7.
"""

from __future__ import annotations

from dataclasses import dataclass

_ROUNDING = 1e-6
"""A queue must be empty at the moment computed for it, whatever floats make of that."""


@dataclass(slots=True, kw_only=True)
class Queue:
    """Requests of callers waiting for a version: `depth` at `since`, fewer by `per_minute`."""

    depth: int = 0
    since: float = 0.0
    per_minute: float = 60.0

    def at(self, time: float) -> int:
        gone = self.per_minute * (time - self.since) / 60
        return max(0, self.depth - int(gone + _ROUNDING))

    def empty_at(self) -> float | None:
        """None: never, or empty already."""
        if not self.depth or not self.per_minute:
            return None
        return self.since + self.depth / self.per_minute * 60
