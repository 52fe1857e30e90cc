"""Runs flows side by side: their asks become effects, results find the flow that waits for them.

It decides nothing: whether an ask may go out is the gate's word, what an end means is the owner's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, assert_never

from nvcfplan.applying.briefs import UNSENT
from nvcfplan.applying.effects import Append, Appended, Call, Look, Pause, Refused
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.flows import Ask, Ended, Flow, Observe, Rest, Send, Told, Write
from nvcfplan.model import EffectId, StepId

if TYPE_CHECKING:
    from nvcfplan.applying.effects import Effect, Result
    from nvcfplan.applying.journal import Record


class Gate(StrEnum):
    """CLOSED: the flow is let go where it stands. UNSENT: it is told that nothing was sent."""

    OPEN = "open"
    CLOSED = "closed"
    UNSENT = "unsent"


class Owner(Protocol):
    """What an engine needs of the machine around it."""

    def gate(self, name: str, ask: Ask) -> Gate: ...

    def on_record(self, record: Record) -> None:
        """It is durable."""
        ...

    def on_rest(self, name: str, rest: Rest, now: float) -> None: ...

    def on_dropped(self, name: str) -> None: ...


@dataclass(slots=True)
class _Running:
    flow: Flow[Ended]
    ended: Callable[[Ended, float], None]
    ask: Ask | None = None
    effect: EffectId = UNSENT


class Engine:
    """`take` gives the effects asked for since the last time, oldest first."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._running: dict[str, _Running] = {}
        self._waiting: dict[EffectId, str] = {}
        self._asked: list[Effect] = []
        self._last = 0

    def start(
        self, name: str, flow: Flow[Ended], ended: Callable[[Ended, float], None], *, now: float
    ) -> None:
        assert name not in self._running, name
        self._running[name] = _Running(flow, ended)
        self._advance(name, None, now)

    def feed(self, result: Result, now: float) -> None:
        """Results of effects that nobody waits for any more are not an error: a flow was let go."""
        assert hasattr(result, "effect"), result
        name = self._waiting.pop(result.effect, None)
        if name is None:
            return
        ask = self._running[name].ask
        if isinstance(ask, Write):
            assert isinstance(result, Appended), result
            self._owner.on_record(ask.record)
        self._advance(name, Told(result, now), now)

    def recheck(self) -> None:
        """Asks the gate again about all that only looks or pauses: what may be let go is."""
        for name, running in list(self._running.items()):
            ask = running.ask
            if isinstance(ask, Observe | Rest) and self._owner.gate(name, ask) is Gate.CLOSED:
                self._drop(name)

    def drop_all(self) -> None:
        for name in list(self._running):
            self._drop(name)

    def take(self) -> tuple[Effect, ...]:
        """Without those of flows that were let go before they went out."""
        taken = tuple(effect for effect in self._asked if effect.id in self._waiting)
        self._asked.clear()
        return taken

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._running)

    def is_running(self, name: str) -> bool:
        return name in self._running

    def in_flight(self) -> tuple[StepId, ...]:
        """Steps with a call that has not been answered."""
        return tuple(
            StepId(name) for name, one in self._running.items() if isinstance(one.ask, Send)
        )

    def _drop(self, name: str) -> None:
        running = self._running.pop(name)
        self._waiting.pop(running.effect, None)
        running.flow.close()
        self._owner.on_dropped(name)

    def _advance(self, name: str, told: Told | None, now: float) -> None:
        running = self._running[name]
        while True:
            try:
                ask = next(running.flow) if told is None else running.flow.send(told)
            except StopIteration as stop:
                del self._running[name]
                running.ended(stop.value, now)
                return
            running.ask, running.effect = ask, UNSENT
            match self._owner.gate(name, ask):
                case Gate.OPEN:
                    self._issue(name, running, now)
                    return
                case Gate.CLOSED:
                    self._drop(name)
                    return
                case Gate.UNSENT:
                    told = Told(Refused(UNSENT, _STOPPED), now)

    def _issue(self, name: str, running: _Running, now: float) -> None:
        self._last += 1
        effect = EffectId(self._last)
        running.effect = effect
        self._waiting[effect] = name
        assert running.ask is not None
        self._asked.append(_effect(effect, name, running.ask, now))
        if isinstance(running.ask, Rest):
            self._owner.on_rest(name, running.ask, now)


_STOPPED = Failure(kind=FailureClass.UNREACHABLE, message="not sent: the run was stopping")


_SHORTEST_REST_SECONDS: Final = 1.0
"""A remainder of a sum of floats may be too small to move the clock at all."""


def _effect(effect: EffectId, name: str, ask: Ask, now: float) -> Effect:
    match ask:
        case Write(record=record):
            return Append(effect, record)
        case Send(operation=operation, task=task, bound=bound):
            return Call(effect, StepId(name), operation, task, bound)
        case Observe(query=query):
            return Look(effect, query)
        case Rest(seconds=seconds):
            return Pause(effect, now + max(seconds, _SHORTEST_REST_SECONDS))
        case _:
            assert_never(ask)
