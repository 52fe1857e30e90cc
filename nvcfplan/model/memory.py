"""What is learnt by the way and may be lost at any time: it never makes a plan stale.

Unlike the state it raises no serial; whoever cannot read or write it goes on without.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nvcfplan.model.account import Readable
from nvcfplan.model.addresses import Address, Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """What is alike in how long it takes: the task's word, and what it is done on.

    `gpu` and `instance_type` are empty where the task is of none.
    """

    task: str
    gpu: str
    instance_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Whole seconds, newest last."""

    kind: StepKind
    seconds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A finding of drift, with as many words as it takes to say later that it has cleared.

    `kind` and `severity` are the words of the finding's. `first_seen`: of this time that it
    stands; cleared and back, it is another time. `counts_since`: the same, or when its
    acknowledgement ended. `without`: readings that failed when it was seen last, and that it was
    found without. `cleared` None: it stands, as far as could be looked.
    """

    fingerprint: Digest
    kind: str
    code: str
    severity: str
    address: Address
    subject: str
    summary: str
    first_seen: datetime
    last_seen: datetime
    counts_since: datetime
    without: tuple[Readable, ...] = ()
    cleared: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """`summary`: the finding's, for one that has cleared and may come back.

    `until` None: for as long as the finding stands.
    """

    fingerprint: Digest
    summary: str
    why: str
    by: str
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """One time that a finding counts: since when tells it from those before."""

    fingerprint: Digest
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A notice that is on its way, or was when we were cut off: it goes out again as it was."""

    id: Digest
    at: datetime
    appeared: tuple[Told, ...]
    cleared: tuple[Told, ...]
    is_reminder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondence:
    """What one channel has been told to stand. `last_told` None: nothing yet."""

    channel: str
    told: tuple[Told, ...] = ()
    last_told: datetime | None = None
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReading:
    """When a look for drift could read this last."""

    what: Readable
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """`durations`: each kind once; those that were seen last stand last.

    `last_look`: for drift; None: nobody looked. `findings` and `acknowledgements`: each
    fingerprint once; `correspondence`: each channel; `readings`: each that ever succeeded.
    """

    durations: tuple[Durations, ...] = ()
    last_look: datetime | None = None
    findings: tuple[Remembered, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    correspondence: tuple[Correspondence, ...] = ()
    readings: tuple[LastReading, ...] = ()
