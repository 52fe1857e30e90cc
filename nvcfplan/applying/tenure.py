"""How long a lease may be acted upon since it was last renewed. Pure, by the holder's own clock.

Whoever waits for a lease takes it once no renewal has shown for its whole time. The service knows
no fencing, so its holder stops well before: nothing is begun in the last third.
Source: reliability.md A5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """Seconds of one monotonic clock. `renewed_at`: when the last renewal that succeeded was begun.

    `renew_seconds`: so long after it the lease is renewed before anything else is done.
    """

    lease_seconds: float
    renew_seconds: float
    renewed_at: float = -math.inf

    @property
    def usable_seconds(self) -> float:
        return self.lease_seconds * 2 / 3

    def renewed(self, begun: float) -> Tenure:
        """A renewal has succeeded; what it took counts as passed."""
        return replace(self, renewed_at=begun)

    def is_due(self, now: float) -> bool:
        return now - self.renewed_at >= self.renew_seconds

    def may_begin(self, now: float) -> bool:
        """Whether a mutation may be begun: more than a third of the lease is left."""
        return now - self.renewed_at < self.usable_seconds

    def seconds_left(self, now: float) -> float:
        """For a renewal to come in time; the first one has as long as any."""
        if math.isinf(self.renewed_at):
            return self.usable_seconds
        return max(0.0, self.renewed_at + self.usable_seconds - now)
