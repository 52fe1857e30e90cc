"""`nvcfplan plan`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
from nvcfplan.frontends.drawing_options import drawing_options
from nvcfplan.frontends.options import (
    AccountArguments,
    PlanningArguments,
    StackArguments,
    account_options,
    output_options,
    planning_options,
    stack_options,
    taking,
)
from nvcfplan.frontends.warning_options import warning_options

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class PlanArguments(StackArguments, AccountArguments, PlanningArguments):
    out: Path | None
    check: Path | None
    offline: Path | None
    destroy: bool
    detailed_exitcode: bool


@click.command(
    cls=TeachingCommand,
    epilog="""
Examples:
  nvcfplan plan --emulator examples/stacks/quickstart
  nvcfplan plan -out=chat.nvcfplan -target=function.chat stacks/
  nvcfplan plan -detailed-exitcode -json stacks/ > plan.json
  nvcfplan plan -format=markdown stacks/ > comment.md
  nvcfplan plan -format=html --emulator examples/stacks/rolling > plan.html
  nvcfplan plan -check=chat.nvcfplan
  nvcfplan plan -offline=shop.snapshot stacks/

-format: text; json, the document; markdown, a comment for a request; html, a page;
sarif and github, diagnostics for a forge; gitlab, counts for its terraform report.

Exit codes:
    0  good (with -detailed-exitcode: and nothing to do)
    1  error, or no order of the steps fits, or a check forbids it
    2  there are changes (only with -detailed-exitcode)
    5  -check: stale, and the field that moved is named
    7  -check: nothing moved but numbers, and they no longer suffice
   64  wrong usage

Least scopes of the key: list_functions, list_functions_details,
deploy_function (reading a deployment needs it), list_cluster_groups.
""",
)
@stack_options
@account_options
@option(
    "out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Save the plan; `nvcfplan apply FILE` carries out exactly that.",
)  # fmt: skip
@option(
    "check", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Plan nothing: does the saved plan in FILE still hold? For merge queues.",
)  # fmt: skip
@option(
    "offline", metavar="SNAPSHOT", type=click.Path(path_type=Path, dir_okay=False),
    help="Plan for review against a snapshot: no network, no key, no secret.",
)  # fmt: skip
@option("destroy", is_flag=True, help="Plan to remove everything the stack manages.")
@planning_options
@option(
    "detailed-exitcode", is_flag=True, help="Exit 2 when there are changes, 0 when there are none."
)
@warning_options
@drawing_options("text", "json", "markdown", "html", "sarif", "github", "gitlab")
@output_options
@taking(PlanArguments)
def plan(terminal: Terminal, arguments: PlanArguments) -> int:
    """Compares the stack with the account and shows what would be done, in which order.

    Nothing is changed. The plan says which GPUs each step takes and gives back, and
    is proved to fit what was read, or says exactly what is missing.
    """
    if arguments.check is not None:
        from nvcfplan.frontends.checking import check_command

        return check_command(terminal, arguments, arguments.check)
    if arguments.offline is not None:
        from nvcfplan.frontends.snapshots import offline_command

        return offline_command(terminal, arguments, arguments.offline)
    from nvcfplan.frontends.planning import plan_command

    return plan_command(terminal, arguments)
