"""Drives a machine against the small service without asynchrony, in any interleaving asked for.

It can die at any moment: before or after a record is written, before or after a call is served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nvcfplan.applying import (
    Append,
    Appended,
    ApplyMachine,
    Call,
    Effect,
    Event,
    FindOperation,
    Interrupted,
    Look,
    Observation,
    Pause,
    Query,
    ReadAccount,
    ReadEverything,
    ReadSharing,
    ReadVersion,
    Record,
    Result,
    RunOutcome,
    Seen,
    Survey,
    Woke,
)
from nvcfplan.model import operation_of
from tests.applying.builders import CODEC, RUN, SETTINGS
from tests.applying.service import Service


class Killed(Exception):
    """The tool died here."""


def first(_: int) -> int:
    return 0


@dataclass
class Drive:
    """`pick` chooses among the effects in flight. `dies_at`: the moment, counted from 1.

    A moment stands before and after each record written and each call served.
    """

    machine: ApplyMachine
    service: Service
    records: list[Record] = field(default_factory=list)
    pick: Callable[[int], int] = first
    dies_at: int | None = None
    interrupt_at: int | None = None
    before_call: Callable[[Call, Service], None] = lambda _call, _service: None
    after_effect: Callable[[Effect], None] = lambda _effect: None
    events: list[Event] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    moments: int = 0

    def run(self) -> RunOutcome:
        """Raises: Killed."""
        in_flight = self._ask(self.machine.begin(self.service.now))
        steps = 0
        while self.machine.outcome() is None:
            steps += 1
            assert steps < 20_000, "the machine does not come to an end"
            if self.interrupt_at is not None and len(self.records) >= self.interrupt_at:
                self.interrupt_at = None
                in_flight += self._ask(self.machine.feed(Interrupted(1), self.service.now))
                continue
            assert in_flight, "the machine waits for nothing"
            effect = self._next(in_flight)
            result = self._perform(effect)
            self.after_effect(effect)
            in_flight += self._ask(self.machine.feed(result, self.service.now))
        return self.outcome

    @property
    def outcome(self) -> RunOutcome:
        outcome = self.machine.outcome()
        assert outcome is not None
        return outcome

    @property
    def calls(self) -> list[Call]:
        return [effect for effect in self.effects if isinstance(effect, Call)]

    def _ask(self, effects: object) -> list[Effect]:
        assert isinstance(effects, tuple)
        self.effects.extend(effects)
        self.events.extend(self.machine.drain_events())
        return list(effects)

    def _next(self, in_flight: list[Effect]) -> Effect:
        """Pauses last, the earliest first: time passes only when nothing else is to be done."""
        effect: Effect
        busy = [effect for effect in in_flight if not isinstance(effect, Pause)]
        if busy:
            # Records are written in the order they were asked for.
            appends = [effect for effect in busy if isinstance(effect, Append)]
            others = [effect for effect in busy if not isinstance(effect, Append)]
            choice = [*appends[:1], *others]
            effect = choice[self.pick(len(choice))]
        else:
            pauses = [effect for effect in in_flight if isinstance(effect, Pause)]
            effect = min(pauses, key=lambda pause: (pause.until, pause.id))
        in_flight.remove(effect)
        return effect

    def _perform(self, effect: Effect) -> Result:
        match effect:
            case Append(id=id_, record=record):
                self._moment()
                self.records.append(record)
                self._moment()
                return Appended(id_)
            case Call():
                self._moment()
                self.before_call(effect, self.service)
                answer = self.service.perform(effect)
                self._moment()
                return answer
            case Look(id=id_, query=query):
                return Seen(id_, observe(self.service, query))
            case Pause(id=id_, until=until):
                self.service.advance_to(until)
                return Woke(id_)

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.dies_at:
            raise Killed


def observe(service: Service, query: Query) -> Observation:
    match query:
        case FindOperation(operation=operation):
            return tuple(
                version
                for function in service.live()
                for version in function.versions
                if operation_of(version.config.tags) == operation
            )
        case ReadVersion(function=function_id, version=version_id):
            found = service.version(function_id, version_id)
            return None if found is None else (found,)
        case ReadSharing(function=function_id):
            return service.sharing(function_id)
        case ReadAccount():
            return service.account()
        case ReadEverything():
            return Survey(service.account(), service.live())


__all__ = ["CODEC", "RUN", "SETTINGS", "Drive", "Killed"]
