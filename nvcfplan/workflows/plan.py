"""What would be done to make the account match the stack, and the proof that it fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import unremembered
from nvcfplan.checks import check_plan, require
from nvcfplan.diagnostics import Diagnostic, Severity, has_errors
from nvcfplan.differences import find_owned
from nvcfplan.errors import SettingsError
from nvcfplan.model import Address, Digest, Stack, VersionId, function_address
from nvcfplan.planning import Inputs, PlanNeeds, PlanOptions, plan_stack
from nvcfplan.plans import Action, Infeasible, Plan, Provenance, Strategy
from nvcfplan.reports import find_interruptions
from nvcfplan.workflows.ports import Actor
from nvcfplan.workflows.publishing import counting_others
from nvcfplan.workflows.reading import (
    Scope,
    read_live,
    refuse_other_claims,
    refuse_unbound_account,
)
from nvcfplan.workflows.runs import current_state
from nvcfplan.workflows.strategies import with_alternatives, with_strategies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.applying import SecretSource
    from nvcfplan.model import Account, LiveFunction, ManagedFunction, State
    from nvcfplan.workflows.ports import LookPorts

MOST_COMPARED: Final = 64
"""So many changes are planned again for comparison without being asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """`inputs`: the digest of the files; `root`: the directory they stand in.

    `compares_secrets`: fingerprints are compared where a value can be resolved here. `required`:
    words of `REQUIRABLE`: what is at risk or not checked for want of them is an error.
    `strategy` None: nobody asked; what others would cost is then told only where a function is
    down for a while. `repairs`: only the functions at these addresses, exactly as `stack` has them.
    `returning`: a kept version that carries one of them again.
    """

    stack: Stack
    inputs: Digest
    root: str
    actor: Actor
    destroys: bool = False
    target: Address | None = None
    includes_cosmetic: bool = False
    compares_secrets: bool = False
    required: frozenset[str] = frozenset()
    strategy: Strategy | None = None
    is_safe: bool = False
    climbs: bool = False
    repairs: frozenset[Address] | None = None
    returning: VersionId | None = None


async def make_plan(request: PlanRequest, ports: LookPorts) -> Plan | Infeasible:
    """Reads, compares, orders, and proves what came out.

    Raises: RemoteError when functions or deployments cannot be read; AccountMismatch; StateCorrupt;
    ClaimedTwice when another stack's tags are on what our state has; SettingsError for a target
    that is neither in the stack nor ours.
    """
    stack = request.stack
    refuse_unbound_account(stack.account, ports.identity)
    state = (await current_state(scope_of(stack), ports)).state
    wanted = replace(stack, functions=()) if request.destroys else stack
    known = fingerprints_of(stack, state, ports.secrets) if request.compares_secrets else {}
    is_repair = request.repairs is not None
    options = PlanOptions(
        target=request.target,
        now=request.includes_cosmetic or is_repair,
        fingerprints=known,
        protected=_protected(stack),
        strategy=request.strategy or Strategy.AUTO,
        is_safe=request.is_safe,
        climbs=request.climbs or is_repair,
        only=request.repairs,
        keeps_stored=is_repair,
        at=ports.clock.now(),
        returning=frozenset({request.returning} if request.returning else ()),
    )
    needs = PlanNeeds(stack=wanted, state=state, options=options)
    reader = counting_others(scope_of(stack), ports).reader
    account, functions = await read_live(scope_of(stack), reader, needs)
    refuse_other_claims(scope_of(stack), functions, state)
    if request.target is not None:
        _refuse_unknown_target(request.target, stack, functions, state)
    inputs = Inputs(
        stack=needs.as_it_stands(functions),
        account=account,
        live=functions,
        state=state,
        digest=request.inputs,
        provenance=_provenance(request, account, ports),
    )
    found = with_alternatives(inputs, options, plan_stack(inputs, options))
    if request.strategy is not None or _is_trade(found):
        found = with_strategies(inputs, options, found)
    checked = _with_uncompared(_with_policies(check_plan(found, account), state), state, functions)
    return _required(checked, request.required)


def _is_trade(found: Plan | Infeasible) -> bool:
    """Another strategy could have come out otherwise; of many changes only who asks is told."""
    plan = found.plan if isinstance(found, Infeasible) else found
    changing = sum(one.action is not Action.NO_OP for one in plan.changes)
    if changing > MOST_COMPARED or has_errors(plan.diagnostics):
        return False
    return bool(find_interruptions(plan))


def scope_of(stack: Stack) -> Scope:
    return Scope(stack=stack.name, environment=stack.environment)


def has_changes(plan: Plan | Infeasible) -> bool:
    """Something would be done. One that is refused has no step, but much to do."""
    if isinstance(plan, Infeasible):
        return True
    return bool(plan.steps) or any(one.action is not Action.NO_OP for one in plan.changes)


def is_refused(plan: Plan | Infeasible) -> bool:
    """It is shown, and may be saved, but it cannot be applied."""
    return isinstance(plan, Infeasible) or has_errors(plan.diagnostics)


def _refuse_unknown_target(
    target: Address, stack: Stack, live: Sequence[LiveFunction], state: State | None
) -> None:
    """A function that has left the stack may be named as long as it is ours: to remove it alone."""
    owned = find_owned(stack.name, stack.environment, live, state).owned
    keys = {*owned, *(one.key for one in stack.functions)}
    if target in {function_address(key) for key in keys}:
        return
    raise SettingsError(
        f"the stack has no {target}",
        detail="it has: " + ", ".join(function_address(key) for key in sorted(keys)),
        remedy="give -target one of these addresses",
    )


def _protected(stack: Stack) -> frozenset[str]:
    """By what the files say now: the state may not know it yet."""
    return frozenset(one.key for one in stack.functions if one.lifecycle.prevent_destroy)


def _with_policies(plan: Plan | Infeasible, state: State | None) -> Plan | Infeasible:
    """With a note where nothing is to be done but to remember policies that have changed.

    Without state the plan says already that the next apply writes it.
    """
    if isinstance(plan, Infeasible) or state is None or has_changes(plan):
        return plan
    changed = ", ".join(function_address(one.key) for one in unremembered(state, plan))
    if not changed:
        return plan
    note = Diagnostic(
        code="policies-to-remember",
        severity=Severity.NOTE,
        summary=f"what the stack says of {changed} differs from what was applied last, but nothing"
        " in the account does",
        detail="lifecycle, update and dependsOn count as remembered from the last apply",
        remedy="`nvcfplan apply` remembers it, without a request that changes anything",
    )
    return replace(plan, diagnostics=(*plan.diagnostics, note))


def _with_uncompared(
    plan: Plan | Infeasible, state: State | None, live: Sequence[LiveFunction]
) -> Plan | Infeasible:
    """With a note on secrets of which no fingerprint is known: after state was lost, or adopted."""
    if isinstance(plan, Infeasible):
        return plan
    entries = {one.key: one for one in state.functions} if state else {}
    there = find_owned(plan.desired.name, plan.desired.environment, live, state).owned
    left = {one.address for one in plan.changes if one.action in (Action.NO_OP, Action.UPDATE)}
    names = [
        f"{function.address} {secret.name}"
        for function in plan.desired.functions
        if function.address in left and function.key in there
        for secret in function.secrets
        if secret.name not in _fingerprinted(entries.get(function.key))
        and secret.name in (there[function.key].current.secret_names or ())
    ]
    if not names:
        return plan
    note = Diagnostic(
        code="secrets-not-compared",
        severity=Severity.NOTE,
        summary=f"secrets are not compared: {', '.join(names)}",
        detail="the service shows no values, and the state has no fingerprint of what was sent",
        remedy="nothing to do; the next apply that sends them remembers a fingerprint",
    )
    return replace(plan, diagnostics=(*plan.diagnostics, note))


def _fingerprinted(entry: ManagedFunction | None) -> frozenset[str]:
    return frozenset(name for name, _ in entry.secret_fingerprints) if entry else frozenset()


def _required(plan: Plan | Infeasible, words: frozenset[str]) -> Plan | Infeasible:
    if isinstance(plan, Infeasible):
        return replace(plan, plan=require(plan.plan, words))
    return require(plan, words)


def _provenance(request: PlanRequest, account: Account, ports: LookPorts) -> Provenance:
    return Provenance(
        tool_version=request.actor.tool_version,
        created_at=ports.clock.now(),
        read_at=tuple(sorted((taken.what.value, taken.read_at) for taken in account.taken)),
        actor=request.actor.name,
        root=request.root,
    )


def fingerprints_of(
    stack: Stack, state: State | None, secrets: SecretSource
) -> Mapping[tuple[str, str], str]:
    """Of every secret that can be resolved here, under the state's own key. None without state."""
    if state is None:
        return {}
    key = bytes.fromhex(state.secret_key)
    return {
        (function.key, reference.name): found
        for function in stack.functions
        for reference in function.secrets
        if (found := secrets.fingerprint(reference, key)) is not None
    }
