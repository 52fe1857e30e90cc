"""`nvcfplan snapshot`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
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
class SnapshotArguments(StackArguments, AccountArguments):
    out: Path


@click.command(
    cls=TeachingCommand,
    epilog="""
Examples:
  nvcfplan snapshot -out=shop.snapshot stacks/
  nvcfplan plan -offline=shop.snapshot stacks/

Exit codes: 0; 1 the account could not be read; 64 wrong usage.

The scopes of the key are those of `plan`, with list_cluster_groups and
list_functions_details.
""",
)
@stack_options
@account_options
@option(
    "out", metavar="FILE", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it.",
)  # fmt: skip
@output_options
@taking(SnapshotArguments)
def snapshot(terminal: Terminal, arguments: SnapshotArguments) -> int:
    """Saves what `plan -offline` needs: the inventory, what is live, what is remembered.

    No secret is in it. Environment values are salted hashes (of short or usual ones
    guesses can be tried), and of functions of others only where they stand. It still
    tells which GPUs the account has: treat it as internal.
    """
    from nvcfplan.frontends.snapshots import snapshot_command

    return snapshot_command(terminal, arguments)
