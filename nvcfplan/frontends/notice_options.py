"""The options of `drift` that say who is told of what it finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from nvcfplan.frontends.click_parts import F, option
from nvcfplan.frontends.options import (
    AccountArguments,
    StackArguments,
    decorated,
    is_typed,
    usage_error,
)

CHANNELS_HELP: Final = """
Who is told, is told once of each change, and again with -remind-every; what could
not be told is told by the next look. Settings, from the environment alone:
  -github-issue  as of `nvcfplan comment`; GITHUB_TOKEN with `issues: write`
  -gitlab-issue  as of `nvcfplan comment`; GITLAB_TOKEN
  -webhook       NVCFPLAN_WEBHOOK_URL, NVCFPLAN_WEBHOOK_SECRET; signed as
                 standardwebhooks.com has it, `nvcfplan schema notice` is the body
  -apprise       NVCFPLAN_APPRISE_URLS, with blanks between
"""


_DAYS: Final = re.compile(r"(\d{1,4})([dw])")


@dataclass(frozen=True, kw_only=True)
class NoticeArguments:
    """`remind_every` None: nobody is reminded."""

    github_issue: bool
    gitlab_issue: bool
    label: tuple[str, ...]
    webhook: bool
    apprise: bool
    remind_every: timedelta | None
    metrics_file: Path | None

    @property
    def has_channels(self) -> bool:
        return self.github_issue or self.gitlab_issue or self.webhook or self.apprise


@dataclass(frozen=True, kw_only=True)
class LookArguments(StackArguments, AccountArguments, NoticeArguments):
    """Of all that looks for drift: at what, and who is told."""

    with_secrets: bool


def notice_options(function: F) -> F:
    return decorated(
        function,
        option("github-issue", is_flag=True, help="Keep an issue about it on GitHub."),
        option("gitlab-issue", is_flag=True, help="Keep an issue about it on GitLab."),
        option(
            "label", multiple=True, metavar="NAME",
            help="Of an issue that is made; repeatable.",
        ),
        option("webhook", is_flag=True, help="POST what changes, as signed JSON."),
        option("apprise", is_flag=True, help="Tell chats, mail or pagers, through apprise."),
        option(
            "remind-every", metavar="DURATION", callback=_duration,
            help="Tell again of what still stands, such as 24h or 3d.  [default: never]",
        ),
        option(
            "metrics-file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
            help="Write OpenMetrics text for a textfile collector; its name ends in .prom.",
        ),
    )  # fmt: skip


def refuse_useless_notices(arguments: NoticeArguments, *, is_mending: bool) -> None:
    """Raises: click.UsageError."""
    if is_mending and (arguments.has_channels or arguments.metrics_file):
        raise usage_error("with -fix nobody is told: the next look tells what has cleared.")
    if arguments.has_channels and is_typed("no_memory"):
        raise usage_error(
            "-no-memory: what a channel was told is remembered, or it would be told with every"
            " look; leave it out, or the channels."
        )
    if is_typed("label") and not (arguments.github_issue or arguments.gitlab_issue):
        raise usage_error("-label is of an issue: give -github-issue or -gitlab-issue too.")
    if is_typed("remind_every") and not arguments.has_channels:
        raise usage_error("-remind-every: there is nobody to remind; say how, such as -webhook.")


def long_duration(text: str) -> timedelta | None:
    """As every duration, and in days (`7d`) or weeks (`2w`). None: it is none."""
    from nvcfplan.model import parse_duration

    if days := _DAYS.fullmatch(text):
        return timedelta(days=int(days[1]) * (7 if days[2] == "w" else 1))
    return parse_duration(text)


def _duration(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> timedelta | None:
    if value is None:
        return None
    found = long_duration(value)
    if found is None or found <= timedelta():
        raise click.BadParameter(f"'{value}' is no duration, such as 24h or 3d.", ctx, parameter)
    return found
