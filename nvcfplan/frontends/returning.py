"""`rollback ADDRESS -to VERSION`: a kept version's return, planned, approved and carried out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.frontends.assembly import choose_account, this_actor
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.locks import patience_of
from nvcfplan.frontends.options import usage_error
from nvcfplan.frontends.planning import portable
from nvcfplan.frontends.reporting import say_diagnostics
from nvcfplan.frontends.running import Manner, Shown, approve_and_carry_out
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import load
from nvcfplan.model import Address, function_address
from nvcfplan.plans import Infeasible, Plan
from nvcfplan.reports import Operation
from nvcfplan.views.neutralise import safe
from nvcfplan.workflows import (
    PlanRequest,
    look_for_return,
    make_plan,
    refuse_open_run,
    scope_of,
)

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.recover import RollbackArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.loading import LoadedStack
    from nvcfplan.workflows import Return


def return_command(terminal: Terminal, arguments: RollbackArguments, version: str) -> Exit:
    """The first of the paths is the address."""
    address = _address(arguments.paths[0])
    arguments = replace(arguments, paths=arguments.paths[1:] or (Path(),))
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        look = session.ports.look
        patience = patience_of(arguments, account, terminal)
        scope, owner = scope_of(loaded.stack), session.actor.name
        session.read(refuse_open_run(scope, look, patience, owner=owner))
        found = session.read(look_for_return(loaded.stack, address, version, look))
        plan = session.read(make_plan(_request(found, loaded), look))
        if isinstance(plan, Infeasible):
            plan = replace(plan, plan=_noted(plan.plan, found))
        else:
            plan = _noted(plan, found)
        shown = Shown(terminal, plan, loaded.sources)
        code = approve_and_carry_out(session, shown, arguments, Manner(Operation.APPLY, patience))
    if code is Exit.OK and found.notes:
        terminal.say(_to_edit(found))
    return code


def _address(word: Path) -> Address:
    text = str(word)
    if not text.startswith("function."):
        raise usage_error(
            f"-to takes one function's address before the paths, such as function.chat; '{text}' is"
            " none."
        )
    return function_address(text.removeprefix("function."))


def _request(found: Return, loaded: LoadedStack) -> PlanRequest:
    return PlanRequest(
        stack=found.stack,
        inputs=loaded.inputs,
        root=portable(loaded.root),
        actor=this_actor(),
        repairs=frozenset({found.address}),
        returning=found.version,
    )


def _noted(plan: Plan, found: Return) -> Plan:
    return replace(plan, diagnostics=(*plan.diagnostics, *found.notes))


def _to_edit(found: Return) -> str:
    lines = [f"  {one.summary}" for one in found.notes]
    return "\n".join(["Edit the stack, or the next plan goes forward again:", *map(safe, lines)])
