"""GitLab, gitlab.com and your own: notes on merge requests, open ones, commit statuses.

Least rights of the token: a project access token with the scope `api` and the role Reporter for
notes, Developer where a status is set; the token of a CI job may not write notes.
Source: docs.gitlab.com, REST API, "Notes", "Merge requests", "Commits".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvcfplan.adapters.forges.answers import mapping, number, part, text
from nvcfplan.adapters.forges.paging import MOST_ROWS, read_pages
from nvcfplan.adapters.forges.session import Asked
from nvcfplan.reports import Comment, CommitState, CommitStatus, Forge, OpenRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.adapters.forges.session import Answer, Session

LIMIT: Final = 1_000_000
HEADERS: Final = (("Accept", "application/json"),)
_READING: Final = "the scope `read_api`"
NOTES: Final = "the scope `api` and the role Reporter"
_STATUSES: Final = "the scope `api` and the role Developer"
GONE: Final = frozenset({404})
_STATES: Final = {CommitState.GOOD: "success", CommitState.BAD: "failed"}


class GitLab(Forge):
    """`project`: its id, or its path with groups. `known_author`: the id of the token's user."""

    _noun = "merge request"

    def __init__(self, session: Session, project: str, *, known_author: str = "") -> None:
        self._session = session
        self._project = f"/projects/{quote(project, safe='')}"
        self._author = known_author

    @property
    def limit(self) -> int:
        return LIMIT

    def reference(self, number: int) -> str:
        return f"!{number}"

    async def author(self) -> str:
        if not self._author:
            asked = Asked(method="GET", path="/user", needs="the scope `api`")
            answer = await self._session.ask(asked)
            self._author = str(number(mapping(answer.value, asked.route), "id", asked.route))
        return self._author

    async def comments(self, request: int) -> Sequence[Comment]:
        """Without the notes that GitLab itself writes."""
        order = (("order_by", "created_at"), ("sort", "asc"))
        rows = await self._listed(f"{self._noted}/{request}/notes", order)
        return tuple(_comment(*one) for one in rows if one[0].get("system") is not True)

    async def create(self, request: int, body: str) -> Comment:
        asked = Asked(
            method="POST",
            path=f"{self._noted}/{request}/notes",
            needs=NOTES,
            missing=f"there is no {self._noun} {request}, or the token may not see it",
            body={"body": body},
            is_repeatable=False,
        )
        made = _comment(mapping((await self._session.ask(asked)).value, asked.route), asked.route)
        self._author = made.author
        return made

    async def edit(self, request: int, comment: int, body: str) -> Comment | None:
        asked = Asked(
            method="PUT",
            path=f"{self._noted}/{request}/notes/{comment}",
            needs=NOTES,
            body={"body": body},
            accepted=GONE,
        )
        answer = await self._session.ask(asked)
        if answer.status in GONE:
            return None
        return _comment(mapping(answer.value, asked.route), asked.route)

    async def delete(self, request: int, comment: int) -> None:
        path = f"{self._noted}/{request}/notes/{comment}"
        await self._session.ask(Asked(method="DELETE", path=path, needs=NOTES, accepted=GONE))

    async def open_requests(self, most: int = 50) -> Sequence[OpenRequest]:
        order = (("state", "opened"), ("order_by", "updated_at"), ("sort", "desc"))
        rows = await self._listed(f"{self._project}/merge_requests", order, most=most)
        return tuple(_request(*one) for one in rows)

    async def set_status(self, commit: str, status: CommitStatus) -> None:
        body = {
            "state": _STATES[status.state],
            "name": status.context,
            "description": status.description,
        }
        where = {"target_url": status.url} if status.url else {}
        path = f"{self._project}/statuses/{commit}"
        await self._session.ask(Asked(method="POST", path=path, needs=_STATUSES, body=body | where))

    @property
    def _noted(self) -> str:
        """What notes are on."""
        return f"{self._project}/merge_requests"

    async def _listed(
        self, path: str, query: tuple[tuple[str, str], ...], *, most: int = MOST_ROWS
    ) -> list[tuple[dict[str, object], str]]:
        asked = Asked(method="GET", path=path, needs=_READING, query=query)
        return await read_pages(self._session, asked, _has_next, most=most)


def _has_next(answer: Answer) -> bool:
    return bool(answer.headers.get("x-next-page"))


def _comment(row: dict[str, object], route: str) -> Comment:
    return Comment(
        id=number(row, "id", route),
        author=str(number(part(row, "author", route), "id", route)),
        body=text(row, "body", route),
    )


def _request(row: dict[str, object], route: str) -> OpenRequest:
    """Without a commit there is no `sha`; of a fork that is deleted, no project any more."""
    is_orphan = row.get("source_project_id") is None
    project = "" if is_orphan else str(number(row, "source_project_id", route))
    return OpenRequest(
        number=number(row, "iid", route),
        head="" if row.get("sha") is None else text(row, "sha", route),
        source=f"{project}:{text(row, 'source_branch', route)}",
        base=text(row, "target_branch", route),
    )
