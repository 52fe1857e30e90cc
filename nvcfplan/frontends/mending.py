"""`drift -fix`: from what has drifted to a plan that puts it back, approved and carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.adapters.storage.planfile import write_plan
from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.documents import encode_plan
from nvcfplan.frontends.assembly import choose_account, this_actor
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.locks import patience_of
from nvcfplan.frontends.options import leading_back
from nvcfplan.frontends.planning import exit_of_plan, portable, refuse_overwriting
from nvcfplan.frontends.reporting import report_footer, report_plan, say_diagnostics
from nvcfplan.frontends.running import Manner, Shown, approve_and_carry_out
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import load
from nvcfplan.reports import Operation
from nvcfplan.workflows import (
    PlanRequest,
    look_for_repair,
    make_plan,
    refuse_open_run,
    scope_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.drifting import Repair
    from nvcfplan.frontends.commands.drift import DriftArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.loading import LoadedStack


def fix_command(terminal: Terminal, arguments: DriftArguments) -> Exit:
    if arguments.out is not None:
        refuse_overwriting(arguments.out, "plan")
    terminal.is_stream = terminal.wants_json and arguments.out is None
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
        repair = session.read(look_for_repair(loaded.stack, look))
        say_diagnostics(terminal, tuple(_notes(repair)), loaded.sources.snippet)
        if not repair.addresses and not terminal.wants_json:
            terminal.report("Nothing to put back.")
            return Exit.OK
        plan = session.read(make_plan(_request(repair, loaded), look))
        if arguments.out is None:
            shown = Shown(terminal, plan, loaded.sources)
            manner = Manner(Operation.APPLY, patience)
            return approve_and_carry_out(session, shown, arguments, manner)
    write_plan(arguments.out, encode_plan(plan))
    report_plan(terminal, plan, loaded.sources, arguments.out)
    report_footer(terminal, arguments.out, leading_back(arguments))
    return exit_of_plan(plan, is_detailed=False)


def _request(repair: Repair, loaded: LoadedStack) -> PlanRequest:
    return PlanRequest(
        stack=repair.stack,
        inputs=loaded.inputs,
        root=portable(loaded.root),
        actor=this_actor(),
        repairs=repair.addresses,
    )


def _notes(repair: Repair) -> Iterator[Diagnostic]:
    """What is left as it is, and where the files alone say what is put back."""
    for one in repair.unfixed:
        finding = one.finding
        yield Diagnostic(
            code=finding.code,
            severity=Severity.WARNING,
            summary=f"not fixed: {finding.summary}",
            detail="; ".join(finding.evidence),
            remedy=one.why,
            subject=Subject(finding.address) if finding.address else None,
        )
    if repair.from_files:
        yield Diagnostic(
            code="restored-from-files",
            severity=Severity.NOTE,
            summary=f"{', '.join(repair.from_files)}: put back to what the stack's files say",
            detail="what was applied last is not known here",
            remedy="nothing to do, if the files are what was meant to run",
        )
