"""Which part of a run climbs its ladder now, and what comes of each rung that it tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.applying.effects import ReadEverything
from nvcfplan.applying.events import RungName, RungRefused, RungTaken
from nvcfplan.applying.failures import FailureClass
from nvcfplan.applying.flows import Planned, Unplanned
from nvcfplan.applying.journal import OnRung, RungAwaited
from nvcfplan.applying.ladder import (
    Climb,
    climb,
    name_of,
    next_rung,
    patience_of,
    rung_plan,
    wanted_on,
)
from nvcfplan.model import LastResort, Wait, function_key
from nvcfplan.plans import Deploy

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.applying.flows import Ended
    from nvcfplan.applying.ladder import Replan
    from nvcfplan.applying.parts import Part
    from nvcfplan.applying.running import Running
    from nvcfplan.applying.settings import Elapsed
    from nvcfplan.model import DesiredFunction, VersionId
    from nvcfplan.plans import Plan


class Climbing:
    """One part at a time, while nothing else is under way: no rung is planned on moving ground.

    `again` is called when a rung has been taken up or refused.
    """

    def __init__(
        self, running: Running, replan: Replan | None, again: Callable[[float], None]
    ) -> None:
        self._running = running
        self._replan = replan
        self._again = again

    def begin_run(self, elapsed: Elapsed, now: float) -> None:
        """A rung that an earlier part of the run has waited for ends when it would have ended."""
        for rung, passed in elapsed.awaited:
            function = self._desired(rung.function)
            if function is None:
                continue
            for part in self._running.parts:
                if function.address in part.addresses:
                    part.deadlines[rung] = now + patience_of(function, rung.number) - passed

    def next_of(self, part: Part, now: float) -> OnRung | None:
        """None: the ladder has come to its end, or is no answer to what failed."""
        function = self._failed(part)
        if function is None:
            return None
        tried = part.tried.get(function.key, 0)
        last = OnRung(function=function.key, number=tried)
        if part.deadlines.get(last, now) > now:
            return last
        number = next_rung(function, tried)
        return None if number is None else OnRung(function=function.key, number=number)

    def keeps(self, part: Part) -> bool:
        """Its function is to stay where it is for want of capacity."""
        function = self._failed(part)
        return function is not None and function.on_no_capacity.last is LastResort.KEEP

    def begin(self, part: Part, rung: OnRung, now: float) -> None:
        assert self._replan is not None, "the stack has a ladder, and nobody plans its rungs"
        function = self._desired(rung.function)
        assert function is not None, rung
        patience = patience_of(function, rung.number)
        is_first = patience > 0 and rung not in part.deadlines
        deadline = part.deadlines.setdefault(rung, now + patience)
        name = f"climb {rung.function} {rung.number}"
        self._running.climbs[name] = (name_of(function, rung.number), deadline)
        wanted = wanted_on(self._plan.desired, part.taken | {rung.function: rung.number})
        left = max(0.0, deadline - now)
        ask = Climb(
            wanted=ReadEverything(wanted, part.addresses, self._given_up(part)),
            patience=left,
            waited=patience - left,
            is_wait=patience > 0,
            mark=RungAwaited(rung=rung) if is_first else None,
        )
        self._running.engine.start(
            name,
            climb(ask, self._running.settings, self._replan),
            lambda ended, then: self._climbed(part, rung, ended, then),
            now=now,
        )

    def satisfied(self) -> tuple[RungName, ...]:
        """The rungs on which functions stand: what was only waited for stands on none."""
        return tuple(
            name_of(function, number)
            for part in self._running.parts
            if part.is_done
            for key, number in sorted(part.taken.items())
            if (function := self._desired(key)) is not None
            and not isinstance(function.on_no_capacity.rungs[number - 1], Wait)
        )

    def _climbed(self, part: Part, rung: OnRung, ended: Ended, now: float) -> None:
        function = self._desired(rung.function)
        assert function is not None, rung
        name = name_of(function, rung.number)
        match ended:
            case Planned(plan=plan):
                self._take(part, rung, plan, now)
            case Unplanned(reason=reason):
                part.tried[rung.function] = rung.number
                part.deadlines.pop(rung, None)
                at = self._running.at(now)
                self._running.events.append(RungRefused(at=at, rung=name, reason=reason))
                self._again(now)
            case _:
                raise AssertionError(f"a climb ended as {ended}")

    def _take(self, part: Part, rung: OnRung, plan: Plan, now: float) -> None:
        running, function = self._running, self._desired(rung.function)
        assert function is not None, rung
        assert part.last is not None, rung
        name, made = name_of(function, rung.number), rung_plan(plan, len(running.courses))
        running.events.append(
            RungTaken(at=running.at(now), rung=name, cause=part.last, planned=made.steps)
        )
        why = f"rung {name.number} of {name.total} of {name.address}: {name.words}"
        flow = running.take_rung(part, made, rung, why=why)
        running.engine.start(
            f"rung {len(running.courses)}", flow, lambda _ended, then: self._again(then), now=now
        )

    def _given_up(self, part: Part) -> frozenset[VersionId]:
        """Versions that the part deployed, and on which it waits no more."""
        bound = (
            self._running.bindings.of(task.version)
            for course, steps in part.courses
            for one in steps
            if isinstance(task := course.steps[one].task, Deploy) and course.is_executed(one)
        )
        return frozenset(one[1] for one in bound if one is not None and one[1] is not None)

    def _failed(self, part: Part) -> DesiredFunction | None:
        last = part.last
        if last is None or last.failure.kind != FailureClass.CAPACITY:
            return None
        return self._desired(function_key(last.address))

    def _desired(self, key: str) -> DesiredFunction | None:
        return next((one for one in self._plan.desired.functions if one.key == key), None)

    @property
    def _plan(self) -> Plan:
        return self._running.courses[0].plan
