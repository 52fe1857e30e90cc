"""`nvcfplan completion`: the script that teaches a shell our commands and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@click.command(
    cls=TeachingCommand,
    epilog="""
Examples:
  nvcfplan completion bash > ~/.local/share/bash-completion/completions/nvcfplan
  nvcfplan completion zsh > ~/.zfunc/_nvcfplan
  nvcfplan completion fish > ~/.config/fish/completions/nvcfplan.fish

Exit codes: 0; 64 for a shell without a script.
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def completion(terminal: Terminal, shell: str) -> int:
    """Prints the completion script for a shell; where to put it is shown below."""
    from click.shell_completion import get_completion_class

    from nvcfplan.frontends.cli import GROUP

    found = get_completion_class(shell)
    assert found is not None, shell
    terminal.report(found(GROUP, {}, "nvcfplan", "_NVCFPLAN_COMPLETE").source())
    return 0
