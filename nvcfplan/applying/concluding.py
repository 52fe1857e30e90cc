"""How a run ends: its one word, and where it is blocked what exactly is missing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.applying.effects import ReadAccount, ReadVersion, Seen
from nvcfplan.applying.events import Blocked, Cause
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.flows import Flow, Observe, Reckoned, version_in
from nvcfplan.applying.journal import RunOutcome
from nvcfplan.applying.preparing import is_pool
from nvcfplan.applying.readiness import available, held
from nvcfplan.applying.tracking import Kind, Status
from nvcfplan.model import Account
from nvcfplan.plans import (
    AwaitActive,
    Deploy,
    Irreversible,
    Shortage,
    UpdateDeployment,
    is_waiting,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.flows import Bound
    from nvcfplan.applying.parts import Part
    from nvcfplan.applying.running import Running
    from nvcfplan.applying.tracking import Bindings, Course
    from nvcfplan.model import LiveInstance, PoolId, ResourceId, StepId
    from nvcfplan.plans import Charge, Step

_NO_ROOM = (FailureClass.CAPACITY, FailureClass.QUOTA)


def outcome_of(causes: Sequence[Cause], *, has_changed: bool, has_undone: bool) -> RunOutcome:
    """Of a run with nothing blocked and nothing left to do. Source: product.md 4."""
    if has_undone:
        return RunOutcome.ROLLED_BACK
    if not causes:
        return RunOutcome.APPLIED
    if has_changed:
        return RunOutcome.ROLLED_BACK
    if all(cause.failure.kind in _NO_ROOM for cause in causes):
        return RunOutcome.NO_CAPACITY
    return RunOutcome.FAILED


def has_changed(forward: Course) -> bool:
    return any(
        forward.is_executed(step.id) for step in forward.plan.steps if not is_waiting(step.task)
    )


def failed_for_good(
    parts: Sequence[Part], courses: Sequence[Course]
) -> list[tuple[Course, StepId]]:
    """What failed of parts that stay where they are, and of rollbacks."""
    left = [
        (part.course, step)
        for part in parts
        if part.is_left
        for step in part.course.with_status(Status.FAILED)
        if step in part.steps
    ]
    undos = [
        (course, step)
        for course in courses
        if course.kind is Kind.UNDO
        for step in course.with_status(Status.FAILED)
    ]
    return [*left, *undos]


def where_blocked(
    running: Running,
    failed: Sequence[tuple[Course, StepId]],
    *,
    missing: tuple[Shortage, ...],
    wants_undo: bool,
) -> Blocked | None:
    """None: every component is where it was wanted, or where it was before.

    One that has been carried out to its end, and for good, is not where an undo wanted it.
    """
    stuck = [part for part in running.parts if part.is_left]
    left = [
        step.id
        for part in stuck
        for step in part.course.plan.steps
        if step.id in part.steps and not part.course.is_done(step.id)
    ]
    remaining = (*left, *unfinished_undos(running.courses))
    if failed:
        course, step = failed[0]
        failure = course.state(step).failure
        assert failure is not None, step
    elif left or (wants_undo and stuck and stuck[0].stuck(running.bindings)):
        done_for_good = stuck[0].stuck(running.bindings)[0]
        step, failure = done_for_good.id, for_good(done_for_good)
    else:
        assert not remaining, remaining
        return None
    return Blocked(step=step, failure=failure, missing=missing, remaining=remaining)


def unfinished_undos(courses: Sequence[Course]) -> tuple[StepId, ...]:
    return tuple(
        step.id
        for course in courses
        if course.kind is Kind.UNDO
        for step in course.plan.steps
        if not course.is_done(step.id)
    )


def for_good(step: Step) -> Failure:
    assert isinstance(step.undo, Irreversible), step.id
    return Failure(kind=FailureClass.OTHER, message=f"{step.id} cannot be undone: {step.undo.why}")


def failed_in(course: Course, steps: frozenset[StepId], *, is_undone: bool) -> tuple[StepId, ...]:
    """What had been refused for a while may stand as pending; undone, it was the cause."""
    marks = (Status.FAILED, Status.PENDING) if is_undone else (Status.FAILED,)
    found = course.with_status(*marks)
    return tuple(one for one in found if one in steps and course.state(one).failure is not None)


def cause_of(course: Course, step: StepId) -> Cause:
    failed, failure = course.steps[step], course.state(step).failure
    assert failure is not None, step
    return Cause(step=step, address=failed.address, task=failed.task, failure=failure)


def lacks_capacity(course: Course, step: StepId) -> bool:
    failure = course.state(step).failure
    return failure is not None and failure.kind == FailureClass.CAPACITY


def reckon(failed: Sequence[tuple[Course, StepId]], bindings: Bindings) -> Flow[Reckoned]:
    """What these steps need beyond what they hold and what is free. Empty: it cannot be read."""
    wanted: Counter[ResourceId] = Counter()
    pools: dict[ResourceId, tuple[PoolId, ...]] = {}
    instances: list[LiveInstance] = []
    for course, step in failed:
        pools.update((one.id, one.pools) for one in course.plan.resources if is_pool(one.id))
        for charge in _needs(course, course.steps[step]):
            wanted[charge.resource] += charge.units
        bound = bindings.for_call(course.steps[step].task)
        instances.extend((yield from _running(bound)))
    told = yield Observe(ReadAccount(tuple(sorted(wanted))))
    if not isinstance(told.result, Seen):
        return Reckoned(())
    account = told.result.found
    assert isinstance(account, Account), account
    found = (
        _shortage(account, one, wanted[one], pools[one], instances)
        for one in sorted(wanted)
        if pools.get(one)
    )
    return Reckoned(tuple(one for one in found if one is not None))


def _running(bound: Bound | None) -> Flow[tuple[LiveInstance, ...]]:
    if bound is None or bound[1] is None:
        return ()
    told = yield Observe(ReadVersion(bound[0], bound[1], with_instances=True))
    if not isinstance(told.result, Seen):
        return ()
    version = version_in(told.result.found)
    return () if version is None else version.instances or ()


def _needs(course: Course, step: Step) -> tuple[Charge, ...]:
    """A wait needs what the deployment took that it waits for."""
    if not isinstance(step.task, AwaitActive):
        return step.acquire
    version = step.task.version
    return next(
        (
            one.acquire
            for one in reversed(course.plan.steps)
            if isinstance(one.task, Deploy | UpdateDeployment)
            and one.task.version == version
            and one.acquire
        ),
        (),
    )


def _shortage(
    account: Account,
    resource: ResourceId,
    wanted: int,
    pools: tuple[PoolId, ...],
    instances: Sequence[LiveInstance],
) -> Shortage | None:
    free = available(account, pools)
    if free is None:
        return None
    ours = held(account, pools, instances)
    missing = wanted - ours - free
    if missing <= 0:
        return None
    capacity = {pool.id: pool.capacity for one in account.clusters or () for pool in one.pools}
    used = sum(capacity.get(pool) or 0 for pool in pools) - free - ours
    users = (("in use by others", used),) if used > 0 else ()
    return Shortage(resource=resource, missing=missing, users=users)
