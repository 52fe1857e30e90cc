"""Failures of the world, as one tree. Faults of the user's files are diagnostics, not these.

    NvcfplanError
    |-- RemoteError            what the service said, or that it said nothing
    |   |-- Unreachable        never sent: name, connection, TLS
    |   |-- Unauthorized       401
    |   |-- Forbidden          403: a scope is missing
    |   |-- RemoteMissing      404 where something had to be
    |   |-- RateLimited        429
    |   |-- RemoteUnavailable  5xx, time-out of a read
    |   |-- RequestsSpent      not sent: a look had been given so many requests, and no more
    |   `-- RemoteGarbled      an answer that is not what the contract says (HTML, truncated JSON)
    |-- SettingsError          endpoint or credential missing or unusable
    |   `-- SecretUnavailable  a value that a step must send cannot be resolved here
    |-- AccountMismatch        plan, state or stack belong to another account
    |-- StalePlan              the account has moved since the plan was made
    |-- NoRoom               a plan waited for capacity, and its time is over
    |-- RunOpen                an earlier run has not been settled
    |-- ClaimedTwice           two functions, or two stacks, claim what only one can have
    |-- StoreError             the state store
    |   |-- StateConflict      somebody else wrote in between
    |   |-- LockHeld           another run holds the lease
    |   |-- LeaseLostError     ours was broken
    |   |-- StateCorrupt       the state document does not read
    |   `-- JournalCorrupt     a journal record in the middle does not read
    |-- NoSuchFinding          nothing that stands, or more than one thing, is called so
    |-- NoticeUndelivered      a channel did not take what it was to be told
    `-- DocumentError          a plan or other document does not read, or is of another format

Each says what happened (`str`), and how to go on (`remedy`); all carry objects, not prose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FREE_UNITS: Final = "free units"
READING: Final = " reading"
"""What a plan may find moved that is no edit of anybody's."""


class NvcfplanError(Exception):
    """`summary`: what, one line. `detail`: why. `remedy`: what to do. `code`: as diagnostics'."""

    code = "error"

    def __init__(self, summary: str, *, detail: str = "", remedy: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.remedy = remedy


class RemoteError(NvcfplanError):
    """`route` is `METHOD /path`, without host and query."""

    code = "remote-error"

    def __init__(
        self,
        summary: str,
        *,
        route: str,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
        detail: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(summary, detail=detail, remedy=remedy)
        self.route = route
        self.status = status
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds


class Unreachable(RemoteError):
    code = "endpoint-unreachable"


class Unauthorized(RemoteError):
    code = "unauthorized"


class Forbidden(RemoteError):
    code = "forbidden"


class RemoteMissing(RemoteError):
    code = "remote-not-found"


class RateLimited(RemoteError):
    code = "rate-limited"


class RemoteUnavailable(RemoteError):
    code = "remote-unavailable"


class RequestsSpent(RemoteError):
    """Not sent: a look had been given so many requests, and no more."""

    code = "requests-spent"


class RemoteGarbled(RemoteError):
    code = "remote-garbled"


class SettingsError(NvcfplanError):
    code = "settings"


class SecretUnavailable(SettingsError):
    code = "secret-unavailable"


class AccountMismatch(NvcfplanError):
    code = "account-mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One field that is not what the plan saw."""

    address: str
    field: str
    planned: str
    found: str

    @property
    def is_room(self) -> bool:
        """Only numbers, or that they could not be read: both may be otherwise a minute later."""
        return self.field == FREE_UNITS or self.field.endswith(READING)


class StalePlan(NvcfplanError):
    code = "stale-plan"

    def __init__(self, summary: str, *, moved: tuple[Moved, ...], remedy: str) -> None:
        detail = "\n".join(
            f"{one.address} {one.field}: the plan saw {one.planned}, now it is {one.found}"
            for one in moved
        )
        super().__init__(summary, detail=detail, remedy=remedy)
        self.moved = moved


class NoRoom(NvcfplanError):
    code = "no-room"


class RunOpen(NvcfplanError):
    code = "run-open"


class ClaimedTwice(NvcfplanError):
    code = "claimed-twice"


class StoreError(NvcfplanError):
    code = "store"


class StateConflict(StoreError):
    code = "state-conflict"


class LockHeld(StoreError):
    """`since` is ISO-8601, by the holder's clock: shown, never compared."""

    code = "locked"

    def __init__(self, summary: str, *, holder: str, since: str, epoch: int, remedy: str) -> None:
        super().__init__(summary, detail=f"held by {holder} since {since}", remedy=remedy)
        self.holder = holder
        self.since = since
        self.epoch = epoch


class LeaseLostError(StoreError):
    code = "lease-lost"


class StateCorrupt(StoreError):
    code = "state-corrupt"


class JournalCorrupt(StoreError):
    """`intact`: the records before the damage."""

    code = "journal-corrupt"

    def __init__(
        self,
        summary: str,
        *,
        detail: str = "",
        remedy: str = "",
        intact: tuple[bytes, ...] = (),
    ) -> None:
        super().__init__(summary, detail=detail, remedy=remedy)
        self.intact = intact


class NoSuchFinding(NvcfplanError):
    code = "no-such-finding"


class NoticeUndelivered(NvcfplanError):
    """`maybe_received`: no answer came, so that the same notice must go out again as it was.

    Without, it is known not to have arrived, and what is new by then is told instead.
    """

    code = "notice-undelivered"

    def __init__(
        self, summary: str, *, detail: str = "", remedy: str = "", maybe_received: bool = False
    ) -> None:
        super().__init__(summary, detail=detail, remedy=remedy)
        self.maybe_received = maybe_received


class DocumentError(NvcfplanError):
    code = "document"
