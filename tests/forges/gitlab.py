"""GitLab's documented shapes of what we use, at `/api/v4`.

Source: docs.gitlab.com, REST API: "Notes", "Merge requests", "Commits", "Users", "Pagination".
"""

from __future__ import annotations

import re

from tests.forges.gitlab_issues import PROJECT, ROOT, routed_issues
from tests.forges.server import Breach, FakeForge, Note, Reply, Request, fields, known, page_of

MOST = 1_000_000


class FakeGitLab(FakeForge):
    """People are told apart by their number: `author` of a note is that, as text."""

    def _author(self, request: Request) -> str | None:
        token = request.headers.get("private-token")
        if token is None:
            raise Breach("PRIVATE-TOKEN is missing")
        if request.body is not None and request.headers.get("content-type") != "application/json":
            raise Breach("Content-Type is application/json")
        return self.tokens.get(token)

    def _routed(self, request: Request, author: str | None) -> Reply:
        if author is None:
            return Reply(401, {"message": "401 Unauthorized"})
        path = request.path
        if (request.method, path) == ("GET", f"{ROOT}/user"):
            return Reply(200, {"id": int(author), "username": "plan-bot"})
        if match := re.fullmatch(f"{PROJECT}/merge_requests/(\\d+)/notes", path):
            return self._notes(request, author, int(match[1]))
        if path.startswith(f"{PROJECT}/issues"):
            return self._issues(request, author)
        if match := re.fullmatch(f"{PROJECT}/merge_requests/(\\d+)/notes/(\\d+)", path):
            return self._note(request, author, int(match[1]), int(match[2]))
        if (request.method, path) == ("GET", f"{PROJECT}/merge_requests"):
            return self._requests(request)
        if match := re.fullmatch(f"{PROJECT}/statuses/([0-9a-f]{{40}})", path):
            return self._status(request, match[1])
        raise Breach("no such route")

    def _issues(self, request: Request, author: str) -> Reply:
        """Notes on an issue are as those on a request."""
        if match := re.fullmatch(rf"{PROJECT}/issues/(\d+)/notes", request.path):
            if int(match[1]) not in (self.issues or {}):
                return Reply(404, {"message": "404 Not found"})
            return self._noted(request, author, int(match[1]))
        return routed_issues(self, request, author)

    def _notes(self, request: Request, author: str, number: int) -> Reply:
        if number not in self.open:
            return Reply(404, {"message": "404 Not found"})
        return self._noted(request, author, number)

    def _noted(self, request: Request, author: str, number: int) -> Reply:
        if request.method == "GET":
            query = request.query
            known(query, {"sort", "order_by", "activity_filter", "per_page", "page"})
            rows: list[object] = [_row(one) for one in self.notes if one.request == number]
            if query.get("sort", "desc") == "desc":
                rows.reverse()
            found, following = page_of(rows, query, 20)
            return Reply(200, found, {"X-Next-Page": str(following or "")})
        if request.method != "POST":
            raise Breach("GET or POST")
        if (refused := _too_long(request)) is not None:
            return refused
        return Reply(201, _row(self.write(author, _body(request), number)))

    def _note(self, request: Request, author: str, number: int, note: int) -> Reply:
        found = next((one for one in self.notes if (one.request, one.id) == (number, note)), None)
        if found is None:
            return Reply(404, {"message": "404 Note Not Found"})
        if found.author != author:
            return Reply(403, {"message": "403 Forbidden"})
        if request.method == "DELETE":
            self.notes.remove(found)
            return Reply(204)
        if request.method != "PUT":
            raise Breach("PUT or DELETE")
        if (refused := _too_long(request)) is not None:
            return refused
        found.body = _body(request)
        return Reply(200, _row(found))

    def _requests(self, request: Request) -> Reply:
        known(request.query, {"state", "order_by", "sort", "per_page", "page"})
        if request.query.get("state") != "opened":
            raise Breach("state is opened, closed, locked, merged or all")
        rows: list[object] = [
            {
                "iid": number,
                "state": "opened",
                "sha": head,
                "target_branch": base,
                "source_project_id": 43,
                "source_branch": "change",
            }
            for number, (head, base) in self.open.items()
        ]
        found, following = page_of(rows, request.query, 20)
        return Reply(200, found, {"X-Next-Page": str(following or "")})

    def _status(self, request: Request, commit: str) -> Reply:
        body = fields(
            request.body,
            {"state"},
            {"ref", "name", "context", "target_url", "description", "coverage", "pipeline_id"},
        )
        if body["state"] not in ("pending", "running", "success", "failed", "canceled"):
            raise Breach("state")
        self.statuses.append({"commit": commit, **body})
        return Reply(201, {"id": 1, **body})


def _body(request: Request) -> str:
    body = fields(request.body, {"body"}, {"created_at", "internal"})["body"]
    if not isinstance(body, str):
        raise Breach("body is text")
    return body


def _too_long(request: Request) -> Reply | None:
    if len(_body(request)) <= MOST:
        return None
    return Reply(400, {"message": {"note": [f"is too long (maximum is {MOST} characters)"]}})


def _row(note: Note) -> dict[str, object]:
    return {
        "id": note.id,
        "body": note.body,
        "author": {"id": int(note.author), "username": f"user{note.author}"},
        "system": False,
        "noteable_type": "MergeRequest",
        "noteable_iid": note.request,
    }
