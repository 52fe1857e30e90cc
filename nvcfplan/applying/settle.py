"""A request was sent and its answer lost: did it have an effect? The account is asked.

The table is reliability.md B1: each call has a key of its own by which it is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan.applying.comparing import Compared, Trace, in_words, trace_of
from nvcfplan.applying.effects import FindOperation
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.flows import Blind, Flow, Rest, Waiting, look, version_in
from nvcfplan.applying.readiness import is_released
from nvcfplan.model import FunctionId, LiveVersion, Status, VersionId
from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Probe,
    SetAuthorizations,
    SetSecrets,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
)

if TYPE_CHECKING:
    from nvcfplan.applying.briefs import Brief
    from nvcfplan.applying.effects import Observation, Query
    from nvcfplan.model import OperationId
    from nvcfplan.plans import Task


@dataclass(frozen=True, slots=True)
class Happened:
    function: FunctionId | None
    version: VersionId | None


@dataclass(frozen=True, slots=True)
class Absent:
    """No effect within the quiet window; a new attempt has an operation id of its own."""


@dataclass(frozen=True, slots=True)
class Repeatable:
    """It cannot be told and need not be: sending the same again ends in the same."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Somebody else changed it meanwhile: sending again would take that away."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Unclear:
    failure: Failure


Settled = Happened | Absent | Repeatable | Foreign | Unclear


_LATE: Final = "the answer was lost: giving the request time to arrive"


def settle(brief: Brief, operation: OperationId) -> Flow[Settled]:
    """Takes the quiet window unless it is found before: what arrives late must not undo an undo."""
    match brief.step.task:
        case CreateFunction() | CreateVersion():
            return (yield from _search(brief, operation))
        case SetAuthorizations():
            return (yield from _watch(brief, brief.read_sharing()))
        case (
            Deploy()
            | Undeploy()
            | DeleteVersion()
            | UpdateDeployment()
            | UpdateMetadata()
            | SetSecrets()
        ):
            return (yield from _watch(brief, brief.read()))
        case AwaitActive() | AwaitReleased() | Probe():
            raise AssertionError(f"{brief.step.id} sends nothing")
        case _:
            assert_never(brief.step.task)


def is_in_effect(task: Task, version: LiveVersion | None) -> bool:
    """As far as the version's own state tells: what the task asks for is so. False: unknown."""
    match task:
        case Deploy():
            return _has_live_row(version)
        case Undeploy(graceful=True):
            return not _has_live_row(version)
        case Undeploy():
            return is_released(version)
        case DeleteVersion():
            return version is None
        case _:
            return False


def _has_live_row(version: LiveVersion | None) -> bool:
    """ERROR counts: the request had its effect. A row that only drains does not."""
    row = None if version is None else version.deployment
    return row is not None and row.status is not Status.INACTIVE


def _watch(brief: Brief, query: Query) -> Flow[Settled]:
    """Looks with growing pauses until it is so, or the window has passed."""
    window = brief.settings.quiet_window
    sight = yield from look(query, brief.settings, may_stop=False)
    begun, pause = sight.now, 1.0
    while not isinstance(sight, Blind):
        trace = _trace(brief, sight.found)
        if trace is Trace.ASKED:
            return Happened(None, None)
        if sight.now - begun >= window:
            return _judged(brief, trace, sight.found)
        rest = min(pause, begun + window - sight.now)
        yield Rest(rest, Waiting(_LATE), False)
        pause *= 2
        sight = yield from look(query, brief.settings, may_stop=False)
    return Unclear(sight.failure)


def _trace(brief: Brief, found: Observation) -> Trace:
    task = brief.step.task
    if isinstance(task, Compared):
        return trace_of(brief.step, task, found, brief.before)
    return Trace.ASKED if is_in_effect(task, version_in(found)) else Trace.BEFORE


def _judged(brief: Brief, trace: Trace, found: Observation) -> Settled:
    """After the window. An undo has one way only: what others deployed meanwhile is in its place,
    anything else is put back as it was.
    """
    task = brief.step.task
    match trace:
        case Trace.ASKED:
            return Happened(None, None)
        case Trace.BEFORE:
            return Absent()
        case Trace.UNTOLD:
            return Repeatable()
        case Trace.FOREIGN if brief.is_looked_first:
            return Happened(None, None) if isinstance(task, Deploy) else Repeatable()
        case Trace.FOREIGN:
            assert isinstance(task, Compared), brief.step.id
            return Foreign(
                Failure(
                    kind=FailureClass.FOREIGN,
                    message="no answer, and what is there now is neither what was asked for nor"
                    f" what was there before: {in_words(task, found)}",
                )
            )


def _search(brief: Brief, operation: OperationId) -> Flow[Settled]:
    """By the operation's tag, over all own functions, with growing pauses up to the window.

    Of several, which a network that delivers twice makes, one is ours; the next plan deletes the
    others.
    """
    query, window, pause = FindOperation(operation), brief.settings.quiet_window, 1.0
    sight = yield from look(query, brief.settings, may_stop=False)
    begun = sight.now
    while not isinstance(sight, Blind):
        found = sight.found or ()
        assert isinstance(found, tuple), found
        if found:
            first = min(found, key=_by_age)
            return Happened(first.function_id, first.version_id)
        if sight.now - begun >= window:
            return Absent()
        rest = min(pause, begun + window - sight.now)
        yield Rest(rest, Waiting(_LATE), False)
        pause *= 2
        sight = yield from look(query, brief.settings, may_stop=False)
    return Unclear(sight.failure)


def _by_age(version: LiveVersion) -> tuple[str, str, str]:
    created = version.created_at.isoformat() if version.created_at else ""
    return created, version.function_id, version.version_id
