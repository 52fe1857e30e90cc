"""Bounce: the new configuration serves from another placement while the old one makes room.

For functions that wait for each other's room, or that fit nowhere beside themselves. The version on
`update.bounce` is made, serves, and is deleted when the one on the wanted placement serves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.model import Warm
from nvcfplan.planning.drafts import Waits, delete_step
from nvcfplan.planning.parts import Draft, draft_of
from nvcfplan.planning.ways.counts import running_by_row, shared_out
from nvcfplan.planning.ways.notes import bounce_note, start_notes
from nvcfplan.planning.ways.stages import (
    BOUNCE,
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
from nvcfplan.plans import Order

if TYPE_CHECKING:
    from nvcfplan.model import GpuSpecification
    from nvcfplan.planning.ways.counts import Counts


def bounced(case: Case) -> tuple[Draft, ...]:
    """None where the stack names no such placement, or it may not hold enough."""
    placements = _placements(case)
    if not placements:
        return ()
    warm, cold = case.start(case.policy.warm), case.start(Warm.MIN)
    starts = [warm, cold] if warm != cold else [cold]
    return tuple(_bounced(case, placements, start) for start in starts)


def _placements(case: Case) -> tuple[GpuSpecification, ...]:
    """With as many instances as must serve meanwhile."""
    allowed = case.policy.bounce
    running = sum(running_by_row(case.current).values())
    least = min(
        max(1, sum(one.min_instances for one in case.wanted)), case.policy.least_serving(running)
    )
    counts = {one.key: one.min_instances for one in allowed}
    counts = shared_out(allowed, counts, max(1, least))
    return bounded(allowed, counts, {}) if sum(counts.values()) >= max(1, least) else ()


def _bounced(case: Case, placements: tuple[GpuSpecification, ...], start: Counts) -> Draft:
    limits, bounce, new = case.limits, case.ref(BOUNCE), case.ref(NEW)
    first = create_version(case, bounce)
    there = deploy(bounce, placements, limits, Waits(steps=(first,)))
    waits = Waits(steps=there.steps[-1:], order=Order.CREATE_FIRST)
    away = (first, *there.steps, *retire(case, Running(case.ref(OLD), case.current), waits))
    create = create_version(case, new)
    back = deploy(new, bounded(case.wanted, start, {}), limits, Waits(steps=(create, *away[-1:])))
    waits = Waits(steps=back.steps[-1:], order=Order.CREATE_FIRST)
    gone = retire(case, there.after, waits)
    end = conclude(back.after, case.wanted, limits, gone[-1], nth=1)
    draft = draft_of(away, (create, *back.steps, *gone, *end.steps))
    return replace(
        draft,
        deletes=(delete_step(bounce, Waits(steps=gone[-1:])),),
        notes=(*start_notes(case, start), bounce_note(case, placements)),
    )
