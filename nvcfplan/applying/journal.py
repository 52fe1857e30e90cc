"""What a run writes down: intents before bytes leave, outcomes straight after."""

from __future__ import annotations

from dataclasses import dataclass
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
    run: RunId
    plan: Digest
    lineage: str
    serial: int
    epoch: int
    tool_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTaken:
    """The first plan and the rollback's (later: each rung's). `document`: the plan as saved."""

    plan: Digest
    document: bytes
    why: str


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


Record = RunStarted | PlanTaken | Intent | Outcome | RunEnded
