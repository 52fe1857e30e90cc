"""`nvcfplan apply` and `nvcfplan destroy`: the second is the first with an empty stack."""

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
    planning_options,
    stack_options,
    stream_options,
    taking,
)
from nvcfplan.frontends.running_options import (
    APPLY_EXITS,
    RunningArguments,
    failure_options,
    running_options,
)
from nvcfplan.frontends.warning_options import warning_options

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class ApplyArguments(StackArguments, AccountArguments, PlanningArguments, RunningArguments):
    """Of both commands; `paths` may be one saved plan for apply.

    `wait_capacity`: for so many seconds room is waited for before a saved plan is begun.
    """

    wait_capacity: float | None = None


def _seconds(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    from nvcfplan.model import parse_duration

    if value is None:
        return None
    found = parse_duration(value)
    if found is None or not found:
        raise click.BadParameter(f"'{value}' is not a duration, such as 6h.", ctx, parameter)
    return found.total_seconds()


@click.command(
    cls=TeachingCommand,
    epilog=f"""
With a saved plan exactly that is carried out, without a question, or refused
when the account has moved since. With a STACK the plan is made, shown, and
approved first. What fails is undone; Ctrl-C once stops in good order.

A saved plan holds no secret value. Sensitive literals are taken from the
stack's files again: from those named after the plan, or from their directory.

Examples:
  nvcfplan apply chat.nvcfplan
  nvcfplan apply chat.nvcfplan stacks/chat.yaml
  nvcfplan apply -wait-capacity 6h chat.nvcfplan
  nvcfplan apply --emulator examples/stacks/quickstart
  nvcfplan apply -auto-approve -json stacks/
{APPLY_EXITS}
Least scopes of the key: those of plan, and register_function,
update_function, delete_function, update_secrets as the steps need.
""",
)
@stack_options
@account_options
@planning_options
@running_options
@option(
    "wait-capacity",
    metavar="DURATION",
    callback=_seconds,
    help="Wait so long for room, holding nothing, then carry out the saved plan.",
)
@failure_options
@warning_options
@stream_options
@taking(ApplyArguments)
def apply(terminal: Terminal, arguments: ApplyArguments) -> int:
    """Makes the account match the stack, or carries out a saved plan."""
    from nvcfplan.frontends.running import apply_command

    return apply_command(terminal, arguments)


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Only what carries this stack's tags, in this environment, is touched. Functions
with `lifecycle.preventDestroy` are refused.

Example:
  nvcfplan destroy --emulator examples/stacks/quickstart
{APPLY_EXITS}""",
)
@stack_options
@account_options
@planning_options
@running_options
@failure_options
@warning_options
@stream_options
@taking(ApplyArguments)
def destroy(terminal: Terminal, arguments: ApplyArguments) -> int:
    """Removes everything the stack manages: gracefully undeployed, then deleted."""
    from nvcfplan.frontends.running import destroy_command

    return destroy_command(terminal, arguments)
