"""What is said of a way to carry out a change, so that its extra steps are understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.planning.ways.counts import running_by_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import GpuSpecification
    from nvcfplan.planning.ways.counts import Counts
    from nvcfplan.planning.ways.stages import Case


def start_notes(case: Case, start: Counts) -> tuple[Diagnostic, ...]:
    """Nothing where each specification starts with its minimum."""
    wanted = {one.key: one.min_instances for one in case.wanted}
    raised = [key for key in sorted(wanted) if start[key] > wanted[key]]
    if not raised:
        return ()
    words = ", ".join(f"{key} {start[key]} -> {wanted[key]}" for key in raised)
    owned = case.difference.owned
    runs = sum(running_by_row(owned.current).values()) if owned else 0
    if any(wanted.values()) or runs:
        return (
            _note(
                case,
                "warm-start",
                f"starts with as many instances as run now, and is lowered once it is alone: "
                f"{words}",
                "calls are spread evenly over serving versions, not by instances, so one with "
                "fewer would be overrun",
                "nothing to do; `update.warm: min` leaves it out",
            ),
        )
    return (
        _note(
            case,
            "proved-by-one",
            f"starts with one instance, and is lowered once that was seen to run: {words}",
            "a version whose minima are all 0 is ACTIVE at once, which shows nothing",
            "nothing to do; `update.prove: none` leaves it out",
        ),
    )


def cold_notes(case: Case, start: Counts, warm: Counts) -> tuple[Diagnostic, ...]:
    """Nothing where it starts as warm as its policy asks for."""
    begins, wanted = sum(start.values()), sum(warm.values())
    if begins >= wanted:
        return ()
    return (
        _note(
            case,
            "cold-start",
            f"starts with {begins} instances, where {wanted} would match what runs now",
            "so many do not fit beside the old version; calls are spread evenly over serving "
            "versions, and once the old one goes, over these alone until more are added",
            f"free room for {wanted} meanwhile, or raise minInstances so that it never has fewer",
        ),
    )


def clamp_note(case: Case) -> Diagnostic:
    return _note(
        case,
        "quota-clamp",
        "cannot scale out while both its versions are deployed: their maxima are held down, and "
        "are set as wanted once the old one is released",
        "a quota may count maxInstances, and with both maxima as they are it would be exceeded",
        "nothing to do; a higher quota leaves it out",
    )


def stepped_note(case: Case, kept: int, begun: Counts) -> Diagnostic:
    owned = case.difference.owned
    runs = sum(running_by_row(owned.current).values()) if owned else 0
    least = case.policy.least_serving(runs)
    return _note(
        case,
        "stepped-replacement",
        f"is replaced in steps: of {runs} running instances the old version keeps {kept or runs}, "
        f"the new one begins with {sum(begun.values())} and grows once the old one is released",
        f"both do not fit whole; {least} at least serve at every moment (`update.minServing`)",
        "nothing to do; with more room it is replaced in one go",
    )


def bounce_note(case: Case, placements: Sequence[GpuSpecification]) -> Diagnostic:
    words = ", ".join(
        f"{one.min_instances} x {one.instance_type} ({one.gpu})" for one in placements
    )
    return _note(
        case,
        "bounce-placement",
        f"serves from its bounce placement for a while: {words}",
        "so that its own room is free before it moves in again; that version is deleted last",
        "nothing to do; with more room, or `downtime: allowed`, it is not needed",
    )


def _note(case: Case, code: str, what: str, why: str, remedy: str) -> Diagnostic:
    address = case.difference.change.address
    return Diagnostic(
        code=code,
        severity=Severity.NOTE,
        summary=f"{address} {what}",
        detail=why,
        remedy=remedy,
        subject=Subject(address),
    )
