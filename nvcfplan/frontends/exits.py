"""Exit codes: what each outcome and each failure of the world means to a script."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from nvcfplan import errors

if TYPE_CHECKING:
    from nvcfplan.applying import RunOutcome
    from nvcfplan.reports import LookOutcome, Validity


class Exit(IntEnum):
    """Source: product.md 4. Never 2 but for "changes": a typo must not read as one."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    ROLLED_BACK = 3
    INCOMPLETE = 4
    STALE = 5
    LOCKED = 6
    NO_CAPACITY = 7
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """Stopped by SIGTERM or SIGHUP before anything was begun."""


_BY_OUTCOME: Final = {
    "applied": Exit.OK,
    "failed": Exit.ERROR,
    "rolled-back": Exit.ROLLED_BACK,
    "incomplete": Exit.INCOMPLETE,
    "no-capacity": Exit.NO_CAPACITY,
    "interrupted": Exit.INTERRUPTED,
}


def exit_of_outcome(outcome: RunOutcome, *, is_terminated: bool = False) -> Exit:
    """`is_terminated`: interrupted by SIGTERM or SIGHUP rather than by Ctrl-C."""
    found = _BY_OUTCOME[outcome.value]
    return Exit.TERMINATED if found is Exit.INTERRUPTED and is_terminated else found


_BY_STANDING: Final = {
    "valid": Exit.OK,
    "stale": Exit.STALE,
    "no-capacity": Exit.NO_CAPACITY,
}


def exit_of_standing(standing: Validity) -> Exit:
    return _BY_STANDING[standing.value]


def exit_of_look(outcome: LookOutcome, *, is_detailed: bool) -> Exit:
    """Drift is no failure of looking for it. What could not be looked at at all is one."""
    return Exit.CHANGES if is_detailed and outcome.value == "drifted" else Exit.OK


def exit_of_error(error: errors.NvcfplanError) -> Exit:
    if isinstance(error, errors.StalePlan):
        return Exit.STALE
    if isinstance(error, errors.NoRoom):
        return Exit.NO_CAPACITY
    if isinstance(error, errors.LockHeld):
        return Exit.LOCKED
    return Exit.ERROR
