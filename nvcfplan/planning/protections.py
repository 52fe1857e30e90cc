"""What must not be destroyed, and would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.model import function_key
from nvcfplan.plans import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.differences import Difference
    from nvcfplan.model import Stack


def find_protections(
    differences: Sequence[Difference], stack: Stack, protected: frozenset[str]
) -> list[Diagnostic]:
    """`preventDestroy` guards the function id: an update never loses it."""
    return [
        Diagnostic(
            code="prevent-destroy",
            severity=Severity.ERROR,
            summary=f"{one.change.address} would be destroyed, and `lifecycle.preventDestroy` "
            "forbids it",
            detail=f"of stack {stack.name}; callers would lose its function id",
            remedy="keep it in the stack, or apply once with `preventDestroy: false` first",
            subject=Subject(one.change.address),
        )
        for one in differences
        if one.change.action is Action.DELETE and _is_protected(one, protected)
    ]


def _is_protected(difference: Difference, protected: frozenset[str]) -> bool:
    managed = difference.owned.managed if difference.owned else None
    is_known = managed is not None and managed.applied.lifecycle.prevent_destroy
    return is_known or function_key(difference.change.address) in protected
