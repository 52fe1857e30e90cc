"""Looks one after the other, each remembered, and told to all channels."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from nvcfplan.drifting import recollect
from nvcfplan.reports import Circumstances, LastRun, drift_report
from nvcfplan.workflows import Delivery, Scope, Telling, read_memory, revise_memory, tell_channels
from tests.drifting.findings import at, drift
from tests.fakes import MemoryStore
from tests.workflows.channels import FakeChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvcfplan.drifting import Finding, Recollection
    from nvcfplan.model import Memory, Readable

SCOPE = Scope("shop", "prod")


@dataclass
class Round:
    """Looks at the times that are given, each told to all channels."""

    channels: tuple[FakeChannel, ...]
    remind_every: timedelta | None = None
    store: MemoryStore = field(default_factory=MemoryStore)

    def look(
        self, minutes: float, *findings: Finding, unread: Sequence[Readable] = ()
    ) -> tuple[Delivery, ...]:
        return asyncio.run(self._look(minutes, findings, unread))

    async def _look(
        self, minutes: float, findings: tuple[Finding, ...], unread: Sequence[Readable]
    ) -> tuple[Delivery, ...]:
        found, now = drift(*findings, unread=unread), at(minutes)

        def change(memory: Memory) -> tuple[Memory, Recollection]:
            recalled = recollect(memory, found, now)
            return recalled.memory, recalled

        recalled = await revise_memory(SCOPE, self.store, change)
        around = Circumstances(
            stack=str(SCOPE),
            account="acme",
            last_run=LastRun.SETTLED,
            run_words="",
            looked_at=now,
            has_state=True,
        )
        telling = Telling(channels=self.channels, remind_every=self.remind_every)
        report = drift_report(found, around, recalled)
        return await tell_channels(report, SCOPE, self.store, telling)

    def memory(self) -> Memory:
        return asyncio.run(read_memory(SCOPE, self.store))

    def revise(self, change: Callable[[Memory], Memory]) -> None:
        asyncio.run(revise_memory(SCOPE, self.store, lambda memory: (change(memory), None)))
