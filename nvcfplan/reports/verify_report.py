"""What became of checking a plan again from its document alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, sort_key
from nvcfplan.model import Digest
from nvcfplan.plans import Infeasible, Plan
from nvcfplan.reports.capacity_curve import Fit
from nvcfplan.reports.plan_report import Outlook, PlanReport, plan_report

if TYPE_CHECKING:
    from collections.abc import Sequence


class Proof(StrEnum):
    """`AT_RISK`: it holds but for the resources that the plan itself declares at risk."""

    PROVED = "proved"
    AT_RISK = "at-risk"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """`edges`: waits between steps. `grants`: lines of the certificate. `faults`: errors."""

    plan: PlanReport
    digest: Digest
    verdict: Proof
    edges: int
    grants: int
    faults: tuple[Diagnostic, ...]


def verify_report(
    found: Plan | Infeasible, digest: Digest, faults: Sequence[Diagnostic]
) -> VerifyReport:
    """`faults`: of the proof, and of the document itself."""
    plan = found.plan if isinstance(found, Infeasible) else found
    report = plan_report(found)
    is_open = report.outlook in (Outlook.REFUSED, Outlook.INFEASIBLE)
    refusals = (*faults, *((_not_to_be_applied(report),) if is_open else ()))
    is_risky = any(row.fit is Fit.AT_RISK for row in report.rows)
    return VerifyReport(
        plan=report,
        digest=digest,
        verdict=Proof.REFUSED if refusals else Proof.AT_RISK if is_risky else Proof.PROVED,
        edges=sum(len(step.depends_on) for step in plan.steps),
        grants=len(plan.funding),
        faults=tuple(sorted(refusals, key=sort_key)),
    )


def altered_diagnostic(what: str) -> Diagnostic:
    return Diagnostic(
        code="plan-altered",
        severity=Severity.ERROR,
        summary=f"the plan was altered after it was made: {what}",
        detail="what was reviewed is then not what this file says",
        remedy="make the plan again, with `nvcfplan plan -out FILE`",
    )


def _not_to_be_applied(report: PlanReport) -> Diagnostic:
    errors = [*report.faults, *report.at_risk, *report.not_checked]
    first = next((one for one in errors if one.severity is Severity.ERROR), None)
    return Diagnostic(
        code="plan-not-proved",
        severity=Severity.ERROR,
        summary="the plan has errors and no steps, so there is nothing to prove",
        detail=first.summary if first else "no order of its steps fits",
        remedy="look at it with `nvcfplan show FILE`, then plan again",
    )
