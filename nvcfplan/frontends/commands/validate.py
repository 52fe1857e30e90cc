"""`nvcfplan validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand
from nvcfplan.frontends.drawing_options import format_option
from nvcfplan.frontends.options import (
    StackArguments,
    output_options,
    stack_options,
    taking,
)
from nvcfplan.frontends.warning_options import warning_options

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@click.command(
    cls=TeachingCommand,
    epilog="""
STACK is a file, several files, or a directory of *.yaml files; the current
directory when left out.

Examples:
  nvcfplan validate examples/stacks/heterogeneous
  nvcfplan validate -json -var tag=2.1.1 stacks/

  nvcfplan validate -format=sarif stacks/ > nvcfplan.sarif

-format: json, which `comment` takes as well; markdown; html; sarif, for code
scanning; github, commands that mark lines of a request.

Exit codes: 0 good, 1 bad, 64 wrong usage.
""",
)
@stack_options
@warning_options
@format_option("text", "json", "markdown", "html", "sarif", "github")
@output_options
@taking(StackArguments)
def validate(terminal: Terminal, arguments: StackArguments) -> int:
    """Checks stack files and reports every fault at once, each with its place.

    Needs no account, no network and no secret.
    """
    from nvcfplan.frontends.reporting import report_validation
    from nvcfplan.frontends.stacks import source_of
    from nvcfplan.workflows import read_stack_files

    reading = read_stack_files(source_of(arguments))
    report_validation(terminal, reading)
    return 0 if reading.stack.value is not None else 1
