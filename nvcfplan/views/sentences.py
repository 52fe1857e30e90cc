"""What is said of a plan in the same words whatever it is drawn as. Safe for a terminal."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan.diagnostics import Severity
from nvcfplan.model import OnDrainTimeout
from nvcfplan.plans import AwaitReleased, Undeploy, Unit
from nvcfplan.reports import Fit, Moment, Outlook, StepFate, Undoing
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import charged, counted, is_gpus, lasting, runs, units, why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import StepId
    from nvcfplan.plans import Demand, Shortage, Step
    from nvcfplan.reports import (
        ApplyReport,
        CapacityRow,
        Counts,
        Interruption,
        Located,
        PlanReport,
        ReadingEntry,
        StepEntry,
        TrafficShift,
        ValidateReport,
    )

SHOWN_SECONDS: Final = 30
"""What is over sooner has no time of its own in the list."""
MOST_USERS: Final = 40
"""So many of those who use a resource are named; nobody reads a list of thousands."""
_MOST_RUNS: Final = 20
NO_CHANGES: Final = "No changes. Your deployments match the configuration."
NO_RETURN: Final = "from here on going back needs room that others may have taken"
_CAPACITY_HEAD: Final = ("resource", "before", "peak", "step", "after", "limit", "verdict")
_IN_APPLIES: Final = "in applies"
"""Of what counts as in use before: what running applies of other stacks still will take."""


def numbers_of(report: PlanReport) -> Mapping[StepId, int]:
    return {entry.step.id: entry.number for entry in report.steps}


def summary(counts: Counts) -> str:
    """Terraform's line, which people search for."""
    imported = f"{counts.imported} to import, " if counts.imported else ""
    return (
        f"Plan: {imported}{counts.added} to add, {counts.changed} to change, "
        f"{counts.destroyed} to destroy."
    )


def refusal(report: PlanReport) -> str:
    """Why a plan that is refused, or that fits in no order, is no use."""
    if report.outlook is Outlook.INFEASIBLE:
        return "This plan cannot be applied: no order was found in which these changes fit."
    return "This plan cannot be applied: the errors below stand in its way."


def chain(report: PlanReport) -> str:
    """The steps that decide how long it takes, by number: `1 to 4, 7`."""
    return listed(runs(report.critical_path).split(", "), _MOST_RUNS)


def not_drawn(run: ApplyReport | None) -> str:
    """What of a run its steps do not show; empty where that is nothing."""
    if run is None:
        return ""
    left = ["what was undone again"] if run.undone else []
    if any(one.fate is StepFate.SUPERSEDED for one in run.steps):
        left.append("what a rung of the ladder did in the place of these steps")
    return f"Not drawn: {' and '.join(left)}." if left else ""


def validation(report: ValidateReport) -> str:
    """Why there is no plan, in one sentence."""
    if report.is_valid:
        return "The stack's files read. Nothing was planned."
    return f"The stack does not read: {counted(report.errors, 'error')}. Nothing was planned."


def by_severity(report: ValidateReport) -> list[tuple[str, list[Located]]]:
    """Under their titles, the worst first."""
    found = [
        (title, [one for one in report.diagnostics if one.diagnostic.severity is severity])
        for severity, title in (
            (Severity.ERROR, "Errors"),
            (Severity.WARNING, "Warnings"),
            (Severity.NOTE, "Notes"),
        )
    ]
    return [(title, several) for title, several in found if several]


def faults_title(report: PlanReport) -> str:
    severities = {one.severity for one in report.faults}
    if Severity.ERROR not in severities:
        return "Warnings"
    return "Errors" if severities == {Severity.ERROR} else "Errors and warnings"


def alternatives_title(report: PlanReport) -> str:
    fits = report.outlook is Outlook.CHANGES
    return "To be certain of room" if fits else "What would make it fit"


def confidence(report: PlanReport) -> str:
    """How sure it is that the plan fits, in one sentence; empty where nothing is done."""
    if report.outlook is not Outlook.CHANGES:
        return ""
    risky = sum(row.fit is Fit.AT_RISK for row in report.rows)
    unknown = sum(row.fit is Fit.NOT_CHECKED for row in report.rows)
    if risky or unknown:
        doubts = [f"{counted(risky, 'limit')} at risk"] if risky else []
        doubts += [f"{counted(unknown, 'limit')} not checked"] if unknown else []
        return f"Fits what was read, but for {' and '.join(doubts)}."
    return "Every state on the way fits what was read." if report.rows else "Takes no GPUs."


def downtime_title(report: PlanReport) -> str:
    functions = counted(len(report.interruptions), "function")
    verb = "stops" if len(report.interruptions) == 1 else "stop"
    return f"Downtime: {functions} {verb} serving for a while"


def gap_times(gap: Interruption, numbers: Mapping[StepId, int]) -> str:
    """`about 9m10s, at most 1h31m40s, from step 2 to step 5`."""
    window = f"step {numbers[gap.begins]} to step {numbers[gap.ends]}"
    times = f"about {lasting(gap.expected_seconds)}, at most {lasting(gap.limit_seconds)}"
    return f"{times}, from {window}"


def given_up(report: PlanReport, gap: Interruption) -> list[str]:
    return [
        f"gives up {units(one.units, one.resource)} for about {lasting(one.expected_seconds)} "
        "before its successor is safe"
        for one in report.exposures
        if one.address == gap.address and is_gpus(one.resource)
    ]


def retaken(report: PlanReport, most: int | None = None) -> str:
    """Empty when nothing is given back and taken again."""
    given = listed([units(one.units, one.resource) for one in report.retaken], most)
    return f"{given}: another tenant could take them between" if given else ""


def destroys_title(report: PlanReport) -> str:
    functions = counted(len(report.destroyed), "function")
    verb = "loses its id" if len(report.destroyed) == 1 else "lose their ids"
    return f"Destroys: {functions} {verb}; there is no undo"


def edits(report: PlanReport, most: int | None = None) -> list[tuple[str, str]]:
    """Per function the attributes that somebody else has changed since the last apply."""
    found = [
        (
            entry.change.address,
            listed([one.path for one in entry.change.attributes if one.live], most),
        )
        for entry in report.functions
    ]
    return [(address, paths) for address, paths in found if paths]


def effects(entry: StepEntry) -> list[str]:
    """Why the step waits, what it takes and gives, whether it can be undone, how long it takes."""
    step = entry.step
    by_number = groupby(entry.waits, key=itemgetter(0))
    said = [why(number, [edge for _, edge in waits]) for number, waits in by_number]
    said += [f"takes {charged(step.acquire)}"] if step.acquire else []
    said += [f"gives {charged(step.release)}"] if step.release else []
    said += drained(step)
    match entry.undoing:
        case Undoing.YES:
            pass
        case Undoing.IF_CAPACITY:
            said.append(_with_loss(step, "undone only if there is room"))
        case Undoing.NO:
            said.append("cannot be undone")
    if step.expected_seconds >= SHOWN_SECONDS:
        said.append(f"about {lasting(step.expected_seconds)}")
    return said


def drained(step: Step) -> list[str]:
    """What becomes of queued work that takes too long; nothing where none is waited for."""
    drain = step.task.drain if isinstance(step.task, AwaitReleased) else None
    if drain is None:
        return []
    match drain.then:
        case OnDrainTimeout.FORCE:
            return [f"what is queued after {lasting(drain.seconds)} is lost"]
        case OnDrainTimeout.WAIT:
            return [f"queued work may take {lasting(step.limit_seconds)}"]
        case OnDrainTimeout.FAIL:
            return []
        case _:
            assert_never(drain.then)


def _with_loss(step: Step, words: str) -> str:
    """Going back from a drain ends it: nothing can be deployed beside a row that drains."""
    is_graceful = isinstance(step.task, Undeploy) and step.task.graceful
    return f"{words}, and loses queued work" if is_graceful else words


def capacity_table(report: PlanReport) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The head, and a row for each resource: first its name, last the verdict.

    What running applies still will take has a column where there is some.
    """
    numbers = numbers_of(report)
    cells = [_capacity_cells(row, numbers) for row in report.rows]
    if not any(row.resource.published for row in report.rows):
        return _CAPACITY_HEAD, cells
    head = (*_CAPACITY_HEAD[:2], _IN_APPLIES, *_CAPACITY_HEAD[2:])
    return head, [
        (*one[:2], str(row.resource.published or ""), *one[2:])
        for row, one in zip(report.rows, cells, strict=True)
    ]


def _capacity_cells(row: CapacityRow, numbers: Mapping[StepId, int]) -> tuple[str, ...]:
    """Under `_CAPACITY_HEAD`."""
    resource = row.resource
    unit = " (instances)" if resource.unit is Unit.INSTANCES else ""
    return (
        f"{safe(resource.id)}{unit}",
        str(resource.before),
        str(row.peak),
        "" if row.peak_step is None else str(numbers[row.peak_step]),
        str(row.after),
        "?" if resource.limit is None else str(resource.limit),
        verdict(row),
    )


def verdict(row: CapacityRow) -> str:
    match row.fit:
        case Fit.FITS:
            return "fits"
        case Fit.AT_RISK:
            return "at risk"
        case Fit.VIOLATION:
            return f"VIOLATION, {row.missing} short"
        case Fit.NOT_CHECKED:
            return "not checked"


def demand_of(report: PlanReport) -> tuple[Demand, ...]:
    """Only of pools that this plan is about."""
    touched = {pool for row in report.rows for pool in row.resource.pools}
    return tuple(one for one in report.demand if one.pool in touched)


def promised(one: Demand) -> str:
    if one.capacity is None or one.most <= one.capacity:
        return ""
    return f"oversubscribed by {one.most - one.capacity}"


def shift(one: TrafficShift, numbers: Mapping[StepId, int]) -> str:
    """`after 5 old 50%, new 50%`."""
    shares = ", ".join(f"{each.version} {each.share:.0%}" for each in one.shares) or "nobody"
    if one.step is None:
        return shares
    word = "after" if one.moment is Moment.END else "from"
    return f"{word} {numbers[one.step]} {shares}"


def traffic_of(report: PlanReport) -> list[tuple[str, str]]:
    """Per function what serves, and from when."""
    numbers = numbers_of(report)
    return [
        (address, "; ".join(shift(one, numbers) for one in shifts))
        for address, shifts in groupby(report.traffic, key=lambda one: one.address)
    ]


def missing(shortage: Shortage) -> str:
    return f"{shortage.missing} more needed of {safe(shortage.resource)}"


def users(shortage: Shortage) -> str:
    return listed([f"{name} {units}" for name, units in shortage.users], MOST_USERS)


def listed(names: Sequence[str], most: int | None) -> str:
    """`a, b and 3 more`; all of them when `most` is None."""
    left = 0 if most is None else len(names) - most
    if left <= 0:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {left} more"


def reading(entry: ReadingEntry) -> str:
    """What the stack itself says is no reading, and does not grow old."""
    age = "age unknown" if entry.age_seconds is None else f"{lasting(entry.age_seconds)} old"
    age = f", {age}" if entry.reading.is_shared else ""
    partial = ", partial" if entry.reading.is_partial else ""
    return f"{entry.reading.id}: {entry.reading.source}{age}{partial}"


def alike(found: Sequence[Diagnostic]) -> list[tuple[Diagnostic, str]]:
    """What is said of several in the same words is said once, with all the places it is said of."""
    places: dict[Diagnostic, list[str]] = {}
    for one in found:
        place = f"{one.subject.address} {one.subject.path}".strip() if one.subject else ""
        same = replace(one, subject=None, span=None, related=())
        places.setdefault(same, []).extend([place] if place else [])
    return [(one, ", ".join(dict.fromkeys(where))) for one, where in places.items()]


def doubts(report: PlanReport) -> list[tuple[str, tuple[Diagnostic, ...]]]:
    """What is not certain, and what else there is to say; each group under its title."""
    groups = [
        ("At risk", report.at_risk),
        ("Not checked", report.not_checked),
        ("Note", report.notes),
    ]
    return [(title, found) for title, found in groups if found]
