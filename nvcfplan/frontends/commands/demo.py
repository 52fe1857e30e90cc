"""`nvcfplan demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand
from nvcfplan.frontends.options import NoArguments, taking

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@click.command(
    cls=TeachingCommand,
    epilog="""
Example:
  nvcfplan demo

Exit codes: 0 when every step went as told; 1 when one did not.
""",
)
@taking(NoArguments)
def demo(terminal: Terminal, arguments: NoArguments) -> int:
    """Plays the whole story on an emulator of its own, with nothing to configure.

    Plan, apply, a rolling update without downtime, a capacity failure that is rolled
    back, and destroy: the real commands, with what they really print.
    """
    del arguments
    from nvcfplan.frontends.demo import play

    return play(terminal)
