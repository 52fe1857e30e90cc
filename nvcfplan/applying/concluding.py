"""How a run ends: its one word, and where it is blocked what exactly is missing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.applying.effects import ReadAccount, ReadVersion, Seen
from nvcfplan.applying.failures import FailureClass
from nvcfplan.applying.flows import Flow, Observe, Reckoned, version_in
from nvcfplan.applying.journal import RunOutcome
from nvcfplan.applying.preparing import is_pool
from nvcfplan.applying.readiness import available, held
from nvcfplan.model import Account
from nvcfplan.plans import AwaitActive, Deploy, Shortage, UpdateDeployment, is_waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.events import Cause
    from nvcfplan.applying.flows import Bound
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
