"""Both forges under one roof, so that one test speaks of either."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.adapters.forges import github, gitlab
from nvcfplan.adapters.forges.github_issues import GitHubIssues
from nvcfplan.adapters.forges.gitlab_issues import GitLabIssues
from nvcfplan.adapters.forges.session import Pace, Session
from nvcfplan.adapters.forges.target import ForgeTarget
from nvcfplan.model import Secret, SecretOrigin, SecretReference
from tests.forges.github import FakeGitHub
from tests.forges.github_issues import ROOT as GITHUB_ROOT
from tests.forges.gitlab import FakeGitLab
from tests.forges.gitlab_issues import ROOT as GITLAB_ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from typing import Any

    from nvcfplan.reports import Forge, Tracker
    from tests.forges.server import FakeForge

T = TypeVar("T")
START = 1_800_000_000.0


@dataclass(slots=True)
class Time:
    """Sleeping moves it, and takes none."""

    now: float = START
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Kind:
    """`me` and `other`: two people as this forge tells them apart."""

    name: str
    me: str
    other: str
    limit: int

    def served(self) -> FakeForge:
        found: FakeForge = FakeGitHub() if self.name == "github" else FakeGitLab()
        found.tokens = {"token-of-bot": self.me, "token-of-other": self.other}
        return found

    @asynccontextmanager
    async def client(
        self, address: str, *, token: str = "token-of-bot", time: Time | None = None
    ) -> AsyncIterator[Forge]:
        clock = time or Time()
        pace = Pace(now=lambda: clock.now, sleep=clock.sleep)
        async with Session(self.target(address, token), pace) as session:
            if self.name == "github":
                yield github.GitHub(session, "acme/stacks")
            else:
                yield gitlab.GitLab(session, "42")

    @asynccontextmanager
    async def tracker(self, address: str, *, token: str = "token-of-bot") -> AsyncIterator[Tracker]:
        clock = Time()
        pace = Pace(now=lambda: clock.now, sleep=clock.sleep)
        async with Session(self.target(address, token), pace) as session:
            if self.name == "github":
                yield GitHubIssues(session, "acme/stacks")
            else:
                yield GitLabIssues(session, "42")

    def target(self, address: str, token: str) -> ForgeTarget:
        is_github = self.name == "github"
        return ForgeTarget(
            base_url=address + (GITHUB_ROOT if is_github else GITLAB_ROOT),
            token=Secret(token, SecretReference("TOKEN", SecretOrigin.ENV, "TOKEN")),
            token_source="FORGE_TOKEN",
            header=("Authorization", "Bearer") if is_github else ("PRIVATE-TOKEN", ""),
            headers=github.HEADERS if is_github else gitlab.HEADERS,
        )


GITHUB = Kind("github", "plan-bot", "mallory", 65_536)
GITLAB = Kind("gitlab", "11", "666", 1_000_000)
KINDS = (GITHUB, GITLAB)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
