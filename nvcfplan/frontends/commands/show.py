"""`nvcfplan show`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand
from nvcfplan.frontends.drawing_options import drawing_options
from nvcfplan.frontends.options import output_options, taking

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class ShowArguments:
    plan: Path


plan_argument = click.argument("plan", type=click.Path(path_type=Path))


@click.command(
    cls=TeachingCommand,
    epilog="""
Examples:
  nvcfplan show chat.nvcfplan
  nvcfplan show -full chat.nvcfplan
  nvcfplan show -format=html chat.nvcfplan > chat.html
  nvcfplan show -json chat.nvcfplan | jq '.plan.resource_changes'

Exit codes: 0; 1 when the file is no plan, was altered, or is of a newer format.
""",
)
@plan_argument
@drawing_options("text", "json", "markdown", "html", "gitlab")
@output_options
@taking(ShowArguments)
def show(terminal: Terminal, arguments: ShowArguments) -> int:
    """Shows a saved plan as `plan` did, also one that cannot be applied."""
    from nvcfplan.adapters.storage.planfile import read_plan
    from nvcfplan.documents import decode_document
    from nvcfplan.frontends.reporting import report_plan

    report_plan(terminal, decode_document(read_plan(arguments.plan)), None)
    return 0
