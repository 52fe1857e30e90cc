"""`nvcfplan resume` and `nvcfplan rollback`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
from nvcfplan.frontends.options import (
    AccountArguments,
    StackArguments,
    account_options,
    stack_options,
    stream_options,
    taking,
    usage_error,
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


@dataclass(frozen=True, kw_only=True)
class RollbackArguments(RecoverArguments):
    """`to`: a kept version that is to serve again, of the function whose address comes first."""

    to: str | None


@click.command(
    cls=TeachingCommand,
    epilog=f"""
The undo is a plan of its own, with the steps in reverse. A run that had been
applied to its end is undone only with approval.

Example:
  nvcfplan rollback --emulator examples/stacks/quickstart

With -to a kept version is deployed again and the one that serves is retired:
a plan that is shown, proved and approved like that of apply. It says what to
edit in the stack, so that the next plan does not go forward again.

  nvcfplan rollback function.chat -to 75f95d97 stacks/
{APPLY_EXITS.replace("applied, or nothing to do", "undone, or nothing to undo")}""",
)
@stack_options
@account_options
@running_options
@option(
    "to",
    metavar="VERSION",
    help="Let this kept version serve again: its id, or how that begins; the function's address"
    " comes before the paths.",
)
@stream_options
@taking(RollbackArguments)
def rollback(terminal: Terminal, arguments: RollbackArguments) -> int:
    """Undoes the open run, or the last one; or brings back a kept version."""
    if arguments.to is not None:
        from nvcfplan.frontends.returning import return_command

        return return_command(terminal, arguments, arguments.to)
    first = str(arguments.paths[0]) if arguments.paths else ""
    if first.startswith("function.") and not arguments.paths[0].exists():
        raise usage_error(f"{first} goes back to a version: name it with -to VERSION.")
    from nvcfplan.frontends.running import rollback_command

    return rollback_command(terminal, arguments)
