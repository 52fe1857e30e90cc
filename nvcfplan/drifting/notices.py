"""What a channel has to be told, and only that: what has changed since it was told last.

Each channel is compared with what it has heard, so that of many looks while it was down one notice
comes; and a notice that we may have sent when we were cut off goes out again as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from nvcfplan.drifting.recollection import Standing, let_expire, without_unawaited
from nvcfplan.model import (
    Attempt,
    Correspondence,
    Digest,
    Memory,
    Remembered,
    Told,
    canonical_json,
    digest_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WANDERING: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Of which stack in which account: one thread of notices."""

    stack: str
    environment: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`id`: the same for the same news, so that a receiver can drop a repetition.

    `at`: when it was decided. `appeared` and `cleared`: the news, each by address and code.
    `standing`: all that stands now, acknowledged or not. `is_reminder`: there is no news, and
    something has stood for long. `is_first`: nothing is known of what this channel was told.
    `is_clean`: nothing stands that counts.
    """

    id: Digest
    stack: str
    environment: str
    account: str
    at: datetime
    appeared: tuple[Remembered, ...]
    standing: tuple[Standing, ...]
    cleared: tuple[Remembered, ...]
    is_reminder: bool
    is_first: bool
    is_clean: bool

    @property
    def is_quiet(self) -> bool:
        """No news for people: for a channel that shows what stands, and may show what stood."""
        return not (self.appeared or self.cleared or self.is_reminder)


def next_attempt(
    memory: Memory,
    channel: str,
    about: Whereabouts,
    *,
    now: datetime,
    remind_every: timedelta | None,
) -> Attempt | None:
    """One that was cut off comes first. None: the channel knows how things stand."""
    known = correspondence_with(memory, channel)
    if known.attempt is not None:
        return known.attempt
    counting = _counting(memory, now)
    standing = {one.fingerprint for one in memory.findings if one.cleared is None}
    appeared = tuple(sorted(counting - frozenset(known.told)))
    cleared = tuple(one for one in known.told if one.fingerprint not in standing)
    is_reminder = bool(counting) and not (appeared or cleared) and _is_due(known, now, remind_every)
    if not (appeared or cleared or is_reminder) and known.last_told is not None:
        return None
    basis = known.last_told.isoformat() if is_reminder and known.last_told else None
    news = [[_words(one) for one in part] for part in (appeared, cleared)]
    return Attempt(
        id=digest_of(canonical_json([about.stack, about.environment, about.account, *news, basis])),
        at=now,
        appeared=appeared,
        cleared=cleared,
        is_reminder=is_reminder,
    )


def notice_of(
    attempt: Attempt,
    memory: Memory,
    standing: Sequence[Standing],
    *,
    channel: str,
    about: Whereabouts,
) -> Notice:
    """`memory` with the attempt in it. What it remembers no words of is left out."""
    known = {one.fingerprint: one for one in memory.findings}
    return Notice(
        id=attempt.id,
        stack=about.stack,
        environment=about.environment,
        account=about.account,
        at=attempt.at,
        appeared=_remembered(attempt.appeared, known),
        standing=tuple(standing),
        cleared=_remembered(attempt.cleared, known),
        is_reminder=attempt.is_reminder,
        is_first=correspondence_with(memory, channel).last_told is None,
        is_clean=not _counting(memory, attempt.at),
    )


def correspondence_with(memory: Memory, channel: str) -> Correspondence:
    """Empty with one that was never told anything."""
    found = (one for one in memory.correspondence if one.channel == channel)
    return next(found, Correspondence(channel=channel))


def attempted(memory: Memory, channel: str, attempt: Attempt) -> Memory:
    """Before it is sent."""
    return _with(memory, replace(correspondence_with(memory, channel), attempt=attempt))


def delivered(memory: Memory, channel: str, attempt: Attempt) -> Memory:
    """The same when it was noted before, by whoever sent it too."""
    known = correspondence_with(memory, channel)
    if known.attempt is None or known.attempt.id != attempt.id:
        return memory
    news = {one.fingerprint for one in (*attempt.appeared, *attempt.cleared)}
    told = {*(one for one in known.told if one.fingerprint not in news), *attempt.appeared}
    heard = Correspondence(channel=channel, told=tuple(sorted(told)), last_told=attempt.at)
    return without_unawaited(_with(memory, heard))


def undelivered(memory: Memory, channel: str, attempt: Attempt) -> Memory:
    """It is known not to have arrived: the next one tells what is then new, all in one."""
    known = correspondence_with(memory, channel)
    if known.attempt is None or known.attempt.id != attempt.id:
        return memory
    return _with(memory, replace(known, attempt=None))


def _counting(memory: Memory, now: datetime) -> frozenset[Told]:
    memory = let_expire(memory, now)
    acknowledged = {one.fingerprint for one in memory.acknowledgements}
    return frozenset(
        Told(one.fingerprint, one.counts_since)
        for one in memory.findings
        if one.cleared is None and one.fingerprint not in acknowledged
    )


def _is_due(known: Correspondence, now: datetime, remind_every: timedelta | None) -> bool:
    """A schedule that wanders by seconds must not miss every other one."""
    if remind_every is None or known.last_told is None:
        return False
    return now - known.last_told >= remind_every - min(_WANDERING, remind_every / 20)


def _words(told: Told) -> list[str]:
    return [told.fingerprint, told.since.isoformat()]


def _remembered(news: Sequence[Told], known: Mapping[Digest, Remembered]) -> tuple[Remembered, ...]:
    """As of then, where the finding has cleared and come back since."""
    return tuple(
        replace(
            known[one.fingerprint],
            first_seen=min(known[one.fingerprint].first_seen, one.since),
            counts_since=one.since,
        )
        for one in news
        if one.fingerprint in known
    )


def _with(memory: Memory, heard: Correspondence) -> Memory:
    others = (one for one in memory.correspondence if one.channel != heard.channel)
    kept = sorted((*others, heard), key=lambda one: one.channel)
    return replace(memory, correspondence=tuple(kept))
