"""Scripted faults: which of them a request meets, and what may be scripted at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.emulator.catalogue import words
from nvcfplan.emulator.failures import BROKEN, REFUSED, UNSERVED
from nvcfplan.emulator.rules import (
    STATUSES,
    Fault,
    FaultBody,
    Happening,
    ScheduleRule,
    Trouble,
    When,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nvcfplan.emulator.sheets import Sheet
    from nvcfplan.emulator.world import World

ANY = "any"
ROUTES = (ANY, *words())

_ASKING = frozenset({"deploy", "update-deployment", "update-specification"})
_FAILURES: Mapping[Trouble, Collection[str]] = {
    Trouble.CAPACITY_SYNC: REFUSED,
    Trouble.CAPACITY_ASYNC: UNSERVED,
    Trouble.BREAK: BROKEN,
    Trouble.LOSE: BROKEN,
}
_ANSWERS = (FaultBody.PROBLEM, FaultBody.HTML, FaultBody.GARBAGE, FaultBody.EMPTY)


def fault_of(sheet: Sheet) -> Fault | None:
    """A fault as a world file or an admin call states it; None: it is at fault itself."""
    had = len(sheet.faults)
    sheet.required_text("kind")
    kind = sheet.choice("kind", Trouble, Trouble.PAUSE)
    garbled = FaultBody.GARBAGE if kind is Trouble.GARBLE else FaultBody.PROBLEM
    fault = Fault(
        kind=kind,
        route=sheet.required_text("route"),
        function=sheet.optional_text("function"),
        nth=sheet.whole("nth", 1, least=1),
        count=sheet.whole("count", 1, least=1),
        every=sheet.flag("every", default=False),
        since=sheet.seconds("from", 0.0),
        until=sheet.optional_seconds("until"),
        when=sheet.choice("when", When, When.AFTER),
        seconds=sheet.optional_seconds("seconds"),
        instance_type=sheet.optional_text("instanceType"),
        failure=sheet.optional_text("failure"),
        is_silent=sheet.flag("silent", default=False),
        instances=sheet.whole("instances", 0) or None,
        cluster=sheet.optional_text("cluster"),
        gpu=sheet.optional_text("gpu"),
        gpus=sheet.whole("gpus", 0) or None,
        tenant=sheet.text("tenant", "other"),
        status=sheet.whole("status", 500),
        retry_after=sheet.optional_whole("retryAfter"),
        body=sheet.choice("body", FaultBody, garbled),
        text=sheet.optional_text("text"),
    )
    sheet.finish()
    why = objection(fault) if len(sheet.faults) == had else None
    if why is not None:
        sheet.fault("world-fault", "", why, remedy="change the fault")
    return fault if len(sheet.faults) == had else None


def objection(fault: Fault) -> str | None:
    """Why this fault could never act, if so."""
    if fault.route not in ROUTES:
        return f"route '{fault.route}' is none of: {', '.join(ROUTES)}"
    if fault.nth < 1 or fault.count < 1:
        return "nth and count begin at 1"
    if fault.every and fault.count > 1:
        return "every and count exclude each other"
    if fault.until is not None and fault.until <= fault.since:
        return "until must be after from"
    return _misuse(fault) or _objection_to_words(fault)


def _misuse(fault: Fault) -> str | None:
    """What the kind itself needs."""
    match fault.kind:
        case Trouble.CAPACITY_SYNC if fault.route != "deploy":
            return "capacity-sync meets only the route 'deploy'"
        case Trouble.CAPACITY_ASYNC | Trouble.BREAK if fault.route not in _ASKING:
            return f"{fault.kind} meets only: {', '.join(sorted(_ASKING))}"
        case Trouble.GRAB if not (fault.cluster and fault.gpu):
            return "grab needs cluster and gpu"
        case Trouble.PAUSE | Trouble.LATE if not fault.seconds:
            return f"{fault.kind} needs seconds above 0"
        case Trouble.ANSWER if not 400 <= fault.status <= 599:
            return "answer needs a status from 400 to 599"
        case Trouble.ANSWER if fault.body not in _ANSWERS:
            return f"the body of an answer is one of: {', '.join(_ANSWERS)}"
        case Trouble.GARBLE if fault.body is FaultBody.PROBLEM:
            return "a garbled body is anything but 'problem'"
    return None


def _objection_to_words(fault: Fault) -> str | None:
    """Details that only some kinds have."""
    known = _FAILURES.get(fault.kind, ())
    if fault.failure is not None and fault.failure not in known:
        among = ", ".join(known)
        return f"failure '{fault.failure}' is none of: {among}" if known else _useless("failure")
    if fault.is_silent and fault.kind is not Trouble.CAPACITY_ASYNC:
        return _useless("silent")
    if fault.instances is not None and fault.kind not in _COUNTED:
        return _useless("instances")
    if fault.retry_after is not None and fault.kind is not Trouble.ANSWER:
        return _useless("retryAfter")
    return None


_COUNTED = frozenset({Trouble.CAPACITY_ASYNC, Trouble.BREAK, Trouble.LOSE})


def _useless(name: str) -> str:
    return f"a fault of this kind has no {name}"


def schedule_of(sheet: Sheet) -> ScheduleRule | None:
    """An entry of the schedule as a world file or an admin call states it; None: at fault."""
    had = len(sheet.faults)
    sheet.required_text("what")
    rule = ScheduleRule(
        at=sheet.seconds("at", 0.0),
        what=sheet.choice("what", Happening, Happening.LOSE),
        lasts=sheet.optional_seconds("for"),
        every=sheet.optional_seconds("every"),
        times=sheet.optional_whole("times", least=1),
        tenant=sheet.text("tenant", "other"),
        cluster=sheet.optional_text("cluster"),
        gpu=sheet.optional_text("gpu"),
        gpus=sheet.whole("gpus", 0) or None,
        status=sheet.text("status", "DELETED"),
        function=sheet.optional_text("function"),
        instance_type=sheet.optional_text("instanceType"),
        instances=sheet.whole("instances", 0) or None,
        failure=sheet.optional_text("failure"),
    )
    sheet.finish()
    why = _objection_to_entry(rule) if len(sheet.faults) == had else None
    if why is not None:
        sheet.fault("world-schedule", "", why, remedy="change the entry")
    return rule if len(sheet.faults) == had else None


def _objection_to_entry(rule: ScheduleRule) -> str | None:
    """Why this entry could never act, or would never come to an end."""
    needs_pool = rule.what in (Happening.GRAB, Happening.GIVE_BACK)
    if needs_pool and not (rule.cluster and rule.gpu):
        return f"{rule.what} needs cluster and gpu"
    if rule.what is Happening.STATUS and not rule.cluster:
        return "status needs cluster"
    if rule.what is Happening.STATUS and rule.status not in STATUSES:
        return f"status '{rule.status}' is none of: {', '.join(STATUSES)}"
    if rule.what is Happening.LOSE and rule.failure not in (None, *BROKEN):
        return f"failure '{rule.failure}' is none of: {', '.join(BROKEN)}"
    if rule.lasts == 0 or (rule.every is not None and rule.every < 1):
        return "for must be above 0, and every at least 1 s"
    if rule.every is not None and rule.lasts is not None and rule.lasts >= rule.every:
        return "for must be shorter than every"
    return None


@dataclass(frozen=True, slots=True)
class Met:
    """The faults that one request meets, in the order they were scripted."""

    faults: tuple[Fault, ...] = ()

    def of(self, kind: Trouble) -> tuple[Fault, ...]:
        return tuple(one for one in self.faults if one.kind is kind)

    def first(self, kind: Trouble, when: When | None = None) -> Fault | None:
        found = (one for one in self.of(kind) if when is None or one.when is when)
        return next(found, None)

    def hit(self, kind: Trouble, instance_type: str) -> Fault | None:
        """The capacity fault that is meant for this instance type, if one is."""
        wanted = instance_type.casefold()
        return next(
            (
                one
                for one in self.of(kind)
                if one.instance_type is None or one.instance_type.casefold() == wanted
            ),
            None,
        )

    @property
    def pause_seconds(self) -> float:
        return sum(one.seconds or 0.0 for one in self.of(Trouble.PAUSE))


def meet(world: World, route: str, names: Iterable[str]) -> Met:
    """Counts the request for every fault it matches. `names`: of the function concerned."""
    known = set(names)
    met: list[Fault] = []
    for script in world.scripts:
        fault = script.fault
        if script.is_over or fault.route not in (route, ANY):
            continue
        if world.time < fault.since or (fault.function is not None and fault.function not in known):
            continue
        if fault.until is not None and world.time >= fault.until:
            script.is_over = True
            world.is_changed = True
            continue
        script.matched += 1
        world.is_changed = True
        if script.matched >= fault.nth:
            script.is_over = not fault.every and script.matched >= fault.nth + fault.count - 1
            met.append(fault)
    return Met(tuple(met))
