"""`nvcfplan drift watch`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
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
class WatchArguments(LookArguments):
    """`every`: between two looks. `listen` None: nobody is answered over HTTP."""

    every: timedelta
    max_requests: int
    listen: tuple[str, int] | None


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Each STACK, a file or a directory, is a stack of its own. An account is read once for
all the stacks in it; files are read anew each time, and one that fails, or does not
read, leaves the others alone. A look that takes longer than the interval is not
overtaken: the turns in between are left out.
{CHANNELS_HELP}
With -listen: /healthz answers 200 while looks come in time, else 503; /metrics has
what -metrics-file would have, of all stacks.

Examples:
  nvcfplan drift watch -every=15m stacks/chat stacks/rerank
  nvcfplan drift watch -listen=127.0.0.1:9464 -webhook stacks/*

Exit codes:
    1  error: the settings are wrong
  130  stopped by Ctrl-C
  143  stopped by SIGTERM or SIGHUP
   64  wrong usage
""",
)
@stack_options
@account_options
@option(
    "with-secrets", is_flag=True,
    help="Read secret values here, to tell whether they differ from those last applied.",
)  # fmt: skip
@option(
    "every", default="15m", metavar="DURATION", callback=lambda *given: _every(*given),
    help="From one look to the next; at least 10s.  [default: 15m]",
)  # fmt: skip
@option(
    "max-requests", type=click.IntRange(min=10), default=2000, metavar="N",
    help="Requests of one look at one account, at most.  [default: 2000]",
)  # fmt: skip
@option(
    "listen", metavar="HOST:PORT", callback=lambda *given: _listen(*given),
    help="Answer /healthz and /metrics there, such as 127.0.0.1:9464.",
)  # fmt: skip
@notice_options
@output_options
@taking(WatchArguments)
def watch(terminal: Terminal, arguments: WatchArguments) -> int:
    """Looks for drift again and again, until it is told to stop.

    A line for each look at an account, or with -json an object; who is to be told is
    told as by `nvcfplan drift`, of changes alone.
    """
    refuse_useless_notices(arguments, is_mending=False)
    from nvcfplan.frontends.watching import watch_command

    return watch_command(terminal, arguments)


_LEAST = timedelta(seconds=10)


def _every(ctx: click.Context, parameter: click.Parameter, value: str) -> timedelta:
    from nvcfplan.model import parse_duration

    found = parse_duration(value)
    if found is None or found < _LEAST:
        raise click.BadParameter(f"'{value}' is no duration of 10s or more.", ctx, parameter)
    return found


def _listen(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise click.BadParameter(f"'{value}' is no HOST:PORT.", ctx, parameter)
    return host.strip("[]"), int(port)
