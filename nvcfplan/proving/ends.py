"""Re-checks from the plan alone that its steps end where its changes say.

Each means needs certain steps; each version that was seen ends deployed, stored or deleted as the
stack's own policy has it. That the steps come in a safe order is asked elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.model import Prove, own_tags
from nvcfplan.plans import (
    Action,
    AwaitActive,
    AwaitReleased,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Failed,
    Means,
    SetAuthorizations,
    SetSecrets,
    Task,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
)
from nvcfplan.proving.bounds import bound_faults, final_bounds
from nvcfplan.proving.evidence import BOUNCE, NEW, OLD, Case, Evidence, Seen
from nvcfplan.proving.faults import broken_end
from nvcfplan.proving.wanted import (
    is_config_wanted,
    is_metadata_wanted,
    is_placed_as_wanted,
    is_specification_wanted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import GpuSpecification
    from nvcfplan.plans import VersionRef

CALLS: Final[dict[Means, type[Task]]] = {
    Means.METADATA: UpdateMetadata,
    Means.SECRETS: SetSecrets,
    Means.SHARING: SetAuthorizations,
}
"""Means that are one call on the version that is there."""
_FIELD: Final = "authorized_parties"


def check_ends(evidence: Evidence) -> Iterator[Diagnostic]:
    for case in evidence.cases():
        for what in _faults(case, evidence):
            yield broken_end(case.change.address, what)
    known = {change.address for change in evidence.plan.changes}
    for address in evidence.steps.keys() - known:
        yield broken_end(address, "has steps and no change")


def _faults(case: Case, evidence: Evidence) -> Iterator[str]:
    match case.change.action:
        case Action.NO_OP | Action.IMPORT:
            if case.steps:
                yield "has steps, and its change says that there is nothing to do"
        case Action.CREATE:
            yield from _created(case, CreateFunction)
            yield from _serving(case, NEW, evidence)
            yield from _shared(case, NEW)
        case Action.FORGET | Action.DELETE | Action.UPDATE if case.current is None:
            yield "is changed, and the plan does not say what was there"
        case Action.FORGET:
            yield from _forgotten(case)
        case Action.DELETE:
            yield from _retired(case, evidence)
            yield from _deleted(case, len(case.seen))
        case Action.UPDATE:
            yield from _updated(case, evidence)


def _updated(case: Case, evidence: Evidence) -> Iterator[str]:
    means = case.change.means
    if Means.NEW_VERSION in means:
        yield from _created(case, CreateVersion)
        yield from _serving(case, NEW, evidence)
    if Means.REDEPLOY in means:
        yield from _serving(case, OLD, evidence)
    yield from (
        f"changes by {one}, and no step does that"
        for one in means
        if one in CALLS and not case.has(CALLS[one], case.ref(OLD))
    )
    yield from _called_as_wanted(case)
    yield from _shared(case, OLD)
    yield from _scaled(case, evidence)
    yield from _retired(case, evidence)
    yield from _deleted(case, _surplus(case))


def _created(case: Case, kind: type[CreateFunction | CreateVersion]) -> Iterator[str]:
    made = case.tasks(kind, case.ref(NEW))
    if len(made) != 1:
        yield "needs a new version, and no step makes it"
    elif case.desired is None or not is_config_wanted(made[0], case.desired):
        yield "is made with another configuration than the stack's"
    yield from _bounced(case, made)


def _bounced(case: Case, made: Sequence[CreateFunction | CreateVersion]) -> Iterator[str]:
    """What lived elsewhere meanwhile is the same version, where the stack allows, and is gone."""
    bounce = case.ref(BOUNCE)
    for one in case.tasks(CreateVersion, bounce):
        if not made or (one.config, one.secrets) != (made[0].config, made[0].secrets):
            yield f"makes {bounce} with another configuration than {case.ref(NEW)}"
        if not case.has(DeleteVersion, bounce):
            yield f"keeps {bounce}"
    allowed = {one.key: one for one in case.desired.update.bounce} if case.desired else {}
    for task in case.tasks(Deploy, bounce):
        if any(not _is_placed_as(allowed.get(one.key), one) for one in task.specifications):
            yield f"deploys {bounce} where `update.bounce` does not say"


def _is_placed_as(allowed: GpuSpecification | None, one: GpuSpecification) -> bool:
    return allowed is not None and one == replace(
        allowed, min_instances=one.min_instances, max_instances=one.max_instances
    )


def _serving(case: Case, label: str, evidence: Evidence) -> Iterator[str]:
    """Ends as wanted, and awaited; or not deployed where it is wanted, or left, undeployed."""
    version = case.ref(label)
    final = final_bounds(case, version)
    deploys = case.steps_of(Deploy, version)
    if len(deploys) > 1:
        yield f"deploys {version} more than once"
    if not is_placed_as_wanted(final, case):
        yield f"is not deployed as wanted: {version}"
    yield from bound_faults(case, version, evidence)
    if deploys and case.desired and not _is_shown_to_work(case, version, final):
        yield f"leaves {version} without an instance that was ever seen to run"
    if deploys and not _follows(case, (AwaitActive, version), (Deploy, version), evidence):
        yield f"is deployed, and nothing waits for {version} to be active"


def _is_shown_to_work(case: Case, version: VersionRef, final: Sequence[GpuSpecification]) -> bool:
    """One instance at least was awaited, where the function asks for that."""
    if case.desired is None or case.desired.update.prove is Prove.NONE:
        return True
    begun = (one for task in case.tasks(Deploy, version) for one in task.specifications)
    return not final or any(one.min_instances for one in begun)


def _called_as_wanted(case: Case) -> Iterator[str]:
    old, desired = case.ref(OLD), case.desired
    if desired is None:
        return
    for update in case.tasks(UpdateMetadata, old):
        if not is_metadata_wanted(update.metadata, desired):
            yield "gets other metadata than the stack's"
    if Means.SECRETS in case.change.means:
        named = {one.path for one in case.change.attributes if one.path.startswith("secrets.")}
        sent = {f"secrets.{s.name}" for one in case.tasks(SetSecrets, old) for s in one.secrets}
        for path in sorted(named - sent):
            yield f"changes {path}, and no step sends it"


def _shared(case: Case, label: str) -> Iterator[str]:
    """A new function is shared once it is there; one that is, is so in one call for all versions.

    Nobody's list is touched that the stack does not manage. Source: nvcf-api.md 2.4.
    """
    calls = case.tasks(SetAuthorizations, case.ref(label))
    wanted = case.desired.authorized_parties if case.desired else ()
    if len(calls) != len([one for one in case.steps if isinstance(one.task, SetAuthorizations)]):
        yield "sets who may call it by another version than the one that is there"
    elif any(one.parties != wanted for one in calls):
        yield "is shared with others than the stack's `authorizedParties`"
    elif calls and Means.SHARING not in case.change.means:
        yield "is shared, and its change does not say so"
    elif not calls and label == NEW and wanted:
        yield "is wanted shared, and no step does that"
    elif calls and case.desired is not None and _FIELD not in case.desired.managed:
        yield "is shared, and the stack does not manage that"


def _scaled(case: Case, evidence: Evidence) -> Iterator[str]:
    """Every specification whose bounds differ gets them, and what grows is awaited."""
    old = case.ref(OLD)
    updates = case.tasks(UpdateDeployment, old)
    last = {one.specification.key: one.specification for one in updates}
    if {Means.SPECIFICATION, Means.DEPLOYMENT}.isdisjoint(case.change.means):
        return
    for wanted in case.desired.specifications if case.desired else ():
        head = f"deployment.specifications.{wanted.key}."
        is_changed = any(one.path.startswith(head) for one in case.change.attributes)
        if wanted.key in last and not is_specification_wanted(last[wanted.key], wanted):
            yield f"does not end with the bounds of {wanted.key} that are wanted"
        elif is_changed and wanted.key not in last:
            yield f"changes {wanted.key}, and no step updates it"
    grows = any(one.specification.min_instances > one.before.min_instances for one in updates)
    if grows and not _follows(case, (AwaitActive, old), (UpdateDeployment, old), evidence):
        yield "grows, and nothing waits for that"


def _retired(case: Case, evidence: Evidence) -> Iterator[str]:
    """What must not stay deployed is undeployed and released; what must stay is left alone."""
    for seen in case.seen:
        version = case.ref_of(seen)
        if not _must_go(case, seen):
            if case.has(Undeploy, version):
                yield f"undeploys {version}, which should go on serving"
            continue
        if seen.is_deployed and not case.has(Undeploy, version):
            yield f"leaves {version} deployed"
        elif seen.is_deployed and not _follows(
            case, (AwaitReleased, version), (Undeploy, version), evidence
        ):
            yield f"undeploys {version}, and nothing waits until it is released"
        elif not case.has(AwaitReleased, version):
            yield f"does not wait until {version} has drained"


def _must_go(case: Case, seen: Seen) -> bool:
    if not seen.has_row:
        return False
    if not seen.is_current:
        return seen.is_deployed or case.desired is None
    desired = case.desired
    is_stopped = desired is None or ("deployment" in desired.managed and not desired.specifications)
    return is_stopped or bool({Means.NEW_VERSION, Means.REDEPLOY} & set(case.change.means))


def _deleted(case: Case, expected: int) -> Iterator[str]:
    """As many stored versions as the policy says; never the one that carries the function."""
    gone = [one for one in case.seen if case.has(DeleteVersion, case.ref_of(one))]
    if len(gone) != expected:
        yield f"has {expected} versions to delete, and its steps delete {len(gone)}"
    for one in case.seen if case.change.action is Action.UPDATE else ():
        if one.is_late and one not in gone:
            yield f"keeps {case.ref_of(one)}, for which nobody waits"
        if one.failed is Failed.OVER and one not in gone:
            yield f"keeps {case.ref_of(one)}, which failed and was kept for long enough"
        if one.failed is Failed.KEPT and one in gone:
            yield f"deletes {case.ref_of(one)}, which failed and is still to be looked at"
    is_kept = case.change.action is Action.UPDATE and Means.NEW_VERSION not in case.change.means
    if is_kept and any(one.is_current for one in gone):
        yield "loses the version that carries it"


def _surplus(case: Case) -> int:
    if case.desired is None:
        return 0
    is_replaced = Means.NEW_VERSION in case.change.means
    kept = [one for one in case.seen if not one.is_late and one.failed is None]
    stored = [one for one in kept if is_replaced or not one.is_current]
    late = sum(one.is_late or one.failed is Failed.OVER for one in case.seen)
    return late + max(0, len(stored) - case.desired.update.keep_versions)


def _forgotten(case: Case) -> Iterator[str]:
    """Our tags come off every version; nothing else is done."""
    for seen in case.seen:
        updates = case.tasks(UpdateMetadata, case.ref(seen.version))
        if not any(not own_tags(one.metadata.tags or ()) for one in updates):
            yield f"keeps our tags on {seen.version}"
    if any(not isinstance(one.task, UpdateMetadata) for one in case.steps):
        yield "is let go, and is changed all the same"


def _follows(
    case: Case,
    later: tuple[type[Task], VersionRef],
    earlier: tuple[type[Task], VersionRef],
    evidence: Evidence,
) -> bool:
    """Some step of the one kind comes after every step of the other."""
    firsts = case.steps_of(*earlier)
    return any(
        all(evidence.order.precedes(first.id, second.id) for first in firsts)
        for second in case.steps_of(*later)
    )
