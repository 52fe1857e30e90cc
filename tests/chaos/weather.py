"""What goes wrong in a schedule, and when: drawn from its seed, a few of all kinds at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import (
    Call,
    Done,
    Failure,
    FailureClass,
    Refused,
    Unanswered,
)
from nvcfplan.plans import CreateFunction, CreateVersion, Deploy
from tests.chaos.account import no_room

if TYPE_CHECKING:
    from tests.chaos.account import Besieged


class Trouble(StrEnum):
    """STUCK: others take what is free, so that a deployment waits. LATE: served long after.

    LATE_CAPACITY: given back, and not shown for longer than anybody waits. FROZEN: the process
    stands still while the clock goes on. JUMP: the clock on the wall is set.
    """

    REFUSED = "refused"
    STUCK = "stuck"
    LATE_CAPACITY = "late-capacity"
    DROP_BEFORE = "drop-before"
    DROP_REPLY = "drop-reply"
    LATE = "late"
    DUPLICATE = "duplicate"
    GARBAGE = "garbage"
    TOO_MANY = "429"
    SERVER_ERROR = "5xx"
    OUTAGE = "outage"
    GRAB = "grab"
    KILL = "kill"
    INTERRUPT = "interrupt"
    SECOND_APPLIER = "second-applier"
    STOLEN = "stolen"
    FROZEN = "frozen"
    JUMP = "jump"
    FOREIGN_EDIT = "foreign-edit"


CALLS: Final = (
    Trouble.REFUSED,
    Trouble.DROP_BEFORE,
    Trouble.DROP_REPLY,
    Trouble.LATE,
    Trouble.DUPLICATE,
    Trouble.GARBAGE,
    Trouble.TOO_MANY,
    Trouble.SERVER_ERROR,
)
MOMENTS: Final = (Trouble.KILL, Trouble.INTERRUPT, Trouble.FROZEN, Trouble.STOLEN)
ROOM: Final = (Trouble.GRAB, Trouble.STUCK)
"""Others are quicker, between a proof and the request that it was made for."""
EVENTS: Final = (
    Trouble.OUTAGE,
    Trouble.GRAB,
    Trouble.LATE_CAPACITY,
    Trouble.FOREIGN_EDIT,
    Trouble.JUMP,
)


class Killed(Exception):
    """The tool died here."""


@dataclass
class Weather:
    """`kinds`: what may happen in this schedule; none once it is over. `met`: what did."""

    random: Random
    kinds: frozenset[Trouble]
    met: Counter[Trouble] = field(default_factory=Counter)
    outage_until: float = 0.0
    wall_offset: float = 0.0

    def end(self) -> None:
        self.kinds = frozenset()
        self.outage_until = 0.0

    def strikes(self, kinds: tuple[Trouble, ...], chance: float) -> Trouble | None:
        """At most one of `kinds`, with that chance altogether."""
        if not self.kinds or self.random.random() >= chance:
            return None
        possible = [one for one in kinds if one in self.kinds]
        if not possible:
            return None
        chosen = self.random.choice(possible)
        self.met[chosen] += 1
        return chosen

    def is_out(self, now: float) -> bool:
        return now < self.outage_until

    def deliver(self, call: Call, account: Besieged) -> Done | Refused | Unanswered:
        if self.is_out(account.now):
            return self._in_outage(call, account)
        struck = self.strikes(CALLS, 0.25)
        if isinstance(call.task, Deploy):
            struck = self.strikes(ROOM, 0.5) or struck
        match struck:
            case Trouble.REFUSED | Trouble.TOO_MANY | Trouble.DROP_BEFORE:
                return self._undone(struck, call)
            case Trouble.DROP_REPLY | Trouble.GARBAGE | Trouble.SERVER_ERROR:
                if struck is not Trouble.SERVER_ERROR or self.random.random() < 0.5:
                    account.serve(call)
                return Unanswered(call.id, f"the answer does not read: {struck}")
            case Trouble.LATE:
                self.delay(call, account)
                return Unanswered(call.id, "no answer in time")
            case Trouble.DUPLICATE:
                return account.duplicate(call)
            case _:
                if struck in ROOM:
                    self._crowd(call, account, leaving=1 if struck is Trouble.STUCK else 0)
                return account.serve(call)

    def _undone(self, struck: Trouble, call: Call) -> Refused | Unanswered:
        """The service did nothing, and said so; or the request never arrived."""
        if struck is Trouble.DROP_BEFORE:
            return Unanswered(call.id, "the connection was reset")
        if struck is Trouble.REFUSED and isinstance(call.task, Deploy):
            return no_room(call)
        if struck is Trouble.REFUSED:
            failure = Failure(kind=FailureClass.OTHER, message="not today", status=400)
            return Refused(call.id, failure)
        pause = self.random.choice([None, 1.0, 30.0])
        busy = Failure(
            kind=FailureClass.TRANSIENT, message="slow down", status=429, retry_after_seconds=pause
        )
        return Refused(call.id, busy)

    def delay(self, call: Call, account: Besieged) -> None:
        """Of a creating call any time; of others within the window that the remote is given."""
        is_creating = isinstance(call.task, CreateFunction | CreateVersion)
        most = 2000.0 if is_creating else 50.0
        account.late.append((account.now + self.random.uniform(1.0, most), call))

    def fails_to_read(self, now: float) -> Failure | None:
        if self.is_out(now):
            return Failure(kind=FailureClass.UNREACHABLE, message="connection refused")
        struck = self.strikes((Trouble.SERVER_ERROR, Trouble.GARBAGE, Trouble.TOO_MANY), 0.03)
        if struck is None:
            return None
        return Failure(kind=FailureClass.TRANSIENT, message=f"a read failed: {struck}")

    def _in_outage(self, call: Call, account: Besieged) -> Refused | Unanswered:
        if self.random.random() < 0.7:
            unsent = Failure(kind=FailureClass.UNREACHABLE, message="connection refused")
            return Refused(call.id, unsent)
        if self.random.random() < 0.5:
            account.serve(call)
        return Unanswered(call.id, "the connection broke")

    def _crowd(self, call: Call, account: Besieged, *, leaving: int) -> None:
        """`leaving` one GPU: the deployment is taken, and then waits for the rest."""
        rows = call.task.specifications if isinstance(call.task, Deploy) else ()
        for one in rows[:1]:
            pool = next(p for p in account.capacity if p.cluster == one.clusters[0])
            account.seize(
                pool, account.now + self.random.choice([300.0, 2000.0, 4000.0]), leaving=leaving
            )
