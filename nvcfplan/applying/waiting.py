"""Steps that only look: until a version serves, until its GPUs are given back, until there is room.

Everything here may be begun again by anybody: a wait leaves no trace but its outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying.briefs import UNSENT
from nvcfplan.applying.effects import Done, ReadAccount, Refused, Seen
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.flows import (
    Blind,
    Dead,
    Ended,
    Failed,
    Flow,
    Observe,
    Planned,
    Reckoned,
    Rest,
    Succeeded,
    Undecided,
    Unplanned,
    Waiting,
    Write,
    look,
    version_in,
)
from nvcfplan.applying.journal import RowGone
from nvcfplan.applying.readiness import (
    Absent,
    Broken,
    Coming,
    Ready,
    available,
    claimed,
    is_released,
    is_within_maximum,
    readiness,
)
from nvcfplan.model import Account, OnDrainTimeout, Status
from nvcfplan.plans import AwaitActive, AwaitReleased, Probe

if TYPE_CHECKING:
    from nvcfplan.applying.briefs import Brief
    from nvcfplan.applying.readiness import Readiness
    from nvcfplan.applying.settings import ApplySettings
    from nvcfplan.model import LiveVersion, ResourceId

Free = dict["ResourceId", int]

_TICKS_SECONDS = 180
"""Three looks of the service at its deployments. Source: nvcf-api.md 5."""


def wait(brief: Brief) -> Flow[Ended]:
    """Ends with its outcome in the journal; `Dead`: without one, for a repair comes first."""
    match brief.step.task:
        case AwaitActive():
            ended = yield from _until_active(brief)
        case AwaitReleased():
            ended = yield from _until_released(brief)
        case Probe():
            ended = yield from _until_room(brief)
        case _:
            raise AssertionError(f"{brief.step.id} is not a wait")
    match ended:
        case Succeeded():
            yield brief.note(1, Done(UNSENT, None, None))
        case Failed(failure=failure):
            yield brief.note(1, Refused(UNSENT, failure))
        case Dead():
            pass
        case Undecided() | Reckoned() | Planned() | Unplanned():
            raise AssertionError(f"{brief.step.id} ended as {ended}")
        case _:
            assert_never(ended)
    return ended


def revive(brief: Brief) -> Flow[Ended]:
    """A wait that failed when the run stopped. `Dead`: it will not end by itself."""
    sight = yield from look(brief.read(), brief.settings)
    if isinstance(sight, Blind):
        return Failed(sight.failure)
    match readiness(version_in(sight.found)):
        case Broken(failure=failure):
            return Dead(failure)
        case Absent(reason=reason) if not brief.may_be_gone:
            return Dead(Failure(kind=FailureClass.OTHER, message=reason))
        case Ready() | Coming() | Absent():
            return (yield from wait(brief))


def _until_active(brief: Brief) -> Flow[Ended]:
    settings, absent_since = brief.settings, None
    unseen, standstill = _Unseen(), _Standstill()
    while True:
        sight = yield from look(brief.read(), settings)
        if isinstance(sight, Blind):
            return Failed(sight.failure)
        elapsed, is_short = sight.now - brief.began, False
        found = unseen.judged(readiness(version_in(sight.found)), sight.now)
        match found:
            case Ready():
                return Succeeded()
            case Broken(failure=failure):
                return Failed(failure)
            case Absent(reason=reason):
                absent_since = sight.now if absent_since is None else absent_since
                if sight.now - absent_since >= settings.quiet_window:
                    return Succeeded() if brief.may_be_gone else Failed(_removed(reason))
            case Coming(reason=reason, is_short=is_short):
                absent_since = None
                doubt = _doubt(found, elapsed, standstill.seconds(reason, sight.now), settings)
                if doubt is not None:
                    return Failed(doubt)
            case _:
                assert_never(found)
        if elapsed >= (brief.step.limit_seconds or settings.active_limit):
            overdue = _overdue(brief, reason, elapsed)
            return Failed(_without_word(overdue) if is_short else overdue)
        yield Rest(brief.poll_seconds(elapsed), Waiting(reason))


@dataclass(slots=True)
class _Unseen:
    """Whether a version serves of which no instance shows: the key may not be let see them.

    ACTIVE after DEPLOYING says that every minimum was met. Elsewhere the service takes back that
    word at a tick where nothing runs, unless a minimum of 0 allows it. Source: nvcf-api.md 5.
    """

    was_deploying: bool = False
    since: float | None = None

    def judged(self, found: Readiness, now: float) -> Readiness:
        if not isinstance(found, Coming) or not found.is_unseen:
            is_deploying = isinstance(found, Coming) and found.is_deploying
            self.was_deploying, self.since = self.was_deploying or is_deploying, None
            return found
        self.since = now if self.since is None else self.since
        lasts = now - self.since >= _TICKS_SECONDS and not found.may_idle
        return Ready() if self.was_deploying or lasts else found


def _doubt(found: Coming, elapsed: float, stood: float, settings: ApplySettings) -> Failure | None:
    """Whether a lack of capacity has to be suspected, of which the service says nothing."""
    if found.is_empty and elapsed >= settings.suspicion:
        return _suspected(found.reason, elapsed)
    if found.is_short and stood >= settings.stall:
        return _stalled(found.reason, stood)
    return None


@dataclass(slots=True)
class _Standstill:
    """Since when the same is seen."""

    reason: str = ""
    since: float = 0.0

    def seconds(self, reason: str, now: float) -> float:
        if reason != self.reason:
            self.reason, self.since = reason, now
        return now - self.since


def _until_released(brief: Brief) -> Flow[Ended]:
    """First the row goes (or shrinks), then the account shows it, or the lag has passed.

    Source: nvcf-api.md 5, "Is freed capacity available at once? No".
    """
    before, since = yield from _free(brief)
    gone_at = brief.gone_at
    while True:
        sight = yield from look(brief.read(), brief.settings)
        if isinstance(sight, Blind):
            return Failed(sight.failure)
        version, elapsed = version_in(sight.found), sight.now - brief.began
        if is_within_maximum(version) if brief.shrinks else is_released(version):
            break
        gone_at = None
        ended = _not_going(brief, version, elapsed)
        if ended is not None:
            return ended
        reason = "above its maximum" if brief.shrinks else _row_in_words(version)
        yield Rest(brief.poll_seconds(elapsed), Waiting(reason))
    if not brief.charges:
        return Succeeded()
    if gone_at is None:
        gone_at = sight.now
        yield Write(RowGone(step=brief.step.id, monotonic=gone_at))
    return (yield from _until_shown(brief, before, since, gone_at=gone_at))


def _until_shown(brief: Brief, before: Free, since: float, *, gone_at: float) -> Flow[Ended]:
    end = gone_at + brief.settings.release_lag
    while True:
        now_free, now = yield from _free(brief)
        if now >= end or _is_shown(brief, before, now_free, since):
            return Succeeded()
        reason = "undeployed; its GPUs do not show as free yet"
        yield Rest(min(brief.poll_seconds(now - gone_at), end - now), Waiting(reason))


def _until_room(brief: Brief) -> Flow[Ended]:
    """Fails only after the bound: units that we gave back may show late."""
    while True:
        sight = yield from look(_account_of(brief), brief.settings)
        if isinstance(sight, Blind):
            return Failed(sight.failure)
        assert isinstance(sight.found, Account), sight.found
        short = _shortages(brief, sight.found)
        elapsed = sight.now - brief.began
        if not short:
            return Succeeded()
        bound = brief.settings.release_bound if brief.is_self_funded else 0
        if elapsed >= bound:
            return Failed(Failure(kind=FailureClass.CAPACITY, message=short))
        yield Rest(brief.poll_seconds(elapsed), Waiting(short))


def _free(brief: Brief) -> Flow[tuple[Free, float]]:
    """By resource; without those of which no reading can be had."""
    if not brief.charges:
        return {}, brief.began
    told = yield Observe(_account_of(brief))
    if not isinstance(told.result, Seen):
        return {}, told.now
    account = told.result.found
    assert isinstance(account, Account), account
    numbers = {one.id: available(account, one.pools) for _, one in brief.charges}
    return {one: free for one, free in numbers.items() if free is not None}, told.now


def _is_shown(brief: Brief, before: Free, now: Free, since: float) -> bool:
    """Every pool has risen by what we gave back there, our other releases counted in.

    Without those, one release that shows would be taken for two.
    """
    return all(
        charge.resource in before
        and charge.resource in now
        and now[charge.resource] - before[charge.resource]
        >= charge.units + brief.released_beside(charge.resource, since)
        for charge, _ in brief.charges
    )


def _shortages(brief: Brief, account: Account) -> str:
    """What running applies of other stacks still will take is not free, though it shows as such."""
    short = []
    for charge, resource in brief.charges:
        free, spoken_for = available(account, resource.pools), claimed(account, resource)
        if free is not None and free - spoken_for < charge.units:
            told = f" ({spoken_for} of them spoken for by running applies)" if spoken_for else ""
            short.append(f"{charge.resource} has {free} free{told}, {charge.units} are needed")
    return "; ".join(short)


def _account_of(brief: Brief) -> ReadAccount:
    return ReadAccount(tuple(charge.resource for charge, _ in brief.charges))


def _row_in_words(version: LiveVersion | None) -> str:
    row = None if version is None else version.deployment
    if row is None:
        return "undeployed"
    return "draining its queue" if row.status is Status.INACTIVE else f"still {row.status}"


def _not_going(brief: Brief, version: LiveVersion | None, elapsed: float) -> Failed | Dead | None:
    row = None if version is None else version.deployment
    if row is not None and row.status is Status.INACTIVE:
        return _still_draining(brief, elapsed)
    if not brief.shrinks and elapsed >= brief.settings.quiet_window:
        again = f"{_row_in_words(version)} {elapsed:.0f} s after its undeployment"
        return Failed(_other(f"{again}: somebody deployed it again"))
    if brief.step.limit_seconds and elapsed >= brief.step.limit_seconds:
        return Failed(_overdue(brief, "its instances are still above its maximum", elapsed))
    return None


def _still_draining(brief: Brief, elapsed: float) -> Failed | Dead | None:
    """`Dead`: it is to be undeployed at once, which a wait may not do itself."""
    task, limit = brief.step.task, brief.step.limit_seconds
    drain = task.drain if isinstance(task, AwaitReleased) else None
    if drain is None or drain.then is OnDrainTimeout.WAIT:
        overdue = _overdue(brief, "still draining its queue", elapsed)
        return Failed(overdue) if limit and elapsed >= limit else None
    if elapsed < drain.seconds:
        return None
    said = f"still draining its queue after {elapsed:.0f} s (update.drainTimeout)"
    if drain.then is OnDrainTimeout.FORCE and not brief.is_repaired:
        return Dead(_other(f"{said}: it is undeployed at once, and what is still queued is lost"))
    return Failed(_other(f"{said}; its GPUs are not given back before that ends"))


def _other(message: str) -> Failure:
    return Failure(kind=FailureClass.OTHER, message=message)


def _removed(reason: str) -> Failure:
    return Failure(
        kind=FailureClass.OTHER,
        message=f"{reason}: somebody removed it while it was being deployed",
    )


def _suspected(reason: str, elapsed: float) -> Failure:
    return Failure(
        kind=FailureClass.CAPACITY,
        message=f"no instance appeared within {elapsed / 60:.0f} minutes ({reason}):"
        " a lack of capacity is suspected, the service gave no reason",
    )


def _stalled(reason: str, stood: float) -> Failure:
    """Source: nvcf-api.md 6.2, the silent forms that leave some instances running."""
    return Failure(
        kind=FailureClass.CAPACITY,
        message=f"{reason} for {stood / 60:.0f} minutes, and instances are not even starting:"
        " a lack of capacity is suspected, the service gave no reason",
    )


def _without_word(overdue: Failure) -> Failure:
    """Source: nvcf-api.md 6.2, silent forms: a request nobody takes, a scale-up that finds none."""
    return replace(
        overdue,
        kind=FailureClass.CAPACITY,
        message=f"{overdue.message}: instances are not even starting, so a lack of capacity is"
        " suspected; the service gave no reason",
    )


def _overdue(brief: Brief, reason: str, elapsed: float) -> Failure:
    return Failure(
        kind=FailureClass.OTHER,
        message=f"{reason} after {elapsed:.0f} s, the limit of {brief.step.id}",
    )
