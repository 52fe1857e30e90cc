"""`nvcfplan version`."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

import click

from nvcfplan import __version__
from nvcfplan.frontends.click_parts import TeachingCommand
from nvcfplan.frontends.options import output_options

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@click.command(
    cls=TeachingCommand,
    epilog="""
Example:
  nvcfplan version -json

Exit codes: 0.
""",
)
@output_options
@click.pass_obj
def version(terminal: Terminal) -> int:
    """Prints the version of nvcfplan and of the Python it runs on."""
    if terminal.wants_json:
        terminal.report(json.dumps({"nvcfplan": __version__, "python": platform.python_version()}))
    else:
        terminal.report(f"nvcfplan {__version__}\non Python {platform.python_version()}")
    return 0
