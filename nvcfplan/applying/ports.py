"""What an apply needs of the world. Asynchronous, because the shell is; fakes subclass these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from nvcfplan.model import Readable, Token

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from nvcfplan.applying.effects import Call, Done, Refused, Unanswered
    from nvcfplan.model import (
        Account,
        FunctionId,
        LiveDeployment,
        LiveFunction,
        LiveSharing,
        LiveVersion,
        RunId,
        Secret,
        SecretReference,
        VersionId,
    )


EVERYTHING: Final = frozenset(Readable)


class LiveReader(Protocol):
    """Raises RemoteError. Never sees or returns functions owned by another account."""

    async def account(self, wanted: Collection[Readable] = EVERYTHING) -> Account:
        """What could not be read is absent in it, with the reason; what is not wanted just so."""
        ...

    async def functions(self) -> Sequence[LiveFunction]:
        """Own, every version, oldest first; one request. Deployments are not in it."""
        ...

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        """Absent: 404, no row. Others that came with the same answer may be in it."""
        ...

    async def details(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        """With instances and secret names, without its deployment; None: 404."""
        ...

    async def sharing(self, function: FunctionId) -> LiveSharing | None:
        """Who may call it besides its owner; None: 404."""
        ...

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        """With instances, secret names and its deployment; None: 404."""
        ...


class StepPerformer(Protocol):
    async def perform(self, call: Call) -> Done | Refused | Unanswered:
        """One request, no retry; never raises for what a server said."""
        ...


class SecretSource(Protocol):
    """Raises nothing: what cannot be resolved here is None."""

    def resolve(self, reference: SecretReference) -> Secret | None: ...

    def fingerprint(self, reference: SecretReference, key: bytes) -> str | None: ...


class Document(StrEnum):
    STATE = "state"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Stored:
    content: bytes
    token: Token


@dataclass(frozen=True, slots=True)
class Lease:
    stack: str
    epoch: int
    owner: str
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a lease is taken for, for people to read. `link`: the page of the CI job, if in one."""

    operation: str = ""
    tool_version: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSeen:
    """A lease as others see it. `since` is ISO-8601 by the holder's clock: shown, never compared.

    `heartbeat` rises while the holder lives. `is_dead`: its process is known to have ended; False
    also where that cannot be known.
    """

    epoch: int
    holder: str
    since: str
    ttl_seconds: int
    heartbeat: int
    is_dead: bool
    errand: Errand
    token: Token


NO_ERRAND: Final = Errand()


class StateStore(Protocol):
    """Bytes in, bytes out; codecs are `documents/`. `stack` is `NAME@ENVIRONMENT`.

    After any unclear write it reads back and compares the writer's id.
    """

    async def read(self, stack: str, document: Document) -> Stored | None: ...

    async def write(
        self,
        stack: str,
        document: Document,
        content: bytes,
        *,
        expected: Token | None,
        lease: Lease | None,
    ) -> Token:
        """Raises StateConflict unless the stored token is `expected` (None: nothing stored).

        `lease` None: the memory, which nobody has to hold the stack for; the state only while
        nobody does.
        """
        ...

    async def acquire(
        self, stack: str, owner: str, ttl_seconds: int, errand: Errand = NO_ERRAND
    ) -> Lease:
        """Raises LockHeld, carrying who, since when, epoch."""
        ...

    async def refuse_held(self, stack: str) -> None:
        """Raises LockHeld, as `acquire` would now; takes and writes nothing."""
        ...

    async def renew(self, lease: Lease) -> Lease:
        """Raises LeaseLostError."""
        ...

    async def release(self, lease: Lease) -> None: ...

    async def append(self, lease: Lease, run: RunId, sequence: int, record: bytes) -> None:
        """Durable on return."""
        ...

    async def records(self, stack: str, run: RunId) -> Sequence[bytes]:
        """Torn tail dropped. Raises JournalCorrupt."""
        ...

    async def runs(self, stack: str) -> Sequence[RunId]:
        """Newest first."""
        ...

    async def probe(self) -> None:
        """Raises if conditions are not honoured."""
        ...


class LeaseBreaker(Protocol):
    """For `unlock`, and for whoever waits for a lease: what its holder would not do itself."""

    async def lease(self, stack: str) -> LeaseSeen | None:
        """None: nobody holds the stack."""
        ...

    async def break_lease(self, stack: str, seen: LeaseSeen, by: str) -> None:
        """One compare-and-swap, which raises the epoch; well ended when nobody holds it any more.

        Raises LockHeld when another lease than `seen` is there.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a run of `stack` has published; `number` rises with each run that does."""

    stack: str
    number: int
    content: bytes


class NoticeBoard(Protocol):
    """Account-wide, for all stacks whose state lies in one store. `account` is a name of ours."""

    async def publish(self, account: str, lease: Lease, content: bytes) -> int:
        """The run's number, which stays while it goes on. Raises LeaseLostError."""
        ...

    async def withdraw(self, account: str, lease: Lease) -> None: ...

    async def notices(self, account: str) -> Sequence[Notice]:
        """Of runs that hold their stack still, as far as can be known; by number."""
        ...


class Clock(Protocol):
    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep_until(self, monotonic: float) -> None: ...
