"""Waits until a saved plan has room, holding neither the lock nor GPUs, and then carries it out.

Only the plan that was reviewed is ever carried out: what has moved refuses it, whatever is free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import (
    Moved,
    NoRoom,
    RateLimited,
    RemoteUnavailable,
    StalePlan,
    Unreachable,
)
from nvcfplan.workflows.apply import (
    apply_plan,
    refuse_moved,
    refuse_open_run,
    refuse_unresolvable,
)
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.publishing import counting_others
from nvcfplan.workflows.reading import refuse_unbound_account
from nvcfplan.workflows.runs import current_state

if TYPE_CHECKING:
    from nvcfplan.plans import Plan
    from nvcfplan.workflows.apply import ApplyRequest
    from nvcfplan.workflows.ports import LookPorts, RunPorts
    from nvcfplan.workflows.runs import RunResult, Shell

FIRST_PAUSE_SECONDS: Final = 30.0
LONGEST_PAUSE_SECONDS: Final = 300.0
PAUSE_GROWTH: Final = 1.5

_PASSING: Final = (Unreachable, RemoteUnavailable, RateLimited)


@dataclass(frozen=True, slots=True, kw_only=True)
class StillWaiting:
    """`reason`: what is short, or why it could not be seen. Seconds of waiting so far and left."""

    reason: str
    waited: float
    left: float
    pause: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomWait:
    """How long room is waited for, and who is told meanwhile."""

    limit_seconds: float
    listener: Callable[[StillWaiting], None]


async def apply_when_there_is_room(
    request: ApplyRequest, ports: RunPorts, shell: Shell, room: RoomWait
) -> RunResult:
    """What needs no room is refused at once rather than after hours.

    Raises: NoRoom when the time is over and nothing was begun; else as `apply_plan`.
    """
    plan, look = request.plan, counting_others(scope_of(request.plan.desired), ports.look)
    refuse_unbound_account(plan.desired.account, look.identity)
    await refuse_open_run(scope_of(plan.desired), look)
    refuse_unresolvable(plan.steps, look.secrets)
    began, pause = look.clock.monotonic(), FIRST_PAUSE_SECONDS
    while True:
        reason = await _obstacle(plan, look)
        if not reason:
            try:
                return await apply_plan(request, ports, shell)
            except StalePlan as error:
                reason = _waitable(error)
        now = look.clock.monotonic()
        left = began + room.limit_seconds - now
        if left <= 0:
            raise _over(room, reason)
        pause = min(pause, left)
        room.listener(StillWaiting(reason=reason, waited=now - began, left=left, pause=pause))
        await look.clock.sleep_until(now + pause)
        pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)


async def _obstacle(plan: Plan, look: LookPorts) -> str:
    """Empty: the proof holds with the numbers of now. Raises: StalePlan."""
    try:
        await refuse_moved(plan, await current_state(scope_of(plan.desired), look), look)
    except StalePlan as error:
        return _waitable(error)
    except _PASSING as error:
        return f"the account cannot be read: {error.summary}"
    return ""


def _waitable(error: StalePlan) -> str:
    """Raises: the error, where something has moved that no room would bring back."""
    if not all(one.is_room for one in error.moved):
        raise error
    return "; ".join(map(_in_words, error.moved))


def _in_words(moved: Moved) -> str:
    return f"{moved.address}: {moved.found}"


def _over(room: RoomWait, reason: str) -> NoRoom:
    return NoRoom(
        f"no capacity within {room.limit_seconds:.0f} s; nothing was changed",
        detail=reason,
        remedy="wait longer, or plan again: what would make it fit is said there",
    )
