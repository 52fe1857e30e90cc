"""Since when a run has been waiting, from its journal: who goes on with it does not begin anew.

Times of day are compared only with care: clocks are set, and other machines have their own.
Source: reliability.md A5, "Clocks".
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nvcfplan.applying.journal import RowGone, RunEnded, RungAwaited, RunOutcome
from nvcfplan.applying.settings import Elapsed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nvcfplan.applying.journal import OnRung, Stamp, Stamped
    from nvcfplan.model import StepId


def elapsed_of(journal: Sequence[Stamped], here: Stamp, monotonic: float) -> Elapsed:
    """`here`: who goes on, and when; `monotonic`: the same moment on the process's own clock.

    Of what was released never more than has surely passed. A rung's time ends with a run that came
    to its end: whoever takes that up again gives it another chance.
    """
    gone: dict[StepId, float] = {}
    awaited: dict[OnRung, float] = {}
    for index, one in enumerate(journal):
        match one.record:
            case RowGone(step=step, monotonic=then):
                passed = _surely_passed(journal[index:], here, monotonic - then)
                gone[step] = passed
            case RungAwaited(rung=rung) if one.stamp is not None:
                awaited[rung] = max(0.0, (here.at - one.stamp.at).total_seconds())
            case RunEnded(outcome=RunOutcome.INCOMPLETE):
                awaited.clear()
            case _:
                pass
    return Elapsed(
        gone=tuple((step, passed) for step, passed in gone.items() if passed > 0),
        awaited=tuple(awaited.items()),
    )


def _surely_passed(since: Sequence[Stamped], here: Stamp, by_process: float) -> float:
    """By both clocks, whichever says less: one jumps, the other begins anew with the machine.

    Nothing where another machine wrote it down, or where the time of day has gone backwards.
    """
    first = since[0].stamp
    if first is None or first.by != here.by:
        return 0.0
    times: list[datetime] = [one.stamp.at for one in since if one.stamp is not None]
    if any(later < earlier for earlier, later in pairwise([*times, here.at])):
        return 0.0
    return max(0.0, min((here.at - first.at).total_seconds(), by_process))
