"""`nvcfplan simulate`: what applying a saved plan would come to, with troubles thrown in.

The account is read once; everything else happens in an emulated one that is thrown away.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.storage.planfile import read_plan
from nvcfplan.applying import ApplySettings, SecretSource
from nvcfplan.documents import decode_plan
from nvcfplan.frontends.assembly import choose_account, emulator_key, mint
from nvcfplan.frontends.emulation import faults_in
from nvcfplan.frontends.exits import Exit, exit_of_outcome
from nvcfplan.frontends.injections import faults_of
from nvcfplan.frontends.narrating import narrator_of
from nvcfplan.frontends.rehearsal import STAND_IN, Scene, set_up
from nvcfplan.frontends.reporting import (
    Ending,
    report_no_changes,
    report_run,
    say_diagnostics,
)
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import root_of_saved
from nvcfplan.model import Memory, Secret
from nvcfplan.reports import Operation, expecting
from nvcfplan.workflows import ApplyRequest, apply_plan, has_changes, look_at_scene, put_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.emulator.serving import Fault
    from nvcfplan.frontends.assembly import ChosenAccount
    from nvcfplan.frontends.commands.simulate import SimulateArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.model import SecretReference
    from nvcfplan.plans import Plan


class StandIn(SecretSource):
    """A word for every secret: a rehearsal needs none, and looks none up."""

    def resolve(self, reference: SecretReference) -> Secret:
        return Secret(STAND_IN, reference)

    def fingerprint(self, reference: SecretReference, key: bytes) -> None:
        """None of a value that nobody will ever compare."""
        del reference, key


def simulate_command(terminal: Terminal, arguments: SimulateArguments) -> Exit:
    plan = decode_plan(read_plan(arguments.plan))
    root = root_of_saved(plan, arguments.plan)
    faults = [one for words in arguments.inject for one in faults_of(plan, words)]
    faults += faults_in(arguments.faults) if arguments.faults else []
    account = choose_account(arguments, root, terminal)
    say_diagnostics(terminal, account.warnings)
    if not has_changes(plan):
        report_no_changes(terminal, plan, Operation.APPLY)
        return Exit.OK
    with opened(account, None, root, terminal.environment) as session:
        seen = session.read(look_at_scene(plan, session.ports.look))
        at = session.ports.look.clock.now()
    scene = Scene(account=seen.account, functions=seen.functions, org=account.target.org, at=at)
    with _rehearsed(account, scene, faults) as elsewhere:
        return _carried_out(terminal, plan, arguments, (elsewhere, root, seen.state))


@contextmanager
def _rehearsed(
    account: ChosenAccount, scene: Scene, faults: list[Fault]
) -> Iterator[ChosenAccount]:
    """The same account by name, in this process: what is sent there goes nowhere else."""
    with closing(set_up(scene, faults)) as emulator, TemporaryDirectory() as kept:
        target = replace(account.target, token=emulator_key(), token_source="the emulator")
        yield replace(
            account,
            target=target,
            clock=emulator.clock,
            client=lambda: Client(
                target,
                clock=emulator.clock,
                transport=emulator.transport(),
                known=account.known,
            ),
            keeps_state_in=Path(kept),
            secrets=StandIn(),
            warnings=(),
        )


def _carried_out(
    terminal: Terminal,
    plan: Plan,
    arguments: SimulateArguments,
    where: tuple[ChosenAccount, Path, bytes | None],
) -> Exit:
    account, root, state = where
    terminal.say(
        "Rehearsal in an emulated account, made from what was read of the real one; nothing is"
        " changed there."
    )
    with opened(account, None, root, terminal.environment) as session:
        look = session.ports.look
        session.read(put_state(plan, state, look, session.actor))
        request = ApplyRequest(
            plan=plan,
            actor=session.actor,
            minted=mint(look.clock),
            settings=ApplySettings(parallelism=arguments.parallelism),
        )
        result = session.carry_out(
            lambda shell: apply_plan(request, session.ports, shell),
            narrator_of(terminal, look.clock, expecting(Memory())),
        )
        code = exit_of_outcome(result.outcome, is_terminated=session.was_terminated)
    ending = Ending(operation=Operation.APPLY, exit_code=code, again=None, page=arguments.report)
    report_run(terminal, result, ending)
    terminal.say("That was a rehearsal: nothing was changed in the account.")
    return code
