"""`nvcfplan history`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
from nvcfplan.frontends.options import (
    AccountArguments,
    StackArguments,
    account_options,
    output_options,
    stack_options,
    taking,
)

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class HistoryArguments(StackArguments, AccountArguments):
    limit: int


@click.command(
    cls=TeachingCommand,
    epilog="""
Examples:
  nvcfplan history --emulator examples/stacks/quickstart
  nvcfplan history -json -limit 1 stacks/ | jq '.runs[0].digest'

Exit codes: 0, also when nothing was ever applied; 1 when a journal does not read.
""",
)
@stack_options
@account_options
@option(
    "limit", type=click.IntRange(1), default=20, metavar="N",
    help="At most so many runs.  [default: 20]",
)  # fmt: skip
@output_options
@taking(HistoryArguments)
def history(terminal: Terminal, arguments: HistoryArguments) -> int:
    """Lists what every apply did, newest first: who, when, from which commit, the result.

    `nvcfplan show RUN` tells one of them step by step.
    """
    from nvcfplan.frontends.remembering import history_command

    return history_command(terminal, arguments)
