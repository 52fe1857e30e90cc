"""A run on its way, a turn at a time: what the machine asks for is done, or comes to grief."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan.applying import (
    Append,
    Appended,
    ApplyMachine,
    Call,
    Done,
    Effect,
    Failure,
    FailureClass,
    Intent,
    Interrupted,
    LeaseLost,
    Look,
    Pause,
    Record,
    Refused,
    Result,
    RunFinished,
    RungRefused,
    RungTaken,
    RunOutcome,
    Seen,
    Stamp,
    Unanswered,
    Unseen,
    Woke,
)
from nvcfplan.documents import encode_record
from nvcfplan.errors import LeaseLostError
from tests.applying.driver import observe
from tests.chaos.storing import at_once
from tests.chaos.visits import Visit, visits_of
from tests.chaos.weather import MOMENTS, Killed, Trouble

if TYPE_CHECKING:
    from nvcfplan.applying import Event
    from nvcfplan.workflows.runs import Held
    from tests.chaos.scene import Scene

Turns = Generator[float, None, None]
"""Yields the time until which there is nothing to do."""

_RENEW_SECONDS: Final = 15.0
_MOST_TURNS: Final = 20_000


class Flight:
    """`guarded`: keys that must not be taken out of service. `_asked`: what has no answer yet."""

    def __init__(
        self,
        scene: Scene,
        name: str,
        machine: ApplyMachine,
        holding: Held,
        guarded: frozenset[str],
    ) -> None:
        self.scene = scene
        self.name = name
        self.machine = machine
        self._holding = holding
        self._guarded = guarded
        self._sequence = holding.recorded
        self._asked: list[Effect] = []
        self._renewed_at = scene.account.now
        self._is_interrupted = False
        self._is_climbing = False

    def turns(self) -> Turns:
        """Until the machine has an outcome. Raises: Killed."""
        machine, account = self.machine, self.scene.account
        self._ask(machine.begin(account.now))
        for _ in range(_MOST_TURNS):
            if machine.outcome() is None:
                yield from self._maybe_struck()
            if machine.outcome() is not None:
                return
            until = self._sleeps_until()
            yield until
            if until <= account.now:
                effect = self._chosen()
                self._asked.remove(effect)
                self._feed(self._performed(effect))
        raise AssertionError("the machine does not come to an end")

    def _maybe_struck(self) -> Turns:
        scene = self.scene
        match scene.weather.strikes(MOMENTS, 0.04 if self._is_climbing else 0.02):
            case Trouble.KILL:
                self._die()
            case Trouble.FROZEN:
                self._tell("frozen")
                yield scene.account.now + scene.random.choice([20.0, 90.0, 3000.0])
            case Trouble.STOLEN:
                scene.is_lease_wanted = True
            case Trouble.INTERRUPT if not self._is_interrupted:
                self._is_interrupted = True
                self._tell("interrupted")
                self._feed(Interrupted(1))
            case _:
                pass

    def _sleeps_until(self) -> float:
        """The earliest pause where there is nothing else."""
        if any(not isinstance(one, Pause) for one in self._asked):
            return self.scene.account.now
        assert self._asked, "the machine waits for nothing"
        return min(one.until for one in self._asked if isinstance(one, Pause))

    def _chosen(self) -> Effect:
        """Records in the order they were asked for; the rest in any."""
        now = self.scene.account.now
        appends = [one for one in self._asked if isinstance(one, Append)]
        others = [one for one in self._asked if isinstance(one, Call | Look)]
        due = [one for one in self._asked if isinstance(one, Pause) and one.until <= now]
        return self.scene.random.choice([*appends[:1], *others, *due])

    def _performed(self, effect: Effect) -> Result:
        scene = self.scene
        match effect:
            case Append():
                return self._append(effect)
            case Call():
                return self._call(effect)
            case Look(id=id_, query=query):
                failure = scene.weather.fails_to_read(scene.account.now)
                if failure is not None:
                    return Unseen(id_, failure)
                return Seen(id_, observe(scene.account, query))
            case Pause(id=id_):
                return Woke(id_)
            case _:
                assert_never(effect)

    def _append(self, effect: Append) -> Result:
        disk, holding = self.scene.disk, self._holding
        if self.scene.manners.writes_intents_late and isinstance(effect.record, Intent):
            return Appended(effect.id)
        record = self._written(effect.record)
        try:
            at_once(disk.append(holding.lease, holding.run, self._sequence, record))
        except LeaseLostError as error:
            self.scene.visits[Visit.LEASE_LOST] += 1
            return LeaseLost(error.detail or "")
        self._sequence += 1
        return Appended(effect.id)

    def _written(self, record: Record) -> bytes:
        holding = self._holding
        stamp = Stamp(at=self.scene.clock.now(), by=holding.actor.name, epoch=holding.lease.epoch)
        return encode_record(record, stamp)

    def _call(self, call: Call) -> Result:
        """As in the shell: the lease is looked at once it is not known to be fresh."""
        scene = self.scene
        if scene.account.now - self._renewed_at >= _RENEW_SECONDS:
            try:
                at_once(scene.disk.renew(self._holding.lease))
            except LeaseLostError as error:
                self.scene.visits[Visit.LEASE_LOST] += 1
                return LeaseLost(error.detail or "")
            self._renewed_at = scene.account.now
        if call.operation not in scene.disk.intents:
            scene.faults.append(f"{call.step} was sent without an intent in the journal")
        scene.protected[call.operation] = self._guarded
        answer = scene.weather.deliver(call, scene.account)
        return self._misread(call, answer)

    def _misread(self, call: Call, answer: Done | Refused | Unanswered) -> Result:
        """What two of the planted defects make of an answer that was lost."""
        manners = self.scene.manners
        if not isinstance(answer, Unanswered) or not (manners.is_blind or manners.is_stubborn):
            return answer
        kind = FailureClass.TRANSIENT if manners.is_stubborn else FailureClass.OTHER
        return Refused(call.id, Failure(kind=kind, message="no answer"))

    def _feed(self, result: Result) -> None:
        self._tell(f"{type(result).__name__} {_of(result)}")
        self._ask(self.machine.feed(result, self.scene.account.now))

    def _ask(self, effects: object) -> None:
        assert isinstance(effects, tuple)
        self._asked.extend(effects)
        for one in effects:
            if isinstance(one, Call):
                self._tell(f"asks {one.step} {one.operation}")
        for event in self.machine.drain_events():
            assert self.machine.plan is not None
            self.scene.visits.update(visits_of(event, self.machine.plan))
            self._hear(event)

    def _hear(self, event: Event) -> None:
        match event:
            case RungTaken(rung=rung):
                self._is_climbing = True
                self._tell(f"takes {rung.words} of {rung.address}")
            case RungRefused(rung=rung, reason=reason):
                self._tell(f"cannot take {rung.words} of {rung.address}: {reason}")
            case RunFinished(outcome=RunOutcome.INCOMPLETE, blocked=blocked):
                why = None if blocked is None else blocked.failure.message
                self._tell(f"blocked at {blocked and blocked.step}: {why}")
            case _:
                pass

    def _die(self) -> None:
        """What was under way: a record may be torn, a request served, lost, or on its way still.

        Raises: Killed.
        """
        scene = self.scene
        scene.visits[Visit.CUT] += self._is_climbing
        appends = [one for one in self._asked if isinstance(one, Append)]
        if appends and scene.random.random() < 0.9:
            scene.visits[Visit.TORN] += 1
            record = self._written(appends[0].record)
            if scene.disk.lease == self._holding.lease:
                scene.disk.tear(self._holding.run, record, scene.random.random())
        for one in self._asked:
            if isinstance(one, Call):
                scene.protected[one.operation] = self._guarded
                fate = scene.random.randrange(3)
                if fate == 0:
                    scene.account.serve(one)
                elif fate == 1:
                    scene.weather.delay(one, scene.account)
        raise Killed

    def _tell(self, what: str) -> None:
        self.scene.tell(self.name, what)


def _of(result: Result) -> str:
    match result:
        case Refused(failure=failure) | Unseen(failure=failure):
            return f"{result.effect} {failure.kind}"
        case Unanswered(effect=effect, why=why):
            return f"{effect} {why}"
        case Interrupted() | LeaseLost():
            return ""
        case _:
            return str(result.effect)
