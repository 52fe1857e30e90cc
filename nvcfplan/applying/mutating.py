"""A step that changes something: intent, call, outcome; again after a refusal or a lost answer.

An attempt is repeated only when it is known to have had no effect, or when repeating is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying.briefs import UNSENT
from nvcfplan.applying.comparing import is_as_asked
from nvcfplan.applying.effects import Appended, Done, Refused, Unanswered
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.flows import (
    Blind,
    Ended,
    Failed,
    Flow,
    Rest,
    Retrying,
    Send,
    Succeeded,
    Undecided,
    Write,
    look,
    version_in,
)
from nvcfplan.applying.settle import (
    Absent,
    Foreign,
    Happened,
    Repeatable,
    Unclear,
    is_in_effect,
    settle,
)
from nvcfplan.model import LiveVersion, Status
from nvcfplan.plans import (
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    SetAuthorizations,
    SetSecrets,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
)

if TYPE_CHECKING:
    from nvcfplan.applying.briefs import Brief
    from nvcfplan.applying.journal import Intent
    from nvcfplan.plans import Task

_PERHAPS_DONE = (FailureClass.NOT_FOUND, FailureClass.ALREADY_DEPLOYED)
"""Refusals that a request delivered twice meets the second time."""
_LONGEST_PAUSE = 60.0
_LONGEST_RETRY_AFTER = 300.0
_FIRST_CAPACITY_PAUSE = 15.0


@dataclass(frozen=True, slots=True)
class _Again:
    """No effect, or a harmless one: whether it is sent again is a matter of the budget."""

    failure: Failure
    now: float
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class _Budget:
    """Counts in this part of the run only: whoever resumes gives it another chance."""

    sent: int = 0
    refused_since: float | None = None
    was_unknown: bool = False

    def after(self, again: _Again) -> _Budget:
        return replace(
            self,
            sent=self.sent + 1,
            refused_since=again.now if self.refused_since is None else self.refused_since,
            was_unknown=self.was_unknown or again.is_unknown,
        )

    def pause(self, brief: Brief, again: _Again) -> float | None:
        """Seconds until the next attempt; None: there is none."""
        kind, settings = again.failure.kind, brief.settings
        if kind == FailureClass.CAPACITY and brief.is_self_funded:
            since = again.now if self.refused_since is None else self.refused_since
            left = since + settings.release_bound - again.now
            pause = min(_FIRST_CAPACITY_PAUSE * 2 ** (self.sent - 1), _LONGEST_PAUSE, left)
            return pause if left > 0 else None
        if kind not in (FailureClass.TRANSIENT, FailureClass.UNREACHABLE):
            return None
        if self.sent >= settings.most_attempts:
            return None
        asked = again.failure.retry_after_seconds
        if asked is not None:
            return min(max(asked, 0.0), _LONGEST_RETRY_AFTER)
        return min(2.0 ** (self.sent - 1), _LONGEST_PAUSE)


def mutate(brief: Brief) -> Flow[Ended]:
    """Until it is done, or fails for good."""
    attempt, budget = brief.attempts, _Budget(was_unknown=brief.was_unknown)
    if brief.open is not None:
        ended = yield from settle_open(brief, brief.open)
        if not isinstance(ended, Undecided):
            return ended
        budget = replace(budget, was_unknown=True)
    while True:
        found = yield from _found(brief, attempt)
        if found is not None:
            return found
        attempt += 1
        came = yield from _attempt(brief, attempt, budget.was_unknown)
        if not isinstance(came, _Again):
            return came
        budget = budget.after(came)
        pause = budget.pause(brief, came)
        if pause is None:
            return Failed(_given_up(came, budget.sent))
        yield Rest(pause, Retrying(attempt + 1, came.failure.message))


def settle_open(brief: Brief, intent: Intent) -> Flow[Ended]:
    """What became of an intent without an outcome. `Undecided`: it may be begun again."""
    if not brief.is_open_noted:
        yield brief.note(intent.attempt, Unanswered(UNSENT, "the run ended before the answer came"))
    return (yield from _settled(brief, intent))


def _settled(brief: Brief, intent: Intent) -> Flow[Ended]:
    settled = yield from settle(brief, intent.operation)
    match settled:
        case Happened(function=function, version=version):
            done = Done(UNSENT, function, version)
            yield brief.note(intent.attempt, done, is_adopted=True)
            return Succeeded(function, version, is_adopted=True)
        case Absent():
            absent = Failure(
                kind=FailureClass.TRANSIENT,
                message=f"no answer, and no trace of operation {intent.operation} in the account",
            )
            yield brief.note(intent.attempt, Refused(UNSENT, absent))
            return Undecided()
        case Repeatable():
            return Undecided()
        case Foreign(failure=failure):
            yield brief.note(intent.attempt, Refused(UNSENT, failure))
            return Failed(failure)
        case Unclear(failure=failure):
            return Failed(failure)
        case _:
            assert_never(settled)


def _attempt(brief: Brief, attempt: int, was_unknown: bool) -> Flow[Ended | _Again]:
    """The intent is durable before the call, the outcome straight after it."""
    intent = brief.intent(attempt)
    told = yield Write(intent)
    assert isinstance(told.result, Appended), told.result
    told = yield Send(intent.operation, brief.step.task, brief.bound)
    result = told.result
    assert isinstance(result, Done | Refused | Unanswered), result
    told = yield brief.note(attempt, result)
    match result:
        case Done(function=function, version=version):
            return Succeeded(function, version)
        case Refused(failure=failure):
            if was_unknown or failure.kind in _PERHAPS_DONE:
                adopted = yield from _adopted(brief, attempt)
                if adopted is not None:
                    return adopted
            return _Again(failure, told.now)
        case Unanswered(why=why):
            ended = yield from _settled(brief, intent)
            if isinstance(ended, Undecided):
                lost = Failure(kind=FailureClass.TRANSIENT, message=f"no answer: {why}")
                return _Again(lost, told.now, is_unknown=True)
            return ended
        case _:
            assert_never(result)


def _adopted(brief: Brief, attempt: int) -> Flow[Succeeded | None]:
    """Refused, but perhaps because an earlier request of ours did its work after all.

    Or, of an undo, because somebody removed meanwhile what it would put back: it is moot then, for
    otherwise the run could never end.
    """
    task = brief.step.task
    if isinstance(task, CreateFunction | CreateVersion | SetAuthorizations):
        return None
    sight = yield from look(brief.read(), brief.settings, may_stop=False)
    if isinstance(sight, Blind):
        return None
    version = version_in(sight.found)
    is_done = is_in_effect(task, version)
    if isinstance(task, Deploy):
        is_done = is_done and is_as_asked(task, None if version is None else version.deployment)
    if not is_done and not (brief.is_looked_first and _is_moot(task, version)):
        return None
    yield brief.note(attempt, Done(UNSENT, None, None), is_adopted=True)
    return Succeeded(is_adopted=True)


def _is_moot(task: Task, version: LiveVersion | None) -> bool:
    """There is nothing any more that the request could change."""
    if isinstance(task, UpdateMetadata | SetSecrets):
        return version is None
    if not isinstance(task, UpdateDeployment):
        return False
    row = None if version is None else version.deployment
    meant = (task.before.gpu.lower(), task.before.instance_type.lower())
    there = () if row is None else (one.specification for one in row.specifications)
    return meant not in {(one.gpu.lower(), one.instance_type.lower()) for one in there}


def _found(brief: Brief, attempt: int) -> Flow[Ended | None]:
    """The look before: done already, or not to be done at all. None: send it.

    A version is always looked at before it is deleted, because the service would undeploy it by
    force and not say so. Source: nvcf-api.md 4.4.
    """
    task = brief.step.task
    is_deletion = isinstance(task, DeleteVersion)
    if not is_deletion and not (brief.is_looked_first and isinstance(task, Deploy | Undeploy)):
        return None
    sight = yield from look(brief.read(), brief.settings)
    if isinstance(sight, Blind):
        return Failed(sight.failure)
    version = version_in(sight.found)
    if is_deletion and version is not None and _is_deployed(version):
        return Failed(_still_deployed(version))
    if not is_in_effect(task, version) or (isinstance(task, Deploy) and _is_in_error(version)):
        return None
    yield brief.note(attempt, Done(UNSENT, None, None), is_adopted=True)
    return Succeeded(is_adopted=True)


def _is_deployed(version: LiveVersion) -> bool:
    return version.deployment is not None or version.is_deployed


def _is_in_error(version: LiveVersion | None) -> bool:
    row = None if version is None else version.deployment
    return row is not None and row.status is Status.ERROR


def _still_deployed(version: LiveVersion) -> Failure:
    status = version.deployment.status if version.deployment else version.status
    return Failure(
        kind=FailureClass.OTHER,
        message=f"version {version.version_id} is deployed ({status}), though this run did not"
        " leave it so; deleting it would undeploy it by force",
    )


def _given_up(again: _Again, sent: int) -> Failure:
    if not again.is_unknown:
        return again.failure
    message = f"given up after {sent} attempts: {again.failure.message}"
    return replace(again.failure, kind=FailureClass.OTHER, message=message)
