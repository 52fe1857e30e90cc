"""Scripted faults: which of them a request meets, and what may be scripted at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.emulator.catalogue import words
from nvcfplan.emulator.rules import Fault, FaultBody, Trouble, When

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvcfplan.emulator.sheets import Sheet
    from nvcfplan.emulator.world import World

ANY = "any"
ROUTES = (ANY, *words())

_STARVABLE = frozenset({"deploy", "update-deployment", "update-specification"})


def fault_of(sheet: Sheet) -> Fault | None:
    """A fault as a world file or an admin call states it; None: it is at fault itself."""
    had = len(sheet.faults)
    sheet.required_text("kind")
    fault = Fault(
        kind=sheet.choice("kind", Trouble, Trouble.PAUSE),
        route=sheet.required_text("route"),
        function=sheet.optional_text("function"),
        nth=sheet.whole("nth", 1, least=1),
        every=sheet.flag("every", default=False),
        when=sheet.choice("when", When, When.AFTER),
        seconds=sheet.seconds("seconds", 0.0),
        instance_type=sheet.optional_text("instanceType"),
        cluster=sheet.optional_text("cluster"),
        gpu=sheet.optional_text("gpu"),
        gpus=sheet.whole("gpus", 0) or None,
        tenant=sheet.text("tenant", "other"),
        status=sheet.whole("status", 500),
        body=sheet.choice("body", FaultBody, FaultBody.PROBLEM),
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
    if fault.kind is Trouble.CAPACITY_SYNC and fault.route != "deploy":
        return "capacity-sync meets only the route 'deploy'"
    if fault.kind is Trouble.CAPACITY_ASYNC and fault.route not in _STARVABLE:
        return f"capacity-async meets only: {', '.join(sorted(_STARVABLE))}"
    if fault.kind is Trouble.GRAB and not (fault.cluster and fault.gpu):
        return "grab needs cluster and gpu"
    if fault.kind is Trouble.PAUSE and not fault.seconds > 0:
        return "pause needs seconds above 0"
    if fault.kind is Trouble.ANSWER and not 400 <= fault.status <= 599:
        return "answer needs a status from 400 to 599"
    return None if fault.nth >= 1 else "nth counts from 1"


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

    def hits(self, kind: Trouble, instance_type: str) -> bool:
        return self.hit(kind, instance_type) is not None

    @property
    def pause_seconds(self) -> float:
        return sum(one.seconds for one in self.of(Trouble.PAUSE))


def meet(world: World, route: str, names: Iterable[str]) -> Met:
    """Counts the request for every fault it matches. `names`: of the function concerned."""
    known = set(names)
    met: list[Fault] = []
    for script in world.scripts:
        fault = script.fault
        if script.is_over or fault.route not in (route, ANY):
            continue
        if fault.function is not None and fault.function not in known:
            continue
        script.matched += 1
        world.is_changed = True
        if script.matched >= fault.nth:
            script.is_over = not fault.every
            met.append(fault)
    return Met(tuple(met))
