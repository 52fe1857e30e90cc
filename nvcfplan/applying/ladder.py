"""Climbing the ladder of a function for which there was no capacity, a rung at a time.

Each rung is planned and proved from what is there then; its plan takes the place of what was left
of the component. What it is planned from is asked for here, what it leads to is the machine's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.applying.effects import ReadEverything, Survey
from nvcfplan.applying.events import RungName
from nvcfplan.applying.flows import (
    Blind,
    Ended,
    Flow,
    Planned,
    Rest,
    Unplanned,
    Waiting,
    Write,
    look,
)
from nvcfplan.applying.journal import RungAwaited
from nvcfplan.diagnostics import Severity, has_errors
from nvcfplan.differences import on_rung, rung_in_words
from nvcfplan.model import Account, Address, LiveFunction, Stack, Status, StepId, VersionId, Wait
from nvcfplan.plans import Infeasible, Plan, Probe, Reversible, VersionRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.applying.settings import ApplySettings
    from nvcfplan.model import DesiredFunction, LiveVersion
    from nvcfplan.plans import Step, Task

MARK: Final = "^"
"""Stands in the ids and labels of a rung's plan, before its number among the plans of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanning:
    """From what a rung's plan is made: of the functions `only`, wanted as `stack` has them."""

    stack: Stack
    only: frozenset[Address]
    account: Account
    live: tuple[LiveFunction, ...]


Replan = Callable[[Replanning], Plan | Infeasible]
"""The planner's own, pure; what comes out is proved, or its diagnostics say why it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """`patience`: seconds that are left. `waited`: on this rung before, in vain.

    `mark`: written down first, that the waiting begins.
    """

    wanted: ReadEverything
    patience: float
    waited: float
    is_wait: bool
    mark: RungAwaited | None = None


def next_rung(function: DesiredFunction, tried: int) -> int | None:
    """The number of the one to climb after so many; the one it stands on is passed by."""
    numbers = range(tried + 1, len(function.on_no_capacity.rungs) + 1)
    return next((one for one in numbers if one != function.rung), None)


def name_of(function: DesiredFunction, number: int) -> RungName:
    return RungName(
        address=function.address,
        number=number,
        total=len(function.on_no_capacity.rungs),
        words=rung_in_words(function, number),
    )


def patience_of(function: DesiredFunction, number: int) -> float:
    """Seconds that a rung may be waited for; all but a wait are tried at once or not at all."""
    rung = function.on_no_capacity.rungs[number - 1]
    return rung.duration.total_seconds() if isinstance(rung, Wait) else 0.0


def wanted_on(stack: Stack, taken: Mapping[str, int]) -> Stack:
    """`taken`: by function key, the rung that it is wanted on."""
    return replace(
        stack,
        functions=tuple(
            on_rung(one, taken[one.key]) if one.key in taken else one for one in stack.functions
        ),
    )


def climb(ask: Climb, settings: ApplySettings, replan: Replan) -> Flow[Ended]:
    """Ends as `Planned` or `Unplanned`. A wait begins with a pause: it has just been tried.

    The longer it has been waited for, the longer the pauses: each try is a plan, and a request.
    """
    began: float | None = None
    left, reason = ask.patience, "no capacity"
    if ask.mark is not None:
        yield Write(ask.mark)
    while True:
        if ask.is_wait:
            elapsed = ask.waited + ask.patience - left
            pause = min(max(settings.first_poll, elapsed / 4), settings.longest_poll, left)
            yield Rest(pause, Waiting(reason))
        sight = yield from look(ask.wanted, settings)
        if isinstance(sight, Blind):
            return Unplanned(f"the account cannot be read: {sight.failure.message}")
        survey = sight.found
        assert isinstance(survey, Survey), survey
        found = replan(
            Replanning(
                stack=ask.wanted.stack,
                only=ask.wanted.only,
                account=survey.account,
                live=as_given_up(survey.functions, ask.wanted.given_up),
            )
        )
        if isinstance(found, Plan) and not has_errors(found.diagnostics):
            return Planned(found)
        reason = _refusal(found)
        began = sight.now if began is None else began
        left = ask.patience - (sight.now - began)
        if not ask.is_wait or left <= 0:
            return Unplanned(reason)


def as_given_up(
    live: Sequence[LiveFunction], versions: frozenset[VersionId]
) -> tuple[LiveFunction, ...]:
    """What was waited for in vain is no deployment in progress any more, but one that failed.

    Where another version is deployed beside it, it is in the way of nothing and left as it is.
    """
    return tuple(_given_up(one, versions) for one in live)


def rung_plan(plan: Plan, number: int) -> Plan:
    """With ids and labels of its own, for both mean something else in the other plans of a run."""
    ids = {step.id: StepId(f"{step.id}{MARK}{number}") for step in plan.steps}
    return replace(
        plan,
        steps=tuple(_renamed(step, ids, number) for step in plan.steps),
        bindings=tuple(
            replace(one, version=_labelled(one.version, number)) for one in plan.bindings
        ),
        funding=tuple(
            replace(one, step=ids[one.step], source=None if one.source is None else ids[one.source])
            for one in plan.funding
        ),
        placements=tuple(replace(one, step=ids[one.step]) for one in plan.placements),
        point_of_no_return=tuple(ids[one] for one in plan.point_of_no_return),
    )


def _renamed(step: Step, ids: Mapping[StepId, StepId], number: int) -> Step:
    undo = step.undo
    if isinstance(undo, Reversible):
        undo = replace(undo, tasks=tuple(_of_label(one, number) for one in undo.tasks))
    return replace(
        step,
        id=ids[step.id],
        task=_of_label(step.task, number),
        depends_on=tuple(replace(edge, step=ids[edge.step]) for edge in step.depends_on),
        undo=undo,
    )


def _of_label(task: Task, number: int) -> Task:
    if isinstance(task, Probe):
        return task
    return replace(task, version=_labelled(task.version, number))


def _labelled(version: VersionRef, number: int) -> VersionRef:
    return VersionRef(version.address, f"{version.label}{MARK}{number}")


def _given_up(function: LiveFunction, versions: frozenset[VersionId]) -> LiveFunction:
    deployed = [one.version_id for one in function.versions if one.is_deployed]
    if len(deployed) != 1 or deployed[0] not in versions:
        return function
    return replace(function, versions=tuple(_failed(one) for one in function.versions))


def _failed(version: LiveVersion) -> LiveVersion:
    if version.status is not Status.DEPLOYING:
        return version
    row = version.deployment
    failed = None if row is None else replace(row, status=Status.ERROR)
    return replace(version, status=Status.ERROR, deployment=failed)


def _refusal(found: Plan | Infeasible) -> str:
    if isinstance(found, Infeasible) and found.shortages:
        return "; ".join(f"{one.resource} needs {one.missing} more" for one in found.shortages)
    plan = found.plan if isinstance(found, Infeasible) else found
    errors = [one.summary for one in plan.diagnostics if one.severity is Severity.ERROR]
    return errors[0] if errors else "no order of the steps fits"
