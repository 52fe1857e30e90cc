"""`drift`: from files and account to findings and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.frontends.assembly import choose_account
from nvcfplan.frontends.exits import Exit, exit_of_look
from nvcfplan.frontends.reporting import report_drift, say_diagnostics
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import load
from nvcfplan.workflows import DriftRequest, look_for_drift

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.drift import DriftArguments
    from nvcfplan.frontends.terminal import Terminal


def drift_command(terminal: Terminal, arguments: DriftArguments) -> Exit:
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    request = DriftRequest(stack=loaded.stack, compares_secrets=arguments.with_secrets)
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        report = session.read(look_for_drift(request, session.ports.look))
    code = exit_of_look(report.outcome, is_detailed=arguments.detailed_exitcode)
    report_drift(terminal, report, code)
    return code
