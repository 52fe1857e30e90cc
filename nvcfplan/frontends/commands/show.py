"""`nvcfplan show`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand
from nvcfplan.frontends.drawing_options import drawing_options
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
class ShowArguments(StackArguments, AccountArguments):
    """The first of `paths` may be a saved plan, or the id of a run."""


@click.command(
    cls=TeachingCommand,
    options_metavar="[OPTIONS] [PLAN|RUN]",
    epilog="""
Examples:
  nvcfplan show chat.nvcfplan
  nvcfplan show -full chat.nvcfplan
  nvcfplan show -format=html chat.nvcfplan > chat.html
  nvcfplan show -json chat.nvcfplan | jq '.plan.resource_changes'
  nvcfplan show 01JZX0M5T4Q8V2H7K3N9P6R1SA stacks/
  nvcfplan show --emulator examples/stacks/quickstart

Exit codes: 0; 1 when the file is no plan, was altered, or is of a newer format;
when there is no such run; when the state does not read.
""",
)
@drawing_options("text", "json", "markdown", "html", "gitlab")
@stack_options
@account_options
@output_options
@taking(ShowArguments)
def show(terminal: Terminal, arguments: ShowArguments) -> int:
    """Shows a saved plan as `plan` did, a run of `history`, or what is remembered.

    A first argument that is a file is a plan, also one that cannot be applied. The id
    of a run tells what that run did. Of a stack, its state is shown: every function
    as it was last applied.
    """
    from nvcfplan.frontends.remembering import show_any_command

    return show_any_command(terminal, arguments)
