"""GitHub, github.com and Enterprise: comments on pull requests, open ones, commit statuses.

Least permissions of the token: `pull-requests: write` for comments; `statuses: write` only where a
status is set. Source: docs.github.com, REST API, "Issue comments", "Pulls", "Commit statuses".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.forges.answers import mapping, number, part, text
from nvcfplan.adapters.forges.paging import MOST_ROWS, read_pages
from nvcfplan.adapters.forges.session import Asked
from nvcfplan.errors import Forbidden
from nvcfplan.reports import Comment, CommitState, CommitStatus, Forge, OpenRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.adapters.forges.session import Answer, Session

LIMIT: Final = 65_536
API_VERSION: Final = "2022-11-28"
HEADERS: Final = (
    ("Accept", "application/vnd.github+json"),
    ("X-GitHub-Api-Version", API_VERSION),
)
_LONGEST_DESCRIPTION: Final = 140
_ACTIONS_BOT: Final = "github-actions[bot]"
_STATUSES: Final = "`statuses: write`"
GONE: Final = frozenset({404, 410})
_STATES: Final = {CommitState.GOOD: "success", CommitState.BAD: "failure"}


class GitHub(Forge):
    """`repository`: `OWNER/NAME`. `known_author`: as whom the token writes, if that is known."""

    _noun = "pull request"
    _reading = "`pull-requests: read`"
    _writing = "`pull-requests: write`"

    def __init__(self, session: Session, repository: str, *, known_author: str = "") -> None:
        self._session = session
        self._repository = repository
        self._author = known_author

    @property
    def limit(self) -> int:
        return LIMIT

    def reference(self, number: int) -> str:
        return f"#{number}"

    async def author(self) -> str:
        """The token of a workflow may not ask who it is: then it is the bot of Actions."""
        if not self._author:
            asked = Asked(method="GET", path="/user", needs="to read its own name")
            try:
                answer = await self._session.ask(asked)
                self._author = text(mapping(answer.value, asked.route), "login", asked.route)
            except Forbidden:
                self._author = _ACTIONS_BOT
        return self._author

    async def comments(self, request: int) -> Sequence[Comment]:
        rows = await self._listed(f"{self._issues}/{request}/comments", ())
        return tuple(_comment(*one) for one in rows)

    async def create(self, request: int, body: str) -> Comment:
        asked = Asked(
            method="POST",
            path=f"{self._issues}/{request}/comments",
            needs=self._writing,
            missing=f"there is no {self._noun} {request}, or the token may not see it",
            body={"body": body},
            is_repeatable=False,
        )
        made = _comment(mapping((await self._session.ask(asked)).value, asked.route), asked.route)
        self._author = made.author
        return made

    async def edit(self, request: int, comment: int, body: str) -> Comment | None:
        del request
        asked = Asked(
            method="PATCH",
            path=f"{self._issues}/comments/{comment}",
            needs=self._writing,
            body={"body": body},
            accepted=GONE,
        )
        answer = await self._session.ask(asked)
        if answer.status in GONE:
            return None
        return _comment(mapping(answer.value, asked.route), asked.route)

    async def delete(self, request: int, comment: int) -> None:
        del request
        path = f"{self._issues}/comments/{comment}"
        await self._session.ask(
            Asked(method="DELETE", path=path, needs=self._writing, accepted=GONE)
        )

    async def open_requests(self, most: int = 50) -> Sequence[OpenRequest]:
        order = (("state", "open"), ("sort", "updated"), ("direction", "desc"))
        rows = await self._listed(f"/repos/{self._repository}/pulls", order, most=most)
        return tuple(_request(*one) for one in rows)

    async def set_status(self, commit: str, status: CommitStatus) -> None:
        body = {
            "state": _STATES[status.state],
            "context": status.context,
            "description": status.description[:_LONGEST_DESCRIPTION],
        }
        path = f"/repos/{self._repository}/statuses/{commit}"
        where = {"target_url": status.url} if status.url else {}
        await self._session.ask(Asked(method="POST", path=path, needs=_STATUSES, body=body | where))

    @property
    def _issues(self) -> str:
        return f"/repos/{self._repository}/issues"

    async def _listed(
        self, path: str, query: tuple[tuple[str, str], ...], *, most: int = MOST_ROWS
    ) -> list[tuple[dict[str, object], str]]:
        asked = Asked(method="GET", path=path, needs=self._reading, query=query)
        return await read_pages(self._session, asked, _has_next, most=most)


def _has_next(answer: Answer) -> bool:
    return 'rel="next"' in answer.headers.get("link", "")


def _comment(row: dict[str, object], route: str) -> Comment:
    """Of a user whose account is gone there is no name."""
    user = row.get("user")
    return Comment(
        id=number(row, "id", route),
        author=text(user, "login", route) if isinstance(user, dict) else "",
        body=text(row, "body", route) if row.get("body") is not None else "",
    )


def _request(row: dict[str, object], route: str) -> OpenRequest:
    """Of a fork that is deleted there is no repository any more."""
    head = part(row, "head", route)
    repository = head.get("repo")
    named = text(repository, "full_name", route) if isinstance(repository, dict) else ""
    return OpenRequest(
        number=number(row, "number", route),
        head=text(head, "sha", route),
        source=f"{named}:{text(head, 'ref', route)}",
        base=text(part(row, "base", route), "ref", route),
    )
