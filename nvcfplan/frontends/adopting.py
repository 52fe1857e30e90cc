"""`adopt`: from the account's tags to a state, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.documents import encode_adoption
from nvcfplan.frontends.assembly import choose_account, mint
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.planning import portable
from nvcfplan.frontends.reporting import say_diagnostics
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import load
from nvcfplan.views.text import render_adoption
from nvcfplan.workflows import PlanRequest, adopt_functions, scope_of

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.adopt import AdoptArguments
    from nvcfplan.frontends.terminal import Terminal


def adopt_command(terminal: Terminal, arguments: AdoptArguments) -> Exit:
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        look = session.ports.look
        request = PlanRequest(
            stack=loaded.stack,
            inputs=loaded.inputs,
            root=portable(loaded.root),
            actor=session.actor,
        )
        found = session.read(adopt_functions(request, session.actor, mint(look.clock), look))
    stack = str(scope_of(loaded.stack))
    if terminal.wants_json:
        document = encode_adoption(stack, found.adopted, found.state)
        terminal.report(document.decode("utf-8"))
        return Exit.OK
    colour, width = terminal.report_in_colour(), terminal.report_width()
    terminal.report(render_adoption(stack, found.adopted, found.state, colour=colour, width=width))
    return Exit.OK
