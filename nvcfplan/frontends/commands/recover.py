"""`nvcfplan resume` and `nvcfplan rollback`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand
from nvcfplan.frontends.options import (
    AccountArguments,
    StackArguments,
    account_options,
    stack_options,
    stream_options,
    taking,
)
from nvcfplan.frontends.running_options import (
    APPLY_EXITS,
    RunningArguments,
    failure_options,
    running_options,
)

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class RecoverArguments(StackArguments, AccountArguments, RunningArguments):
    """`paths` say where the journal is; the files themselves may have become unreadable."""


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Requests whose fate is unknown are asked for first, and found again by the tags
they carry: nothing is created twice.

Example:
  nvcfplan resume --emulator examples/stacks/quickstart
{APPLY_EXITS}""",
)
@stack_options
@account_options
@running_options
@failure_options
@stream_options
@taking(RecoverArguments)
def resume(terminal: Terminal, arguments: RecoverArguments) -> int:
    """Goes on with an apply that was killed, interrupted or blocked."""
    from nvcfplan.frontends.running import resume_command

    return resume_command(terminal, arguments)


@click.command(
    cls=TeachingCommand,
    epilog=f"""
The undo is a plan of its own, with the steps in reverse. A run that had been
applied to its end is undone only with approval.

Example:
  nvcfplan rollback --emulator examples/stacks/quickstart
{APPLY_EXITS.replace("applied, or nothing to do", "undone, or nothing to undo")}""",
)
@stack_options
@account_options
@running_options
@stream_options
@taking(RecoverArguments)
def rollback(terminal: Terminal, arguments: RecoverArguments) -> int:
    """Undoes the open run, or the last one."""
    from nvcfplan.frontends.running import rollback_command

    return rollback_command(terminal, arguments)
