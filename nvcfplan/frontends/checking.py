"""`plan -check`: a saved plan against the account as it is now, for merge queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.adapters.storage.planfile import read_plan
from nvcfplan.documents import decode_plan
from nvcfplan.frontends.assembly import choose_account
from nvcfplan.frontends.exits import Exit, exit_of_standing
from nvcfplan.frontends.options import is_typed, usage_error
from nvcfplan.frontends.reporting import report_check, say_diagnostics
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import root_of_saved
from nvcfplan.workflows import check_saved_plan

if TYPE_CHECKING:
    from pathlib import Path

    from nvcfplan.frontends.commands.plan import PlanArguments
    from nvcfplan.frontends.terminal import Terminal


def check_command(terminal: Terminal, arguments: PlanArguments, saved: Path) -> Exit:
    _refuse_planning(arguments)
    plan = decode_plan(read_plan(saved))
    root = root_of_saved(plan, saved)
    account = choose_account(arguments, root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, None, root, terminal.environment) as session:
        report = session.read(check_saved_plan(plan, session.ports.look))
    code = exit_of_standing(report.standing)
    report_check(terminal, report, code)
    return code


def _refuse_planning(arguments: PlanArguments) -> None:
    """Raises: click.UsageError. A saved plan names its stack, its environment and its options."""
    given = {
        "STACK": is_typed("paths"),
        "-out": arguments.out is not None,
        "-offline": arguments.offline is not None,
        "-destroy": arguments.destroy,
        "-env": is_typed("environment"),
        "-var": is_typed("variables"),
        "-target": arguments.target is not None,
        "-now": arguments.now,
        "-require": bool(arguments.require),
        "-with-secrets": arguments.with_secrets,
        "-strategy": arguments.strategy is not None,
        "-safe": arguments.is_safe,
        "-climb": arguments.climbs,
        "-detailed-exitcode": arguments.detailed_exitcode,
    }
    ignored = [name for name, is_given in given.items() if is_given]
    if ignored:
        raise usage_error(f"{', '.join(ignored)}: -check takes a saved plan as it is.")
