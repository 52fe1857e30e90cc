"""GitHub's documented shapes of what we use, at `/api/v3` as Enterprise has them.

Source: docs.github.com, REST API: "Issue comments", "Pulls", "Commit statuses", "Users",
"Using pagination", "Rate limits".
"""

from __future__ import annotations

import re

from tests.forges.github_issues import MOST, REPOSITORY, ROOT, link, routed_issues
from tests.forges.server import Breach, FakeForge, Note, Reply, Request, fields, known, page_of


class FakeGitHub(FakeForge):
    """Tokens that begin with `ghs_` are of an installation: they may not ask who they are."""

    def _author(self, request: Request) -> str | None:
        headers = request.headers
        if headers.get("accept") != "application/vnd.github+json":
            raise Breach("Accept is application/vnd.github+json")
        if headers.get("x-github-api-version") != "2022-11-28":
            raise Breach("X-GitHub-Api-Version is missing")
        if not headers.get("user-agent"):
            raise Breach("User-Agent is missing")
        if request.body is not None and headers.get("content-type") != "application/json":
            raise Breach("Content-Type is application/json")
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Breach("Authorization is Bearer TOKEN")
        return self.tokens.get(token)

    def _routed(self, request: Request, author: str | None) -> Reply:
        if author is None:
            return Reply(401, {"message": "Bad credentials", "status": "401"})
        method, path = request.method, request.path
        if (method, path) == ("GET", f"{ROOT}/user"):
            return self._user(request, author)
        if match := re.fullmatch(f"{REPOSITORY}/issues/(\\d+)/comments", path):
            return self._comments(request, author, int(match[1]))
        if match := re.fullmatch(f"{REPOSITORY}/issues/comments/(\\d+)", path):
            return self._comment(request, author, int(match[1]))
        if (method, path) == ("GET", f"{REPOSITORY}/pulls"):
            return self._pulls(request)
        if path.startswith(f"{REPOSITORY}/issues"):
            return routed_issues(self, request, author)
        if match := re.fullmatch(f"{REPOSITORY}/statuses/([0-9a-f]{{40}})", path):
            return self._status(request, match[1])
        raise Breach("no such route")

    def _user(self, request: Request, author: str) -> Reply:
        if request.headers["authorization"].startswith("Bearer ghs_"):
            return Reply(403, {"message": "Resource not accessible by integration"})
        return Reply(200, {"login": author, "id": 1, "type": "User"})

    def _comments(self, request: Request, author: str, number: int) -> Reply:
        if (refused := self._uncommentable(request, number)) is not None:
            return refused
        if request.method == "GET":
            known(request.query, {"since", "per_page", "page"})
            rows: list[object] = [_row(one) for one in self.notes if one.request == number]
            found, following = page_of(rows, request.query, 30)
            return Reply(200, found, link(request, following))
        if request.method != "POST":
            raise Breach("GET or POST")
        if (refused := _too_long(request)) is not None:
            return refused
        return Reply(201, _row(self.write(author, _body(request), number)))

    def _uncommentable(self, request: Request, number: int) -> Reply | None:
        issue = (self.issues or {}).get(number)
        if number in self.deleted:
            return Reply(410, {"message": "This issue was deleted"})
        if issue is None and number not in self.open:
            return Reply(404, {"message": "Not Found"})
        if issue is not None and issue.is_locked and request.method == "POST":
            return Reply(403, {"message": "Unable to create comment because issue is locked."})
        return None

    def _comment(self, request: Request, author: str, number: int) -> Reply:
        found = next((one for one in self.notes if one.id == number), None)
        if found is None:
            return Reply(404, {"message": "Not Found"})
        if found.author != author:
            return Reply(403, {"message": "Must have admin rights to Repository."})
        if request.method == "DELETE":
            self.notes.remove(found)
            return Reply(204)
        if request.method != "PATCH":
            raise Breach("PATCH or DELETE")
        if (refused := _too_long(request)) is not None:
            return refused
        found.body = _body(request)
        return Reply(200, _row(found))

    def _pulls(self, request: Request) -> Reply:
        query = request.query
        known(query, {"state", "head", "base", "sort", "direction", "per_page", "page"})
        if query.get("state", "open") not in ("open", "closed", "all"):
            raise Breach("state")
        if query.get("sort", "created") not in ("created", "updated", "popularity", "long-running"):
            raise Breach("sort")
        rows: list[object] = [
            {
                "number": number,
                "state": "open",
                "head": {"sha": head, "ref": "change", "repo": {"full_name": "fork/stacks"}},
                "base": {"ref": base},
            }
            for number, (head, base) in self.open.items()
        ]
        found, following = page_of(rows, query, 30)
        return Reply(200, found, link(request, following))

    def _status(self, request: Request, commit: str) -> Reply:
        body = fields(request.body, {"state"}, {"target_url", "description", "context"})
        if body["state"] not in ("error", "failure", "pending", "success"):
            raise Breach("state")
        if len(str(body.get("description", ""))) > 140:
            return Reply(422, {"message": "Validation Failed"})
        self.statuses.append({"commit": commit, **body})
        return Reply(201, {"id": 1, **body})


def _body(request: Request) -> str:
    body = fields(request.body, {"body"})["body"]
    if not isinstance(body, str):
        raise Breach("body is text")
    return body


def _too_long(request: Request) -> Reply | None:
    if len(_body(request)) <= MOST:
        return None
    fault = {
        "resource": "IssueComment",
        "code": "unprocessable",
        "field": "data",
        "message": f"Body is too long (maximum is {MOST} characters)",
    }
    return Reply(422, {"message": "Validation Failed", "errors": [fault]})


def _row(note: Note) -> dict[str, object]:
    return {
        "id": note.id,
        "body": note.body,
        "user": {"login": note.author, "id": 1, "type": "User"},
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }
