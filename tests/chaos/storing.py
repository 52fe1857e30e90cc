"""A store in memory that keeps a journal as bytes, torn where a write was cut."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.adapters.storage.framing import Framed, frame, unframe
from nvcfplan.applying import NO_ERRAND, Document, Errand, Intent, Lease, StateStore, Stored
from nvcfplan.documents import decode_record
from nvcfplan.errors import LeaseLostError, LockHeld, StateConflict
from nvcfplan.model import RunId, Token, digest_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

T = TypeVar("T")


def at_once(work: Coroutine[object, None, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it waits, and nobody would wake it")


_SERIAL = re.compile(rb'"serial":(\d+)')


def _serial_of(state: bytes) -> int:
    found = _SERIAL.search(state)
    assert found is not None, "a state has a serial"
    return int(found.group(1))


@dataclass
class Disk(StateStore):
    """`intents`: operations whose intent is durable. `serials`: of every state that was written."""

    documents: dict[tuple[str, Document], Stored] = field(default_factory=dict)
    journals: dict[RunId, bytes] = field(default_factory=dict)
    counts: dict[RunId, int] = field(default_factory=dict)
    lease: Lease | None = None
    epoch: int = 0
    intents: set[str] = field(default_factory=set)
    serials: list[int] = field(default_factory=list)

    # What befalls it.

    def lose_lease(self) -> None:
        """Its holder is known to be dead; or somebody believes so."""
        self.lease = None

    def tear(self, run: RunId, record: bytes, share: float) -> None:
        """The power went while a record was written."""
        self._open(run)
        whole = frame(record)
        self.journals[run] += whole[: int(len(whole) * share)]

    # The port.

    async def read(self, stack: str, document: Document) -> Stored | None:
        return self.documents.get((stack, document))

    async def write(
        self,
        stack: str,
        document: Document,
        content: bytes,
        *,
        expected: Token | None,
        lease: Lease | None,
    ) -> Token:
        if lease is not None:
            self._check(lease)
        stored = self.documents.get((stack, document))
        if (stored.token if stored else None) != expected:
            raise StateConflict(f"{document} of {stack} was written by somebody else")
        serial = _serial_of(content)
        assert not self.serials or serial == self.serials[-1] + 1, "a state was lost"
        self.serials.append(serial)
        token = Token(digest_of(f"{expected}{content!r}"))
        self.documents[stack, document] = Stored(content, token)
        return token

    async def acquire(
        self, stack: str, owner: str, ttl_seconds: int, errand: Errand = NO_ERRAND
    ) -> Lease:
        del ttl_seconds, errand
        await self.refuse_held(stack)
        self.epoch += 1
        self.lease = Lease(stack, self.epoch, owner, Token(f"t{self.epoch}"))
        return self.lease

    async def refuse_held(self, stack: str) -> None:
        if self.lease is not None:
            raise LockHeld(
                f"{stack} is held", holder=self.lease.owner, since="", epoch=self.epoch, remedy=""
            )

    async def renew(self, lease: Lease) -> Lease:
        self._check(lease)
        return lease

    async def release(self, lease: Lease) -> None:
        if self.lease == lease:
            self.lease = None

    async def append(self, lease: Lease, run: RunId, sequence: int, record: bytes) -> None:
        self._check(lease)
        self._open(run)
        assert sequence == self.counts[run], "records are numbered in the order they are written"
        self.journals[run] += frame(record)
        self.counts[run] += 1
        if b'"intent"' in record:
            decoded = decode_record(record)
            assert isinstance(decoded, Intent)
            self.intents.add(decoded.operation)

    async def records(self, stack: str, run: RunId) -> Sequence[bytes]:
        del stack
        return self._framed(run).records

    async def runs(self, stack: str) -> Sequence[RunId]:
        del stack
        return tuple(sorted(self.journals, reverse=True))

    async def probe(self) -> None:
        return None

    def reopen(self, run: RunId) -> None:
        """Whoever had it open is gone."""
        self.counts.pop(run, None)

    def _open(self, run: RunId) -> None:
        """As on a disk: what a cut left behind goes before anything is written after it."""
        if run not in self.counts:
            framed = self._framed(run)
            self.journals[run] = self.journals.get(run, b"")[: framed.length]
            self.counts[run] = len(framed.records)

    def _framed(self, run: RunId) -> Framed:
        found = unframe(self.journals.get(run, b""))
        assert isinstance(found, Framed), f"the journal of {run} is damaged"
        return found

    def _check(self, lease: Lease) -> None:
        if self.lease != lease:
            holder = self.lease.owner if self.lease else "nobody"
            raise LeaseLostError("the lease was lost", detail=holder)
