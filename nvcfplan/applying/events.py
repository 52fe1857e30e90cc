"""What a run tells its listener while it goes on: data only, drawn elsewhere.

Every event carries `at`: seconds since the run (or its resumption) began, on the run's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvcfplan.applying.failures import Failure
from nvcfplan.applying.journal import RunOutcome
from nvcfplan.model import Address, RunId, StepId
from nvcfplan.plans import Shortage, Step, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The first failure of a component, before anything is undone."""

    step: StepId
    address: Address
    task: Task
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Where a run stopped that can neither go on nor back by itself.

    `step` None: the run as a whole (its lease was lost). `missing`: the units that the step needs
    beyond what can be read as free; empty when it is not capacity, or capacity cannot be read.
    `remaining`: what is still to be done, `step` included, in plan order.
    """

    step: StepId | None
    failure: Failure
    missing: tuple[Shortage, ...]
    remaining: tuple[StepId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBegan:
    """`planned`: all of the plan, in its order; `done`: those an earlier part of the run ended."""

    at: float
    run: RunId
    planned: tuple[Step, ...]
    done: tuple[StepId, ...]
    is_resumed: bool

    @property
    def steps(self) -> tuple[StepId, ...]:
        return tuple(step.id for step in self.planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    at: float
    step: StepId
    address: Address
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWaiting:
    """`reason`: what was seen last, such as `DEPLOYING, 1 of 2 instances running`."""

    at: float
    step: StepId
    address: Address
    task: Task
    reason: str
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetried:
    """Will be sent again after `pause_seconds`, as attempt number `attempt`."""

    at: float
    step: StepId
    address: Address
    task: Task
    attempt: int
    reason: str
    pause_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSucceeded:
    """`is_adopted`: it was found done; the answer had been lost, or nothing had to be sent."""

    at: float
    step: StepId
    address: Address
    task: Task
    elapsed_seconds: float
    is_adopted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    at: float
    step: StepId
    address: Address
    task: Task
    elapsed_seconds: float
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackBegan:
    """Told before the first undo is sent. `cause` None: it was asked for."""

    at: float
    cause: Cause | None
    steps: tuple[StepId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairBegan:
    """A wait that came to nothing is made worth beginning again by `steps`."""

    at: float
    step: StepId
    steps: tuple[StepId, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RungName:
    """`number` of `total`, counted from 1. `words`: `fallback 1 of 2`, among those of its kind."""

    address: Address
    number: int
    total: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RungTaken:
    """Told before the first step of its plan is begun. `cause`: why the ladder is climbed."""

    at: float
    rung: RungName
    cause: Cause
    planned: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRefused:
    """Nothing was done: there is no plan for it, as `reason` says."""

    at: float
    rung: RungName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RungWaiting:
    """There is no room yet; `left_seconds` until the rung is given up."""

    at: float
    rung: RungName
    reason: str
    left_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStopping:
    """Nothing new is started; `in_flight` calls may still be answered."""

    at: float
    reason: str
    in_flight: tuple[StepId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """`causes`: of what failed for good. `satisfied`: rungs on which functions stand now."""

    at: float
    outcome: RunOutcome
    causes: tuple[Cause, ...]
    blocked: Blocked | None
    satisfied: tuple[RungName, ...] = ()


Event = (
    RunBegan
    | StepStarted
    | StepWaiting
    | StepRetried
    | StepSucceeded
    | StepFailed
    | RollbackBegan
    | RepairBegan
    | RungTaken
    | RungRefused
    | RungWaiting
    | RunStopping
    | RunFinished
)
