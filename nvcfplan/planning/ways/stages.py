"""The stages that every way to replace a version is put together from, each with its charges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import deploy_charges
from nvcfplan.differences import Difference, has_row
from nvcfplan.model import (
    FunctionConfig,
    LiveVersion,
    SecretReference,
    Status,
    UpdatePolicy,
    ownership_tags,
    user_tags,
)
from nvcfplan.planning.context import Context, current_of, owner
from nvcfplan.planning.drafts import (
    NOTHING_TO_UNDO,
    Waits,
    await_active_step,
    await_released_step,
    create_step,
    deploy_step,
    undeploy_step,
    update_step,
)
from nvcfplan.planning.ways.counts import start_counts
from nvcfplan.planning.ways.standing import (
    deployed,
    given_by,
    given_up,
    specifications_of,
    taken_by,
    updated,
)
from nvcfplan.plans import (
    CreateVersion,
    Drain,
    Reversible,
    Step,
    Undeploy,
    UpdateDeployment,
    VersionRef,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.capacity import Limits
    from nvcfplan.model import GpuSpecification, LiveSpecification, Warm
    from nvcfplan.planning.ways.counts import Counts

OLD: Final = "old"
NEW: Final = "new"
BOUNCE: Final = "bounce"
"""A version that lives only while the function moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One function's difference, and what its steps are worked out from."""

    difference: Difference
    context: Context

    @property
    def limits(self) -> Limits:
        return self.context.limits

    @property
    def current(self) -> LiveVersion:
        return current_of(self.difference)

    @property
    def wanted(self) -> tuple[GpuSpecification, ...]:
        return self.difference.specifications

    @property
    def policy(self) -> UpdatePolicy:
        """Of a function that is wanted no more, the one that was applied last."""
        if self.difference.desired is not None:
            return self.difference.desired.update
        managed = self.difference.owned.managed if self.difference.owned else None
        return managed.applied.update if managed else UpdatePolicy()

    def start(self, warm: Warm) -> Counts:
        return start_counts(self.difference, self.limits, warm=warm, prove=self.policy.prove)

    def key_of(self, row: LiveSpecification) -> str:
        """What the stack calls a live specification; its id where it goes on as none."""
        matching = self.difference.matching
        pairs = (*matching.pairs, *matching.moved) if matching else ()
        return next((pair.wanted.key for pair in pairs if pair.live == row), row.id)

    def ref(self, label: str) -> VersionRef:
        return VersionRef(self.difference.change.address, label)


@dataclass(frozen=True, slots=True)
class Running:
    """A version that runs now, or will once the steps so far are done."""

    ref: VersionRef
    version: LiveVersion


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps, each after the one before it, and what the version is after them."""

    steps: tuple[Step, ...]
    after: Running


def tagged_config(case: Case) -> FunctionConfig:
    config = case.difference.config
    assert config is not None, "a new version has a configuration"
    ours = ownership_tags(owner(case.difference, case.context))
    return replace(config, tags=tuple(sorted({*user_tags(config.tags), *ours})))


def wanted_secrets(case: Case) -> tuple[SecretReference, ...]:
    return case.difference.desired.secrets if case.difference.desired else ()


def create_version(case: Case, ref: VersionRef) -> Step:
    return create_step(CreateVersion(ref, tagged_config(case), wanted_secrets(case)))


def deploy(
    ref: VersionRef, specifications: tuple[GpuSpecification, ...], limits: Limits, waits: Waits
) -> Stage:
    """Deployed and awaited; nothing where the function is wanted, or left, undeployed."""
    after = Running(ref, deployed(ref, specifications))
    if not specifications:
        return Stage((), after)
    charges = deploy_charges(limits, specifications)
    step = deploy_step(ref, specifications, waits, acquire=charges)
    return Stage((step, await_active_step(ref, Waits(steps=(step,)))), after)


def retire(case: Case, running: Running, waits: Waits, *, nth: int = 1) -> tuple[Step, ...]:
    """Undeploy, then the wait that gives back. A draining row is only waited for."""
    version, ref, policy = running.version, running.ref, case.policy
    if not has_row(version):
        return ()
    steps: tuple[Step, ...] = ()
    drains = version.status is Status.INACTIVE
    if not drains:
        does_serve = version.status.is_serving or ref.label == BOUNCE
        drains = policy.drain and does_serve
        undo = specifications_of(version) if version.status is not Status.ERROR else ()
        undeploy = undeploy_step(
            Undeploy(ref, graceful=drains),
            waits,
            before=undo,
            needs=deploy_charges(case.limits, undo),
        )
        steps, waits = (undeploy,), Waits(steps=(undeploy,))
    released = await_released_step(
        ref,
        waits,
        release=given_up(version, case.limits),
        drain=_drain(policy) if drains else None,
        nth=nth,
    )
    return (*steps, released)


def _drain(policy: UpdatePolicy) -> Drain:
    return Drain(int(policy.drain_timeout.total_seconds()), policy.on_drain_timeout)


def bounded(
    specifications: Sequence[GpuSpecification], minima: Counts, maxima: Counts
) -> tuple[GpuSpecification, ...]:
    """The same placements with these bounds; what is not named keeps its own."""
    return tuple(
        replace(
            one,
            min_instances=minima.get(one.key, one.min_instances),
            max_instances=maxima.get(one.key, one.max_instances),
        )
        for one in specifications
    )


def conclude(
    running: Running, wanted: Sequence[GpuSpecification], limits: Limits, after: Step, *, nth: int
) -> Stage:
    """A version that this plan deployed gets the bounds that it is to keep.

    Lowering a minimum needs no undo: the version goes whole when the plan is undone.
    """
    steps, first = [after], running.version
    changed: list[UpdateDeployment] = []
    for before, then in zip(specifications_of(first), wanted, strict=True):
        if before != then:
            task = UpdateDeployment(running.ref, then, before)
            changed.append(task)
            step = update(running, task, limits, steps[-1], nth=nth)
            clamp = replace(then, max_instances=before.max_instances)
            is_raised = then.max_instances > before.max_instances
            back = Reversible((UpdateDeployment(running.ref, clamp, then),))
            steps.append(replace(step, undo=back if is_raised else NOTHING_TO_UNDO))
            running = Running(running.ref, updated(running.version, task, limits))
    release = given_by(first, changed, limits)
    if release:
        waits = Waits(steps=steps[-1:])
        again = 2 if running.ref.label == OLD else 1  # deployed anew, it was released before
        steps.append(await_released_step(running.ref, waits, release=release, nth=again))
    return Stage(tuple(steps[1:]), running)


def update(
    running: Running, task: UpdateDeployment, limits: Limits, after: Step, *, nth: int = 1
) -> Step:
    return update_step(
        task,
        Waits(steps=(after,)),
        acquire=taken_by(running.version, task, limits),
        needs=given_by(running.version, (task,), limits),
        nth=nth,
    )
