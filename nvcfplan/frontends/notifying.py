"""Tells who is to be told of what a look for drift found; none of it changes how the look ended."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.forges.environment import ForgeKind, Job, read_job
from nvcfplan.adapters.forges.github_issues import GitHubIssues
from nvcfplan.adapters.forges.gitlab_issues import GitLabIssues
from nvcfplan.adapters.forges.session import Pace, Session
from nvcfplan.adapters.forges.tracking import TrackingIssue
from nvcfplan.adapters.notices.apprise import URLS, NoticeWords, apprise_channels
from nvcfplan.adapters.notices.webhook import SECRET, URL, Webhook
from nvcfplan.adapters.storage.planfile import write_metrics
from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.errors import NoticeUndelivered, SettingsError, StoreError
from nvcfplan.frontends.notice_options import NoticeArguments
from nvcfplan.model import Secret, SecretOrigin, SecretReference
from nvcfplan.reports import IssueDeed
from nvcfplan.views.drift_markdown import draw_drift
from nvcfplan.views.metrics import render_metrics
from nvcfplan.views.notice_markdown import draw_notice, drift_marker, drift_title, notice_title
from nvcfplan.views.wording import counted
from nvcfplan.workflows import (
    Delivery,
    IssueChannel,
    IssueDrawing,
    NoticeChannel,
    Telling,
    tell_channels,
    undelivered_warning,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from nvcfplan.applying import Clock, StateStore
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.reports import DriftReport, Kept, Notice
    from nvcfplan.workflows import Scope

_LONGEST_WAIT_SECONDS: Final = 60.0
"""The next look tries again: none waits out a forge's limit."""
_HIDDEN_LINES: Final = 1024
"""Room for what an issue begins with, and nobody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifying:
    """Where to tell: settings are read before anything is looked at."""

    arguments: NoticeArguments
    jobs: tuple[Job, ...]
    channels: tuple[NoticeChannel, ...]


def read_notifying(arguments: NoticeArguments, terminal: Terminal, clock: Clock) -> Notifying:
    """Addresses are secrets, too: from here on they are masked wherever they would be shown.

    Raises: SettingsError.
    """
    environment = terminal.environment
    for address in (environment.get(name, "") for name in (URL, URLS)):
        terminal.known.learn(*address.split(), *_behind_hosts(address))
    kinds = ((ForgeKind.GITHUB, arguments.github_issue), (ForgeKind.GITLAB, arguments.gitlab_issue))
    channels: list[NoticeChannel] = []
    if arguments.webhook:
        url, secret = (_secret(environment, one, "-webhook") for one in (URL, SECRET))
        channels.append(Webhook(url, secret, clock))
    if arguments.apprise:
        channels += apprise_channels(_secret(environment, URLS, "-apprise"), _Words())
    return Notifying(
        arguments=arguments,
        jobs=tuple(read_job(kind, environment) for kind, is_wanted in kinds if is_wanted),
        channels=tuple(channels),
    )


async def notify(
    report: DriftReport, scope: Scope, store: StateStore, notifying: Notifying, terminal: Terminal
) -> tuple[Diagnostic, ...]:
    """Says on standard error what was told, and returns what could not be."""
    async with AsyncExitStack() as stack:
        issues = tuple([await _issue(one, notifying, stack, terminal) for one in notifying.jobs])
        telling = Telling(
            channels=(*issues, *notifying.channels),
            remind_every=notifying.arguments.remind_every,
        )
        deliveries = await tell_channels(report, scope, store, telling)
        warnings = [undelivered_warning(one) for one in deliveries if one.failure]
        failed = {one.channel for one in deliveries if one.failure}
        for channel in issues:
            if channel.name not in failed and channel.kept is None:
                warnings += await _kept_up(channel, report)
    for delivery in deliveries:
        _say_told(delivery, terminal)
    for channel in issues:
        if channel.kept is not None:
            _say_kept(channel.name, channel.kept, terminal)
    return tuple(warnings)


def write_metrics_file(path: Path | None, report: DriftReport) -> tuple[Diagnostic, ...]:
    """Of a look that was skipped nothing: what was known before stands."""
    return () if report.drift is None else write_metrics_of(path, (report,), report.looked_at)


def write_metrics_of(
    path: Path | None, reports: Sequence[DriftReport], at: datetime
) -> tuple[Diagnostic, ...]:
    """Of several stacks, each by its last look. `at`: until when ages are counted."""
    if path is None:
        return ()
    try:
        write_metrics(path, render_metrics(reports, at=at).encode("utf-8"))
    except StoreError as error:
        return (_unwritten(error),)
    return ()


def _unwritten(error: StoreError) -> Diagnostic:
    return Diagnostic(
        code=error.code,
        severity=Severity.WARNING,
        summary=f"the metrics were not written: {error.summary}",
        detail=error.detail or "the ones that are there grow old, and what was found stays so",
        remedy=error.remedy,
    )


class _Words(NoticeWords):
    def title(self, notice: Notice) -> str:
        return notice_title(notice)

    def body(self, notice: Notice) -> str:
        return draw_notice(notice)


class _IssueMarkdown(IssueDrawing):
    def __init__(self, limit: int) -> None:
        self._budget = limit - _HIDDEN_LINES

    def marker(self, report: DriftReport) -> str:
        return drift_marker(report)

    def title(self, report: DriftReport) -> str:
        return drift_title(report.stack)

    def body(self, report: DriftReport) -> str:
        return draw_drift(report, budget=self._budget)

    def remark(self, notice: Notice) -> str:
        return draw_notice(notice)


async def _issue(
    job: Job, notifying: Notifying, stack: AsyncExitStack, terminal: Terminal
) -> IssueChannel:
    pace = Pace(
        now=time.time,
        sleep=asyncio.sleep,
        tell=terminal.say,
        longest_wait_seconds=_LONGEST_WAIT_SECONDS,
    )
    session = await stack.enter_async_context(Session(job.target, pace))
    is_github = job.kind is ForgeKind.GITHUB
    tracker = (GitHubIssues if is_github else GitLabIssues)(session, job.project)
    return IssueChannel(
        f"{job.kind.value}-issue:{job.project}",
        TrackingIssue(tracker),
        _IssueMarkdown(tracker.limit),
        labels=notifying.arguments.label,
    )


async def _kept_up(channel: IssueChannel, report: DriftReport) -> Sequence[Diagnostic]:
    try:
        await channel.keep(report)
    except NoticeUndelivered as error:
        return [undelivered_warning(Delivery(channel=channel.name, notice=None, failure=error))]
    return []


def _behind_hosts(addresses: str) -> Iterator[str]:
    """Path and query of each: that part of an address which nobody guesses."""
    for address in addresses.split():
        _, slash, rest = address.partition("://")[2].partition("/")
        yield slash + rest


def _secret(environment: Mapping[str, str], name: str, option: str) -> Secret:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(
            f"{name} is not set, and {option} needs it",
            remedy="set it in the environment; such a value never stands on a command line",
        )
    return Secret(value, SecretReference(name, SecretOrigin.ENV, name))


def _say_told(delivery: Delivery, terminal: Terminal) -> None:
    notice = delivery.notice
    if delivery.failure is not None or notice is None or notice.is_quiet:
        return
    if notice.is_reminder:
        words = "reminded of what still stands"
    else:
        words = f"told of {len(notice.appeared)} new, {len(notice.cleared)} gone"
    terminal.say(f"{delivery.channel}: {words}")


def _say_kept(channel: str, kept: Kept, terminal: Terminal) -> None:
    if kept.deed in (IssueDeed.NONE, IssueDeed.KEPT) and not kept.healed:
        return
    healed = f", {counted(kept.healed, 'duplicate')} closed" if kept.healed else ""
    terminal.say(f"{channel}: issue {kept.reference} {kept.deed.value}{healed}")
