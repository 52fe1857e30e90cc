"""`nvcfplan simulate`: what applying a saved plan would come to, with troubles thrown in.

The account, or a snapshot of it, is read once; everything else happens in an emulated one that is
thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.adapters.settings.endpoints import resolve_endpoint
from nvcfplan.adapters.storage.planfile import read_plan, read_snapshot
from nvcfplan.applying import ApplySettings, RunOutcome
from nvcfplan.documents import decode_plan, decode_snapshot
from nvcfplan.frontends.assembly import choose_account, mint
from nvcfplan.frontends.commands.simulate import SimulateArguments
from nvcfplan.frontends.emulation import faults_in
from nvcfplan.frontends.exits import Exit, exit_of_outcome
from nvcfplan.frontends.injections import faults_of
from nvcfplan.frontends.narrating import narrator_of
from nvcfplan.frontends.rehearsal import Scene
from nvcfplan.frontends.rehearsing import Killed, Place, copied, is_killed, rehearsed
from nvcfplan.frontends.reporting import (
    Ending,
    report_no_changes,
    report_nothing,
    report_run,
    say_diagnostics,
)
from nvcfplan.frontends.sessions import Session, opened
from nvcfplan.frontends.snapshots import refuse_account
from nvcfplan.frontends.stacks import root_of_saved
from nvcfplan.frontends.terminal import Terminal
from nvcfplan.model import OFFLINE, Memory
from nvcfplan.plans import Plan
from nvcfplan.reports import Operation, expecting
from nvcfplan.workflows import (
    ApplyRequest,
    NothingToDo,
    RecoverRequest,
    Seen,
    apply_plan,
    has_changes,
    look_at_scene,
    look_at_snapshot,
    put_state,
    resume_run,
    roll_back_run,
    scope_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager
    from datetime import datetime

    from nvcfplan.emulator.serving import Fault
    from nvcfplan.frontends.assembly import ChosenAccount
    from nvcfplan.workflows import RunResult, Shell

T = TypeVar("T")

_WAYS: Final = {
    Operation.RESUME: ("What `nvcfplan resume` would make of that:", resume_run),
    Operation.ROLLBACK: ("What `nvcfplan rollback` would make of it instead:", roll_back_run),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rehearsal:
    """`plan`: as for the account that is played. `state`: as it was where the plan was made."""

    terminal: Terminal
    arguments: SimulateArguments
    plan: Plan
    root: Path
    place: Place
    state: bytes | None


def simulate_command(terminal: Terminal, arguments: SimulateArguments) -> Exit:
    plan = decode_plan(read_plan(arguments.plan))
    root = root_of_saved(plan, arguments.plan)
    faults = [one for words in arguments.inject for one in faults_of(plan, words)]
    faults += faults_in(arguments.faults) if arguments.faults else []
    if arguments.offline is not None:
        refuse_account(arguments)
        target, scene, state = _of_snapshot(plan, arguments.offline)
    else:
        target, scene, state = _of_account(terminal, arguments, plan, root)
    if not has_changes(plan):
        report_no_changes(terminal, plan, Operation.APPLY)
        return Exit.OK
    terminal.say(
        "Rehearsal in an emulated account, made from what was read of the real one; nothing is"
        " changed there."
    )
    with TemporaryDirectory() as kept:
        directory = Path(kept) / "played"
        directory.mkdir()
        rehearsal = _Rehearsal(
            terminal=terminal,
            arguments=arguments,
            plan=replace(plan, account=plan.account.removeprefix(OFFLINE)),
            root=root,
            place=Place(target=target, known=terminal.known, directory=directory),
            state=state,
        )
        code = _played(rehearsal, scene, faults)
    terminal.say("That was a rehearsal: nothing was changed in the account.")
    return code


def _of_account(
    terminal: Terminal, arguments: SimulateArguments, plan: Plan, root: Path
) -> tuple[Target, Scene, bytes | None]:
    account = choose_account(arguments, root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, None, root, terminal.environment) as session:
        seen = session.read(look_at_scene(plan, session.ports.look))
        at = session.ports.look.clock.now()
    return account.target, _scene(seen, account.target, at, plan), seen.state


def _of_snapshot(plan: Plan, path: Path) -> tuple[Target, Scene, bytes | None]:
    """Nobody is asked, so no key is wanted."""
    snapshot = decode_snapshot(read_snapshot(path))
    seen = look_at_snapshot(plan, snapshot)
    known = snapshot.account.identity
    endpoint = resolve_endpoint(known.endpoint, {}, org=known.org)
    target = Target(base_url=endpoint.base_url, token=None, org=known.org, nca_id=known.nca_id)
    return target, _scene(seen, target, snapshot.taken_at, plan), seen.state


def _scene(seen: Seen, target: Target, at: datetime, plan: Plan) -> Scene:
    return Scene(
        account=seen.account,
        functions=seen.functions,
        org=target.org,
        at=at,
        wanted=tuple(one.config for one in plan.desired.functions),
    )


def _played(rehearsal: _Rehearsal, scene: Scene, faults: list[Fault]) -> Exit:
    """Of a run that is killed, what going on with it comes to; undoing it is told beside."""
    terminal = rehearsal.terminal
    with rehearsed(rehearsal.place, scene, faults) as account:
        try:
            return _applied(rehearsal, account)
        except (Killed, BaseExceptionGroup) as error:
            if not is_killed(error):
                raise
    terminal.say("\nKilled: that request was served, and the process died before it heard so.")
    codes = []
    for operation, (title, _) in _WAYS.items():
        terminal.say(f"\n{title}")
        with copied(rehearsal.place, operation.value) as account:
            codes.append(_recovered(rehearsal, account, operation))
    return codes[0]


def _applied(rehearsal: _Rehearsal, account: ChosenAccount) -> Exit:
    plan = rehearsal.plan
    with _session(rehearsal, account) as session:
        look = session.ports.look
        session.read(put_state(plan, rehearsal.state, look, session.actor))
        request = ApplyRequest(
            plan=plan,
            actor=session.actor,
            minted=mint(look.clock),
            settings=_settings(rehearsal),
        )
        result = _run(rehearsal, session, lambda shell: apply_plan(request, session.ports, shell))
        return _told(rehearsal, session, result, Operation.APPLY)


def _recovered(rehearsal: _Rehearsal, account: ChosenAccount, operation: Operation) -> Exit:
    with _session(rehearsal, account) as session:
        request = RecoverRequest(
            scope=scope_of(rehearsal.plan.desired),
            actor=session.actor,
            minted=mint(session.ports.look.clock),
            settings=_settings(rehearsal),
        )
        work = _WAYS[operation][1]
        result = _run(rehearsal, session, lambda shell: work(request, session.ports, shell))
        if isinstance(result, NothingToDo):
            report_nothing(rehearsal.terminal, operation, result.outcome)
            return Exit.OK
        return _told(rehearsal, session, result, operation)


def _session(rehearsal: _Rehearsal, account: ChosenAccount) -> AbstractContextManager[Session]:
    return opened(account, None, rehearsal.root, rehearsal.terminal.environment)


def _settings(rehearsal: _Rehearsal) -> ApplySettings:
    return ApplySettings(parallelism=rehearsal.arguments.parallelism)


def _run(
    rehearsal: _Rehearsal, session: Session, work: Callable[[Shell], Coroutine[Any, Any, T]]
) -> T:
    narrator = narrator_of(rehearsal.terminal, session.ports.look.clock, expecting(Memory()))
    return session.carry_out(work, narrator)


def _told(rehearsal: _Rehearsal, session: Session, result: RunResult, operation: Operation) -> Exit:
    code = exit_of_outcome(result.outcome, is_terminated=session.was_terminated)
    if operation is Operation.ROLLBACK and result.outcome is RunOutcome.ROLLED_BACK:
        code = Exit.OK
    page = rehearsal.arguments.report if operation is not Operation.ROLLBACK else None
    ending = Ending(operation=operation, exit_code=code, again=None, page=page)
    report_run(rehearsal.terminal, result, ending)
    return code
