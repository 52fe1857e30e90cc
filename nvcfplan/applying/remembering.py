"""The state after a run, from the state before it, its plan and its journal. Pure.

Only what is surely so is remembered: a function in the middle of a run keeps what it had, for the
journal knows the rest, and an open journal is never passed by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvcfplan.applying.flows import Bound
from nvcfplan.applying.ladder import MARK
from nvcfplan.applying.parts import parts_of
from nvcfplan.applying.recovery import replay
from nvcfplan.applying.tracking import Course, Kind
from nvcfplan.applying.watching import watched_after
from nvcfplan.model import DesiredFunction, ManagedFunction, VersionId, function_key
from nvcfplan.plans import Action, CreateFunction, CreateVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from nvcfplan.applying.journal import Record
    from nvcfplan.applying.parts import Part
    from nvcfplan.applying.recovery import Replayed
    from nvcfplan.applying.settings import PlanCodec
    from nvcfplan.applying.tracking import Bindings
    from nvcfplan.model import Address, State
    from nvcfplan.plans import Plan

_BOUNCE: Final = "bounce"
"""A version that carries a function only while it moves is never remembered."""

Fingerprints = tuple[tuple[str, str], ...]


class _Fate(StrEnum):
    APPLIED = "applied"
    UNDONE = "undone"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class _Found:
    """What a journal, and the plan before it, say of one function.

    `old`: what carried it before. `is_waiting`: something wanted waits for the next version.
    `made`: what carries it now, if this run brought that about; `all_made`: every version it made.
    `desired`: as a rung has it.
    """

    fate: _Fate
    action: Action | None
    made: Bound | None = None
    old: Bound | None = None
    is_waiting: bool = False
    all_made: frozenset[VersionId | None] = frozenset()
    desired: DesiredFunction | None = None


def state_after(
    state: State,
    plan: Plan,
    records: Sequence[Record],
    *,
    codec: PlanCodec,
    fingerprints: Mapping[str, Fingerprints],
    now: datetime,
) -> State:
    """`fingerprints`: of the secrets as they were sent, by function key.

    Also right when `state` was written by an earlier part of the same run.
    """
    replayed = replay(records, codec)
    entries = {one.key: one for one in state.functions}
    desired = {one.key: one for one in plan.desired.functions}
    for address in _touched(plan):
        key = function_key(address)
        found = _found(replayed, plan, address)
        entry = _entry(entries.get(key), found.desired or desired.get(key), found)
        if entry is None:
            entries.pop(key, None)
        elif found.fate is _Fate.APPLIED and key in fingerprints:
            entries[key] = replace(entry, secret_fingerprints=fingerprints[key])
        else:
            entries[key] = entry
    watched = watched_after(state, records, replayed, now)
    return replace(
        state,
        serial=state.serial + 1,
        functions=tuple(entries[key] for key in sorted(entries)),
        watched=tuple(operation for operation, _ in watched),
        watched_since=watched,
    )


def unremembered(state: State | None, plan: Plan) -> tuple[ManagedFunction, ...]:
    """Entries that differ from the state's although no step is needed: by policies alone, or
    because the state does not know the function. Applying them is writing them down.
    """
    entries = {one.key: one for one in state.functions} if state else {}
    desired = {one.key: one for one in plan.desired.functions}
    found: list[ManagedFunction] = []
    for change in plan.changes:
        key = function_key(change.address)
        if change.action is Action.NO_OP and key in desired:
            entry = _applied(entries.get(key), desired[key], _unrun(plan, change.address))
            if entry is not None and entry != entries.get(key):
                found.append(entry)
    return tuple(found)


def state_with(state: State, found: Sequence[ManagedFunction]) -> State:
    """The state in which `found` is remembered as well, where there was no run."""
    entries = {one.key: one for one in (*state.functions, *found)}
    return replace(
        state,
        serial=state.serial + 1,
        functions=tuple(entries[key] for key in sorted(entries)),
    )


def _touched(plan: Plan) -> tuple[Address, ...]:
    addresses = {change.address for change in plan.changes}
    return tuple(sorted(addresses | {step.address for step in plan.steps}))


def _found(replayed: Replayed, plan: Plan, address: Address) -> _Found:
    part = _part_of(replayed, address)
    if part is None:
        is_open = not replayed.courses and any(step.address == address for step in plan.steps)
        fate = _Fate.OPEN if is_open else _Fate.APPLIED
        return replace(_unrun(plan, address), fate=fate)
    fate, last = _fate(replayed, part, address), part.course
    is_on_rung = last.rung is not None and fate is _Fate.APPLIED
    made = _made(last, address, replayed.bindings)
    courses = [course for course, _ in part.courses]
    found = replace(
        _unrun(last.plan if is_on_rung else plan, address),
        fate=fate,
        made=made,
        old=_carrier(plan, address),
        all_made=frozenset(
            bound[1] for one in courses for bound in _all_made(one, address, replayed.bindings)
        ),
    )
    if not is_on_rung:
        return found
    wanted = next((one for one in last.plan.desired.functions if one.address == address), None)
    return replace(found, made=made or _carrier(last.plan, address), desired=wanted)


def _part_of(replayed: Replayed, address: Address) -> Part | None:
    parts = parts_of(replayed.courses)
    return next((one for one in parts if address in one.addresses), None)


def _made(course: Course, address: Address, bindings: Bindings) -> Bound | None:
    found = list(_all_made(course, address, bindings))
    return found[-1] if found else None


def _all_made(course: Course, address: Address, bindings: Bindings) -> Iterator[Bound]:
    for step in course.plan.steps:
        if step.address != address or not isinstance(step.task, CreateFunction | CreateVersion):
            continue
        bound = bindings.of(step.task.version)
        if bound is not None and not step.task.version.label.startswith(_BOUNCE):
            yield bound


def _carrier(plan: Plan, address: Address) -> Bound | None:
    """The version that carried the function when the plan was made."""
    return next(
        (
            (one.function_id, one.version_id)
            for one in plan.bindings
            if one.version.address == address and one.version.label.partition(MARK)[0] == "old"
        ),
        None,
    )


def _unrun(plan: Plan, address: Address) -> _Found:
    """What is known without a journal: that of a function for which there is nothing to do."""
    change = next((one for one in plan.changes if one.address == address), None)
    is_unchanged = change is not None and change.action is Action.NO_OP
    return _Found(
        fate=_Fate.APPLIED,
        action=None if change is None else change.action,
        old=_carrier(plan, address),
        is_waiting=is_unchanged and change is not None and bool(change.attributes),
    )


def _fate(replayed: Replayed, part: Part, address: Address) -> _Fate:
    undos = [one for one in replayed.courses if one.kind is Kind.UNDO and address in one.addresses]
    if undos:
        return _Fate.UNDONE if all(_is_undone(one, address) for one in undos) else _Fate.OPEN
    course = part.course
    own = [one for one in part.steps if course.rung or course.steps[one].address == address]
    return _Fate.APPLIED if all(course.is_done(one) for one in own) else _Fate.OPEN


def _is_undone(undo: Course, address: Address) -> bool:
    return all(undo.is_done(step.id) for step in undo.plan.steps if step.address == address)


def _entry(
    before: ManagedFunction | None, desired: DesiredFunction | None, found: _Found
) -> ManagedFunction | None:
    match found.fate:
        case _Fate.OPEN:
            return before
        case _Fate.UNDONE:
            return _undone(before, found)
        case _Fate.APPLIED:
            return _applied(before, desired, found)


def _applied(
    before: ManagedFunction | None, desired: DesiredFunction | None, found: _Found
) -> ManagedFunction | None:
    """One that is kept undeployed stays remembered as it was, or it would be deleted next."""
    if found.action in (Action.DELETE, Action.FORGET):
        return None
    if desired is None:
        return before
    known = (before.function_id, before.version_id) if before else None
    function, version = found.made or found.old or known or (None, None)
    if function is None or version is None:
        return before
    return ManagedFunction(
        key=desired.key,
        function_id=function,
        version_id=version,
        applied=_as_applied(before, desired) if found.is_waiting else desired,
        secret_fingerprints=before.secret_fingerprints if before else (),
    )


def _as_applied(before: ManagedFunction | None, desired: DesiredFunction) -> DesiredFunction:
    """What waits for the next version has not been applied; the policies have."""
    if before is None:
        return unknown_before(desired)
    return replace(
        before.applied,
        update=desired.update,
        lifecycle=desired.lifecycle,
        depends_on=desired.depends_on,
    )


def unknown_before(function: DesiredFunction) -> DesiredFunction:
    """Nothing of it counts as applied by us, but for its policies."""
    return replace(function, managed=(), secrets=(), specifications=(), authorized_parties=())


def _undone(before: ManagedFunction | None, found: _Found) -> ManagedFunction | None:
    """As it was; but where this run had been remembered as applied, what was before is forgotten.

    Then the old version is known and nothing of it counts as applied by us.
    """
    if before is None or before.version_id not in found.all_made:
        return before
    if found.old is None or found.old[1] is None:
        return None
    return replace(
        before,
        function_id=found.old[0],
        version_id=found.old[1],
        applied=unknown_before(before.applied),
        secret_fingerprints=(),
    )
