"""`nvcfplan drift`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from nvcfplan.frontends.click_parts import CommandWithVerbs, Entry, option
from nvcfplan.frontends.drawing_options import format_option, size_option
from nvcfplan.frontends.mending_options import (
    MendingArguments,
    mending_options,
    refuse_unheeded,
)
from nvcfplan.frontends.notice_options import (
    CHANNELS_HELP,
    LookArguments,
    notice_options,
    refuse_useless_notices,
)
from nvcfplan.frontends.options import (
    account_options,
    output_options,
    stack_options,
    taking,
)

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class DriftArguments(LookArguments, MendingArguments):
    detailed_exitcode: bool
    no_memory: bool


_VERBS: Final = (
    Entry("ack", "nvcfplan.frontends.commands.drift_ack:ack", "Say that a finding is known"),
    Entry("unack", "nvcfplan.frontends.commands.drift_ack:unack", "Take that back"),
    Entry("watch", "nvcfplan.frontends.commands.drift_watch:watch", "Look again and again"),
)


@click.command(
    cls=CommandWithVerbs,
    verbs=_VERBS,
    epilog=f"""
Classes of findings: missing, health, configuration, capacity, inventory, quota,
orphan. What autoscaling did, what the service fills in, and what the stack asks
for but nobody has applied yet are none. A note tells, and is no drift.
{CHANNELS_HELP}
Examples:
  nvcfplan drift --emulator examples/stacks/quickstart
  nvcfplan drift -detailed-exitcode -json stacks/ > drift.json
  nvcfplan drift -format=markdown stacks/ >> "$GITHUB_STEP_SUMMARY"
  nvcfplan drift stacks/chat stacks/rerank
  nvcfplan drift -fix stacks/
  nvcfplan drift -accept -dry-run stacks/
  nvcfplan drift -github-issue -remind-every=3d -metrics-file=drift.prom stacks/

Exit codes:
    0  looked (with -detailed-exitcode: and found no drift, or only what is known)
    1  error: functions or deployments could not be read
    2  drift that nobody has acknowledged (only with -detailed-exitcode)
   64  wrong usage
""",
)
@stack_options
@account_options
@option(
    "with-secrets", is_flag=True,
    help="Read secret values here, to tell whether they differ from those last applied.",
)  # fmt: skip
@option("detailed-exitcode", is_flag=True, help="Exit 2 when there is drift, 0 when there is none.")
@option(
    "no-memory", is_flag=True,
    help="Look as if for the first time: what earlier looks found is neither read nor written.",
)  # fmt: skip
@format_option("text", "json", "markdown", "html")
@size_option
@notice_options
@mending_options
@output_options
@taking(DriftArguments)
def drift(terminal: Terminal, arguments: DriftArguments) -> int:
    """Compares the account with what was applied last, and with what is offered now.

    Without -fix or -accept nothing is changed and nothing is locked. It works after a
    failed apply and without a state file; what cannot be read is named, never taken
    for no drift.
    Of several stacks, each named by itself, an account is read once for all.
    What was found is remembered beside the state: the next look says what is new,
    what is known, and what has cleared.
    """
    refuse_unheeded(arguments)
    refuse_useless_notices(arguments, is_mending=arguments.fix or arguments.accept)
    if arguments.fix:
        from nvcfplan.frontends.mending import fix_command

        return fix_command(terminal, arguments)
    if arguments.accept:
        from nvcfplan.frontends.accepting import accept_command

        return accept_command(terminal, arguments)
    from nvcfplan.frontends.drifting import drift_command

    return drift_command(terminal, arguments)
