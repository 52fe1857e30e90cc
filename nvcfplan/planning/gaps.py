"""How long a function serves nothing on one of its ways, and whether its stack allows that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.model import Address, short_duration
from nvcfplan.planning.parts import Draft, Part
from nvcfplan.plans import AwaitActive, Undeploy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import UpdatePolicy


def within_downtime(
    drafts: Sequence[Draft], policy: UpdatePolicy
) -> tuple[tuple[Draft, ...], timedelta | None]:
    """The ways that `maxDowntime` leaves, and the shortest gap of those that it rules out.

    Where it is set a way with a gap is not cut: others coming in between would make it longer.
    """
    longest = policy.max_downtime
    if longest is None:
        return tuple(drafts), None
    kept = [draft for draft in drafts if not draft.has_gap or expected_gap(draft) <= longest]
    gaps = [expected_gap(draft) for draft in drafts if draft not in kept]
    return tuple(_uncut(draft) for draft in kept), min(gaps, default=None)


def expected_gap(draft: Draft) -> timedelta:
    """From the start of the first undeploy to the end of the last wait for ACTIVE after it."""
    ends: dict[str, int] = {}
    begun, over = None, 0
    for step in draft.steps:
        start = max((ends.get(edge.step, 0) for edge in step.depends_on), default=0)
        ends[step.id] = start + step.expected_seconds
        if isinstance(step.task, Undeploy) and begun is None:
            begun = start
        elif isinstance(step.task, AwaitActive) and begun is not None:
            over = max(over, ends[step.id])
    return timedelta(seconds=max(0, over - (begun or 0)))


def judge_gap(
    address: Address, policy: UpdatePolicy, gap: timedelta, *, is_last: bool
) -> Diagnostic:
    """`is_last`: no other way is left."""
    longest = short_duration(policy.max_downtime or timedelta())
    return Diagnostic(
        code="max-downtime-exceeded",
        severity=Severity.ERROR if is_last else Severity.NOTE,
        summary=f"{address} would serve nothing for about {short_duration(gap)} if its old version "
        f"went first, and `maxDowntime` is {longest}: that is not done",
        detail="the time from the undeploy until the new version is expected to be ACTIVE",
        remedy="raise `update.maxDowntime`, or let the new version come first"
        if is_last
        else "nothing to do; raise `update.maxDowntime` where no other way fits",
        subject=Subject(address, "update.maxDowntime"),
    )


def _uncut(draft: Draft) -> Draft:
    return replace(draft, parts=(Part(steps=draft.steps),)) if draft.has_gap else draft
