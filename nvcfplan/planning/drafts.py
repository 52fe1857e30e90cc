"""Single steps, built one way: task, id, charges, undo, expected and longest time.

Order between functions is not known here; edges within a function are given by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.plans import (
    After,
    AwaitActive,
    AwaitReleased,
    Charge,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Drain,
    Irreversible,
    Order,
    Reversible,
    SetAuthorizations,
    SetSecrets,
    Step,
    Task,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
    VersionRef,
    step_id,
)

if TYPE_CHECKING:
    from nvcfplan.model import GpuSpecification, Metadata

REQUEST_LIMIT_SECONDS: Final = 120
ACTIVE_LIMIT_SECONDS: Final = 7_800
"""2 h 10 min: the service's own ceiling is 2 h. Source: nvcf-api.md 5."""
ACTIVE_EXPECTED_SECONDS: Final = 600
RELEASE_EXPECTED_SECONDS: Final = 360
RELEASE_LIMIT_SECONDS: Final = 1_800
EXPECTED_SECONDS: Final = 3
NOTHING_TO_UNDO: Final = Reversible(tasks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Which steps of the same function come first, and why."""

    steps: Sequence[Step] = ()
    order: Order = Order.REQUIRES


FREE: Final = Waits()


def create_step(task: CreateFunction | CreateVersion, *, acquire: tuple[Charge, ...] = ()) -> Step:
    return _step(task, FREE, acquire=acquire, undo=Reversible((DeleteVersion(task.version),)))


def deploy_step(
    version: VersionRef,
    specifications: tuple[GpuSpecification, ...],
    waits: Waits,
    *,
    acquire: tuple[Charge, ...],
) -> Step:
    undo = Reversible((Undeploy(version, graceful=False), AwaitReleased(version)))
    return _step(Deploy(version, specifications), waits, acquire=acquire, undo=undo)


def await_active_step(version: VersionRef, waits: Waits, *, nth: int = 1) -> Step:
    step = _step(AwaitActive(version), waits, nth=nth, undo=NOTHING_TO_UNDO)
    return replace(
        step, expected_seconds=ACTIVE_EXPECTED_SECONDS, limit_seconds=ACTIVE_LIMIT_SECONDS
    )


def undeploy_step(
    task: Undeploy,
    waits: Waits,
    *,
    before: tuple[GpuSpecification, ...],
    needs: tuple[Charge, ...],
) -> Step:
    """`before`: what to deploy again, taking `needs`, to undo it. Empty: it ran nothing."""
    again: tuple[Task, ...] = (Deploy(task.version, before), AwaitActive(task.version))
    return _step(task, waits, undo=Reversible(again if before else (), needs))


def await_released_step(
    version: VersionRef,
    waits: Waits,
    *,
    release: tuple[Charge, ...],
    drain: Drain | None = None,
    nth: int = 1,
) -> Step:
    step = _step(AwaitReleased(version, drain), waits, nth=nth, undo=NOTHING_TO_UNDO)
    return replace(
        step,
        release=release,
        expected_seconds=RELEASE_EXPECTED_SECONDS,
        limit_seconds=RELEASE_LIMIT_SECONDS + (drain.seconds if drain else 0),
    )


def update_step(
    task: UpdateDeployment,
    waits: Waits,
    *,
    acquire: tuple[Charge, ...],
    needs: tuple[Charge, ...],
    nth: int = 1,
) -> Step:
    """`needs`: what going back takes: what the update gave up."""
    back = UpdateDeployment(task.version, task.before, task.specification, row=task.row)
    return _step(task, waits, nth=nth, acquire=acquire, undo=Reversible((back,), needs))


def metadata_step(task: UpdateMetadata, waits: Waits, *, before: Metadata) -> Step:
    is_limit_new = task.metadata.rate_limit is not None and before.rate_limit is None
    undo = (
        Irreversible("a rate limit that was added cannot be taken off by a metadata call")
        if is_limit_new
        else Reversible((UpdateMetadata(task.version, before),))
    )
    return _step(task, waits, undo=undo)


def secrets_step(task: SetSecrets, waits: Waits) -> Step:
    return _step(task, waits, undo=Irreversible("the service never shows the values it had"))


def sharing_step(task: SetAuthorizations, waits: Waits, *, before: tuple[str, ...] | None) -> Step:
    """`before` None: of a function that is new, and is gone once its version is."""
    undo = () if before is None else (SetAuthorizations(task.version, before),)
    return _step(task, waits, undo=Reversible(undo))


def delete_step(version: VersionRef, waits: Waits) -> Step:
    undo = Irreversible("a deleted version, and a function with its last one, does not come back")
    return _step(DeleteVersion(version), waits, undo=undo)


def _step(
    task: Task,
    waits: Waits,
    *,
    nth: int = 1,
    acquire: tuple[Charge, ...] = (),
    undo: Reversible | Irreversible,
) -> Step:
    """`nth`: a version may be updated, and waited for, more than once."""
    version = task.version  # type: ignore[union-attr]  # no probe is drafted
    edges = sorted(step.id for step in waits.steps)
    return Step(
        id=step_id(task, nth),
        address=version.address,
        task=task,
        depends_on=tuple(After(step, waits.order) for step in edges),
        acquire=acquire,
        release=(),
        undo=undo,
        expected_seconds=EXPECTED_SECONDS,
        limit_seconds=REQUEST_LIMIT_SECONDS,
    )
