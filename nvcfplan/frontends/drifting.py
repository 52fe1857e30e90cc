"""`drift`: from files and account to findings and an exit code, and to who is told of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.frontends.assembly import choose_account
from nvcfplan.frontends.exits import Exit, exit_of_look
from nvcfplan.frontends.reporting import report_drift, say_diagnostics
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import load, source_of
from nvcfplan.frontends.wall_clock import WallClock
from nvcfplan.workflows import DriftRequest, look_for_drift, read_stack_files, scope_of

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.drift import DriftArguments
    from nvcfplan.frontends.notifying import Notifying
    from nvcfplan.frontends.sessions import Session
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.reports import DriftReport
    from nvcfplan.workflows import Scope


def drift_command(terminal: Terminal, arguments: DriftArguments) -> Exit:
    if len(arguments.paths) > 1 and _are_several(arguments):
        from nvcfplan.frontends.drifting_together import drift_of_each

        return drift_of_each(terminal, arguments)
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    notifying = _notifying(terminal, arguments)
    request = DriftRequest(
        stack=loaded.stack,
        compares_secrets=arguments.with_secrets,
        remembers=not arguments.no_memory,
    )
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        report = session.read(look_for_drift(request, session.ports.look))
        if notifying is not None:
            report = _told(terminal, session, report, scope_of(loaded.stack), notifying)
    code = exit_of_look(report.outcome, is_detailed=arguments.detailed_exitcode)
    say_diagnostics(terminal, report.warnings)
    report_drift(terminal, report, code)
    return code


def _are_several(arguments: DriftArguments) -> bool:
    """Files of one stack, and files of several, are named alike: they say themselves whose they
    are.
    """
    found = read_stack_files(source_of(arguments)).stack.diagnostics
    return any(one.code == "two-stacks" for one in found)


def _notifying(terminal: Terminal, arguments: DriftArguments) -> Notifying | None:
    """None: nobody is to be told. Raises: SettingsError."""
    if not arguments.has_channels and arguments.metrics_file is None:
        return None
    from nvcfplan.frontends.notifying import read_notifying

    return read_notifying(arguments, terminal, WallClock())


def _told(
    terminal: Terminal, session: Session, report: DriftReport, scope: Scope, notifying: Notifying
) -> DriftReport:
    """With what could not be told among its warnings."""
    from nvcfplan.frontends.notifying import notify, write_metrics_file

    store = session.ports.look.store
    undelivered = session.read(notify(report, scope, store, notifying, terminal))
    unwritten = write_metrics_file(notifying.arguments.metrics_file, report)
    return replace(report, warnings=(*report.warnings, *undelivered, *unwritten))
