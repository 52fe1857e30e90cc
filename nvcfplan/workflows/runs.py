"""What apply, resume and rollback share: the lease, the journal, the run itself, the state after.

A run's result is never lost: when the state cannot be written, the journal still holds everything,
and whoever comes next (`remember_last`) makes the state from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    NO_TIME,
    ApplyPorts,
    Document,
    Elapsed,
    Event,
    Interrupted,
    Lease,
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
    encode_record,
    encode_state,
)
from nvcfplan.errors import JournalCorrupt, StoreError
from nvcfplan.model import RunId, State, function_key
from nvcfplan.plans import CreateFunction, CreateVersion, Plan, SetSecrets
from nvcfplan.workflows.climbing import surveyor
from nvcfplan.workflows.journals import CODEC, Journal, last_of, read_journal
from nvcfplan.workflows.locking import LEASE_SECONDS
from nvcfplan.workflows.memory import remember_durations
from nvcfplan.workflows.ports import Actor
from nvcfplan.workflows.reading import Remembered, Scope, read_state, stored_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.applying import (
        ApplyMachine,
        Clock,
        Fingerprints,
        SecretSource,
    )
    from nvcfplan.workflows.ports import LookPorts, Minted, RunPorts


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


async def current_state(scope: Scope, ports: LookPorts) -> Remembered:
    """As stored; or as the newest run left it, if that ended but did not come to write it.

    Writes nothing: that is left to whoever has the lease. Raises: as `read_state`.
    """
    remembered = await read_state(scope, ports)
    state, newest = remembered.state, (await ports.store.runs(str(scope)))[:1]
    if state is None or not newest:
        return remembered
    try:
        stored = await ports.store.records(str(scope), newest[0])
        if not _is_unwritten(last_of(stored), state):
            return remembered
        journal = await read_journal(scope, ports.store, newest[0])
    except JournalCorrupt:
        return remembered
    started = next((one for one in journal.records if isinstance(one, RunStarted)), None)
    if journal.plan is None or started is None or started.lineage != state.lineage:
        return remembered
    made_of = Remembering(remembered, state, journal.plan, journal.records)
    return replace(remembered, state=_state_after(ports, made_of))


async def remember_last(
    scope: Scope, ports: LookPorts, lease: Lease, journal: Journal | None
) -> Remembered:
    """The state; written first, if the last run could not write it."""
    remembered = await stored_state(scope, ports.store)
    state = remembered.state
    if journal is None or state is None or not _is_unwritten(journal.ended, state):
        return remembered
    plan = journal.plan
    if plan is None:
        return remembered
    await _remember(ports, lease, Remembering(remembered, state, plan, journal.records))
    return await stored_state(scope, ports.store)


def _is_unwritten(last: Record | None, state: State) -> bool:
    """By the last record of a run: whether it is settled, and the state after it is not there."""
    if not isinstance(last, RunEnded) or last.outcome.is_open:
        return False
    return state.serial < last.serial


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
    """A run that may go on: under this lease, from this state, after so many records.

    `elapsed`: of what an earlier part of it has waited for.
    """

    scope: Scope
    lease: Lease
    remembered: Remembered
    state: State
    run: RunId
    recorded: int
    actor: Actor
    elapsed: Elapsed = NO_TIME

    def context(self, clock: Clock) -> RunContext:
        actor = self.actor
        return RunContext(
            run=self.run,
            lineage=self.state.lineage,
            serial=self.state.serial,
            epoch=self.lease.epoch,
            tool_version=actor.tool_version,
            at=clock.now(),
            actor=actor.name,
            commit=actor.commit,
            link=actor.link,
            elapsed=self.elapsed,
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
    await write_state(_state_after(ports, made_of), made_of.before, ports, lease)


def _state_after(ports: LookPorts, made_of: Remembering) -> State:
    return state_after(
        made_of.state,
        made_of.plan,
        made_of.records,
        codec=CODEC,
        fingerprints=_sent_secrets(made_of.plan, made_of.state, ports.secrets),
        now=ports.clock.now(),
    )


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
