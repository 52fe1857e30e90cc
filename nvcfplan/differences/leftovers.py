"""What is left over of a function: versions that nobody waits for, and those that failed.

These are kept, undeployed, to be looked at for as long as `lifecycle.keepFailed` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.model import function_address, kept_until

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from nvcfplan.differences.ownership import OwnedFunction
    from nvcfplan.model import LiveVersion

LATE: Final = "own-late-create"
"""Made by a creating call of ours that had been given up, or was served twice."""
SURPLUS: Final = "surplus-versions"
RETURNS: Final = "kept-version-returns"
FAILED: Final = "failed-version-kept"
"""It failed, and the time for which it was kept is over."""


def is_over(owned: OwnedFunction, at: datetime | None) -> bool:
    """Of what is left over of a function: all that failed was kept for long enough."""
    return all(is_due(one, at) for one in owned.versions if one.version_id in owned.failed)


def is_due(version: LiveVersion, at: datetime | None) -> bool:
    """Of one that failed: it was kept for long enough."""
    until = kept_until(version.config.tags)
    return until is not None and at is not None and until <= at


def cleaning(owned: OwnedFunction, surplus: Sequence[LiveVersion]) -> str:
    """The reason of a change that does nothing but delete `surplus`."""
    gone = {one.version_id for one in surplus}
    if gone <= set(owned.late):
        return LATE
    return FAILED if gone <= {*owned.late, *owned.failed} else SURPLUS


def leaving(owned: OwnedFunction) -> str:
    """The reason for which a whole function goes."""
    if owned.is_late:
        return LATE
    return FAILED if owned.is_left_over else "removed-from-stack"


def note_failed(owned: OwnedFunction, gone: Collection[LiveVersion]) -> tuple[Diagnostic, ...]:
    """A note on each, `gone` being those that are deleted now."""
    address = function_address(owned.key.partition("~")[0])
    return tuple(
        Diagnostic(
            code="failed-version-kept",
            severity=Severity.NOTE,
            summary=f"{address}: version {one.version_id} failed and "
            f"{_fate(is_over=one in gone)} {until:%Y-%m-%d %H:%M} UTC",
            detail="`lifecycle.keepFailed` keeps it undeployed, to be looked at; it holds no GPUs,"
            " and is none of `keepVersions`",
            remedy="nothing to do; why it failed is told by `nvcfplan history`",
            subject=Subject(function_address(owned.key)),
        )
        for one in owned.versions
        if one.version_id in owned.failed and (until := kept_until(one.config.tags)) is not None
    )


def _fate(*, is_over: bool) -> str:
    return "goes now: it was kept until" if is_over else "is kept until"
