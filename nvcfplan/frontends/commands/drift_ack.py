"""`nvcfplan drift ack` and `drift unack`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
from nvcfplan.frontends.notice_options import long_duration
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
class AckArguments(StackArguments, AccountArguments):
    """The first of `paths` is a fingerprint, unless `shows_list`.

    `until`: a moment, or how long from now; None: for as long as the finding stands.
    """

    until: datetime | timedelta | None
    why: str | None
    shows_list: bool


@dataclass(frozen=True, kw_only=True)
class UnackArguments(StackArguments, AccountArguments):
    """The first of `paths` is a fingerprint."""


def _until(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> datetime | timedelta | None:
    if value is None:
        return None
    duration = long_duration(value)
    if duration is not None:
        return duration
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"'{value}' is neither a date, such as 2026-12-01, nor a duration, such as 7d or 12h.",
            ctx,
            parameter,
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@click.command(
    "ack",
    cls=TeachingCommand,
    options_metavar="[OPTIONS] FINGERPRINT",
    epilog="""
What is acknowledged is still shown, with why and by whom; it is no reason for
exit code 2, and nobody is told of it. Without -until that holds until it clears;
with it, until that date, however often it clears and comes back. Then it counts
again, and is told of again.

The first 6 digits of a fingerprint are enough, if no other begins with them. A
date is its first moment, in UTC. Neither a key nor the account is needed.

Examples:
  nvcfplan drift ack 1f0c3b -why "scaled for the launch, see #42" -until 7d stacks/
  nvcfplan drift ack 1f0c3b -why "the partner tests it" -until 2026-12-01 stacks/
  nvcfplan drift ack -list stacks/

Exit codes:
    0  acknowledged, or listed
    1  there is no such finding, or its memory cannot be written
   64  wrong usage
""",
)
@option("why", metavar="TEXT", help="What is known of it; shown wherever the finding is.")
@option(
    "until", metavar="DATE|DURATION", callback=_until,
    help="Until then, as 2026-12-01 or 7d, 12h.  [default: until it clears]",
)  # fmt: skip
@option("list", "shows_list", is_flag=True, help="Show what is acknowledged.")
@stack_options
@account_options
@output_options
@taking(AckArguments)
def ack(terminal: Terminal, arguments: AckArguments) -> int:
    """Says that a finding is known, so that nobody is told of it again."""
    from nvcfplan.frontends.acknowledging import ack_command

    return ack_command(terminal, arguments)


@click.command(
    "unack",
    cls=TeachingCommand,
    options_metavar="[OPTIONS] FINGERPRINT",
    epilog="""
If the finding stands still, it counts again from the next look on, and is told
of as if it were new.

Example:
  nvcfplan drift unack 1f0c3b stacks/

Exit codes:
    0  taken back
    1  no such finding is acknowledged, or its memory cannot be written
   64  wrong usage
""",
)
@stack_options
@account_options
@output_options
@taking(UnackArguments)
def unack(terminal: Terminal, arguments: UnackArguments) -> int:
    """Takes back that a finding is known."""
    from nvcfplan.frontends.acknowledging import unack_command

    return unack_command(terminal, arguments)
