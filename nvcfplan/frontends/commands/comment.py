"""`nvcfplan comment`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand, option
from nvcfplan.frontends.options import (
    AccountArguments,
    account_options,
    output_options,
    taking,
    usage_error,
)

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class CommentArguments(AccountArguments):
    plans: tuple[Path, ...]
    github: bool
    gitlab: bool
    request: int | None
    commit: str
    apply: str
    budget: int | None
    full: Path | None
    silent_on_no_changes: bool
    status: bool
    check: bool
    dry_run: bool
    mark_stale: str
    stack: str


@click.command(
    cls=TeachingCommand,
    epilog="""
Which request it is, and as whom to write, the job's own variables say:
  GitHub  GITHUB_REPOSITORY, GITHUB_API_URL, GITHUB_EVENT_PATH; GITHUB_TOKEN with
          `pull-requests: write`, and `statuses: write` for -status
  GitLab  CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID; GITLAB_TOKEN, an
          access token of the project with the scope `api` and the role Reporter
          (Developer for -status)
NVCFPLAN_FORGE_TOKEN goes before both.

Examples:
  nvcfplan comment -github chat.nvcfplan
  nvcfplan comment -gitlab -silent-on-no-changes -status *.nvcfplan
  nvcfplan comment -github -mark-stale=shop@default

Exit codes: 0 said, or there is nobody to say it to; 1 error; 64 wrong usage.
""",
)
@click.argument("plans", nargs=-1, metavar="[PLAN]...", type=click.Path(path_type=Path))
@option("github", is_flag=True, help="On a pull request.  [default: in a job of Actions]")
@option("gitlab", is_flag=True, help="On a merge request.  [default: in a job of GitLab]")
@option(
    "request", type=click.IntRange(min=1), metavar="N",
    help="The request's number.  [default: the event's]",
)  # fmt: skip
@option("commit", default="", metavar="SHA", help="What was planned.  [default: the event's]")
@option(
    "apply", default="", metavar="TEXT",
    help="How the plan is carried out, in a sentence; commands in backticks.",
)  # fmt: skip
@option(
    "budget", type=click.IntRange(min=12_000), metavar="BYTES",
    help="Keep the comment below this.  [default: the forge's limit]",
)  # fmt: skip
@option(
    "full", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write all of it there as well, for an artifact.",
)  # fmt: skip
@option(
    "silent-on-no-changes", is_flag=True,
    help="Without changes, say so only where something was said before.",
)  # fmt: skip
@option(
    "stack", default="", metavar="NAME",
    help="Whose faults they are, where the files do not tell.",
)  # fmt: skip
@option("status", is_flag=True, help="Set a status on the commit as well.")
@option(
    "check", is_flag=True,
    help="Ask the account first whether the plan still holds, and say if it does not.",
)  # fmt: skip
@option("dry-run", is_flag=True, help="Print the comment and send nothing; no token is needed.")
@option(
    "mark-stale", default="", metavar="STACK@ENV",
    help="The base has moved: say so on every open request with a plan of it.",
)  # fmt: skip
@account_options
@output_options
@taking(CommentArguments)
def comment(terminal: Terminal, arguments: CommentArguments) -> int:
    """Says on a pull or merge request what a saved plan would do.

    Or what is wrong with a stack of which there is none: PLAN may be what
    `validate -json` printed.

    One comment for each stack and environment, edited in place. Plans are read as
    data, whoever made them. In GitHub Actions the whole text goes to the job's
    summary, and the counts to the step's outputs.
    """
    from nvcfplan.frontends.commenting import comment_command, mark_stale_command

    _refuse_contradiction(arguments)
    if arguments.mark_stale:
        return mark_stale_command(terminal, arguments)
    return comment_command(terminal, arguments)


def _refuse_contradiction(arguments: CommentArguments) -> None:
    """Raises: click.UsageError."""
    if arguments.github and arguments.gitlab:
        raise usage_error("-github and -gitlab: a comment is on one of them.")
    if arguments.commit and not re.fullmatch(r"[0-9a-f]{7,64}", arguments.commit):
        raise usage_error(f"-commit={arguments.commit} is no commit: it is hexadecimal.")
    if arguments.mark_stale and arguments.plans:
        raise usage_error("-mark-stale speaks of the base; it takes no plan.")
    if arguments.mark_stale and not re.fullmatch(r"[^@]+@[^@]+", arguments.mark_stale):
        raise usage_error(f"-mark-stale={arguments.mark_stale} is not STACK@ENV.")
    if not arguments.mark_stale and not arguments.plans:
        raise usage_error("Missing argument 'PLAN': a file that `plan -out=FILE` has made.")
    if (arguments.emulator is not None or arguments.endpoint) and not arguments.check:
        raise usage_error("-emulator and -endpoint say where -check asks; give -check too.")
