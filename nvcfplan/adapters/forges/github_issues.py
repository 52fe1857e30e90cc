"""GitHub's issues, for the one that tracks what has drifted.

Least permission of the token: `issues: write`. Source: docs.github.com, REST API, "Issues",
"Issue comments".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.forges.answers import mapping, number, text
from nvcfplan.adapters.forges.github import GONE, GitHub
from nvcfplan.adapters.forges.session import Asked
from nvcfplan.errors import RemoteMissing
from nvcfplan.reports import Issue, Tracker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports import IssueText

_TURNED_OFF: Final = 410
_MOVED: Final = 301
_LONGEST_TITLE: Final = 256


class GitHubIssues(GitHub, Tracker):
    """What is said on an issue is said as on a pull request, and takes another permission."""

    _noun = "issue"
    _reading = "`issues: read`"
    _writing = "`issues: write`"

    async def issues(self, *, is_open: bool, author: str = "") -> Sequence[Issue]:
        """Lists of issues have pull requests among them."""
        query = (("state", "open" if is_open else "closed"),)
        by = (("creator", author),) if author else ()
        try:
            rows = await self._listed(self._issues, (*query, *by))
        except RemoteMissing as error:
            if error.status == _TURNED_OFF:
                raise _turned_off(error, self._repository) from error
            raise
        return tuple(_issue(*one) for one in rows if "pull_request" not in one[0])

    async def file(self, text: IssueText) -> Issue:
        asked = Asked(
            method="POST",
            path=self._issues,
            needs=self._writing,
            missing="there is no such repository, or it has no issues",
            body=_body(text) | {"labels": list(text.labels)},
            is_repeatable=False,
        )
        made = _issue(mapping((await self._session.ask(asked)).value, asked.route), asked.route)
        self._author = made.author
        return made

    async def revise(self, number: int, text: IssueText, *, is_open: bool) -> Issue | None:
        """One that was moved to another repository is gone."""
        asked = Asked(
            method="PATCH",
            path=f"{self._issues}/{number}",
            needs=self._writing,
            body=_body(text) | {"state": "open" if is_open else "closed"},
            accepted=GONE | {_MOVED},
        )
        answer = await self._session.ask(asked)
        if answer.status in asked.accepted:
            return None
        return _issue(mapping(answer.value, asked.route), asked.route)


def _body(text: IssueText) -> dict[str, object]:
    return {"title": text.title[:_LONGEST_TITLE], "body": text.body}


def _issue(row: dict[str, object], route: str) -> Issue:
    """Of a user whose account is gone there is no name; an empty text is null."""
    user = row.get("user")
    return Issue(
        number=number(row, "number", route),
        author=text(user, "login", route) if isinstance(user, dict) else "",
        title=text(row, "title", route),
        body=text(row, "body", route) if row.get("body") is not None else "",
        is_open=text(row, "state", route) == "open",
        is_locked=row.get("locked") is True,
    )


def _turned_off(error: RemoteMissing, repository: str) -> RemoteMissing:
    return RemoteMissing(
        f"{error.route}: {repository} has its issues turned off",
        route=error.route,
        status=error.status,
        detail=error.detail,
        remedy="turn issues on in the settings of the repository, or be told another way",
    )
