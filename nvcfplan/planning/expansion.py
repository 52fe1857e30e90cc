"""Changes -> steps: the one place where a means becomes requests and waits.

A function that is replaced gets several drafts, the others one. Which one is taken, and what waits
for whose GPUs, is the scheduler's business.
"""

from __future__ import annotations

from dataclasses import replace

from nvcfplan.capacity import VERSION_LIMIT, Limits
from nvcfplan.differences import Difference, has_row
from nvcfplan.model import LiveVersion, Metadata, Warm, user_tags
from nvcfplan.planning.context import Context, current_of
from nvcfplan.planning.drafts import FREE, Waits, create_step, delete_step, metadata_step
from nvcfplan.planning.inplace import metadata, set_secrets, updates
from nvcfplan.planning.parts import Draft, draft_of, with_steps
from nvcfplan.planning.sharing import with_sharing
from nvcfplan.planning.ways.counts import Counts, running_by_row, shared_out
from nvcfplan.planning.ways.notes import start_notes
from nvcfplan.planning.ways.replacing import may_serve, replacements
from nvcfplan.planning.ways.stages import (
    NEW,
    OLD,
    Case,
    Running,
    bounded,
    conclude,
    deploy,
    retire,
    tagged_config,
    wanted_secrets,
)
from nvcfplan.plans import (
    Action,
    Charge,
    CreateFunction,
    Means,
    Order,
    Probe,
    Step,
    UpdateMetadata,
    VersionRef,
)


def expand(difference: Difference, context: Context) -> tuple[Draft, ...]:
    """Best first; empty when there is nothing to do."""
    return tuple(with_sharing(draft, difference) for draft in _drafts(difference, context))


def _drafts(difference: Difference, context: Context) -> tuple[Draft, ...]:
    change, case = difference.change, Case(difference=difference, context=context)
    match change.action:
        case Action.NO_OP | Action.IMPORT:
            return ()
        case Action.CREATE:
            return (_create(case),)
        case Action.FORGET:
            return (_forget(difference),)
        case Action.DELETE | Action.UPDATE:
            if Means.NEW_VERSION in change.means:
                return tuple(_with_cleanup(draft, case) for draft in replacements(case))
            if Means.REDEPLOY in change.means:
                return _redeployments(case)
            return (_in_place(case),)


def _create(case: Case) -> Draft:
    ref, limits = case.ref(NEW), case.limits
    create = create_step(
        CreateFunction(ref, tagged_config(case), wanted_secrets(case)),
        acquire=_one_version(limits),
    )
    steps = (create, *_deploy_wanted(case, ref, Waits(steps=(create,))))
    return replace(draft_of(steps), notes=start_notes(case, case.start(Warm.MIN)))


def _redeployments(case: Case) -> tuple[Draft, ...]:
    owned = case.difference.owned
    if owned is None or not owned.is_returning:
        return (_redeploy(case),)
    warm, cold = _warm_start(case), case.start(Warm.MIN)
    return tuple(_return(case, start) for start in ([warm, cold] if warm != cold else [cold]))


def _warm_start(case: Case) -> Counts:
    """As many instances as run of the versions that go, where the stack wants that."""
    start = case.start(Warm.MIN)
    if case.policy.warm is not Warm.MATCH_RUNNING:
        return start
    runs = sum(sum(running_by_row(one).values()) for one in case.difference.retired)
    return shared_out(case.wanted, start, max(runs, sum(start.values())))


def _return(case: Case, start: Counts) -> Draft:
    """A kept version is deployed again, and then those go that serve in its place."""
    difference, back = case.difference, case.ref(OLD)
    first = metadata(difference, case.context, case.current)
    first = (*first, *set_secrets(difference, first[-1:]))
    made = deploy(back, bounded(case.wanted, start, {}), case.limits, Waits(steps=first[-1:]))
    waits = Waits(steps=made.steps[-1:], order=Order.CREATE_FIRST)
    gone: list[Step] = []
    for version in difference.retired:
        gone += retire(case, Running(_ref(difference, version), version), waits)
    end = conclude(made.after, case.wanted, case.limits, [*made.steps, *gone][-1], nth=1)
    draft = draft_of((*first, *made.steps, *gone), end.steps)
    return _with_deletes(replace(draft, notes=start_notes(case, start)), case)


def _redeploy(case: Case) -> Draft:
    """The same version once more: undeployed and released first where a row is in the way.

    Tags and secrets come before it serves again: a wrong secret may be why it does not.
    """
    difference, current, old = case.difference, case.current, case.ref(OLD)
    tags = metadata(difference, case.context, current)
    retired = retire(case, Running(old, current), Waits(steps=tags))
    first = (*tags, *retired)
    first = (*first, *set_secrets(difference, first[-1:]))
    waits = Waits(steps=first[-1:], order=Order.DELETE_FIRST)
    draft = draft_of(first, _deploy_wanted(case, old, waits), has_gap=may_serve(current))
    draft = replace(draft, notes=start_notes(case, case.start(Warm.MIN)))
    return _with_cleanup(draft, case)


def _deploy_wanted(case: Case, ref: VersionRef, waits: Waits) -> tuple[Step, ...]:
    """Shown to work by one instance, where nothing else would."""
    start = case.start(Warm.MIN)
    made = deploy(ref, bounded(case.wanted, start, {}), case.limits, waits)
    if not made.steps:
        return ()
    concluded = conclude(made.after, case.wanted, case.limits, made.steps[-1], nth=1)
    return (*made.steps, *concluded.steps)


def _in_place(case: Case) -> Draft:
    """Calls on the version that is there, one after the other: a PUT resends what others have."""
    difference, context = case.difference, case.context
    if difference.desired is None:
        return _with_cleanup(draft_of(), case)
    current = case.current
    first = metadata(difference, context, current)
    shrinking: tuple[Step, ...] = ()
    growing: tuple[Step, ...] = ()
    if {Means.SPECIFICATION, Means.DEPLOYMENT} & set(difference.change.means):
        shrinking, growing = updates(difference, context, first)
    steps = (*first, *shrinking, *growing)
    is_undeployed = "deployment" in difference.desired.managed and not difference.specifications
    rest: tuple[Step, ...] = ()
    if is_undeployed and has_row(current):
        rest = retire(case, Running(case.ref(OLD), current), Waits(steps=steps[-1:]))
    rest = (*rest, *set_secrets(difference, (*steps, *rest)[-1:]))
    return _with_cleanup(draft_of((*first, *shrinking), (*growing, *rest)), case)


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


def _with_cleanup(draft: Draft, case: Case) -> Draft:
    """Other versions of ours that are deployed are retired; stored ones too many are deleted."""
    difference, waits = case.difference, Waits(steps=draft.steps[-1:])
    retired: list[Step] = []
    for version in difference.retired:
        retired += retire(case, Running(_ref(difference, version), version), waits)
    return _with_deletes(with_steps(draft, retired), case)


def _with_deletes(draft: Draft, case: Case) -> Draft:
    difference, steps = case.difference, draft.steps
    last = {step.task.version: step for step in steps if not isinstance(step.task, Probe)}
    refs = [_ref(difference, version) for version in difference.surplus]
    return replace(
        draft,
        deletes=(
            *draft.deletes,
            *(
                delete_step(ref, Waits(steps=(last[ref],)))
                if ref in last
                else delete_step(ref, Waits(steps=steps[-1:], order=Order.BARRIER))
                for ref in refs
            ),
        ),
    )


def _ref(difference: Difference, version: LiveVersion) -> VersionRef:
    is_current = version.version_id == current_of(difference).version_id
    return VersionRef(difference.change.address, OLD if is_current else version.version_id)


def _one_version(limits: Limits) -> tuple[Charge, ...]:
    """Only the creation of a *function* is tested. Source: nvcf-api.md 4.2."""
    is_known = any(one.id == VERSION_LIMIT for one in limits.resources)
    return (Charge(resource=VERSION_LIMIT, units=1),) if is_known else ()
