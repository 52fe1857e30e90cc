"""Changes -> steps: the one place where a means becomes requests and waits.

Each function gets one or two drafts: create-first, delete-first, or neither where nothing is
replaced. Which one is taken, and what waits for whose GPUs, is the scheduler's business.
"""

from __future__ import annotations

from dataclasses import replace

from nvcfplan.capacity import (
    VERSION_LIMIT,
    Limits,
    deploy_charges,
    release_charges,
)
from nvcfplan.differences import Difference, has_row
from nvcfplan.model import (
    Downtime,
    FunctionConfig,
    GpuSpecification,
    LiveVersion,
    Metadata,
    SecretReference,
    Status,
    UpdateOrder,
    UpdatePolicy,
    ownership_tags,
    user_tags,
)
from nvcfplan.planning.context import Context, current_of, owner
from nvcfplan.planning.drafts import (
    FREE,
    Waits,
    await_active_step,
    await_released_step,
    create_step,
    delete_step,
    deploy_step,
    metadata_step,
    undeploy_step,
)
from nvcfplan.planning.inplace import metadata, set_secrets, updates
from nvcfplan.planning.parts import Draft, draft_of, with_steps
from nvcfplan.planning.sharing import with_sharing
from nvcfplan.plans import (
    Action,
    Charge,
    CreateFunction,
    CreateVersion,
    Means,
    Order,
    Probe,
    Step,
    Undeploy,
    UpdateMetadata,
    VersionRef,
)


def expand(difference: Difference, context: Context) -> tuple[Draft, ...]:
    """Best first; empty when there is nothing to do."""
    return tuple(with_sharing(draft, difference) for draft in _drafts(difference, context))


def _drafts(difference: Difference, context: Context) -> tuple[Draft, ...]:
    change = difference.change
    match change.action:
        case Action.NO_OP | Action.IMPORT:
            return ()
        case Action.CREATE:
            return (_create(difference, context),)
        case Action.FORGET:
            return (_forget(difference),)
        case Action.DELETE | Action.UPDATE:
            if Means.NEW_VERSION in change.means:
                return tuple(
                    _replace(difference, context, strategy) for strategy in _strategies(difference)
                )
            if Means.REDEPLOY in change.means:
                return (_redeploy(difference, context),)
            return (_in_place(difference, context),)


def _create(difference: Difference, context: Context) -> Draft:
    new = VersionRef(difference.change.address, "new")
    create = create_step(
        CreateFunction(new, _tagged(difference, context), _secrets(difference)),
        acquire=_one_version(context.limits),
    )
    return draft_of((create, *_deploy_new(difference, context, new, (create,))))


def _replace(difference: Difference, context: Context, strategy: Order) -> Draft:
    """A new version beside the old one, or in its place."""
    address = difference.change.address
    new, old = VersionRef(address, "new"), VersionRef(address, "old")
    task = CreateVersion(new, _tagged(difference, context), _secrets(difference))
    create = create_step(task)
    current = current_of(difference)
    if strategy is Order.DELETE_FIRST:
        retire = _retire(current, old, (difference, context), Waits(steps=(create,)))
        deploy = _deploy_new(difference, context, new, (create, *retire[-1:]), strategy=strategy)
        draft = draft_of((create, *retire), deploy, has_gap=_may_serve(current))
    else:
        deploy = _deploy_new(difference, context, new, (create,))
        waits = Waits(steps=deploy[-1:] or (create,), order=Order.CREATE_FIRST)
        retire = _retire(current, old, (difference, context), waits)
        draft = draft_of((create, *deploy, *retire))
    return _with_cleanup(draft, difference, context)


def _may_serve(version: LiveVersion) -> bool:
    return version.status not in (Status.INACTIVE, Status.ERROR)


def _redeploy(difference: Difference, context: Context) -> Draft:
    """The same version once more: undeployed and released first where a row is in the way.

    Tags and secrets come before it serves again: a wrong secret may be why it does not.
    """
    old = VersionRef(difference.change.address, "old")
    current = current_of(difference)
    tags = metadata(difference, context, current)
    retire = _retire(current, old, (difference, context), Waits(steps=tags))
    first = (*tags, *retire)
    first = (*first, *set_secrets(difference, first[-1:]))
    waits = Waits(steps=first[-1:], order=Order.DELETE_FIRST)
    deploy = _deploy(old, difference.specifications, context, waits)
    draft = draft_of(first, deploy, has_gap=_may_serve(current))
    return _with_cleanup(draft, difference, context)


def _in_place(difference: Difference, context: Context) -> Draft:
    """Calls on the version that is there, one after the other: a PUT resends what others have."""
    if difference.desired is None:
        return _with_cleanup(draft_of(), difference, context)
    current = current_of(difference)
    first = metadata(difference, context, current)
    shrinking: tuple[Step, ...] = ()
    growing: tuple[Step, ...] = ()
    if {Means.SPECIFICATION, Means.DEPLOYMENT} & set(difference.change.means):
        shrinking, growing = updates(difference, context, first)
    steps = (*first, *shrinking, *growing)
    is_undeployed = "deployment" in difference.desired.managed and not difference.specifications
    rest: tuple[Step, ...] = ()
    if is_undeployed and has_row(current):
        old = VersionRef(difference.change.address, "old")
        rest = _retire(current, old, (difference, context), Waits(steps=steps[-1:]))
    rest = (*rest, *set_secrets(difference, (*steps, *rest)[-1:]))
    draft = draft_of((*first, *shrinking), (*growing, *rest))
    return _with_cleanup(draft, difference, context)


def _forget(difference: Difference) -> Draft:
    """Our tags come off every version; nothing else is touched."""
    address = difference.change.address
    versions = difference.owned.versions if difference.owned else ()
    steps = tuple(
        metadata_step(
            UpdateMetadata(
                VersionRef(address, version.version_id),
                Metadata(tags=user_tags(version.config.tags)),
            ),
            FREE,
            before=Metadata(tags=version.config.tags),
        )
        for version in versions
    )
    return draft_of(steps)


def _with_cleanup(draft: Draft, difference: Difference, context: Context) -> Draft:
    """Other versions of ours that are deployed are retired; stored ones too many are deleted."""
    waits = Waits(steps=draft.steps[-1:])
    retired: list[Step] = []
    for version in difference.retired:
        retired += _retire(version, _ref(difference, version), (difference, context), waits)
    draft = with_steps(draft, retired)
    steps = draft.steps
    last = {step.task.version: step for step in steps if not isinstance(step.task, Probe)}
    refs = [_ref(difference, version) for version in difference.surplus]
    return replace(
        draft,
        deletes=tuple(
            delete_step(ref, Waits(steps=(last[ref],)))
            if ref in last
            else delete_step(ref, Waits(steps=steps[-1:], order=Order.BARRIER))
            for ref in refs
        ),
    )


def _ref(difference: Difference, version: LiveVersion) -> VersionRef:
    is_current = version.version_id == current_of(difference).version_id
    return VersionRef(difference.change.address, "old" if is_current else version.version_id)


def _deploy_new(
    difference: Difference,
    context: Context,
    new: VersionRef,
    first: tuple[Step, ...],
    *,
    strategy: Order = Order.REQUIRES,
) -> tuple[Step, ...]:
    """Nothing where the function is wanted, or left, undeployed."""
    waits = Waits(steps=first, order=strategy)
    return _deploy(new, difference.specifications, context, waits)


def _deploy(
    version: VersionRef,
    specifications: tuple[GpuSpecification, ...],
    context: Context,
    waits: Waits,
) -> tuple[Step, ...]:
    if not specifications:
        return ()
    deploy = deploy_step(
        version, specifications, waits, acquire=deploy_charges(context.limits, specifications)
    )
    return (deploy, await_active_step(version, Waits(steps=(deploy,))))


def _retire(
    version: LiveVersion, ref: VersionRef, found: tuple[Difference, Context], waits: Waits
) -> tuple[Step, ...]:
    """Undeploy, then the wait that gives back. A draining row is only waited for."""
    difference, context = found
    if not has_row(version):
        return ()
    policy = difference.desired.update if difference.desired else _applied_policy(difference)
    rows = version.deployment.specifications if version.deployment else ()
    before = tuple(row.specification for row in rows)
    steps: tuple[Step, ...] = ()
    if version.status is not Status.INACTIVE:
        is_graceful = policy.drain and version.status.is_serving
        undo = before if version.status is not Status.ERROR else ()
        undeploy = undeploy_step(
            Undeploy(ref, graceful=is_graceful),
            waits,
            before=undo,
            needs=deploy_charges(context.limits, undo),
        )
        steps, waits = (undeploy,), Waits(steps=(undeploy,))
    released = await_released_step(
        ref,
        waits,
        release=release_charges(context.limits, version),
        drain_seconds=int(policy.drain_timeout.total_seconds()),
    )
    return (*steps, released)


def _strategies(difference: Difference) -> tuple[Order, ...]:
    """`auto` leaves a gap only where the owner allows one."""
    policy = difference.desired.update if difference.desired else UpdatePolicy()
    if not has_row(current_of(difference)) or not difference.specifications:
        return (Order.CREATE_FIRST,)
    match policy.order:
        case UpdateOrder.CREATE_FIRST:
            return (Order.CREATE_FIRST,)
        case UpdateOrder.DELETE_FIRST:
            return (Order.DELETE_FIRST,)
        case UpdateOrder.AUTO if policy.downtime is Downtime.ALLOWED:
            return (Order.CREATE_FIRST, Order.DELETE_FIRST)
        case UpdateOrder.AUTO:
            return (Order.CREATE_FIRST,)


def _tagged(difference: Difference, context: Context) -> FunctionConfig:
    config = difference.config
    assert config is not None, "a new version has a configuration"
    ours = ownership_tags(owner(difference, context))
    return replace(config, tags=tuple(sorted({*user_tags(config.tags), *ours})))


def _secrets(difference: Difference) -> tuple[SecretReference, ...]:
    return difference.desired.secrets if difference.desired else ()


def _one_version(limits: Limits) -> tuple[Charge, ...]:
    """Only the creation of a *function* is tested. Source: nvcf-api.md 4.2."""
    is_known = any(one.id == VERSION_LIMIT for one in limits.resources)
    return (Charge(resource=VERSION_LIMIT, units=1),) if is_known else ()


def _applied_policy(difference: Difference) -> UpdatePolicy:
    managed = difference.owned.managed if difference.owned else None
    return managed.applied.update if managed else UpdatePolicy()
