"""`nvcfplan unlock`."""

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
class UnlockArguments(StackArguments, AccountArguments):
    """`paths` say where the lock is; the files themselves may have become unreadable."""

    force: bool


@click.command(
    cls=TeachingCommand,
    epilog="""
A run renews its lock every 15 seconds. Clocks are not compared: the heartbeat is
watched, and a lock whose heartbeat stands still for a minute is taken away, once
you say 'yes'. The lock of a process that has ended needs neither.

Nothing is deleted: the journal of the run stays, for `resume` and `rollback`, and
the next lock has a higher epoch, so that the old holder can write nothing.

Examples:
  nvcfplan unlock --emulator examples/stacks/quickstart
  nvcfplan unlock -force -env production stacks/

Exit codes:
    0  unlocked, or nobody held it
    1  declined, or the lock does not read
    6  its holder lives
   64  wrong usage
""",
)
@stack_options
@account_options
@option(
    "force",
    is_flag=True,
    help="Neither watch nor ask: take it away from whoever has it.",
)
@output_options
@taking(UnlockArguments)
def unlock(terminal: Terminal, arguments: UnlockArguments) -> int:
    """Shows who holds a stack since when, and takes the lock away from who is gone."""
    from nvcfplan.frontends.locks import unlock_command

    return unlock_command(terminal, arguments)
