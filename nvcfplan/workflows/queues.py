"""What waits in the queues of the versions that a plan undeploys, before it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import RemoteError
from nvcfplan.plans import Undeploy, VersionRef
from nvcfplan.workflows.concurrency import each

if TYPE_CHECKING:
    from nvcfplan.model import FunctionId, VersionId
    from nvcfplan.plans import Plan
    from nvcfplan.workflows.ports import QueueReader

MOST_ASKED: Final = 50
"""One request each; what a larger plan undeploys is not asked for one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedWork:
    """`is_lost`: it is undeployed at once, so that calls in its queue get no answer."""

    version: VersionRef
    depth: int
    is_lost: bool


async def queued_work(plan: Plan, queues: QueueReader) -> tuple[QueuedWork, ...]:
    """In plan order; without those that are empty, or that the key may not see."""
    ids = {
        one.version: (one.function_id, one.version_id)
        for one in plan.bindings
        if one.version_id is not None
    }
    tasks = [step.task for step in plan.steps if isinstance(step.task, Undeploy)]
    asked = [task for task in tasks if task.version in ids][:MOST_ASKED]
    depths = await each([_depth(queues, *ids[task.version]) for task in asked])
    return tuple(
        QueuedWork(version=task.version, depth=depth, is_lost=not task.graceful)
        for task, depth in zip(asked, depths, strict=True)
        if depth
    )


async def _depth(queues: QueueReader, function: FunctionId, version: VersionId | None) -> int:
    """0 also where it cannot be read: nothing depends on it."""
    assert version is not None, function
    try:
        return await queues.queue_depth(function, version) or 0
    except RemoteError:
        return 0
