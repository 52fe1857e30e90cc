"""`nvcfplan state`: what is remembered between runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import Entry, LazyGroup, Section, TeachingCommand
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

_HERE = "nvcfplan.frontends.commands.state"

state = LazyGroup(
    name="state",
    help="""
What is remembered of a stack between runs. It is small, and it can be rebuilt:
whose a function is stands in its own tags.
""",
    epilog="""
Example:
  nvcfplan state list --emulator examples/stacks/quickstart
""",
    sections=(
        Section(
            "Commands",
            (
                Entry("list", f"{_HERE}:list_state", "The addresses of what is managed"),
                Entry("show", f"{_HERE}:show_state", "One function as it was last applied"),
            ),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class ListArguments(StackArguments, AccountArguments):
    pass


@dataclass(frozen=True, kw_only=True)
class ShowArguments(StackArguments, AccountArguments):
    address: str


@click.command(
    "list",
    cls=TeachingCommand,
    epilog="""
With --emulator: of the rehearsal, which has a state of its own.

Example:
  nvcfplan state list stacks/

Exit codes: 0, also when nothing is remembered; 1 when it cannot be read.
""",
)
@stack_options
@account_options
@output_options
@taking(ListArguments)
def list_state(terminal: Terminal, arguments: ListArguments) -> int:
    """Prints the address of every function that the stack manages, one a line."""
    from nvcfplan.frontends.remembering import list_command

    return list_command(terminal, arguments)


@click.command(
    "show",
    cls=TeachingCommand,
    epilog="""
Example:
  nvcfplan state show function.chat stacks/

Exit codes: 0; 1 when there is no such function, or the state cannot be read.
""",
)
@click.argument("address")
@stack_options
@account_options
@output_options
@taking(ShowArguments)
def show_state(terminal: Terminal, arguments: ShowArguments) -> int:
    """Prints the ids of a function and what was last applied to it; no secret is in it."""
    from nvcfplan.frontends.remembering import show_command

    return show_command(terminal, arguments)
