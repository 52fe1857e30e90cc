"""`nvcfplan verify`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand
from nvcfplan.frontends.options import output_options, taking

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class VerifyArguments:
    plan: Path


@click.command(
    cls=TeachingCommand,
    epilog="""
Examples:
  nvcfplan verify chat.nvcfplan
  nvcfplan verify -json chat.nvcfplan | jq -r .outcome

With -json the outcome is `proved`, `at-risk` or `refused`.

Exit codes: 0 it holds; 1 it does not, was altered, or is no plan; 64 wrong usage.
""",
)
@click.argument("plan", type=click.Path(path_type=Path))
@output_options
@taking(VerifyArguments)
def verify(terminal: Terminal, arguments: VerifyArguments) -> int:
    """Checks the proof of a saved plan from the file alone.

    Needs no account and uses no part of the planner: that every unit taken has a source
    in every order of the steps, that functions serve as their policy demands, that the
    steps end where the changes say, and that downtime and point of no return are those
    that were named. Each fault names its step and resource.
    """
    from nvcfplan.adapters.storage.planfile import read_plan
    from nvcfplan.frontends.exits import Exit
    from nvcfplan.frontends.reporting import report_verification
    from nvcfplan.reports import Proof
    from nvcfplan.workflows import verify_document

    report = verify_document(read_plan(arguments.plan))
    code = Exit.ERROR if report.verdict is Proof.REFUSED else Exit.OK
    report_verification(terminal, report, code)
    return code
