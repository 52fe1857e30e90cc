"""From stack, account, live functions and state to a plan, or to why there is none.

Pure: the same inputs give the same plan, whatever their order. Checks of the inventory and the
proof come after, from the outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from nvcfplan.capacity import VERSION_LIMIT, Involved, Limits, find_limits, with_declared
from nvcfplan.diagnostics import Diagnostic, Severity, has_errors
from nvcfplan.differences import (
    CompareOptions,
    Difference,
    Holdings,
    compare_function,
    conceal,
    find_owned,
    has_row,
    is_over,
    keep_function,
    remove_function,
    seal_stack,
)
from nvcfplan.model import (
    Account,
    Address,
    DesiredFunction,
    Digest,
    LiveFunction,
    LiveVersion,
    OnRemove,
    Stack,
    State,
    VersionId,
    function_address,
    function_key,
)
from nvcfplan.planning.assembly import assemble, point_of_no_return
from nvcfplan.planning.committing import behind_barrier
from nvcfplan.planning.context import Context
from nvcfplan.planning.covering import Arrangement, arrange
from nvcfplan.planning.demand import find_demand
from nvcfplan.planning.dependencies import dependencies
from nvcfplan.planning.fingerprints import inventory_rows, pre_images
from nvcfplan.planning.landings import find_landings
from nvcfplan.planning.protections import find_protections
from nvcfplan.planning.strategies import restrict, tighten
from nvcfplan.planning.verdicts import find_shortages, judge_capacity
from nvcfplan.planning.ways.counts import widest
from nvcfplan.planning.works import find_loans, find_works
from nvcfplan.plans import (
    Binding,
    CreateFunction,
    CreateVersion,
    Fingerprint,
    Infeasible,
    Plan,
    Probe,
    Provenance,
    Step,
    Strategy,
    VersionRef,
)

if TYPE_CHECKING:
    from nvcfplan.planning.parts import Work
    from nvcfplan.planning.scheduler import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """`target`: this function and what it depends on, nothing else. `only`: just these.

    `now`: a name or description alone makes a new version. `fingerprints`: of wanted secrets that
    could be resolved, by (function key, secret name). `protected`: keys of functions that must not
    be destroyed, besides those that the state knows as protected. `is_safe`: what is given up for
    nobody is given up last. `climbs`: what stands on a rung of its ladder goes back to the base.
    `keeps_stored`: versions that are stored already are no surplus, unless another joins them.
    `at`: the time of day, for what is kept until then; None: nothing's time is over. `returning`:
    kept versions that are to carry their functions again.
    """

    target: Address | None = None
    now: bool = False
    fingerprints: Mapping[tuple[str, str], str] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()
    strategy: Strategy = Strategy.AUTO
    is_safe: bool = False
    climbs: bool = False
    keeps_stored: bool = False
    only: frozenset[Address] | None = None
    at: datetime | None = None
    returning: frozenset[VersionId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything a plan is made of. `digest`: of the stack's files and variables.

    To destroy everything, `stack` has no functions: that is the same path.
    """

    stack: Stack
    account: Account
    live: Sequence[LiveFunction]
    state: State | None
    digest: Digest
    provenance: Provenance


def plan_stack(inputs: Inputs, options: PlanOptions) -> Plan | Infeasible:
    """Errors that refuse a function stand among the diagnostics, and the plan has no steps then."""
    stack = inputs.stack
    owned = find_owned(
        stack.name,
        stack.environment,
        inputs.live,
        inputs.state,
        returning=options.returning,
    )
    holdings = conceal(owned, stack)
    differences = find_differences(stack, holdings, options)
    account = with_declared(inputs.account, stack.quotas)
    limits = find_limits(account, find_involved(inputs.live, holdings, differences))
    found = [*holdings.diagnostics, *find_protections(differences, stack, options.protected)]
    found += _adopted(inputs, holdings)
    found += _taken_by_others(limits)
    found += (one for difference in differences for one in difference.diagnostics)
    plan = _empty_plan(inputs, differences, limits, tuple(found))
    if has_errors(found):
        return plan
    context = Context(limits=limits, stack=stack.name, environment=stack.environment)
    works = find_works(differences, context)
    found = [one for work in works for one in work.diagnostics]
    plan = replace(plan, diagnostics=(*plan.diagnostics, *found))
    if has_errors(found):
        return plan
    works, refused = restrict(works, options.strategy)
    if refused:
        return replace(plan, diagnostics=(*plan.diagnostics, *refused))
    limits = tighten(limits, works, options.strategy)
    arrangement = arrange(works, limits)
    result = arrangement.schedule
    lent = {one.work.key for one in result.chosen}
    works = tuple(work for work in works if not work.is_optional or work.key in lent)
    if result.raised:
        shortages = find_shortages(result, limits, works)
        errors = judge_capacity(arrangement, limits, works, shortages)
        return Infeasible(
            plan=replace(plan, diagnostics=(*plan.diagnostics, *errors)), shortages=shortages
        )
    differences = _with_lenders(differences, result, context)
    is_near = _is_version_limit_near(result, limits)
    steps = assemble(result, *dependencies(differences), is_limit_near=is_near)
    steps = behind_barrier(steps) if options.is_safe else steps
    return _filled_plan(plan, steps, arrangement, (differences, limits, works))


def find_differences(
    stack: Stack, holdings: Holdings, options: PlanOptions
) -> tuple[Difference, ...]:
    """Sorted by address. Rests on live functions and state alone, not on the account."""
    compare = CompareOptions(
        stack=stack.name,
        environment=stack.environment,
        now=options.now,
        fingerprints=options.fingerprints,
        keeps_stored=options.keeps_stored,
        at=options.at,
    )
    missing = {one.key for one in holdings.missing}
    wanted = {one.key for one in stack.functions}
    found = [
        compare_function(
            one,
            holdings.owned.get(one.key),
            compare,
            reason_created="deleted-outside" if one.key in missing else "new",
        )
        for one in stack.functions
    ]
    found += (
        keep_function(owned)
        if owned.is_left_over and key.partition("~")[0] in wanted and not is_over(owned, options.at)
        else remove_function(owned, _on_remove(owned.managed.applied if owned.managed else None))
        for key, owned in holdings.owned.items()
        if key not in wanted
    )
    kept = _targeted(stack, options.target) if options.only is None else options.only
    return tuple(
        sorted(
            (one for one in found if kept is None or one.change.address in kept),
            key=lambda one: one.change.address,
        )
    )


def _on_remove(applied: DesiredFunction | None) -> OnRemove:
    return applied.lifecycle.on_remove if applied else OnRemove.DELETE


def _targeted(stack: Stack, target: Address | None) -> frozenset[Address] | None:
    """None: all. A target brings what it depends on, so that it can be deployed at all."""
    if target is None:
        return None
    needed = {one.key: one.depends_on for one in stack.functions}
    wanted: set[str] = set()
    pending = [function_key(target)]
    while pending:
        key = pending.pop()
        if key not in wanted:
            wanted.add(key)
            pending += needed.get(key, ())
    return frozenset(function_address(key) for key in wanted)


def find_involved(
    live: Sequence[LiveFunction], holdings: Holdings, differences: Sequence[Difference]
) -> Involved:
    ours = [
        version
        for owned in holdings.owned.values()
        for version in owned.versions
        if has_row(version)
    ]
    known = {version.version_id for version in ours}
    others = [
        version
        for function in live
        for version in function.versions
        if version.is_deployed and version.version_id not in known
    ]
    wanted = {one for difference in differences for one in widest(difference)}
    by_id = _version_order
    return Involved(
        wanted=tuple(sorted(wanted, key=repr)),
        ours=tuple(sorted(ours, key=by_id)),
        others=tuple(sorted(others, key=by_id)),
    )


def _version_order(version: LiveVersion) -> tuple[str, str]:
    return (version.function_id, version.version_id)


def _adopted(inputs: Inputs, holdings: Holdings) -> list[Diagnostic]:
    """Without state the tags tell what is ours; what was applied last is then not known."""
    if inputs.state is not None or not holdings.owned:
        return []
    return [
        Diagnostic(
            code="adopted-from-tags",
            severity=Severity.NOTE,
            summary=f"no state here: {len(holdings.owned)} functions were recognised by their tags",
            detail="edits made by others and changed secrets cannot be told apart from this plan's",
            remedy="nothing to do; the next apply writes the state again",
        )
    ]


def _taken_by_others(limits: Limits) -> list[Diagnostic]:
    """Of running applies of other stacks, as they published it: part of what is in use."""
    by_stack: dict[str, list[str]] = {}
    for resource in sorted(limits.published):
        for stack, units in limits.published[resource]:
            by_stack.setdefault(stack, []).append(f"{units} of {resource}")
    return [
        Diagnostic(
            code="taken-by-running-apply",
            severity=Severity.NOTE,
            summary=f"a running apply of {stack} will take {', '.join(some)}",
            detail="that is counted as in use, though no reading shows it yet",
            remedy="plan again when that apply has ended; `nvcfplan unlock` tells whether it lives",
        )
        for stack, some in sorted(by_stack.items())
    ]


def _with_lenders(
    differences: tuple[Difference, ...], result: Schedule, context: Context
) -> tuple[Difference, ...]:
    """Who lends room changes too, though it ends as it was."""
    chosen = {one.work.key: one.draft for one in result.chosen if one.work.is_optional}
    loans = find_loans(differences, context) if chosen else {}
    lent = {
        difference.change.address: difference
        for key in chosen
        for difference, draft in loans[key]
        if draft == chosen[key]
    }
    return tuple(lent.get(one.change.address, one) for one in differences)


def _is_version_limit_near(result: Schedule, limits: Limits) -> bool:
    """New versions count too once they are stored, though only new functions are tested."""
    limit = next((one for one in limits.resources if one.id == VERSION_LIMIT), None)
    created = sum(
        isinstance(step.task, CreateFunction | CreateVersion)
        for one in result.chosen
        for step in one.draft.steps
    )
    return limit is not None and limit.limit is not None and limit.before + created > limit.limit


def _empty_plan(
    inputs: Inputs,
    differences: Sequence[Difference],
    limits: Limits,
    diagnostics: tuple[Diagnostic, ...],
) -> Plan:
    state = inputs.state
    return Plan(
        account=str(inputs.account.identity),
        stack=f"{inputs.stack.name}@{inputs.stack.environment}",
        desired=seal_stack(inputs.stack),
        changes=tuple(one.change for one in differences),
        resources=limits.resources,
        steps=(),
        bindings=(),
        funding=(),
        point_of_no_return=(),
        is_proved_minimal=False,
        demand=find_demand(inputs.stack, limits),
        diagnostics=diagnostics,
        fingerprint=Fingerprint(
            inputs=inputs.digest,
            lineage=state.lineage if state else "",
            serial=state.serial if state else 0,
            live=pre_images(differences),
            inventory=inventory_rows(limits),
        ),
        provenance=inputs.provenance,
    )


def _filled_plan(
    plan: Plan,
    steps: tuple[Step, ...],
    arrangement: Arrangement,
    found: tuple[Sequence[Difference], Limits, Sequence[Work]],
) -> Plan:
    differences, limits, works = found
    result = arrangement.schedule
    notes = judge_capacity(arrangement, limits, works, ())
    chosen = (note for one in result.chosen for note in one.draft.notes)
    return replace(
        plan,
        changes=tuple(one.change for one in differences),
        fingerprint=replace(plan.fingerprint, live=pre_images(differences)),
        steps=steps,
        bindings=_bindings(differences, steps),
        funding=tuple(
            sorted(result.grants, key=lambda one: (one.step, one.resource, one.source or ""))
        ),
        placements=find_landings(steps, limits),
        point_of_no_return=point_of_no_return(steps, plan.resources),
        is_proved_minimal=result.is_minimal,
        diagnostics=(*plan.diagnostics, *notes, *chosen),
    )


def _bindings(differences: Sequence[Difference], steps: Sequence[Step]) -> tuple[Binding, ...]:
    """Labels -> ids of every version a step names; None for a version still to come.

    And always of what carries a function now, so that it can be remembered with nothing to do.
    """
    named = {step.task.version for step in steps if not isinstance(step.task, Probe)}
    named |= {VersionRef(one.change.address, "old") for one in differences}
    by_address: dict[Address, list[VersionRef]] = {}
    for ref in sorted(named):
        by_address.setdefault(ref.address, []).append(ref)
    found: list[Binding] = []
    for one in differences:
        if one.owned is None:
            continue
        ids: dict[str, VersionId | None] = {
            version.version_id: version.version_id for version in one.owned.versions
        }
        ids |= {"old": one.owned.current.version_id, "new": None, "bounce": None}
        found += (
            Binding(version=ref, function_id=one.owned.function_id, version_id=ids[ref.label])
            for ref in by_address[one.change.address]
        )
    return tuple(sorted(found, key=lambda binding: binding.version))
