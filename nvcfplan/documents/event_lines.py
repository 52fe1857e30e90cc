"""What each line of a run's event stream holds besides what all lines have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nvcfplan.applying import RungName, RunOutcome
from nvcfplan.model import Address, RunId, StepId
from nvcfplan.plans import Shortage


@dataclass(frozen=True, slots=True, kw_only=True)
class StepName:
    """`version` as in `function.chat@new`; None for a step that is of no version."""

    id: StepId
    address: Address
    action: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLine:
    kind: str
    message: str
    remedy: str | None
    status: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseLine:
    step: StepName
    failure: FailureLine


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedLine:
    step: StepId | None
    failure: FailureLine
    missing: tuple[Shortage, ...]
    remaining: tuple[StepId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    ui: str
    nvcfplan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """Something that is worth a line, and is no step's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    run: RunId
    is_resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStart:
    step: StepName
    expected_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress:
    step: StepName
    reason: str
    elapsed_seconds: float
    left_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetry:
    step: StepName
    attempt: int
    reason: str
    pause_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepComplete:
    step: StepName
    elapsed_seconds: float
    is_adopted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepErrored:
    step: StepName
    elapsed_seconds: float
    failure: FailureLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackStart:
    cause: CauseLine | None
    steps: tuple[StepId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairStart:
    step: StepId
    steps: tuple[StepId, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RungStart:
    rung: RungName
    cause: CauseLine
    steps: tuple[StepId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRefusal:
    rung: RungName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RungProgress:
    rung: RungName
    reason: str
    left_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStop:
    reason: str
    in_flight: tuple[StepId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComplete:
    outcome: RunOutcome
    causes: tuple[CauseLine, ...]
    blocked: BlockedLine | None
    satisfied: tuple[RungName, ...]


RunLine = (
    RunStart | StepStart | StepProgress | StepRetry | StepComplete | StepErrored | RollbackStart
    | RepairStart | RungStart | RungRefusal | RungProgress | RunStop | RunComplete
)  # fmt: skip
Line = VersionLine | LogLine | RunLine

TYPES: Final[dict[type[Line], str]] = {
    VersionLine: "version",
    LogLine: "log",
    RunStart: "run_start",
    StepStart: "step_start",
    StepProgress: "step_progress",
    StepRetry: "step_retry",
    StepComplete: "step_complete",
    StepErrored: "step_errored",
    RollbackStart: "rollback_start",
    RepairStart: "repair_start",
    RungStart: "rung_start",
    RungRefusal: "rung_refused",
    RungProgress: "rung_progress",
    RunStop: "run_stopping",
    RunComplete: "run_complete",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far the run is. `left_seconds` None: nobody knows, for something is being undone."""

    at_seconds: float
    done: int
    total: int
    undone: int
    in_flight: int
    left_seconds: float | None
