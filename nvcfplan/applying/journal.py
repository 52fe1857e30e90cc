"""What a run writes down: intents before bytes leave, outcomes straight after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nvcfplan.applying.effects import Done, Refused, Unanswered
from nvcfplan.model import Digest, Json, OperationId, RunId, StepId


class RunOutcome(StrEnum):
    """One word per exit code of apply. INCOMPLETE and INTERRUPTED leave the run open."""

    APPLIED = "applied"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"
    INCOMPLETE = "incomplete"
    NO_CAPACITY = "no-capacity"
    INTERRUPTED = "interrupted"

    @property
    def is_open(self) -> bool:
        return self in (RunOutcome.INCOMPLETE, RunOutcome.INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """`actor` is `user@host`; `commit` that of the stack's repository; `link` the CI job's page.

    Empty: not known. When each record was written stands in its envelope.
    """

    run: RunId
    plan: Digest
    lineage: str
    serial: int
    epoch: int
    tool_version: str
    actor: str = ""
    commit: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRung:
    """A rung, by its number from 1, of the ladder of the function with this key."""

    function: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTaken:
    """The first plan, a rollback's, a repair's, or a rung's. `document`: the plan as saved."""

    plan: Digest
    document: bytes
    why: str
    rung: OnRung | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    step: StepId
    attempt: int
    operation: OperationId
    request: Digest
    before: Json | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    step: StepId
    attempt: int
    result: Done | Refused | Unanswered
    is_adopted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    outcome: RunOutcome
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGone:
    """What a step waits to be released has left the account; the release lag runs from then.

    `monotonic`: when, on the clock of the process that saw it. The time of day is in the envelope.
    """

    step: StepId
    monotonic: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RungAwaited:
    """From now on, by the envelope, a rung is waited for."""

    rung: OnRung


Record = RunStarted | PlanTaken | Intent | Outcome | RowGone | RungAwaited | RunEnded
Mark = RowGone | RungAwaited
"""Says since when something is waited for: who goes on without it waits longer than it need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who wrote a record down, when, and under which lease: in its envelope, not in itself.

    A run that was resumed has records of more than one epoch.
    """

    at: datetime
    by: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """`stamp` None: the writer had none to give."""

    record: Record
    stamp: Stamp | None
