"""GitLab's issues, for the one that tracks what has drifted.

Least rights of the token: the scope `api` and the role Reporter.
Source: docs.gitlab.com, REST API, "Issues", "Notes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.forges.answers import mapping, number, part, text
from nvcfplan.adapters.forges.gitlab import GONE, NOTES, GitLab
from nvcfplan.adapters.forges.session import Asked
from nvcfplan.reports import Issue, Tracker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports import IssueText

_LONGEST_TITLE: Final = 255


class GitLabIssues(GitLab, Tracker):
    """Notes are on issues, in place of merge requests."""

    _noun = "issue"

    @property
    def _noted(self) -> str:
        return f"{self._project}/issues"

    def reference(self, number: int) -> str:
        return f"#{number}"

    async def issues(self, *, is_open: bool, author: str = "") -> Sequence[Issue]:
        query = (("scope", "all"), ("state", "opened" if is_open else "closed"))
        by = (("author_id", author),) if author else ()
        rows = await self._listed(self._noted, (*query, *by))
        return tuple(_issue(*one) for one in rows)

    async def file(self, text: IssueText) -> Issue:
        """Raises: Forbidden, where issues are turned off: their list is empty then."""
        labels = {"labels": ",".join(text.labels)} if text.labels else {}
        asked = Asked(
            method="POST",
            path=self._noted,
            needs=f"{NOTES}, with issues turned on in the settings of the project",
            missing="there is no such project, or the token may not see it",
            body=_body(text) | labels,
            is_repeatable=False,
        )
        made = _issue(mapping((await self._session.ask(asked)).value, asked.route), asked.route)
        self._author = made.author
        return made

    async def revise(self, number: int, text: IssueText, *, is_open: bool) -> Issue | None:
        """To reopen what is open, or to close what is closed, changes nothing."""
        asked = Asked(
            method="PUT",
            path=f"{self._noted}/{number}",
            needs=NOTES,
            body=_body(text) | {"state_event": "reopen" if is_open else "close"},
            accepted=GONE,
        )
        answer = await self._session.ask(asked)
        if answer.status in GONE:
            return None
        return _issue(mapping(answer.value, asked.route), asked.route)


def _body(text: IssueText) -> dict[str, object]:
    return {"title": text.title[:_LONGEST_TITLE], "description": text.body}


def _issue(row: dict[str, object], route: str) -> Issue:
    """An empty text is null."""
    return Issue(
        number=number(row, "iid", route),
        author=str(number(part(row, "author", route), "id", route)),
        title=text(row, "title", route),
        body=text(row, "description", route) if row.get("description") is not None else "",
        is_open=text(row, "state", route) == "opened",
        is_locked=row.get("discussion_locked") is True,
    )
