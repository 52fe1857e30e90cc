"""Does a saved plan still prove itself? From its document alone: no account, no planner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import has_errors
from nvcfplan.documents import examine_document, plan_digest
from nvcfplan.plans import Infeasible
from nvcfplan.proving import prove
from nvcfplan.reports import altered_diagnostic, verify_report

if TYPE_CHECKING:
    from nvcfplan.reports import VerifyReport


def verify_document(data: bytes) -> VerifyReport:
    """Every fault of the proof, each naming step and resource. Raises: DocumentError."""
    examined = examine_document(data)
    found = examined.found
    faults = tuple(map(altered_diagnostic, examined.altered))
    if not isinstance(found, Infeasible) and not has_errors(found.diagnostics):
        faults = (*faults, *prove(found))
    return verify_report(found, plan_digest(found), faults)
