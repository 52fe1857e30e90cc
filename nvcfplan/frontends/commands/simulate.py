"""`nvcfplan simulate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
from nvcfplan.frontends.options import (
    AccountArguments,
    account_options,
    stream_options,
    taking,
)
from nvcfplan.frontends.running_options import APPLY_EXITS

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class SimulateArguments(AccountArguments):
    """`inject`: KIND@STEP each. `faults`: a file of them, in the words of a world file. `offline`:
    a snapshot, in place of the account.
    """

    plan: Path
    offline: Path | None
    inject: tuple[str, ...]
    faults: Path | None
    parallelism: int
    report: Path | None


@click.command(
    cls=TeachingCommand,
    epilog=f"""
STEP is a number of the plan's list, or an id such as deploy:function.chat@new.
KIND is what its request meets:
  no-capacity    refused, however often it is asked for
  late-capacity  refused twice, then served
  unserved       taken, and given up after a while
  stuck          taken, and nothing ever comes, without a word
  broken         instances start, and fail
  grab           another tenant takes what is free there just before
  drop-reply     served, and the reply is lost
  5xx, 429       answered so once
  refused        answered 400
  kill           served, and nvcfplan is killed before it hears so: then it is
                 told what resume and, from a copy, rollback make of that

Examples:
  nvcfplan simulate roll.nvcfplan
  nvcfplan simulate -inject no-capacity@8 -inject drop-reply@1 roll.nvcfplan
  nvcfplan simulate -faults trouble.yaml roll.nvcfplan
  nvcfplan simulate -inject kill@2 -offline shop.snapshot roll.nvcfplan
{APPLY_EXITS}
They are those that apply would end with; after a kill, those of resume. The
least scopes are those of plan; with -offline none.
""",
)
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
@option("inject", multiple=True, metavar="KIND@STEP", help="Throw a trouble in; may be repeated.")
@option(
    "faults",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="More of them, as under `faults` of a world file.",
)
@option(
    "offline",
    metavar="SNAPSHOT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Copy the account from a snapshot of it: without key or network.",
)
@option(
    "parallelism",
    type=click.IntRange(1, 50),
    default=10,
    metavar="N",
    help="At most N changing requests at once.  [default: 10]",
)
@option(
    "report", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Tell the run as a page of HTML.",
)  # fmt: skip
@account_options
@stream_options
@taking(SimulateArguments)
def simulate(terminal: Terminal, arguments: SimulateArguments) -> int:
    """Rehearses a saved plan in an emulated copy of the account, with failures.

    The account, or a snapshot of it, is only read. What the run, its fallbacks
    and its rollback would do is told as apply tells it, in seconds.
    """
    from nvcfplan.frontends.simulating import simulate_command

    return simulate_command(terminal, arguments)
