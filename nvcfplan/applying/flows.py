"""The language of a step's course: what it may ask for, what it is told, how it can end.

A course is a generator: it yields one ask at a time and is sent what came of it, so that a step
never has two effects in flight. It knows no effect ids and starts nothing itself: the engine does.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.applying.effects import Observation, Query, Refused, Result, Seen, Unseen
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.journal import Record
from nvcfplan.model import FunctionId, LiveVersion, OperationId, VersionId
from nvcfplan.plans import Plan, Shortage, Task

if TYPE_CHECKING:
    from nvcfplan.applying.settings import ApplySettings

T = TypeVar("T")

Bound = tuple[FunctionId, VersionId | None]


@dataclass(frozen=True, slots=True)
class Write:
    """Told once it is durable."""

    record: Record


@dataclass(frozen=True, slots=True)
class Send:
    operation: OperationId
    task: Task
    bound: Bound | None


@dataclass(frozen=True, slots=True)
class Observe:
    """`may_stop` False: a request of ours is open, and only this look tells what became of it."""

    query: Query
    may_stop: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    reason: str


@dataclass(frozen=True, slots=True)
class Retrying:
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rest:
    seconds: float
    why: Waiting | Retrying
    may_stop: bool = True


Ask = Write | Send | Observe | Rest


@dataclass(frozen=True, slots=True)
class Told:
    result: Result
    now: float


@dataclass(frozen=True, slots=True)
class Succeeded:
    function: FunctionId | None = None
    version: VersionId | None = None
    is_adopted: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    failure: Failure


@dataclass(frozen=True, slots=True)
class Undecided:
    """A settling came to an end: the request had no effect, so the step may be begun again."""


@dataclass(frozen=True, slots=True)
class Dead:
    """What is waited for will not come up by itself: it has to be cleared away and done again."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a blocked run lacks."""

    missing: tuple[Shortage, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of a rung, proved from what is there now."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Unplanned:
    """There is no plan for a rung, or there was none as long as it could be waited for."""

    reason: str


Ended = Succeeded | Failed | Undecided | Dead | Reckoned | Planned | Unplanned

Flow = Generator[Ask, Told, T]


@dataclass(frozen=True, slots=True)
class Sight:
    found: Observation
    now: float


@dataclass(frozen=True, slots=True)
class Blind:
    """Reads failed without a break for longer than the settings allow."""

    failure: Failure
    now: float


def look(query: Query, settings: ApplySettings, *, may_stop: bool = True) -> Flow[Sight | Blind]:
    """Repeats a read that fails, with growing pauses, up to the limit for such a failure."""
    told = yield Observe(query, may_stop)
    begun, pause = told.now, settings.first_poll
    while isinstance(told.result, Unseen | Refused):
        failure = told.result.failure
        is_denied = failure.kind == FailureClass.AUTHORIZATION
        limit = settings.denied_limit if is_denied else settings.blind_limit
        if told.now - begun >= limit:
            return Blind(failure, told.now)
        reason = f"the account cannot be read: {failure.message}"
        yield Rest(max(pause, failure.retry_after_seconds or 0.0), Waiting(reason), may_stop)
        pause = min(pause * 2, settings.longest_poll)
        told = yield Observe(query, may_stop)
    assert isinstance(told.result, Seen), told.result
    return Sight(told.result.found, told.now)


def version_in(found: Observation) -> LiveVersion | None:
    """What a `ReadVersion` saw; None: the version is gone."""
    if found is None:
        return None
    assert isinstance(found, tuple), found
    return found[0] if found else None
