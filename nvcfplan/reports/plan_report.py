"""What there is to say of a plan: per function, per step, per resource, and how sure it all is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Verdict, has_errors, sort_key
from nvcfplan.differences import FAILED, LATE, flatten_config, flatten_specification, rung_kind
from nvcfplan.model import Address, DesiredFunction, Json, Rung, StepId, Wait, canonical_json
from nvcfplan.plans import (
    Action,
    Alternative,
    AttributeChange,
    Candidate,
    Change,
    Charge,
    Demand,
    Edge,
    Infeasible,
    Means,
    Plan,
    Reading,
    Reversible,
    Shortage,
    Step,
    expected_ends,
)
from nvcfplan.reports.capacity_curve import CapacityRow, capacity_rows
from nvcfplan.reports.interruptions import (
    Exposure,
    Interruption,
    find_exposures,
    find_interruptions,
)
from nvcfplan.reports.timing import critical_path, find_retaken
from nvcfplan.reports.traffic import TrafficShift, find_traffic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Outlook(StrEnum):
    """`REFUSED`: errors stand in the way. `INFEASIBLE`: no order of the steps fits."""

    NO_CHANGES = "no-changes"
    CHANGES = "changes"
    REFUSED = "refused"
    INFEASIBLE = "infeasible"


class Undoing(StrEnum):
    YES = "yes"
    IF_CAPACITY = "if-capacity"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Functions, not steps. A forgotten one counts as none: nothing is done to it."""

    imported: int = 0
    added: int = 0
    changed: int = 0
    destroyed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RungEntry:
    """`kind`: fallback, wait or shrink. `edits`: by path below the specifications, what it says
    instead. `seconds`: how long a wait may last.
    """

    kind: str
    edits: tuple[tuple[str, Json | None], ...] = ()
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionEntry:
    """`kept`: what the stack states and what stays as it is, by path; None: not to be shown.

    `rungs`: what is done where there is no capacity, in order, and `last` when none is left; empty
    where nothing is asked for that there might be no room for.
    """

    change: Change
    kept: tuple[tuple[str, Json | None], ...]
    rungs: tuple[RungEntry, ...] = ()
    last: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry:
    """`number` counts from 1; `waits` names what it waits for by number, and why."""

    number: int
    step: Step
    waits: tuple[tuple[int, Edge], ...]
    undoing: Undoing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingEntry:
    """`age_seconds` at the time of planning; None: not known when it was taken."""

    reading: Reading
    age_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """`functions` leaves out those without a change; `unchanged` names them.

    `rows`: only resources that are touched.

    `faults`: errors, of a required reading too, and warnings that are no verdict of a limit. All
    sorted as `sort_key` does. `critical_path` and `point_of_no_return` are numbers of steps.
    """

    stack: str
    account: str
    created_at: datetime
    outlook: Outlook
    counts: Counts
    functions: tuple[FunctionEntry, ...]
    unchanged: tuple[Address, ...]
    steps: tuple[StepEntry, ...]
    expected_seconds: int
    critical_path: tuple[int, ...]
    rows: tuple[CapacityRow, ...]
    traffic: tuple[TrafficShift, ...]
    retaken: tuple[Charge, ...]
    demand: tuple[Demand, ...]
    strategies: tuple[Candidate, ...]
    alternatives: tuple[Alternative, ...]
    interruptions: tuple[Interruption, ...]
    exposures: tuple[Exposure, ...]
    destroyed: tuple[Address, ...]
    point_of_no_return: tuple[int, ...]
    shortages: tuple[Shortage, ...]
    faults: tuple[Diagnostic, ...]
    at_risk: tuple[Diagnostic, ...]
    not_checked: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    readings: tuple[ReadingEntry, ...]


def plan_report(found: Plan | Infeasible) -> PlanReport:
    plan = found.plan if isinstance(found, Infeasible) else found
    numbers = {step.id: number for number, step in enumerate(plan.steps, start=1)}
    rows = tuple(row for row in capacity_rows(found) if row.is_touched)
    shown = sorted(plan.diagnostics, key=sort_key)
    doubts = [one for one in shown if one.severity is not Severity.ERROR]
    at_risk = tuple(one for one in doubts if one.verdict is Verdict.AT_RISK)
    not_checked = tuple(one for one in doubts if one.verdict is Verdict.NOT_CHECKED)
    rest = [one for one in shown if one not in at_risk and one not in not_checked]
    return PlanReport(
        stack=plan.stack,
        account=plan.account,
        created_at=plan.provenance.created_at,
        outlook=_outlook(found),
        counts=count_changes(plan.changes),
        functions=_functions(plan),
        unchanged=tuple(one.address for one in plan.changes if one.action is Action.NO_OP),
        steps=tuple(_step_entry(step, numbers) for step in plan.steps),
        expected_seconds=max(expected_ends(plan.steps).values(), default=0),
        critical_path=tuple(numbers[one] for one in critical_path(plan.steps)),
        rows=rows,
        traffic=find_traffic(plan),
        retaken=find_retaken(plan),
        demand=plan.demand,
        strategies=plan.strategies,
        alternatives=plan.alternatives,
        interruptions=find_interruptions(plan),
        exposures=find_exposures(plan),
        destroyed=tuple(
            one.address
            for one in plan.changes
            if one.action is Action.DELETE and one.reason not in (LATE, FAILED)
        ),
        point_of_no_return=tuple(numbers[one] for one in plan.point_of_no_return),
        shortages=found.shortages if isinstance(found, Infeasible) else (),
        faults=tuple(one for one in rest if one.severity is not Severity.NOTE),
        at_risk=at_risk,
        not_checked=not_checked,
        notes=tuple(one for one in rest if one.severity is Severity.NOTE),
        readings=_readings(rows, plan),
    )


def count_changes(changes: Sequence[Change]) -> Counts:
    actions = [change.action for change in changes]
    return Counts(
        imported=actions.count(Action.IMPORT),
        added=actions.count(Action.CREATE),
        changed=actions.count(Action.UPDATE),
        destroyed=actions.count(Action.DELETE),
    )


def undoing_of(step: Step) -> Undoing:
    if not isinstance(step.undo, Reversible):
        return Undoing.NO
    return Undoing.IF_CAPACITY if step.undo.needs else Undoing.YES


def forces_new_version(change: AttributeChange) -> bool:
    return change.means is Means.NEW_VERSION


def _outlook(found: Plan | Infeasible) -> Outlook:
    if isinstance(found, Infeasible):
        return Outlook.INFEASIBLE
    if has_errors(found.diagnostics):
        return Outlook.REFUSED
    is_quiet = all(change.action is Action.NO_OP for change in found.changes)
    return Outlook.NO_CHANGES if is_quiet and not found.steps else Outlook.CHANGES


def _functions(plan: Plan) -> tuple[FunctionEntry, ...]:
    wanted = {function.address: function for function in plan.desired.functions}
    taking = {step.address for step in plan.steps if step.acquire}
    return tuple(
        FunctionEntry(
            change=change,
            kept=_kept(change, wanted.get(change.address)),
            rungs=_rungs(function) if function and change.address in taking else (),
            last=function.on_no_capacity.last.value if function else "",
        )
        for change in plan.changes
        if change.action is not Action.NO_OP
        for function in (wanted.get(change.address),)
    )


def _rungs(function: DesiredFunction) -> tuple[RungEntry, ...]:
    """Without the one that it stands on already."""
    return tuple(
        _rung(rung, function)
        for number, rung in enumerate(function.on_no_capacity.rungs, start=1)
        if number != function.rung
    )


def _rung(rung: Rung, function: DesiredFunction) -> RungEntry:
    if isinstance(rung, Wait):
        return RungEntry(kind="wait", seconds=int(rung.duration.total_seconds()))
    before = {one.key: flatten_specification(one.specification) for one in function.specifications}
    edits = [
        (f"{one.key}.{path}", found.text if (found := after.get(path)) else None)
        for one in rung.specifications
        for after in (flatten_specification(one.specification),)
        for path in sorted(before[one.key].keys() | after.keys())
        if before[one.key].get(path) != after.get(path)
    ]
    return RungEntry(kind=rung_kind(rung), edits=tuple(edits))


def _kept(change: Change, wanted: DesiredFunction | None) -> tuple[tuple[str, Json | None], ...]:
    """Sorted by path."""
    if wanted is None or change.action in (Action.DELETE, Action.FORGET):
        return ()
    attributes = dict(flatten_config(wanted.config))
    for one in wanted.specifications:
        prefix = f"deployment.specifications.{one.key}."
        flat = flatten_specification(one.specification)
        attributes |= {prefix + path: attribute for path, attribute in flat.items()}
    stated = {path: None if one.is_sensitive else one.text for path, one in attributes.items()}
    stated |= {f"secrets.{one.name}": None for one in wanted.secrets}
    if wanted.authorized_parties:
        stated["authorizedParties"] = canonical_json(list(wanted.authorized_parties))
    changed = {attribute.path for attribute in change.attributes}
    return tuple(sorted((path, text) for path, text in stated.items() if path not in changed))


def _step_entry(step: Step, numbers: Mapping[StepId, int]) -> StepEntry:
    waits = sorted(((numbers[edge.step], edge) for edge in step.depends_on), key=_by_number)
    return StepEntry(
        number=numbers[step.id], step=step, waits=tuple(waits), undoing=undoing_of(step)
    )


def _by_number(wait: tuple[int, Edge]) -> tuple[int, str]:
    return (wait[0], type(wait[1]).__name__)


def _readings(rows: Sequence[CapacityRow], plan: Plan) -> tuple[ReadingEntry, ...]:
    taken = dict(plan.provenance.read_at)
    found = {row.resource.reading.id: row.resource.reading for row in rows if row.resource.reading}
    return tuple(
        ReadingEntry(reading=reading, age_seconds=_age(taken.get(id_), plan.provenance.created_at))
        for id_, reading in sorted(found.items())
    )


def _age(taken: datetime | None, now: datetime) -> int | None:
    return None if taken is None else max(0, int((now - taken).total_seconds()))
