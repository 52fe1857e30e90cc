"""`nvcfplan graph`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
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

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class GraphArguments(StackArguments, AccountArguments, PlanningArguments):
    form: str


@click.command(
    cls=TeachingCommand,
    epilog="""
The first argument is a saved plan, or a stack that is planned first.

Examples:
  nvcfplan graph chat.nvcfplan
  nvcfplan graph -format=dot chat.nvcfplan | dot -Tsvg > chat.svg
  nvcfplan graph -format=json --emulator examples/stacks/quickstart

Exit codes: 0; 1 error, or a plan that cannot be carried out; 64 wrong usage.
""",
)
@stack_options
@account_options
@option(
    "format", "form", default="mermaid", metavar="FORM",
    type=click.Choice(["mermaid", "dot", "json"]),
    help="mermaid, dot or json; -json is the last.  [default: mermaid]",
)  # fmt: skip
@planning_options
@output_options
@taking(GraphArguments)
def graph(terminal: Terminal, arguments: GraphArguments) -> int:
    """Draws the steps of a plan, and on each edge why the later one waits.

    An edge without words is a matter of course; one with units says which step gives
    them up for which.
    """
    from nvcfplan.frontends.planning import graph_command

    return graph_command(terminal, arguments)
