"""Tells channels what is new to each of them, once.

What goes out is noted before it goes, and struck off when it has been received: cut off in between,
the next look sends the same notice again, with the same id. Nothing is lost, and nothing else ever
comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from nvcfplan.applying import StateStore
from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.drifting import (
    Notice,
    Whereabouts,
    attempted,
    correspondence_with,
    delivered,
    next_attempt,
    notice_of,
    undelivered,
)
from nvcfplan.errors import NoticeUndelivered, NvcfplanError, StoreError
from nvcfplan.reports import DriftReport
from nvcfplan.workflows.memory import MEMORY_UNWRITTEN, revise_memory
from nvcfplan.workflows.ports import NoticeChannel
from nvcfplan.workflows.reading import Scope

if TYPE_CHECKING:
    from nvcfplan.model import Attempt, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """`remind_every` None: of what has been told and stands, nobody is reminded."""

    channels: tuple[NoticeChannel, ...]
    remind_every: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one notice. `failure` None: it was received.

    `notice` None: there may have been one, and it could not be noted.
    """

    channel: str
    notice: Notice | None
    failure: NvcfplanError | None


async def tell_channels(
    report: DriftReport, scope: Scope, store: StateStore, telling: Telling
) -> tuple[Delivery, ...]:
    """One after the other; what one of them does is nothing to the rest.

    Of a look that was skipped there is nothing to tell; neither is anything told that could not
    be noted: it would come again with every look.
    """
    if report.drift is None or any(one.code == MEMORY_UNWRITTEN for one in report.warnings):
        return ()
    deliveries: list[Delivery] = []
    for channel in telling.channels:
        deliveries += await _Thread(report, scope, store, telling, channel).tell()
    return tuple(deliveries)


def undelivered_warning(delivery: Delivery) -> Diagnostic:
    failure = delivery.failure
    assert failure is not None, delivery
    return Diagnostic(
        code=failure.code,
        severity=Severity.WARNING,
        summary=f"{delivery.channel} was not told of the drift: {failure.summary}",
        detail=failure.detail or "the next look tries again; what is found is not changed by it",
        remedy=failure.remedy,
    )


@dataclass(frozen=True, slots=True)
class _Thread:
    """What is between us and one channel about one stack."""

    report: DriftReport
    scope: Scope
    store: StateStore
    telling: Telling
    channel: NoticeChannel

    async def tell(self) -> tuple[Delivery, ...]:
        """At most two: the one that was cut off, and what has become new since."""
        found: list[Delivery] = []
        for _ in range(2):
            delivery = await self._tell_once()
            found += () if delivery is None else (delivery,)
            if delivery is None or delivery.failure is not None:
                break
        return tuple(found)

    async def _tell_once(self) -> Delivery | None:
        name, notice = self.channel.name, None
        try:
            noted = await revise_memory(self.scope, self.store, self._decide)
            if noted is None:
                return None
            attempt, notice, is_repeated = noted
            failure = await self._send(attempt, notice, is_repeated=is_repeated)
        except StoreError as error:
            failure = error
        return Delivery(channel=name, notice=notice, failure=failure)

    def _decide(self, memory: Memory) -> tuple[Memory, tuple[Attempt, Notice, bool] | None]:
        attempt = next_attempt(
            memory,
            self.channel.name,
            self._about,
            now=self.report.looked_at,
            remind_every=self.telling.remind_every,
        )
        if attempt is None:
            return memory, None
        is_repeated = correspondence_with(memory, self.channel.name).attempt is not None
        notice = notice_of(
            attempt, memory, self.report.standing, channel=self.channel.name, about=self._about
        )
        return attempted(memory, self.channel.name, attempt), (attempt, notice, is_repeated)

    async def _send(
        self, attempt: Attempt, notice: Notice, *, is_repeated: bool
    ) -> NvcfplanError | None:
        """One that has been sent before may have been received then, whatever becomes of it now."""
        name = self.channel.name
        try:
            await self.channel.tell(notice, self.report)
        except NvcfplanError as error:
            is_sure = isinstance(error, NoticeUndelivered) and not error.maybe_received
            if is_sure and not is_repeated:
                await revise_memory(
                    self.scope, self.store, lambda now: (undelivered(now, name, attempt), None)
                )
            return error
        await revise_memory(
            self.scope, self.store, lambda now: (delivered(now, name, attempt), None)
        )
        return None

    @property
    def _about(self) -> Whereabouts:
        return Whereabouts(
            stack=self.scope.stack,
            environment=self.scope.environment,
            account=self.report.account,
        )
