"""What of a look's findings was there before, since when, and what has gone: memory and a look.

What could not be read this time clears nothing; a note is no drift and is not remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Severity
from nvcfplan.drifting.findings import Drift, Finding, FindingClass
from nvcfplan.drifting.needs import LOOKED_AT
from nvcfplan.model import Acknowledgement, LastReading, Memory, Readable, Remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.model import Digest

FORGOTTEN_AFTER: Final = timedelta(days=90)
"""How long what has cleared is kept for a channel that was told of it and is not heard of."""
MOST_CLEARED: Final = 2000

_RESTS_ON: Final = {
    FindingClass.INVENTORY.value: frozenset({Readable.INVENTORY}),
    FindingClass.CAPACITY.value: frozenset({Readable.INVENTORY, Readable.CAPACITY}),
    FindingClass.QUOTA.value: frozenset({Readable.INVENTORY, Readable.QUOTA}),
}
"""All other classes come of functions and deployments: a look that cannot read those fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A finding that asks for something, and its story.

    `is_new`: the last look did not see it. `acknowledgement`: in force, so that the finding is
    shown and nobody is told of it.
    """

    finding: Finding
    first_seen: datetime
    stood: timedelta
    is_new: bool
    acknowledgement: Acknowledgement | None

    @property
    def counts(self) -> bool:
        return self.acknowledgement is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """`memory`: as it is to be kept. `standing`: in the order of the look's findings, no notes.

    `previous`: when the look before was; None: none is remembered, so that all is new.
    `unseen`: stood then, and could not be looked at now. `cleared`: stood then, and no more.
    """

    memory: Memory
    previous: datetime | None
    standing: tuple[Standing, ...]
    unseen: tuple[Remembered, ...]
    cleared: tuple[Remembered, ...]
    readings: tuple[LastReading, ...]


def recollect(memory: Memory, drift: Drift, now: datetime) -> Recollection:
    """A finding that had cleared and is back is another one: new, and first seen now."""
    memory = let_expire(memory, now)
    drifted = [one for one in drift.findings if one.severity is not Severity.NOTE]
    before = {one.fingerprint: one for one in memory.findings if one.cleared is None}
    blind = frozenset(one.what for one in drift.unread)
    seen = {one.fingerprint: _seen(one, before.get(one.fingerprint), now, blind) for one in drifted}
    absent = [one for one in before.values() if one.fingerprint not in seen]
    unseen = tuple(one for one in absent if _is_out_of_sight(one, blind))
    cleared = tuple(replace(one, cleared=now) for one in absent if one not in unseen)
    after = _with_findings(memory, (*seen.values(), *unseen), cleared, now)
    readings = _last_readings(memory, blind, now)
    acknowledged = {one.fingerprint: one for one in after.acknowledgements}
    return Recollection(
        memory=replace(after, last_look=now, readings=readings),
        previous=memory.last_look,
        standing=tuple(
            Standing(
                finding=one,
                first_seen=seen[one.fingerprint].first_seen,
                stood=max(now - seen[one.fingerprint].first_seen, timedelta()),
                is_new=one.fingerprint not in before,
                acknowledgement=acknowledged.get(one.fingerprint),
            )
            for one in drifted
        ),
        unseen=unseen,
        cleared=cleared,
        readings=readings,
    )


def let_expire(memory: Memory, now: datetime) -> Memory:
    """Without acknowledgements whose time is over; what they were of counts since then."""
    ended = {
        one.fingerprint: one.until
        for one in memory.acknowledgements
        if one.until is not None and one.until <= now
    }
    if not ended:
        return memory
    return replace(
        memory,
        findings=tuple(counting_since(one, ended.get(one.fingerprint)) for one in memory.findings),
        acknowledgements=tuple(
            one for one in memory.acknowledgements if one.fingerprint not in ended
        ),
    )


def without_unawaited(memory: Memory) -> Memory:
    """What has cleared is forgotten once every channel that was told of it knows.

    One to which a notice is on its way may have been told.
    """
    awaited = {
        told.fingerprint
        for one in memory.correspondence
        for told in (*one.told, *(one.attempt.appeared if one.attempt else ()))
    }
    return replace(
        memory,
        findings=tuple(
            one for one in memory.findings if one.cleared is None or one.fingerprint in awaited
        ),
    )


def _last_readings(
    memory: Memory, blind: frozenset[Readable], now: datetime
) -> tuple[LastReading, ...]:
    """In the order of `LOOKED_AT`; what was never read is not there."""
    known = {one.what: one.at for one in memory.readings}
    known |= {what: now for what in LOOKED_AT if what not in blind}
    return tuple(LastReading(what=what, at=known[what]) for what in LOOKED_AT if what in known)


def counting_since(remembered: Remembered, since: datetime | None) -> Remembered:
    if since is None:
        return remembered
    return replace(remembered, counts_since=max(remembered.counts_since, since))


def _seen(
    finding: Finding, before: Remembered | None, now: datetime, blind: frozenset[Readable]
) -> Remembered:
    rests_on = _RESTS_ON.get(finding.kind.value, frozenset())
    return Remembered(
        fingerprint=finding.fingerprint,
        kind=finding.kind.value,
        code=finding.code,
        severity=finding.severity.value,
        address=finding.address,
        subject=finding.subject,
        summary=finding.summary,
        first_seen=before.first_seen if before else now,
        last_seen=now,
        counts_since=before.counts_since if before else now,
        without=tuple(sorted(rests_on & blind)),
    )


def _is_out_of_sight(remembered: Remembered, blind: frozenset[Readable]) -> bool:
    """A reading that it rests on failed now, and did not when it was seen last.

    What was found without a reading can be seen to have gone without it, too.
    """
    rests_on = _RESTS_ON.get(remembered.kind, frozenset())
    return bool((rests_on & blind) - frozenset(remembered.without))


def _with_findings(
    memory: Memory, present: Sequence[Remembered], cleared: Sequence[Remembered], now: datetime
) -> Memory:
    """What has cleared is kept while a channel waits to be told so, within bounds."""
    at_hand = {one.fingerprint for one in present}
    gone = [
        one
        for one in (*memory.findings, *cleared)
        if one.cleared is not None
        and one.cleared > now - FORGOTTEN_AFTER
        and one.fingerprint not in at_hand
    ]
    latest = sorted(gone, key=lambda one: (one.cleared, one.fingerprint))[-MOST_CLEARED:]
    findings = sorted((*present, *latest), key=lambda one: one.fingerprint)
    return without_unawaited(
        replace(
            memory,
            findings=tuple(findings),
            acknowledgements=_in_force(memory.acknowledgements, cleared),
        )
    )


def _in_force(
    acknowledgements: Iterable[Acknowledgement], cleared: Sequence[Remembered]
) -> tuple[Acknowledgement, ...]:
    """One with a date holds until then, however often its finding clears and comes back."""
    ended: set[Digest] = {one.fingerprint for one in cleared}
    return tuple(
        one for one in acknowledgements if one.until is not None or one.fingerprint not in ended
    )
