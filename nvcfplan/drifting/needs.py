"""What has to be read to look for drift: what a plan reads, and what the account offers and allows.

Never an instance: their numbers are the autoscaler's, and one GET a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.model import Readable, Stack, State
from nvcfplan.planning import PlanNeeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import Account, DeclaredQuota, FunctionId, LiveFunction, VersionId

LOOKED_AT: Final = (Readable.INVENTORY, Readable.CAPACITY, Readable.QUOTA)
"""What is read of the account, beside functions and deployments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftNeeds:
    stack: Stack
    state: State | None

    def first(self, live: Sequence[LiveFunction]) -> tuple[tuple[FunctionId, VersionId], ...]:
        return self._planning().first(live)

    def shared(self, live: Sequence[LiveFunction]) -> tuple[FunctionId, ...]:
        return self._planning().shared(live)

    @property
    def quotas(self) -> tuple[DeclaredQuota, ...]:
        return self.stack.quotas

    def outlook(self, live: Sequence[LiveFunction]) -> DriftOutlook:
        del live
        return DriftOutlook()

    def _planning(self) -> PlanNeeds:
        return PlanNeeds(stack=self.stack, state=self.state)


@dataclass(frozen=True, slots=True)
class DriftOutlook:
    """The same whatever was found: it is the account that is looked at."""

    def readings(self) -> frozenset[Readable]:
        return frozenset(LOOKED_AT)

    def instances(self, account: Account) -> tuple[tuple[FunctionId, VersionId], ...]:
        del account
        return ()
