"""`apply`, `destroy`, `resume` and `rollback`: from an approved plan to a reported outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from nvcfplan.adapters.storage.planfile import read_plan
from nvcfplan.applying import ApplySettings, OnFailure, RunOutcome
from nvcfplan.documents import decode_plan
from nvcfplan.frontends.assembly import choose_account, mint
from nvcfplan.frontends.exits import Exit, exit_of_outcome
from nvcfplan.frontends.locks import patience_of
from nvcfplan.frontends.narrating import Narrator, narrate, narrator_of
from nvcfplan.frontends.options import leading_back, usage_error
from nvcfplan.frontends.planning import refuse_planning, request_of
from nvcfplan.frontends.prompts import APPLY, DESTROY, ROLLBACK, is_approved
from nvcfplan.frontends.reporting import (
    Ending,
    report_no_changes,
    report_nothing,
    report_plan,
    report_run,
    say_diagnostics,
)
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import identify, load, root_of_saved
from nvcfplan.frontends.terminal import ReportUnwritten, Terminal
from nvcfplan.loading import StackSource
from nvcfplan.located import SourceMap
from nvcfplan.plans import Infeasible, Plan
from nvcfplan.reports import Operation, expecting
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted, lasting
from nvcfplan.workflows import (
    ApplyRequest,
    NothingToDo,
    Patience,
    RecoverRequest,
    RoomWait,
    StillWaiting,
    apply_plan,
    apply_when_there_is_room,
    has_changes,
    is_refused,
    last_outcome,
    make_plan,
    queued_work,
    read_memory,
    read_stack_files,
    refuse_open_run,
    remember_plan,
    resume_run,
    roll_back_run,
    scope_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nvcfplan.frontends.commands.apply import ApplyArguments
    from nvcfplan.frontends.commands.drift import DriftArguments
    from nvcfplan.frontends.commands.recover import RecoverArguments
    from nvcfplan.frontends.running_options import RunningArguments
    from nvcfplan.frontends.sessions import Session
    from nvcfplan.model import Stack
    from nvcfplan.workflows import RunResult, Scope


Approvable: TypeAlias = "ApplyArguments | DriftArguments | RecoverArguments"
"""Of every command that shows a plan, asks, and does it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """As which command; how long a lock is waited for, and for how many seconds room is."""

    operation: Operation
    patience: Patience | None
    wait_capacity: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan, where it is shown, and the files that it was made of."""

    terminal: Terminal
    plan: Plan | Infeasible
    sources: SourceMap


def apply_command(terminal: Terminal, arguments: ApplyArguments) -> Exit:
    """A first path that is not YAML is a saved plan: it is carried out without a question."""
    first = arguments.paths[0]
    if not first.is_dir() and first.suffix not in (".yaml", ".yml"):
        return _apply_saved(terminal, arguments, first)
    return _apply_stack(terminal, arguments, Operation.APPLY)


def destroy_command(terminal: Terminal, arguments: ApplyArguments) -> Exit:
    return _apply_stack(terminal, arguments, Operation.DESTROY)


def resume_command(terminal: Terminal, arguments: RecoverArguments) -> Exit:
    return _recover(terminal, arguments, Operation.RESUME)


def rollback_command(terminal: Terminal, arguments: RecoverArguments) -> Exit:
    return _recover(terminal, arguments, Operation.ROLLBACK)


def _apply_stack(terminal: Terminal, arguments: ApplyArguments, operation: Operation) -> Exit:
    if arguments.wait_capacity is not None:
        raise usage_error(
            "-wait-capacity carries out the plan that was reviewed: give a saved plan,"
            " made with `nvcfplan plan -out=FILE`."
        )
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    destroys = operation is Operation.DESTROY
    request = request_of(arguments, loaded, destroys=destroys)
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        patience = patience_of(arguments, account, terminal)
        scope, owner = scope_of(loaded.stack), session.actor.name
        session.read(refuse_open_run(scope, session.ports.look, patience, owner=owner))
        plan = session.read(make_plan(request, session.ports.look))
        manner = Manner(operation, patience)
        return approve_and_carry_out(
            session, Shown(terminal, plan, loaded.sources), arguments, manner
        )


def approve_and_carry_out(
    session: Session, shown: Shown, arguments: Approvable, manner: Manner
) -> Exit:
    """Shows a plan that was made just now, asks, and does it."""
    terminal, plan, operation = shown.terminal, shown.plan, manner.operation
    if isinstance(plan, Infeasible) or is_refused(plan):
        report_plan(terminal, plan, shown.sources)
        return Exit.ERROR
    if not terminal.wants_json and not _is_heard(terminal, plan, shown.sources):
        return Exit.ERROR
    if not has_changes(plan):
        return _remembered(terminal, session, plan, operation)
    _tell_queues(terminal, session, plan)
    question = DESTROY if operation is Operation.DESTROY else APPLY
    if not is_approved(terminal, question, auto_approve=arguments.auto_approve):
        terminal.say(f"{operation.value.capitalize()} cancelled.")
        return Exit.ERROR
    return _carried_out(terminal, session, plan, arguments, manner)


def _is_heard(terminal: Terminal, plan: Plan, sources: SourceMap) -> bool:
    """What nobody has seen to its end is not carried out, whatever was approved beforehand."""
    report_plan(terminal, plan, sources)
    if terminal.is_reader_gone:
        terminal.say("error[output]: the reader of the plan has left; nothing was changed")
    return not terminal.is_reader_gone


def _apply_saved(terminal: Terminal, arguments: ApplyArguments, path: Path) -> Exit:
    refuse_planning(arguments)
    plan = decode_plan(read_plan(path))
    root = root_of_saved(plan, path)
    account = choose_account(arguments, root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, _stack_of(plan, root, arguments), root, terminal.environment) as session:
        if not has_changes(plan):
            return _remembered(terminal, session, plan, Operation.APPLY)
        placed = replace(arguments, paths=(root,), environment=plan.desired.environment)
        patience = patience_of(arguments, account, terminal)
        manner = Manner(Operation.APPLY, patience, arguments.wait_capacity)
        _tell_queues(terminal, session, plan)
        return _carried_out(terminal, session, plan, placed, manner)


def _stack_of(plan: Plan, root: Path, arguments: ApplyArguments) -> Stack | None:
    """The files as they are now: only their sensitive literals are wanted, if they still fit.

    A plan never holds such values. Where the files have changed, none is taken from them.
    """
    source = StackSource(
        paths=arguments.paths[1:] or (root,),
        environment=plan.desired.environment,
        variables=arguments.variables,
    )
    loaded = read_stack_files(source).stack.value
    if loaded is None or loaded.inputs != plan.fingerprint.inputs:
        return None
    return loaded.stack


def _remembered(terminal: Terminal, session: Session, plan: Plan, operation: Operation) -> Exit:
    """There is nothing to carry out; but policies that have changed must hold from now on."""
    look = session.ports.look
    request = ApplyRequest(
        plan=plan, actor=session.actor, minted=mint(look.clock), settings=ApplySettings()
    )
    written = session.read(remember_plan(request, look))
    report_no_changes(terminal, plan, operation)
    if written:
        terminal.say(f"State updated: {', '.join(written)}. Nothing was changed in the account.")
    return Exit.OK


def _carried_out(
    terminal: Terminal,
    session: Session,
    plan: Plan,
    arguments: Approvable,
    manner: Manner,
) -> Exit:
    """`arguments` as typed, but for the paths: those of the stack's files, or its directory."""
    request = ApplyRequest(
        plan=plan,
        actor=session.actor,
        minted=mint(session.ports.look.clock),
        settings=_settings(arguments),
        operation=manner.operation.value,
        patience=manner.patience,
    )
    room = _room_wait(terminal, manner.wait_capacity)
    result = session.carry_out(
        lambda shell: (
            apply_plan(request, session.ports, shell)
            if room is None
            else apply_when_there_is_room(request, session.ports, shell, room)
        ),
        _narrator(terminal, session, scope_of(plan.desired)),
    )
    return _reported(terminal, session, result, manner.operation, arguments)


def _room_wait(terminal: Terminal, seconds: float | None) -> RoomWait | None:
    """A line for each look: nothing is held meanwhile, so there is nothing else to tell."""
    if seconds is None:
        return None
    return RoomWait(limit_seconds=seconds, listener=lambda one: terminal.say(_waiting(one)))


def _waiting(one: StillWaiting) -> str:
    whole = lasting(one.waited + one.left)
    return (
        f"Waiting for capacity [{lasting(one.waited)} of {whole}]: {safe(one.reason)};"
        f" nothing is held, next look in {lasting(one.pause)}"
    )


def _tell_queues(terminal: Terminal, session: Session, plan: Plan) -> None:
    """Before anything is approved: what is undeployed may have work to do."""
    queues = session.ports.queues
    waiting = session.read(queued_work(plan, queues)) if queues is not None else ()
    for one in waiting:
        calls = counted(one.depth, "call")
        fate = "are lost when it is undeployed" if one.is_lost else "end before it is undeployed"
        narrate(terminal, f"In the queue of {safe(str(one.version))}: {calls}, which {fate}.")


def _narrator(terminal: Terminal, session: Session, scope: Scope) -> Narrator:
    """How long things take, it knows from the runs before."""
    look = session.ports.look
    memory = session.read(read_memory(scope, look.store))
    return narrator_of(terminal, look.clock, expecting(memory))


def _settings(arguments: RunningArguments) -> ApplySettings:
    return ApplySettings(
        parallelism=arguments.parallelism, on_failure=OnFailure(arguments.on_failure)
    )


def _recover(terminal: Terminal, arguments: RecoverArguments, operation: Operation) -> Exit:
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    account = choose_account(arguments, known.root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, known.stack, known.root, terminal.environment) as session:
        look = session.ports.look
        request = RecoverRequest(
            scope=known.scope,
            actor=session.actor,
            minted=mint(look.clock),
            settings=_settings(arguments),
            patience=patience_of(arguments, account, terminal),
        )
        if operation is Operation.ROLLBACK:
            last = session.read(last_outcome(known.scope, look))
            if last is RunOutcome.APPLIED and not is_approved(
                terminal, ROLLBACK, auto_approve=arguments.auto_approve
            ):
                terminal.say("Rollback cancelled.")
                return Exit.ERROR
        work = resume_run if operation is Operation.RESUME else roll_back_run
        result = session.carry_out(
            lambda shell: work(request, session.ports, shell),
            _narrator(terminal, session, known.scope),
        )
        if isinstance(result, NothingToDo):
            report_nothing(terminal, operation, result.outcome)
            return Exit.OK
        return _reported(terminal, session, result, operation, arguments)


def _reported(
    terminal: Terminal,
    session: Session,
    result: RunResult,
    operation: Operation,
    arguments: ApplyArguments | RecoverArguments | DriftArguments,
) -> Exit:
    """The outcome is reported even when the state could not be written after it."""
    code = exit_of_outcome(result.outcome, is_terminated=session.was_terminated)
    if operation is Operation.ROLLBACK and result.outcome is RunOutcome.ROLLED_BACK:
        code = Exit.OK
    if result.state_failure is not None and code in (Exit.OK, Exit.ROLLED_BACK):
        code = Exit.INCOMPLETE
    ending = Ending(
        operation=operation,
        exit_code=code,
        again=leading_back(arguments),
        page=arguments.report,
    )
    try:
        report_run(terminal, result, ending)
    except ReportUnwritten as error:
        terminal.drop_reports()
        terminal.say(f"error[output]: {error}\nThe run ended as {result.outcome.value}.")
        return code or Exit.ERROR
    return code
