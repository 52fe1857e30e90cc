"""What a run is given by value: its limits, its identity, and how plans become bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from nvcfplan.applying.journal import OnRung
from nvcfplan.model import RunId, StepId

if TYPE_CHECKING:
    from nvcfplan.model import Digest
    from nvcfplan.plans import Plan


class OnFailure(StrEnum):
    """What is undone after a failure: its component, the whole run, or nothing."""

    COMPONENT = "component"
    ALL = "all"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySettings:
    """Seconds unless it says otherwise.

    `suspicion`: no instance for so long while deploying means that capacity is suspected.
    `stall`: the same, where some run, the missing ones do not even start, and nothing changes.
    `looks_per_second`: no more than so many by all that waits together, once they are many.
    `quiet_window`: so long after its sending may a request still show up.
    `release_lag`: so long after the row is gone may freed GPUs be read as taken.
    `release_bound`: so long is a refusal for capacity retried where the units are our own.
    `interrupt_grace`: real seconds that calls in flight are given after the first interrupt.
    `blind_limit`: so long may reads fail without a break; `denied_limit`: where it is the key that
    is not accepted. A key does not become good by waiting, but a gateway may reload its list.
    Source for the times: nvcf-api.md 5 and 8, reliability.md B1.
    """

    parallelism: int = 10
    active_limit: float = 7800
    suspicion: float = 1800
    stall: float = 2700
    quiet_window: float = 60
    first_poll: float = 5
    longest_poll: float = 60
    looks_per_second: float = 5
    release_lag: float = 360
    release_bound: float = 900
    blind_limit: float = 900
    denied_limit: float = 30
    most_attempts: int = 5
    interrupt_grace: float = 5
    on_failure: OnFailure = OnFailure.COMPONENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Seconds that had passed already when this part of the run was begun.

    `gone`: by step, since what it waits to be released had left the account. `awaited`: by rung,
    since it was first waited for.
    """

    gone: tuple[tuple[StepId, float], ...] = ()
    awaited: tuple[tuple[OnRung, float], ...] = ()


NO_TIME: Final = Elapsed()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """`serial`: the state's when this part of the run began; `epoch`: the lease's.

    `at`: the time of day then, by which what failed is kept. `actor`, `commit`, `link`: as in
    `RunStarted`.
    """

    run: RunId
    lineage: str
    serial: int
    epoch: int
    tool_version: str
    at: datetime
    actor: str = ""
    commit: str = ""
    link: str = ""
    elapsed: Elapsed = NO_TIME


class PlanCodec(Protocol):
    """Bytes of a plan as saved; the documents' own, handed in because they live above."""

    def encode(self, plan: Plan) -> bytes: ...

    def decode(self, document: bytes) -> Plan: ...

    def digest(self, plan: Plan) -> Digest: ...
