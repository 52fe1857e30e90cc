"""The whole stack against the account: one `Difference` per function, each with all that its steps
will need. Ordering, capacity and steps are left to `planning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.differences.cautions import caution, is_move
from nvcfplan.differences.compare import (
    carried_config,
    compare_config,
    compare_ownership,
    compare_secrets,
    compare_specifications,
    created_attributes,
    removed_attributes,
    secret_change,
)
from nvcfplan.differences.late import has_row
from nvcfplan.differences.leftovers import (
    FAILED,
    RETURNS,
    SURPLUS,
    cleaning,
    is_due,
    leaving,
    note_failed,
)
from nvcfplan.differences.ownership import OwnedFunction
from nvcfplan.differences.sealing import seal_config
from nvcfplan.differences.sharing import compare_sharing, created_sharing, judge_sharing
from nvcfplan.differences.specifications import Matching, match_specifications
from nvcfplan.differences.standing import judge_standing
from nvcfplan.differences.trouble import judge_live, unmovable_secrets
from nvcfplan.model import (
    DesiredFunction,
    FunctionConfig,
    GpuSpecification,
    LiveVersion,
    OnRemove,
    Owner,
    Status,
    UpdateOrder,
    canonical_json,
    function_address,
)
from nvcfplan.plans import Action, AttributeChange, Change, Means


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`config`: of the new version, sealed, without our tags; None where none is made.

    `specifications`: the wanted placement, unmanaged fields carried forward, by key.
    `retired`: other versions of ours that are deployed and should not be. `surplus`: stored ones
    beyond `keepVersions`, come late, or failed and kept for long enough; they are deleted last.
    """

    change: Change
    desired: DesiredFunction | None
    owned: OwnedFunction | None
    config: FunctionConfig | None = None
    specifications: tuple[GpuSpecification, ...] = ()
    matching: Matching | None = None
    retired: tuple[LiveVersion, ...] = ()
    surplus: tuple[LiveVersion, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """`now`: a name or description alone is reason enough for a new version.

    `fingerprints`: of the wanted secrets, by (function key, name), under the state's key; only
    those that could be resolved. `keeps_stored`: of stored versions only one that is replaced
    makes another surplus. `at`: the time of day; None: whatever failed is kept.
    """

    stack: str
    environment: str
    now: bool = False
    fingerprints: Mapping[tuple[str, str], str]
    keeps_stored: bool = False
    at: datetime | None = None


def compare_function(
    desired: DesiredFunction,
    owned: OwnedFunction | None,
    options: CompareOptions,
    *,
    reason_created: str = "new",
) -> Difference:
    """`reason_created` is why there is no live function: new, or deleted outside."""
    if owned is None:
        return _created(desired, reason_created)
    live = owned.current
    applied = owned.managed.applied if owned.managed else None
    config = compare_config(desired, live, applied)
    matching = match_specifications(
        desired.specifications,
        live.deployment.specifications if live.deployment else (),
        applied.specifications if applied else (),
    )
    attributes = (
        *config.attributes,
        *(config.waiting if options.now else ()),
        *compare_secrets(desired, live),
        *_changed_secrets(desired, owned, options),
        *compare_sharing(desired, owned),
        *compare_ownership(Owner(options.stack, options.environment, desired.key), live),
        *_placement_attributes(desired, live, matching, applied),
    )
    means = _means(desired, live, attributes)
    if Means.NEW_VERSION in means and not options.now:
        attributes = (*attributes, *config.waiting)
    retired = _retired(owned)
    is_replaced = Means.NEW_VERSION in means
    is_kept = options.keeps_stored and not is_replaced
    surplus = () if is_kept else _surplus(desired, owned, options.at, is_replaced=is_replaced)
    if retired or surplus:
        means = tuple(sorted({*means, Means.REMOVE}))
    change = _change(desired, means, attributes, config.waiting)
    if owned.is_returning:
        change = replace(change, reason=RETURNS)
    if change.reason == SURPLUS:
        change = replace(change, reason=cleaning(owned, surplus))
    config_made = carried_config(desired, live) if Means.NEW_VERSION in means else None
    return Difference(
        change=change,
        desired=desired,
        owned=owned,
        config=seal_config(config_made) if config_made else None,
        specifications=_fitting(_wanted_specifications(desired, live, matching), config_made),
        matching=matching,
        retired=retired,
        surplus=surplus,
        diagnostics=(
            *_diagnostics(desired, owned, means),
            *note_failed(owned, surplus),
            *(caution(desired, config_made, attributes) if config_made else ()),
        ),
    )


def keep_function(owned: OwnedFunction) -> Difference:
    """What is left over of one that failed, until its time is over."""
    change = Change(
        address=function_address(owned.key),
        action=Action.NO_OP,
        means=(),
        reason=FAILED,
        attributes=(),
    )
    return Difference(change=change, desired=None, owned=owned, diagnostics=note_failed(owned, ()))


def remove_function(owned: OwnedFunction, on_remove: OnRemove) -> Difference:
    """A function of ours that the stack no longer names."""
    address = function_address(owned.key)
    match on_remove:
        case OnRemove.DELETE:
            return Difference(
                change=Change(
                    address=address,
                    action=Action.DELETE,
                    means=(Means.REMOVE,),
                    reason=leaving(owned),
                    attributes=removed_attributes(owned.current),
                ),
                desired=None,
                owned=owned,
                retired=tuple(one for one in owned.versions if has_row(one)),
                surplus=owned.versions,
                diagnostics=(*_in_the_way(owned), *note_failed(owned, owned.versions)),
            )
        case OnRemove.UNDEPLOY:
            deployed = tuple(one for one in owned.versions if has_row(one))
            return Difference(
                change=Change(
                    address=address,
                    action=Action.UPDATE if deployed else Action.NO_OP,
                    means=(Means.REMOVE,) if deployed else (),
                    reason="removed-from-stack" if deployed else "undeployed-on-removal",
                    attributes=(),
                ),
                desired=None,
                owned=owned,
                retired=deployed,
                diagnostics=_in_the_way(owned),
            )
        case OnRemove.FORGET:
            return Difference(
                change=Change(
                    address=address,
                    action=Action.FORGET,
                    means=(Means.METADATA,),
                    reason="removed-from-stack",
                    attributes=(),
                ),
                desired=None,
                owned=owned,
            )


def _created(desired: DesiredFunction, reason: str) -> Difference:
    shared = created_sharing(desired)
    attributes = (*created_attributes(desired), *shared)
    return Difference(
        change=Change(
            address=desired.address,
            action=Action.CREATE,
            means=tuple(sorted({Means.NEW_VERSION, *(one.means for one in shared)})),
            reason=reason,
            attributes=tuple(sorted(attributes, key=lambda one: one.path)),
        ),
        desired=desired,
        owned=None,
        config=seal_config(desired.config),
        specifications=tuple(one.specification for one in desired.specifications),
    )


def _changed_secrets(
    desired: DesiredFunction, owned: OwnedFunction, options: CompareOptions
) -> tuple[AttributeChange, ...]:
    """Values compared by fingerprint, where the one applied last and the wanted one are known."""
    last = dict(owned.managed.secret_fingerprints) if owned.managed else {}
    found = set(owned.current.secret_names or ())
    return tuple(
        secret_change(one.name, before=True, after=True, means=Means.SECRETS)
        for one in desired.secrets
        if one.name in found
        and one.name in last
        and options.fingerprints.get((desired.key, one.name), last[one.name]) != last[one.name]
    )


def _placement_attributes(
    desired: DesiredFunction,
    live: LiveVersion,
    matching: Matching,
    applied: DesiredFunction | None,
) -> tuple[AttributeChange, ...]:
    if "deployment" not in desired.managed:
        return ()
    status = AttributeChange(
        path="deployment",
        before=canonical_json(live.status),
        after=None,
        live=None,
        means=Means.REDEPLOY,
        reason="",
    )
    if not desired.specifications:
        is_up = has_row(live)
        return (replace(status, means=Means.REMOVE, reason="removed"),) if is_up else ()
    active = canonical_json(Status.ACTIVE)
    if live.status is Status.INACTIVE:
        return (replace(status, after=active, reason="not-deployed"),)
    changes = compare_specifications(matching, applied)
    if live.status is Status.ERROR:
        return (replace(status, after=active, reason="live-error"), *changes)
    return changes


def _means(
    desired: DesiredFunction, live: LiveVersion, attributes: tuple[AttributeChange, ...]
) -> tuple[Means, ...]:
    """A new version carries everything else with it; so does a redeploy, but for tags and secrets.

    Who may call is nobody's to carry: that list is the function's.

    A move alone is a redeploy of the same version when the stack asks for `delete-first`, and when
    that version failed: then there is nothing that could serve meanwhile.
    """
    wanted = {one.means for one in attributes}
    if Means.NEW_VERSION in wanted:
        is_first = desired.update.replacing_order is UpdateOrder.DELETE_FIRST
        if not is_move(attributes) or not (is_first or live.status is Status.ERROR):
            return tuple(sorted({Means.NEW_VERSION, *wanted & {Means.SHARING}}))
        wanted = {*wanted - {Means.NEW_VERSION}, Means.REDEPLOY}
    if Means.REDEPLOY in wanted:
        wanted -= {Means.SPECIFICATION, Means.DEPLOYMENT}
    return tuple(sorted(wanted))


def _change(
    desired: DesiredFunction,
    means: tuple[Means, ...],
    attributes: tuple[AttributeChange, ...],
    waiting: tuple[AttributeChange, ...],
) -> Change:
    if means:
        action, reason = Action.UPDATE, _reason(means, attributes)
    else:
        action, reason = Action.NO_OP, "waits-for-next-version" if waiting else "unchanged"
        attributes = waiting
    return Change(
        address=desired.address,
        action=action,
        means=means,
        reason=reason,
        attributes=tuple(sorted(attributes, key=lambda one: one.path)),
    )


def _reason(means: tuple[Means, ...], attributes: tuple[AttributeChange, ...]) -> str:
    """The first that holds; the attributes say the rest."""
    reasons = {one.reason for one in attributes}
    for live in ("live-error", "not-deployed", "ownership-tags-missing"):
        if live in reasons and Means.NEW_VERSION not in means:
            return live
    if Means.NEW_VERSION in means or Means.REDEPLOY in means:
        return "placement-changed" if is_move(attributes) else "configuration-changed"
    if {Means.SPECIFICATION, Means.DEPLOYMENT} & set(means):
        return "scaled"
    if Means.SECRETS in means:
        return "secrets-changed"
    if Means.METADATA in means:
        return "metadata-changed"
    if Means.SHARING in means:
        return "sharing-changed"
    return SURPLUS if not attributes else "undeployed"


def _fitting(
    some: tuple[GpuSpecification, ...], config: FunctionConfig | None
) -> tuple[GpuSpecification, ...]:
    """Values of a helm chart are not carried to a container: 400. Source: nvcf-api.md 3.3."""
    if config is None or config.helm_chart is not None:
        return some
    return tuple(replace(one, configuration=None) for one in some)


def _wanted_specifications(
    desired: DesiredFunction, live: LiveVersion, matching: Matching
) -> tuple[GpuSpecification, ...]:
    """Where the stack does not manage the deployment, a new version goes where the old one is."""
    if "deployment" in desired.managed:
        return matching.wanted
    rows = live.deployment.specifications if live.deployment and live.is_deployed else ()
    return tuple(one.specification for one in rows)


def _retired(owned: OwnedFunction) -> tuple[LiveVersion, ...]:
    current = owned.current.version_id
    return tuple(one for one in owned.versions if one.version_id != current and one.is_deployed)


def _surplus(
    desired: DesiredFunction, owned: OwnedFunction, at: datetime | None, *, is_replaced: bool
) -> tuple[LiveVersion, ...]:
    current = owned.current.version_id
    kept = [one for one in owned.versions if one.version_id not in (*owned.late, *owned.failed)]
    stored = [one for one in kept if one.version_id != current]
    stored += [owned.current] if is_replaced else []
    beyond = len(stored) - desired.update.keep_versions
    late = [one for one in owned.versions if one.version_id in owned.late]
    over = [one for one in owned.versions if one.version_id in owned.failed and is_due(one, at)]
    return (*late, *over, *stored[: max(0, beyond)])


def _diagnostics(
    desired: DesiredFunction, owned: OwnedFunction, means: tuple[Means, ...]
) -> tuple[Diagnostic, ...]:
    found = [*judge_live(owned), *judge_standing(desired), *_no_longer_managed(desired, owned)]
    found += judge_sharing(desired, owned)
    if Means.NEW_VERSION in means and "secrets" not in desired.managed:
        lost = unmovable_secrets(owned, frozenset(one.name for one in desired.secrets))
        found += [lost] if lost else []
    return tuple(found)


def _in_the_way(owned: OwnedFunction) -> tuple[Diagnostic, ...]:
    """A removal does not mind what is degraded."""
    return tuple(one for one in judge_live(owned) if one.severity is Severity.ERROR)


def _no_longer_managed(desired: DesiredFunction, owned: OwnedFunction) -> tuple[Diagnostic, ...]:
    last = owned.managed.applied.managed if owned.managed else ()
    dropped = sorted(set(last) - set(desired.managed))
    if not dropped:
        return ()
    return (
        Diagnostic(
            code="no-longer-managed",
            severity=Severity.NOTE,
            summary=f"{desired.address}: {', '.join(dropped)} left the stack and stays as it is",
            detail="absent means not managed; an empty value or null means managed and empty",
            remedy="write the field with an empty value if it should be emptied",
            subject=Subject(desired.address),
        ),
    )
