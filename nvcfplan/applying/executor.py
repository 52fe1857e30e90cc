"""The asynchronous shell: performs what the machine asks for and tells it what came of it.

It decides nothing but when to wait. One task group; appends one after the other in the order asked
for; one sleeping task, for the earliest pause, so that a virtual clock is driven by nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan.applying.effects import (
    Append,
    Appended,
    Call,
    FindOperation,
    Interrupted,
    LeaseLost,
    Look,
    Pause,
    ReadAccount,
    ReadEverything,
    ReadSharing,
    ReadVersion,
    Seen,
    Survey,
    Unanswered,
    Unseen,
    Woke,
)
from nvcfplan.applying.failures import failure_of_error
from nvcfplan.applying.journal import Record
from nvcfplan.applying.ports import Clock, Lease, LiveReader, StateStore, StepPerformer
from nvcfplan.applying.tenure import Tenure
from nvcfplan.errors import (
    LeaseLostError,
    NvcfplanError,
    RemoteError,
    StoreError,
)
from nvcfplan.model import Readable, RunId, operation_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from nvcfplan.applying.effects import Effect, Observation, Query, Result
    from nvcfplan.applying.events import Event
    from nvcfplan.applying.journal import RunOutcome
    from nvcfplan.applying.machine import ApplyMachine
    from nvcfplan.model import EffectId

_LEASE_SECONDS: Final = 60.0
_RENEW_SECONDS: Final = 15.0
"""Real seconds, whatever clock is waited by: so do those count who might take the lease over."""
_RENEW_AGAIN_SECONDS: Final = 1.0
_LEAST_RENEW_SECONDS: Final = 0.01
_FREE: Final = frozenset({Readable.INVENTORY, Readable.CAPACITY})
_PATIENCE_SECONDS: Final = 1.0
"""Real seconds after which a pause begins although requests are still in flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyPorts:
    """`survey`: all that a plan rests on, read at once; raises RemoteError.

    `lease_seconds`, `renew_seconds`: real ones, as in `Tenure`.
    """

    store: StateStore
    reader: LiveReader
    performer: StepPerformer
    clock: Clock
    encode_record: Callable[[Record], bytes]
    survey: Callable[[ReadEverything], Awaitable[Survey]]
    lease_seconds: float = _LEASE_SECONDS
    renew_seconds: float = _RENEW_SECONDS


async def execute(
    machine: ApplyMachine,
    ports: ApplyPorts,
    *,
    run: RunId,
    lease: Lease,
    sequence: int,
    interrupts: asyncio.Queue[Interrupted],
    listener: Callable[[Event], None],
) -> RunOutcome:
    """Until the machine has an outcome. `sequence`: the number of the next journal record.

    The lease is renewed on the way; it is the caller's to release.
    Raises: StoreError when the journal cannot be written: nothing is sent after that.
    """
    shell = _Shell(machine, ports, _Journal(run, lease, sequence), listener)
    return await shell.run(interrupts)


@dataclass(slots=True)
class _Journal:
    run: RunId
    lease: Lease
    sequence: int


@dataclass(frozen=True, slots=True)
class _Trouble:
    error: NvcfplanError


class _Slept:
    """The sleeping task has come to its end."""


class _Shell:
    def __init__(
        self,
        machine: ApplyMachine,
        ports: ApplyPorts,
        journal: _Journal,
        listener: Callable[[Event], None],
    ) -> None:
        self._machine = machine
        self._ports = ports
        self._journal = journal
        self._listener = listener
        self._came: asyncio.Queue[Result | _Trouble | _Slept] = asyncio.Queue()
        self._to_append: asyncio.Queue[Append] = asyncio.Queue()
        self._open: dict[EffectId, Append | Call | Look] = {}
        self._tasks: dict[EffectId, asyncio.Task[None]] = {}
        self._pauses: dict[EffectId, float] = {}
        self._background: list[asyncio.Task[None]] = []
        self._sleeper: asyncio.Task[None] | None = None
        self._renewing = asyncio.Lock()
        self._tenure = Tenure(lease_seconds=ports.lease_seconds, renew_seconds=ports.renew_seconds)
        self._grace_ends: float | None = None

    async def run(self, interrupts: asyncio.Queue[Interrupted]) -> RunOutcome:
        trouble: NvcfplanError | None = None
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._background = [
                group.create_task(self._append_all()),
                group.create_task(self._renew_all()),
                group.create_task(self._forward(interrupts)),
            ]
            try:
                await self._carry_out()
            except NvcfplanError as error:
                trouble = error
            finally:
                self._cancel_all()
        if trouble is not None:
            raise trouble
        outcome = self._machine.outcome()
        assert outcome is not None
        return outcome

    async def _carry_out(self) -> None:
        self._ask(self._machine.begin(self._ports.clock.monotonic()))
        while self._machine.outcome() is None:
            if self._wake_due():
                continue
            self._sleep_if_idle()
            came = await self._next()
            self._wake_sleeper()
            match came:
                case None:
                    self._give_up_calls()
                case _Slept():
                    if not self._renewing.locked():
                        self._group.create_task(self._keep_lease())
                case _Trouble(error=error):
                    raise error
                case _:
                    self._feed(came)

    def _feed(self, result: Result) -> None:
        if isinstance(result, Interrupted):
            grace = self._machine.settings.interrupt_grace
            self._grace_ends = _real_time() + grace
        elif not isinstance(result, LeaseLost):
            self._open.pop(result.effect, None)
            self._tasks.pop(result.effect, None)
        self._ask(self._machine.feed(result, self._ports.clock.monotonic()))

    def _ask(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Append():
                    self._open[effect.id] = effect
                    self._to_append.put_nowait(effect)
                case Call():
                    self._begin(effect, self._call(effect))
                case Look():
                    self._begin(effect, self._look(effect))
                case Pause(id=pause, until=until):
                    self._pauses[pause] = until
                case _:
                    assert_never(effect)
        for event in self._machine.drain_events():
            self._listener(event)

    def _begin(self, effect: Call | Look, work: Coroutine[None, None, None]) -> None:
        self._open[effect.id] = effect
        self._tasks[effect.id] = self._group.create_task(work)

    def _wake_due(self) -> bool:
        """Feeds the pauses that are over, earliest first; True when there was one."""
        now = self._ports.clock.monotonic()
        due = sorted((until, pause) for pause, until in self._pauses.items() if until <= now)
        for _, pause in due:
            del self._pauses[pause]
            self._feed(Woke(pause))
        return bool(due)

    def _sleep_if_idle(self, *, even_if_busy: bool = False) -> None:
        if self._pauses and (even_if_busy or not self._open) and self._sleeper is None:
            self._sleeper = self._group.create_task(self._sleep(min(self._pauses.values())))

    def _wake_sleeper(self) -> None:
        if self._sleeper is not None:
            self._sleeper.cancel()
            self._sleeper = None

    async def _sleep(self, until: float) -> None:
        await self._ports.clock.sleep_until(until)
        self._came.put_nowait(_Slept())

    async def _next(self) -> Result | _Trouble | _Slept | None:
        """None: the grace of the calls in flight is over."""
        if self._pauses and self._sleeper is None:
            came = await self._within(_PATIENCE_SECONDS)
            if came is not None:
                return came
            self._sleep_if_idle(even_if_busy=True)
        ends = self._grace_ends
        return await self._within(None if ends is None else max(ends - _real_time(), 0.0))

    async def _within(self, seconds: float | None) -> Result | _Trouble | _Slept | None:
        """Not by `wait_for`: it can swallow the end of the group, and all would wait for ever."""
        try:
            async with asyncio.timeout(seconds):
                return await self._came.get()
        except TimeoutError:
            return None

    def _give_up_calls(self) -> None:
        """After the grace the answers are not waited for: what became of them is settled later."""
        if self._grace_ends is None or _real_time() < self._grace_ends:
            return
        self._grace_ends = None
        for effect in [one for one in self._open.values() if isinstance(one, Call)]:
            self._tasks[effect.id].cancel()
            self._feed(Unanswered(effect.id, "the run was interrupted before the answer came"))

    async def _keep_lease(self) -> bool:
        """False: it could not be renewed in time, which comes as a result; nothing may be sent."""
        async with self._renewing:
            if not self._tenure.is_due(_real_time()):
                return True
            while True:
                begun = _real_time()
                try:
                    self._journal.lease = await self._renewed()
                except LeaseLostError as error:
                    self._came.put_nowait(LeaseLost(error.detail or error.summary))
                    return False
                except NvcfplanError as error:
                    if not self._tenure.may_begin(_real_time()):
                        self._came.put_nowait(_Trouble(error))
                        return False
                    await _passed(min(_RENEW_AGAIN_SECONDS, self._left()))
                else:
                    self._tenure = self._tenure.renewed(begun)
                    if self._tenure.may_begin(_real_time()):
                        return True

    async def _renewed(self) -> Lease:
        """Raises: StoreError, also when the store does not answer in time."""
        seconds = self._left()
        try:
            async with asyncio.timeout(seconds):
                return await self._ports.store.renew(self._journal.lease)
        except TimeoutError:
            raise StoreError(
                f"the lease of {self._journal.lease.stack} could not be renewed in time",
                detail=f"the store did not answer for {seconds:.0f} s; the lease may be taken over",
                remedy="nothing more was sent; once the store answers again, see how things stand"
                " with `nvcfplan resume`",
            ) from None

    def _left(self) -> float:
        return self._tenure.seconds_left(_real_time())

    async def _renew_all(self) -> None:
        """A wait may take hours, and answers may come without a break: neither loses the lease."""
        seconds = max(self._ports.renew_seconds, _LEAST_RENEW_SECONDS)
        while await self._keep_lease():
            await _passed(seconds)

    async def _append_all(self) -> None:
        while True:
            effect = await self._to_append.get()
            journal = self._journal
            record = self._ports.encode_record(effect.record)
            try:
                await self._ports.store.append(journal.lease, journal.run, journal.sequence, record)
            except LeaseLostError as error:
                self._came.put_nowait(LeaseLost(error.detail or error.summary))
                return
            except NvcfplanError as error:
                self._came.put_nowait(_Trouble(error))
                return
            journal.sequence += 1
            self._came.put_nowait(Appended(effect.id))

    async def _forward(self, interrupts: asyncio.Queue[Interrupted]) -> None:
        while True:
            self._came.put_nowait(await interrupts.get())

    async def _call(self, call: Call) -> None:
        """The lease is verified right before: the service itself knows no fencing."""
        if await self._keep_lease():
            self._came.put_nowait(await self._ports.performer.perform(call))

    async def _look(self, look: Look) -> None:
        try:
            found = await self._observe(look.query)
        except RemoteError as error:
            self._came.put_nowait(Unseen(look.id, failure_of_error(error)))
        except NvcfplanError as error:
            self._came.put_nowait(_Trouble(error))
        else:
            self._came.put_nowait(Seen(look.id, found))

    async def _observe(self, query: Query) -> Observation:
        reader = self._ports.reader
        match query:
            case FindOperation(operation=operation):
                functions = await reader.functions()
                return tuple(
                    version
                    for function in functions
                    for version in function.versions
                    if operation_of(version.config.tags) == operation
                )
            case ReadVersion(function=function_id, version=version_id):
                found = await reader.version(function_id, version_id)
                return None if found is None else (found,)
            case ReadSharing(function=function_id):
                return await reader.sharing(function_id)
            case ReadAccount():
                return await reader.account(_FREE)
            case ReadEverything():
                return await self._ports.survey(query)
            case _:
                assert_never(query)

    def _cancel_all(self) -> None:
        self._wake_sleeper()
        for task in (*self._background, *self._tasks.values()):
            task.cancel()


def _real_time() -> float:
    """The loop's, not the port's: seconds that pass for other processes too."""
    return asyncio.get_running_loop().time()


async def _passed(seconds: float) -> None:
    """Real ones."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
