"""The options of `drift` that do something about what was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nvcfplan.frontends.click_parts import F, option
from nvcfplan.frontends.options import decorated, is_typed, usage_error
from nvcfplan.frontends.running_options import (
    RunningArguments,
    failure_options,
    running_options,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class MendingArguments(RunningArguments):
    """`out`: where the plan of a repair is saved in place of being carried out. `dry_run`: of the
    files nothing but the difference is shown.
    """

    fix: bool
    accept: bool
    dry_run: bool
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
        option(
            "accept", is_flag=True,
            help="Take what drifted into the stack's files, so that the next plan is empty.",
        ),
        option("dry-run", is_flag=True, help="With -accept: show the difference, write nothing."),
        running_options,
        failure_options,
    )  # fmt: skip


_OF_FIX: Final = {
    "out": "-out",
    "parallelism": "-parallelism",
    "report": "-report",
    "lock_timeout": "-lock-timeout",
    "on_failure": "-on-failure",
}
_OF_ACCEPT: Final = {"dry_run": "-dry-run"}
_OF_BOTH: Final = {"auto_approve": "-auto-approve"}
_OF_LOOKS: Final = {
    "with_secrets": "-with-secrets",
    "detailed_exitcode": "-detailed-exitcode",
    "no_memory": "-no-memory",
    "format": "-format",
}


def refuse_unheeded(arguments: MendingArguments) -> None:
    """Raises: click.UsageError for options that what was asked for would not heed."""
    if arguments.fix and arguments.accept:
        raise usage_error("-fix puts back what -accept would keep; give one of them.")
    if arguments.fix:
        why = "with -fix the exit codes, secrets and forms are those of apply"
        _refuse(_OF_ACCEPT | _OF_LOOKS, why)
    elif arguments.accept:
        _refuse(_OF_FIX | _OF_LOOKS, "that is nothing to -accept, which changes files alone")
    else:
        _refuse(_OF_FIX | _OF_BOTH, "without -fix or -accept nothing is changed")
        _refuse(_OF_ACCEPT, "that is for -accept, which would change files")


def _refuse(options: Mapping[str, str], why: str) -> None:
    given = [name for parameter, name in options.items() if is_typed(parameter)]
    if given:
        raise usage_error(f"{', '.join(given)}: {why}.")
