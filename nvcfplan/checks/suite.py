"""All checks of a plan: each returns all its findings and raises nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.checks.offered import check_offered
from nvcfplan.checks.quotas import check_quotas
from nvcfplan.checks.risks import check_growth, check_packing, check_risks
from nvcfplan.checks.sharing import check_sharing
from nvcfplan.diagnostics import Diagnostic, Severity, Verdict, has_errors, sort_key
from nvcfplan.plans import Action, Infeasible, Plan
from nvcfplan.proving import prove

if TYPE_CHECKING:
    from nvcfplan.model import Account

REQUIRABLE: Final = {
    "inventory": ("inventory", "targeting"),
    "capacity": ("capacity", "gpu-count"),
    "quota": ("quota",),
}
"""Words of `--require`, and the heads of the codes that they turn into errors.

Node packing and autoscaling are not among them: no reading could ever settle them.
"""


def check_plan(plan: Plan | Infeasible, account: Account) -> Plan | Infeasible:
    """The same plan with everything found; without steps when that is an error.

    The proof is made only of a plan that is otherwise sound.
    """
    if isinstance(plan, Infeasible):
        return replace(plan, plan=_with(plan.plan, _check_functions(plan.plan, account)))
    checked = _with(plan, _check_functions(plan, account))
    return checked if has_errors(checked.diagnostics) else _with(checked, prove(checked))


def require(plan: Plan, required: frozenset[str]) -> Plan:
    """At-risk and not-checked findings about the required readings become errors."""
    heads = tuple(head for word in sorted(required) for head in REQUIRABLE[word])
    doubts = (Verdict.AT_RISK, Verdict.NOT_CHECKED)
    hardened = tuple(
        replace(one, severity=Severity.ERROR)
        if one.verdict in doubts and one.code.startswith(heads)
        else one
        for one in plan.diagnostics
    )
    return _with(replace(plan, diagnostics=()), hardened) if heads else plan


def _check_functions(plan: Plan, account: Account) -> tuple[Diagnostic, ...]:
    """Functions without a change are checked too: what runs may no longer be offered.

    Not for risks and packing: what stays as it is needs no proof and no node, and numbers may be
    unread.
    """
    actions = {change.address: change.action for change in plan.changes}
    functions = [one for one in plan.desired.functions if one.address in actions]
    changing = [one for one in functions if actions[one.address] is not Action.NO_OP]
    return (
        *(finding for one in functions for finding in check_offered(one, account)),
        *(finding for one in functions for finding in check_sharing(one, account)),
        *(finding for one in changing for finding in check_risks(one, account)),
        *check_quotas(plan.desired.quotas, account),
        *check_packing(changing, account),
        *check_growth(functions, account),
    )


def _with(plan: Plan, found: tuple[Diagnostic, ...]) -> Plan:
    diagnostics = tuple(sorted({*plan.diagnostics, *found}, key=sort_key))
    if not has_errors(diagnostics):
        return replace(plan, diagnostics=diagnostics)
    return replace(
        plan, diagnostics=diagnostics, steps=(), bindings=(), funding=(), point_of_no_return=()
    )
