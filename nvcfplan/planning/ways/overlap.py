"""Create-first: the new version serves before the old one goes, with as many instances as it ran.

Calls are spread evenly over serving versions, not by instances, so a new version that starts cold
would be overrun (product rules of section 6; nvcf-api.md 7). It is lowered when it is alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.differences import has_row
from nvcfplan.model import Warm
from nvcfplan.planning.drafts import Waits, await_released_step
from nvcfplan.planning.parts import Draft, draft_of
from nvcfplan.planning.ways.counts import running_by_row
from nvcfplan.planning.ways.notes import clamp_note, cold_notes, start_notes
from nvcfplan.planning.ways.stages import (
    NEW,
    OLD,
    Case,
    Running,
    Stage,
    bounded,
    conclude,
    create_version,
    deploy,
    retire,
    update,
)
from nvcfplan.planning.ways.standing import given_by, updated
from nvcfplan.plans import Basis, Order, UpdateDeployment

if TYPE_CHECKING:
    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.planning.ways.counts import Counts
    from nvcfplan.plans import Step


def overlaps(case: Case) -> tuple[Draft, ...]:
    """Warm where the policy says so and it makes a difference, then with the minima alone.

    Each also with its maxima held down, where a quota counts them.
    """
    cold = case.start(Warm.MIN)
    warm = case.start(case.policy.warm)
    starts = [warm, cold] if warm != cold else [cold]
    drafts: list[Draft] = []
    for start in starts:
        drafts.append(_overlap(case, start))
        if _is_clampable(case, start):
            drafts.append(_clamped(case, start))
    return tuple(drafts)


def _overlap(case: Case, start: Counts) -> Draft:
    create = create_version(case, case.ref(NEW))
    specifications = bounded(case.wanted, start, {})
    made = deploy(case.ref(NEW), specifications, case.limits, Waits(steps=(create,)))
    steps = _succession(case, (create, *made.steps), made, Running(case.ref(OLD), case.current))
    return replace(draft_of(steps), notes=_notes(case, start))


def _notes(case: Case, start: Counts) -> tuple[Diagnostic, ...]:
    return (*start_notes(case, start), *cold_notes(case, start, case.start(case.policy.warm)))


def _clamped(case: Case, start: Counts) -> Draft:
    """While both are deployed, neither may grow: a quota counts the maxima of both."""
    create = create_version(case, case.ref(NEW))
    held = _hold_down(case, create)
    most = {key: max(1, count) for key, count in start.items()}
    specifications = bounded(case.wanted, start, most)
    waits = Waits(steps=(held.steps or (create,))[-1:])
    made = deploy(case.ref(NEW), specifications, case.limits, waits)
    steps = _succession(case, (create, *held.steps, *made.steps), made, held.after)
    return replace(draft_of(steps), notes=(*_notes(case, start), clamp_note(case)))


def _succession(case: Case, first: tuple[Step, ...], made: Stage, old: Running) -> tuple[Step, ...]:
    """The old one goes; then the new one gets the bounds it is to keep."""
    waits = Waits(steps=first[-1:], order=Order.CREATE_FIRST)
    is_waited_for = any(one.task.version == old.ref for one in first)  # type: ignore[union-attr]  # no probe is drafted
    retired = retire(case, old, waits, nth=2 if is_waited_for else 1)
    steps = (*first, *retired)
    return (*steps, *conclude(made.after, case.wanted, case.limits, steps[-1], nth=1).steps)


def _hold_down(case: Case, after: Step) -> Stage:
    """No row of the old version may have more instances than it runs now."""
    running = Running(case.ref(OLD), case.current)
    counts = running_by_row(case.current)
    rows = case.current.deployment.specifications if case.current.deployment else ()
    steps, changed = [after], []
    for row in rows:
        most = max(1, row.specification.min_instances, counts.get(row.id, 0))
        if most < row.specification.max_instances:
            before = replace(row.specification, key=case.key_of(row))
            then = replace(before, max_instances=most)
            call = UpdateDeployment(running.ref, then, before, row=row.id)
            changed.append(call)
            steps.append(update(running, call, case.limits, steps[-1]))
            running = Running(running.ref, updated(running.version, call, case.limits))
    release = given_by(case.current, changed, case.limits)
    if release:
        steps.append(await_released_step(running.ref, Waits(steps=steps[-1:]), release=release))
    return Stage(tuple(steps[1:]), running)


def _is_clampable(case: Case, start: Counts) -> bool:
    """Whether it would lower what a quota of maxima counts of either version."""
    if not case.wanted or not has_row(case.current) or not case.current.status.is_serving:
        return False
    limited = {
        one.id for one in case.limits.resources if one.basis is Basis.MAX and one.limit is not None
    }
    made = deploy(case.ref(NEW), case.wanted, case.limits, Waits())
    is_counted = any(one.resource in limited for step in made.steps for one in step.acquire)
    counts = running_by_row(case.current)
    rows = case.current.deployment.specifications if case.current.deployment else ()
    is_wide = any(
        row.specification.max_instances
        > max(1, row.specification.min_instances, counts.get(row.id, 0))
        for row in rows
    ) or any(one.max_instances > max(1, start[one.key]) for one in case.wanted)
    return is_counted and is_wide
