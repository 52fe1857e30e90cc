"""The options of `drift` that do something about what was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from nvcfplan.frontends.click_parts import F, option
from nvcfplan.frontends.options import decorated, is_typed, usage_error
from nvcfplan.frontends.running_options import (
    RunningArguments,
    failure_options,
    running_options,
)


@dataclass(frozen=True, kw_only=True)
class MendingArguments(RunningArguments):
    """`out`: where the plan of a repair is saved in place of being carried out."""

    fix: bool
    out: Path | None


def mending_options(function: F) -> F:
    return decorated(
        function,
        option(
            "fix", is_flag=True,
            help="Put back what drifted, and nothing else: plan, approve, apply.",
        ),
        option(
            "out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
            help="With -fix: save the plan; `nvcfplan apply FILE` carries out exactly that.",
        ),
        running_options,
        failure_options,
    )  # fmt: skip


def refuse_unheeded(arguments: MendingArguments) -> None:
    """Raises: click.UsageError for options that only a repair would heed, or that it would not."""
    unheeded = (
        {
            "with_secrets": "-with-secrets",
            "detailed_exitcode": "-detailed-exitcode",
            "no_memory": "-no-memory",
            "format": "-format",
        }
        if arguments.fix
        else {
            "out": "-out",
            "auto_approve": "-auto-approve",
            "parallelism": "-parallelism",
            "report": "-report",
            "lock_timeout": "-lock-timeout",
            "on_failure": "-on-failure",
        }
    )
    given = [name for parameter, name in unheeded.items() if is_typed(parameter)]
    if given:
        why = (
            "with -fix the exit codes, secrets and forms are those of apply"
            if arguments.fix
            else ("that is for -fix: without it nothing is changed")
        )
        raise usage_error(f"{', '.join(given)}: {why}.")
