"""Fakes of the ports of `applying`, in memory: each subclasses the port it stands for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    EVERYTHING,
    NO_ERRAND,
    Call,
    Clock,
    Document,
    Done,
    Errand,
    Lease,
    LiveReader,
    Refused,
    StateStore,
    StepPerformer,
    Stored,
    Unanswered,
)
from nvcfplan.errors import LeaseLostError, LockHeld, RemoteError, StateConflict, StoreError
from nvcfplan.model import (
    Account,
    FunctionId,
    LiveDeployment,
    LiveFunction,
    LiveSharing,
    LiveVersion,
    Readable,
    RunId,
    Token,
    VersionId,
    digest_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence

    from tests.applying.service import Service


class _Turn:
    """Awaited, it lets every other task have its turn once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock(Clock):
    """Sleeping advances the service, and nothing else does."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def now(self) -> datetime:
        return START + timedelta(seconds=self._service.now)

    def monotonic(self) -> float:
        return self._service.now

    async def sleep_until(self, monotonic: float) -> None:
        await _Turn()
        self._service.advance_to(monotonic)


class FakeReader(LiveReader):
    """`failures`: raised by the next reads, first come first served."""

    def __init__(self, service: Service, failures: Sequence[RemoteError] = ()) -> None:
        self._service = service
        self._failures = list(failures)

    async def account(self, wanted: Collection[Readable] = EVERYTHING) -> Account:
        self._maybe_fail()
        found = self._service.account()
        return replace(
            found,
            quotas=found.quotas if Readable.QUOTA in wanted else None,
            version_limit=found.version_limit if Readable.VERSION_LIMIT in wanted else None,
            taken=tuple(one for one in found.taken if one.what in wanted),
        )

    async def functions(self) -> Sequence[LiveFunction]:
        self._maybe_fail()
        return self._service.live()

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        self._maybe_fail()
        found = {version: self._service.version(one, version) for one, version in versions}
        return {
            version: live.deployment
            for version, live in found.items()
            if live is not None and live.deployment is not None
        }

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        self._maybe_fail()
        return self._service.version(function, version)

    async def sharing(self, function: FunctionId) -> LiveSharing | None:
        self._maybe_fail()
        return self._service.sharing(function)

    async def details(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        self._maybe_fail()
        found = self._service.version(function, version)
        return None if found is None else replace(found, deployment=None)

    def _maybe_fail(self) -> None:
        if self._failures:
            raise self._failures.pop(0)


class FakePerformer(StepPerformer):
    """`hangs`: the call of that number, from 1, is never answered."""

    def __init__(self, service: Service, *, hangs: int | None = None) -> None:
        self._service = service
        self._hangs = hangs
        self.hung = asyncio.Event()

    async def perform(self, call: Call) -> Done | Refused | Unanswered:
        if self._hangs == len(self._service.calls) + 1:
            self.hung.set()
            await asyncio.Event().wait()
        await _Turn()
        return self._service.perform(call)


@dataclass
class MemoryStore(StateStore):
    """`stolen_at`: from that many journal records on somebody else holds the lease.

    `full_at`: from that many on nothing can be written any more. `is_deaf`: nor renewed.
    """

    documents: dict[tuple[str, Document], Stored] = field(default_factory=dict)
    journals: dict[RunId, list[bytes]] = field(default_factory=dict)
    lease: Lease | None = None
    epoch: int = 0
    renewals: int = 0
    stolen_at: int | None = None
    full_at: int | None = None
    is_deaf: bool = False

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
                f"{stack} is locked",
                holder=self.lease.owner,
                since=START.isoformat(),
                epoch=self.epoch,
                remedy="wait for it",
            )

    async def renew(self, lease: Lease) -> Lease:
        self._check(lease)
        if self.is_deaf:
            raise StoreError("the disk is gone")
        self.renewals += 1
        return lease

    async def release(self, lease: Lease) -> None:
        if self.lease == lease:
            self.lease = None

    async def append(self, lease: Lease, run: RunId, sequence: int, record: bytes) -> None:
        await _Turn()
        written = self.journals.setdefault(run, [])
        if self.stolen_at is not None and len(written) >= self.stolen_at:
            self.lease = Lease(lease.stack, lease.epoch + 1, "somebody else", Token("stolen"))
        self._check(lease)
        if self.full_at is not None and len(written) >= self.full_at:
            raise StoreError("no space left on the disk")
        assert sequence == len(written), "records are numbered in the order they are written"
        written.append(record)

    async def records(self, stack: str, run: RunId) -> Sequence[bytes]:
        del stack
        return tuple(self.journals.get(run, ()))

    async def runs(self, stack: str) -> Sequence[RunId]:
        del stack
        return tuple(sorted(self.journals, reverse=True))

    async def probe(self) -> None:
        return None

    def _check(self, lease: Lease) -> None:
        if self.lease != lease:
            holder = self.lease.owner if self.lease else "nobody"
            raise LeaseLostError("the lease was lost", detail=holder)
