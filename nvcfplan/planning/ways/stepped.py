"""Stepped: the old version gives up a part of its room, and its successor grows into the rest.

For where both do not fit whole. Of what ran, `update.minServing` serves at every moment; the old
one cannot grow again meanwhile, and the new one not past what was planned.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import deploy_charges
from nvcfplan.model import Warm
from nvcfplan.planning.drafts import Waits, await_active_step, await_released_step
from nvcfplan.planning.parts import Draft, draft_of
from nvcfplan.planning.ways.counts import running_by_row, shared_out
from nvcfplan.planning.ways.notes import start_notes, stepped_note
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
from nvcfplan.planning.ways.standing import given_by, given_up, specifications_of, updated
from nvcfplan.plans import Order, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.model import GpuSpecificationId
    from nvcfplan.planning.ways.counts import Counts
    from nvcfplan.plans import Step

Kept = dict["GpuSpecificationId", int]
"""Instances that the old version keeps, by its specifications; empty: it stays as it is."""


def stepped(case: Case) -> tuple[Draft, ...]:
    """Those that keep most first. None where the two have no room in common, one runs alone, or
    some only start: the oldest are stopped first, so those might be all that is left.
    """
    running = running_by_row(case.current)
    is_up = all(one.is_running for one in case.current.instances or ())
    if sum(running.values()) < 2 or not is_up or not _shares_room(case):
        return ()
    full, cold = case.start(case.policy.warm), case.start(Warm.MIN)
    drafts: list[Draft] = []
    for kept in _choices(case, running):
        begun = _begin(case, full)
        if kept or begun != full:
            drafts.append(_stepped(case, kept, begun, full))
    if cold != full:
        (*_, least) = _choices(case, running)
        drafts.append(_stepped(case, least, _begin(case, cold), cold))
    return tuple(drafts)


def _shares_room(case: Case) -> bool:
    held = {one.resource for one in given_up(case.current, case.limits)}
    return any(one.resource in held for one in deploy_charges(case.limits, case.wanted))


def _choices(case: Case, running: Mapping[GpuSpecificationId, int]) -> Iterator[Kept]:
    """All; half of what may be given up; the least that must serve."""
    least = {row: case.policy.least_serving(runs) for row, runs in running.items()}
    half = {row: (runs + least[row] + 1) // 2 for row, runs in running.items()}
    yield {}
    if half != dict(running) and half != least:
        yield half
    if least != dict(running):
        yield least


def _begin(case: Case, full: Counts) -> Counts:
    """The least that must serve, or all of it if that is less."""
    policy = case.policy
    running = sum(running_by_row(case.current).values())
    begun = {key: min(count, policy.least_serving(count)) for key, count in full.items()}
    room = tuple(replace(one, max_instances=max(1, full[one.key])) for one in case.wanted)
    return shared_out(room, begun, min(sum(full.values()), policy.least_serving(running)))


def _stepped(case: Case, kept: Kept, begun: Counts, full: Counts) -> Draft:
    create = create_version(case, case.ref(NEW))
    lowered = _lower(case, kept, create)
    first = (create, *lowered.steps)
    most = {key: max(1, count) for key, count in begun.items()}
    specifications = bounded(case.wanted, begun, most)
    made = deploy(case.ref(NEW), specifications, case.limits, Waits(steps=first[-1:]))
    steps = (*first, *made.steps)
    waits = Waits(steps=steps[-1:], order=Order.CREATE_FIRST)
    steps = (*steps, *retire(case, lowered.after, waits, nth=2 if lowered.steps else 1))
    grown = _grow(case, made.after, full, steps[-1])
    steps = (*steps, *grown.steps)
    end = conclude(grown.after, case.wanted, case.limits, steps[-1], nth=2 if grown.steps else 1)
    notes = (*start_notes(case, full), stepped_note(case, sum(kept.values()), begun))
    return replace(draft_of((*steps, *end.steps)), notes=notes)


def _lower(case: Case, kept: Kept, after: Step) -> Stage:
    running = Running(case.ref(OLD), case.current)
    rows = case.current.deployment.specifications if case.current.deployment else ()
    steps, changed = [after], []
    for row in rows if kept else ():
        most = kept.get(row.id, 0)
        before = replace(row.specification, key=case.key_of(row))
        then = replace(
            before, min_instances=min(before.min_instances, most), max_instances=max(1, most)
        )
        if then != before:
            call = UpdateDeployment(running.ref, then, before, row=row.id)
            changed.append(call)
            steps.append(update(running, call, case.limits, steps[-1]))
            running = Running(running.ref, updated(running.version, call, case.limits))
    if changed:
        release = given_by(case.current, changed, case.limits)
        steps.append(await_released_step(running.ref, Waits(steps=steps[-1:]), release=release))
    return Stage(tuple(steps[1:]), running)


def _grow(case: Case, running: Running, full: Counts, after: Step) -> Stage:
    steps = [after]
    wanted = bounded(case.wanted, full, {})
    is_grown = False
    for before, then in zip(specifications_of(running.version), wanted, strict=True):
        if then.min_instances > before.min_instances:
            call = UpdateDeployment(running.ref, then, before)
            steps.append(update(running, call, case.limits, steps[-1]))
            running = Running(running.ref, updated(running.version, call, case.limits))
            is_grown = True
    if is_grown:
        steps.append(await_active_step(running.ref, Waits(steps=steps[-1:]), nth=2))
    return Stage(tuple(steps[1:]), running)
