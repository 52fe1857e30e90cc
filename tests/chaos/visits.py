"""What schedules come by, counted: so that none of it can quietly stop happening."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.applying import (
    Cause,
    FailureClass,
    RepairBegan,
    RollbackBegan,
    RunFinished,
    RungRefused,
    RungTaken,
    RunOutcome,
    StepSucceeded,
)
from nvcfplan.model import LastResort, function_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.applying import Event
    from nvcfplan.plans import Plan


class Visit:
    RESUME = "resume"
    ROLLBACK = "rollback"
    ASKED = "rollback asked for"
    BLOCKED = "rollback-blocked"
    ADOPT = "adopt"
    SWEEP = "sweep"
    REPAIR = "repair"
    STALE = "stale plan"
    MOVED = "moved under an open run"
    LOCKED = "locked"
    OPEN = "run open"
    TORN = "torn record"
    LEASE_LOST = "lease lost"
    INFEASIBLE = "infeasible"
    FALLBACK = "rung: fallback"
    WAIT = "rung: wait"
    SHRINK = "rung: shrink"
    LADDER_ROLLBACK = "rung: rollback"
    LADDER_KEEP = "rung: keep"
    REFUSED = "rung not possible"
    CUT = "killed while climbing"


_OF_RUNG: Final = {"fallback": Visit.FALLBACK, "wait": Visit.WAIT, "shrink": Visit.SHRINK}


def visits_of(event: Event, plan: Plan) -> Iterator[str]:
    """`plan`: the run's own."""
    match event:
        case RollbackBegan(cause=cause):
            yield Visit.ROLLBACK
            if cause is not None and _ends_with(plan, cause, LastResort.ROLLBACK):
                yield Visit.LADDER_ROLLBACK
        case RepairBegan():
            yield Visit.REPAIR
        case StepSucceeded(is_adopted=True):
            yield Visit.ADOPT
        case RungTaken(rung=rung):
            yield _OF_RUNG[rung.words.partition(" ")[0]]
        case RungRefused():
            yield Visit.REFUSED
        case RunFinished(outcome=RunOutcome.INCOMPLETE, blocked=blocked, causes=causes):
            if blocked is not None and str(blocked.step).startswith("undo:"):
                yield Visit.BLOCKED
            if any(_ends_with(plan, one, LastResort.KEEP) for one in causes):
                yield Visit.LADDER_KEEP
        case _:
            return


def _ends_with(plan: Plan, cause: Cause, last: LastResort) -> bool:
    """There was no capacity, and the ladder of the function has come to its end."""
    ladder = next(
        (
            one.on_no_capacity
            for one in plan.desired.functions
            if one.key == function_key(cause.address)
        ),
        None,
    )
    is_capacity = cause.failure.kind == FailureClass.CAPACITY
    return is_capacity and ladder is not None and bool(ladder.rungs) and ladder.last is last
