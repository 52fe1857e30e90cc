"""Goes on with a run that was cut off or blocked, or undoes the last one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    ApplySettings,
    Done,
    Intent,
    Outcome,
    PlanTaken,
    RunOutcome,
    RunStarted,
    Stamp,
    elapsed_of,
    resume,
    undo,
)
from nvcfplan.errors import StalePlan
from nvcfplan.planning import ApplyNeeds, find_moved
from nvcfplan.plans import Irreversible
from nvcfplan.workflows.apply import refuse_unresolvable
from nvcfplan.workflows.climbing import replanner
from nvcfplan.workflows.journals import CODEC, last_journal
from nvcfplan.workflows.locking import Patience, held
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.ports import Actor, Minted
from nvcfplan.workflows.publishing import counting_others, published
from nvcfplan.workflows.reading import (
    Scope,
    read_live,
    refuse_other_account,
    refuse_other_label,
)
from nvcfplan.workflows.runs import Held, carry_out, first_remembered, remember_last

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from nvcfplan.applying import ApplyMachine, Lease, StateStore
    from nvcfplan.errors import Moved
    from nvcfplan.model import LiveFunction, State, StepId
    from nvcfplan.workflows.journals import Journal
    from nvcfplan.workflows.ports import LookPorts, RunPorts
    from nvcfplan.workflows.runs import RunResult, Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverRequest:
    """`minted` is used only where even the state is gone. `patience`: as for an apply."""

    scope: Scope
    actor: Actor
    minted: Minted
    settings: ApplySettings
    patience: Patience | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToDo:
    """`outcome` of the last run; None: there has been none that began anything."""

    outcome: RunOutcome | None


async def last_outcome(scope: Scope, ports: LookPorts) -> NothingToDo | RunOutcome | None:
    """Of the last run: NothingToDo where there is none; None while it is open."""
    journal = await last_journal(scope, ports.store)
    if journal is None or journal.plan is None:
        return NothingToDo(outcome=None)
    return None if journal.is_open or journal.ended is None else journal.ended.outcome


async def resume_run(
    request: RecoverRequest, ports: RunPorts, shell: Shell
) -> RunResult | NothingToDo:
    """Converges wherever the journal was cut: what has no known outcome is asked for first.

    Raises: LockHeld, AccountMismatch, SecretUnavailable, JournalCorrupt; StalePlan where others
    changed what the run had not begun with.
    """
    async with _held(request, ports.look.store, "resume") as lease:
        journal = await last_journal(request.scope, ports.look.store)
        if journal is None or not journal.is_open:
            await remember_last(request.scope, ports.look, lease, journal)
            ended = None if journal is None else journal.ended
            return NothingToDo(outcome=None if ended is None else ended.outcome)
        _refuse_unsendable(journal, ports.look)
        holding = await _taken_up(request, ports.look, lease, journal)
        await _refuse_moved(journal, holding.state, ports.look)
        context = holding.context(ports.look.clock)
        assert journal.plan is not None, journal.run
        replan = replanner(journal.plan, holding.state, ports.look.secrets)
        machine = resume(journal.records, context, request.settings, CODEC, replan=replan)
        return await _published(machine, holding, ports, shell)


async def roll_back_run(
    request: RecoverRequest, ports: RunPorts, shell: Shell
) -> RunResult | NothingToDo:
    """Undoes the open run, or the last one that ended, through the same machine; but only once.

    Raises: as `resume_run`.
    """
    async with _held(request, ports.look.store, "rollback") as lease:
        journal = await last_journal(request.scope, ports.look.store)
        if journal is None or journal.plan is None:
            return NothingToDo(outcome=None)
        if journal.ended is not None and journal.ended.outcome is RunOutcome.ROLLED_BACK:
            await remember_last(request.scope, ports.look, lease, journal)
            return NothingToDo(outcome=RunOutcome.ROLLED_BACK)
        holding = await _taken_up(request, ports.look, lease, journal)
        context = holding.context(ports.look.clock)
        machine = undo(journal.records, context, request.settings, CODEC)
        return await _published(machine, holding, ports, shell)


async def _published(
    machine: ApplyMachine, holding: Held, ports: RunPorts, shell: Shell
) -> RunResult:
    look, scope = ports.look, holding.scope
    async with published(machine.still_to_take, holding.lease, look) as run, run.kept_up():
        earlier = counting_others(scope, look, before=run.number)
        counting = replace(ports, look=counting_others(scope, look), steps=earlier.reader)
        heard = run.heard(shell, machine.still_to_take)
        return await carry_out(machine, holding, counting, heard)


def _held(
    request: RecoverRequest, store: StateStore, operation: str
) -> AbstractAsyncContextManager[Lease]:
    return held(request.scope, store, request.actor, operation=operation, patience=request.patience)


async def _taken_up(
    request: RecoverRequest, ports: LookPorts, lease: Lease, journal: Journal
) -> Held:
    plan = journal.plan
    assert plan is not None, journal.run
    refuse_other_label(plan.account, ports.identity)
    remembered = await remember_last(request.scope, ports, lease, journal)
    if remembered.state is None:
        minted = replace(request.minted, lineage=_lineage(journal) or request.minted.lineage)
        remembered = await first_remembered(request.scope, ports, lease, minted)
    assert remembered.state is not None
    what = f"the state of {request.scope}"
    refuse_other_account(what, remembered.state.account, ports.identity)
    return Held(
        scope=request.scope,
        lease=lease,
        remembered=remembered,
        state=remembered.state,
        run=journal.run,
        recorded=len(journal.records),
        actor=request.actor,
        elapsed=elapsed_of(
            journal.stamped,
            Stamp(at=ports.clock.now(), by=request.actor.name, epoch=lease.epoch),
            ports.clock.monotonic(),
        ),
    )


def moved_since(
    journal: Journal, live: Sequence[LiveFunction], state: State | None
) -> tuple[Moved, ...]:
    """What the run has not begun with, and is not as its plan saw it.

    Nothing where it has begun to go back, or did what cannot be undone: then there is one way only.
    """
    plan = journal.plan
    assert plan is not None, journal.run
    steps = {step.id: step for step in plan.steps}
    begun = [one.step for one in journal.records if isinstance(one, Intent)]
    if any(one not in steps or isinstance(steps[one].undo, Irreversible) for one in begun):
        return ()
    touched = {steps[one].address for one in begun}
    return find_moved(plan, live, state, {step.address for step in plan.steps} - touched)


async def _refuse_moved(journal: Journal, state: State, ports: LookPorts) -> None:
    """Raises: StalePlan; RemoteError while reading."""
    plan = journal.plan
    assert plan is not None, journal.run
    needs = ApplyNeeds(plan=plan, state=state)
    _, functions = await read_live(scope_of(plan.desired), ports.reader, needs)
    moved = moved_since(journal, functions, state)
    if moved:
        raise StalePlan(
            f"run {journal.run} cannot go on as planned: the account has moved since it began",
            moved=moved,
            remedy="undo what it did with `nvcfplan rollback`, then plan again",
        )


def _lineage(journal: Journal) -> str | None:
    return next((one.lineage for one in journal.records if isinstance(one, RunStarted)), None)


def _refuse_unsendable(journal: Journal, ports: LookPorts) -> None:
    """Of the steps that are still to be done; a rollback that has begun sends no secret."""
    plan = journal.plan
    is_rolling_back = sum(isinstance(one, PlanTaken) for one in journal.records) > 1
    if plan is None or is_rolling_back:
        return
    done = _done_of(journal)
    refuse_unresolvable([step for step in plan.steps if step.id not in done], ports.secrets)


def _done_of(journal: Journal) -> set[StepId]:
    return {
        one.step
        for one in journal.records
        if isinstance(one, Outcome) and isinstance(one.result, Done)
    }
