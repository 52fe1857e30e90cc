"""What the machine asks its shell for, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nvcfplan.applying.failures import Failure
from nvcfplan.model import (
    Account,
    Address,
    EffectId,
    FunctionId,
    LiveDeployment,
    LiveFunction,
    LiveSharing,
    LiveVersion,
    OperationId,
    ResourceId,
    Stack,
    StepId,
    VersionId,
)
from nvcfplan.plans import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.journal import Record, RunOutcome  # noqa: TC004 - a cycle at run time


@dataclass(frozen=True, slots=True)
class Append:
    """Durable before `Appended` is fed; no `Call` without its intent appended."""

    id: EffectId
    record: Record


@dataclass(frozen=True, slots=True)
class Call:
    """`bound`: the ids of the version the task names, None while they do not exist.

    For `CreateVersion` the version id is that of no version yet: only the function id counts.
    """

    id: EffectId
    step: StepId
    operation: OperationId
    task: Task
    bound: tuple[FunctionId, VersionId | None] | None


@dataclass(frozen=True, slots=True)
class FindOperation:
    operation: OperationId


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """Answered by `(LiveVersion,)` with its deployment (None: no row), or by None: 404."""

    function: FunctionId
    version: VersionId
    with_instances: bool


@dataclass(frozen=True, slots=True)
class ReadSharing:
    """Answered by `LiveSharing`, or by None: there is no such list."""

    function: FunctionId


@dataclass(frozen=True, slots=True)
class ReadAccount:
    resources: tuple[ResourceId, ...]


@dataclass(frozen=True, slots=True)
class ReadEverything:
    """All that a plan of these functions of the stack rests on; answered by a `Survey`.

    `given_up`: versions that this run deployed and waits for no more: they count as failed.
    """

    stack: Stack
    only: frozenset[Address]
    given_up: frozenset[VersionId]


@dataclass(frozen=True, slots=True)
class Survey:
    account: Account
    functions: tuple[LiveFunction, ...]


Query = FindOperation | ReadVersion | ReadSharing | ReadAccount | ReadEverything
Observation = tuple[LiveVersion, ...] | LiveDeployment | LiveSharing | Account | Survey | None


@dataclass(frozen=True, slots=True)
class Look:
    """Reads only; may be repeated by anybody."""

    id: EffectId
    query: Query


@dataclass(frozen=True, slots=True)
class Pause:
    id: EffectId
    until: float


Effect = Append | Call | Look | Pause


@dataclass(frozen=True, slots=True)
class Appended:
    effect: EffectId


@dataclass(frozen=True, slots=True)
class Done:
    effect: EffectId
    function: FunctionId | None
    version: VersionId | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The service said no, or it was never sent: nothing changed."""

    effect: EffectId
    failure: Failure


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Sent, outcome unknown: settled by a look, never sent again blindly."""

    effect: EffectId
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    effect: EffectId
    found: Observation


@dataclass(frozen=True, slots=True)
class Unseen:
    """A read failed."""

    effect: EffectId
    failure: Failure


@dataclass(frozen=True, slots=True)
class Woke:
    effect: EffectId


@dataclass(frozen=True, slots=True)
class Interrupted:
    times: int


@dataclass(frozen=True, slots=True)
class LeaseLost:
    holder: str


Result = (
    Appended | Done | Refused | Unanswered | Seen | Unseen | Woke | Interrupted | LeaseLost
)  # fmt: skip


class Machine(Protocol):
    """Pure and deterministic: the same start and results ask for the same effects, to the byte.

    Built from a plan (`start`) or from a plan and a journal cut anywhere (`resume`). Never two
    effects of one step in flight.
    """

    def begin(self, now: float) -> Sequence[Effect]: ...

    def feed(self, result: Result, now: float) -> Sequence[Effect]: ...

    def outcome(self) -> RunOutcome | None: ...
