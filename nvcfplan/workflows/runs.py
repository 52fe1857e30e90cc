"""What apply, resume and rollback share: the lease, the journal, the run itself, the state after.

A run's result is never lost: when the state cannot be written, the journal still holds everything,
and whoever comes next (`remember_last`) makes the state from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import (
    ApplyPorts,
    Document,
    Event,
    Interrupted,
    Lease,
    PlanTaken,
    Record,
    RunContext,
    RunEnded,
    RunOutcome,
    RunStarted,
    Stamp,
    execute,
    state_after,
)
from nvcfplan.documents import (
    decode_plan,
    decode_record,
    encode_plan,
    encode_record,
    encode_state,
    plan_digest,
)
from nvcfplan.errors import JournalCorrupt, RunOpen, StoreError
from nvcfplan.model import RunId, State, function_key
from nvcfplan.plans import CreateFunction, CreateVersion, Plan, SetSecrets
from nvcfplan.workflows.climbing import surveyor
from nvcfplan.workflows.locking import LEASE_SECONDS
from nvcfplan.workflows.memory import remember_durations
from nvcfplan.workflows.ports import Actor
from nvcfplan.workflows.reading import Remembered, Scope, stored_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.applying import (
        ApplyMachine,
        Clock,
        Fingerprints,
        PlanCodec,
        SecretSource,
        StateStore,
    )
    from nvcfplan.model import Digest
    from nvcfplan.workflows.ports import LookPorts, Minted, RunPorts


class DocumentCodec:
    """Plans as bytes, for a machine that may not know documents."""

    def encode(self, plan: Plan) -> bytes:
        return encode_plan(plan)

    def decode(self, document: bytes) -> Plan:
        return decode_plan(document)

    def digest(self, plan: Plan) -> Digest:
        return plan_digest(plan)


CODEC: Final[PlanCodec] = DocumentCodec()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What a front end gives to a run. `begins` is called once interrupts are the run's own."""

    interrupts: asyncio.Queue[Interrupted]
    listener: Callable[[Event], None]
    begins: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """`state_failure`: the run ended as it says, but the state could not be written after it."""

    outcome: RunOutcome
    plan: Plan
    events: tuple[Event, ...]
    state_failure: StoreError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A run as written down. `records` may be cut anywhere."""

    run: RunId
    records: tuple[Record, ...]

    @property
    def ended(self) -> RunEnded | None:
        last = self.records[-1] if self.records else None
        return last if isinstance(last, RunEnded) else None

    @property
    def is_open(self) -> bool:
        """Something may have been begun that is not known to have ended."""
        return self._taken is not None and (self.ended is None or self.ended.outcome.is_open)

    @property
    def plan(self) -> Plan | None:
        """The run's own; None: cut before it was written, so nothing was begun."""
        return None if self._taken is None else CODEC.decode(self._taken.document)

    @property
    def _taken(self) -> PlanTaken | None:
        return next((one for one in self.records if isinstance(one, PlanTaken)), None)


async def last_journal(scope: Scope, store: StateStore) -> Journal | None:
    """Of the open run where there is one, else of the newest; None: there has been none.

    Raises: JournalCorrupt, of a run after which none has begun: it could be an open one.
    """
    places: list[_Place] = []
    damaged: list[JournalCorrupt] = []
    for run in await store.runs(str(scope)):
        try:
            places.append(_place(run, await store.records(str(scope), run)))
        except JournalCorrupt as error:
            damaged.append(error)
    last = max((place.epoch for place in places), default=0)
    for one in damaged:
        if not 0 < _epoch_of(one.intact) < last:
            raise one
    return await read_journal(scope, store, max(places).run) if places else None


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where a run stands among all; the greatest is the last run.

    Epochs rise with each lease; ids are in no order within a millisecond, nor when a clock is set
    back.
    """

    is_open: bool
    epoch: int
    run: RunId


def _place(run: RunId, stored: Sequence[bytes]) -> _Place:
    """Reads a journal's two ends only: there may be many, and plans are large."""
    known = (found for one in stored if (found := decode_record(one)) is not None)
    epoch, has_plan = 0, False
    for record in known:
        if isinstance(record, RunStarted):
            epoch = record.epoch
        elif isinstance(record, PlanTaken):
            has_plan = True
            break
    backwards = (decode_record(one) for one in reversed(stored))
    last = next((one for one in backwards if one is not None), None)
    has_settled = isinstance(last, RunEnded) and not last.outcome.is_open
    return _Place(is_open=has_plan and not has_settled, epoch=epoch, run=run)


def _epoch_of(stored: Sequence[bytes]) -> int:
    """Of the lease under which a run began; 0: its first record does not read.

    One below another's was settled when that began: while a run is open no other begins.
    """
    try:
        first = decode_record(stored[0]) if stored else None
    except JournalCorrupt:
        return 0
    return first.epoch if isinstance(first, RunStarted) else 0


async def read_journal(scope: Scope, store: StateStore, run: RunId) -> Journal:
    stored = await store.records(str(scope), run)
    decoded = (decode_record(record) for record in stored)
    return Journal(run=run, records=tuple(one for one in decoded if one is not None))


def refuse_open(journal: Journal | None, scope: Scope) -> None:
    """Raises: RunOpen. What an open run has left undone would be taken for somebody's edit."""
    if journal is None or not journal.is_open:
        return
    ended = journal.ended
    how = f"it ended as {ended.outcome.value}" if ended else "it was cut off"
    raise RunOpen(
        f"run {journal.run} of {scope} has not been settled",
        detail=f"{how}; its journal knows what is left to do",
        remedy="go on with `nvcfplan resume`, or undo it with `nvcfplan rollback`",
    )


async def remember_last(
    scope: Scope, ports: LookPorts, lease: Lease, journal: Journal | None
) -> Remembered:
    """The state; written first, if the last run could not write it."""
    remembered = await stored_state(scope, ports.store)
    state = remembered.state
    if journal is None or journal.ended is None or state is None:
        return remembered
    if journal.is_open or state.serial >= journal.ended.serial:
        return remembered
    plan = journal.plan
    if plan is None:
        return remembered
    await _remember(ports, lease, Remembering(remembered, state, plan, journal.records))
    return await stored_state(scope, ports.store)


async def first_remembered(
    scope: Scope, ports: LookPorts, lease: Lease, minted: Minted
) -> Remembered:
    """An empty state, written before anything is begun: so we know that it can be written."""
    state = State(
        lineage=minted.lineage,
        serial=0,
        account=ports.identity,
        stack=scope.stack,
        environment=scope.environment,
        secret_key=minted.secret_key,
    )
    token = await ports.store.write(
        str(scope), Document.STATE, encode_state(state), expected=None, lease=lease
    )
    return Remembered(state=state, token=token)


@dataclass(frozen=True, slots=True)
class Remembering:
    """From what the next state is made."""

    before: Remembered
    state: State
    plan: Plan
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A run that may go on: under this lease, from this state, after so many records."""

    scope: Scope
    lease: Lease
    remembered: Remembered
    state: State
    run: RunId
    recorded: int
    actor: Actor

    def context(self) -> RunContext:
        actor = self.actor
        return RunContext(
            run=self.run,
            lineage=self.state.lineage,
            serial=self.state.serial,
            epoch=self.lease.epoch,
            tool_version=actor.tool_version,
            actor=actor.name,
            commit=actor.commit,
            link=actor.link,
        )


async def carry_out(
    machine: ApplyMachine, holding: Held, ports: RunPorts, shell: Shell
) -> RunResult:
    """Until the machine has an outcome; then the state is written, whatever the outcome is.

    Raises: StoreError when the journal cannot be written: then the run is open.
    """
    look, events = ports.look, list[Event]()

    def listener(event: Event) -> None:
        events.append(event)
        shell.listener(event)

    shell.begins()
    outcome = await execute(
        machine,
        ApplyPorts(
            store=look.store,
            reader=ports.steps or look.reader,
            performer=ports.performer,
            clock=look.clock,
            encode_record=_stamping(holding, look.clock),
            survey=surveyor(holding.scope, holding.state, look),
            lease_seconds=LEASE_SECONDS,
        ),
        run=holding.run,
        lease=holding.lease,
        sequence=holding.recorded,
        interrupts=shell.interrupts,
        listener=listener,
    )
    plan = machine.plan
    assert plan is not None, holding.run
    await remember_durations(holding.scope, look.store, holding.lease, events)
    return RunResult(
        outcome=outcome,
        plan=plan,
        events=tuple(events),
        state_failure=await _remembered_after(plan, holding, look),
    )


def _stamping(holding: Held, clock: Clock) -> Callable[[Record], bytes]:
    """The machine knows no time of day: who writes a record down says when."""

    def encode(record: Record) -> bytes:
        epoch = holding.lease.epoch
        return encode_record(record, Stamp(at=clock.now(), by=holding.actor.name, epoch=epoch))

    return encode


async def _remembered_after(plan: Plan, holding: Held, ports: LookPorts) -> StoreError | None:
    try:
        journal = await read_journal(holding.scope, ports.store, holding.run)
        made_of = Remembering(holding.remembered, holding.state, plan, journal.records)
        await _remember(ports, holding.lease, made_of)
    except StoreError as error:
        return error
    return None


async def _remember(ports: LookPorts, lease: Lease, made_of: Remembering) -> None:
    state = state_after(
        made_of.state,
        made_of.plan,
        made_of.records,
        codec=CODEC,
        fingerprints=_sent_secrets(made_of.plan, made_of.state, ports.secrets),
        now=ports.clock.now(),
    )
    await write_state(state, made_of.before, ports, lease)


async def write_state(state: State, before: Remembered, ports: LookPorts, lease: Lease) -> None:
    """What newer versions wrote into it, and we do not know, is kept. Raises: StoreError."""
    previous = await ports.store.read(lease.stack, Document.STATE)
    content = encode_state(state, previous=previous.content if previous else None)
    await ports.store.write(
        lease.stack, Document.STATE, content, expected=before.token, lease=lease
    )


def _sent_secrets(plan: Plan, state: State, secrets: SecretSource) -> Mapping[str, Fingerprints]:
    """Fingerprints of what steps sent, by function key, sorted by name."""
    key = bytes.fromhex(state.secret_key)
    sent = {
        function_key(step.address): step.task.secrets
        for step in plan.steps
        if isinstance(step.task, CreateFunction | CreateVersion | SetSecrets)
    }
    return {
        name: tuple(
            (reference.name, found)
            for reference in sorted(references, key=lambda one: one.name)
            if (found := secrets.fingerprint(reference, key)) is not None
        )
        for name, references in sent.items()
    }
