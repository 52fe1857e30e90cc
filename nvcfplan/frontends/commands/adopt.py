"""`nvcfplan adopt`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand
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
class AdoptArguments(StackArguments, AccountArguments):
    pass


@click.command(
    cls=TeachingCommand,
    epilog="""
Only the account is read, and only the state is written. A state that is there is
kept, and completed where it lacks a function. What was applied last stands in no
tag: a function that is as the stack says counts as applied by it; of any other
nothing does. Values of secrets are not compared until they are sent again.

Example:
  nvcfplan adopt --emulator examples/stacks/quickstart

Exit codes:
    0  adopted, or the state knew everything
    1  two claim the same function, a run is not settled, or the state does not read
    6  another run holds the lock
   64  wrong usage

Least scopes of the key: those of plan.
""",
)
@stack_options
@account_options
@output_options
@taking(AdoptArguments)
def adopt(terminal: Terminal, arguments: AdoptArguments) -> int:
    """Rebuilds state that was lost, from the tags that every version of ours carries."""
    from nvcfplan.frontends.adopting import adopt_command

    return adopt_command(terminal, arguments)
