"""The options of commands that change the account, and what their exit codes mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from nvcfplan.frontends.click_parts import F, option
from nvcfplan.frontends.options import decorated

ON_FAILURE: Final = ("component", "all", "keep")
APPLY_EXITS: Final = """
Exit codes:
    0  applied, or nothing to do
    1  failed, nothing changed (also: declined)
    3  failed, and everything that failed was undone
    4  incomplete: `nvcfplan resume` or `nvcfplan rollback` goes on
    5  the saved plan is stale
    6  another run holds the lock
    7  no capacity, nothing changed
   64  wrong usage
  130  interrupted by Ctrl-C, 143 by SIGTERM or SIGHUP; the journal is clean
"""


@dataclass(frozen=True, kw_only=True)
class RunningArguments:
    """`report`: where the run is told as a page of HTML when it is over. `lock_timeout`: seconds
    for which a lock that another run holds is waited for. `on_failure`: a word of
    `applying.OnFailure`; a rollback has no use for it.
    """

    parallelism: int
    auto_approve: bool
    report: Path | None
    lock_timeout: float
    on_failure: str = "component"


def running_options(function: F) -> F:
    return decorated(
        function,
        option("auto-approve", is_flag=True, help="Do not ask before changing anything."),
        option(
            "parallelism", type=click.IntRange(1, 50), default=10, metavar="N",
            help="At most N changing requests at once.  [default: 10]",
        ),
        option(
            "report", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
            help="Tell the run as a page of HTML: the plan, and how long each step took.",
        ),
        option(
            "lock-timeout", metavar="DURATION", default="0s", callback=_seconds,
            help="Wait so long for a lock that another run holds, such as 10m.",
        ),
    )  # fmt: skip


def _seconds(ctx: click.Context, parameter: click.Parameter, value: str) -> float:
    from nvcfplan.model import parse_duration

    found = parse_duration(value)
    if found is None:
        raise click.BadParameter(f"'{value}' is not a duration such as 30s or 10m.", ctx, parameter)
    return found.total_seconds()


def failure_options(function: F) -> F:
    return decorated(
        function,
        option(
            "on-failure", "on_failure", type=click.Choice(ON_FAILURE), default=ON_FAILURE[0],
            help="What a failure undoes: the component that failed, the whole run (all), or"
            " nothing (keep), so that `resume` may go on.  [default: component]",
        ),
    )  # fmt: skip
