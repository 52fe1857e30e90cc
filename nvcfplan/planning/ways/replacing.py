"""All ways to put a new version in the place of the old one, the best first.

Which of them is taken is the scheduler's business: the first that fits, with the least downtime.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.differences import has_row
from nvcfplan.model import Downtime, Status, UpdateOrder, Warm
from nvcfplan.planning.drafts import Waits
from nvcfplan.planning.parts import Draft, draft_of
from nvcfplan.planning.ways.bounce import bounced
from nvcfplan.planning.ways.notes import start_notes
from nvcfplan.planning.ways.overlap import overlaps
from nvcfplan.planning.ways.stages import (
    NEW,
    OLD,
    Case,
    Running,
    bounded,
    conclude,
    create_version,
    deploy,
    retire,
)
from nvcfplan.planning.ways.stepped import stepped
from nvcfplan.plans import Order

if TYPE_CHECKING:
    from nvcfplan.model import LiveVersion


def replacements(case: Case) -> tuple[Draft, ...]:
    """`auto` leaves a gap only where the owner allows one."""
    if not has_row(case.current) or not case.wanted:
        return overlaps(case)
    match case.policy.replacing_order:
        case UpdateOrder.CREATE_FIRST:
            return _without_gap(case)
        case UpdateOrder.DELETE_FIRST:
            return (_delete_first(case),)
        case UpdateOrder.AUTO if case.policy.downtime is Downtime.ALLOWED:
            return (*_without_gap(case), _delete_first(case))
        case UpdateOrder.AUTO:
            return _without_gap(case)


def _without_gap(case: Case) -> tuple[Draft, ...]:
    if not case.current.status.is_serving:
        return overlaps(case)
    return (*overlaps(case), *stepped(case), *bounced(case))


def may_serve(version: LiveVersion) -> bool:
    return version.status not in (Status.INACTIVE, Status.ERROR)


def _delete_first(case: Case) -> Draft:
    create = create_version(case, case.ref(NEW))
    old = Running(case.ref(OLD), case.current)
    retired = retire(case, old, Waits(steps=(create,)))
    start = case.start(Warm.MIN)
    waits = Waits(steps=(create, *retired[-1:]), order=Order.DELETE_FIRST)
    made = deploy(case.ref(NEW), bounded(case.wanted, start, {}), case.limits, waits)
    concluded = conclude(made.after, case.wanted, case.limits, made.steps[-1], nth=1)
    draft = draft_of(
        (create, *retired), (*made.steps, *concluded.steps), has_gap=may_serve(case.current)
    )
    return replace(draft, notes=start_notes(case, start))
