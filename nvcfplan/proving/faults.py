"""How a proof says that something does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from nvcfplan.model import Address, StepId


def broken_funding(step: StepId, what: str) -> Diagnostic:
    why = "the plan's own certificate does not hold, so it is not safe to apply"
    return _broken(f"step {step} {what}", why)


def broken_order(step: StepId, what: str) -> Diagnostic:
    why = "the order of the steps does not hold, so the plan is not safe to apply"
    return _broken(f"step {step} {what}", why)


def broken_end(address: Address, what: str) -> Diagnostic:
    why = "the steps do not end where the plan's own changes say, so it is not applied"
    return _broken(f"{address} {what}", why)


def _broken(summary: str, why: str) -> Diagnostic:
    return Diagnostic(
        code="plan-not-proved",
        severity=Severity.ERROR,
        summary=summary,
        detail=why,
        remedy="plan again; if the file was not edited, please report this as a defect",
    )
