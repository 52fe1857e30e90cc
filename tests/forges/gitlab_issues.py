"""GitLab's issues as documented; where they are turned off their list is empty.

Source: docs.gitlab.com, REST API: "Issues", "Pagination".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.forges.server import Breach, Reply, fields, known, listed, page_of

if TYPE_CHECKING:
    from tests.forges.server import FakeForge, Filed, Request

ROOT = "/api/v4"
PROJECT = f"{ROOT}/projects/42"
MOST = 1_048_576
LONGEST_TITLE = 255
STATES = {"opened": {True}, "closed": {False}, "all": {True, False}}
EVENTS = {"close": False, "reopen": True}


def routed_issues(forge: FakeForge, request: Request, author: str) -> Reply:
    """Raises: Breach."""
    if (request.method, request.path) == ("GET", f"{PROJECT}/issues"):
        return _listed(forge, request)
    if (request.method, request.path) == ("POST", f"{PROJECT}/issues"):
        return _filed(forge, request, author)
    match = re.fullmatch(rf"{PROJECT}/issues/(\d+)", request.path)
    if match is None or request.method != "PUT":
        raise Breach("no such route")
    if (filed := (forge.issues or {}).get(int(match[1]))) is None:
        return Reply(404, {"message": "404 Not found"})
    return _revised(filed, request, author)


def _listed(forge: FakeForge, request: Request) -> Reply:
    query = request.query
    known(query, {"scope", "state", "author_id", "labels", "order_by", "sort", "search", "in"}
          | {"per_page", "page"})  # fmt: skip
    if query.get("scope", "created_by_me") not in ("created_by_me", "assigned_to_me", "all"):
        raise Breach("scope")
    states = STATES.get(query.get("state", "all"))
    if states is None:
        raise Breach("state")
    rows: list[object] = [_row(one) for one in listed(forge, query.get("author_id"), states=states)]
    found, following = page_of(rows, query, 20)
    return Reply(200, found, {"X-Next-Page": str(following or "")})


def _filed(forge: FakeForge, request: Request, author: str) -> Reply:
    body = fields(request.body, {"title"}, {"description", "labels", "confidential", "issue_type"})
    if forge.issues is None:
        return Reply(403, {"message": "403 Forbidden"})
    if (refused := _too_long(body)) is not None:
        return refused
    labels = body.get("labels", "")
    if not isinstance(labels, str):
        raise Breach("labels are text, with commas between")
    described = str(body.get("description", ""))
    filed = forge.file(author, str(body["title"]), described, labels.split(",") if labels else ())
    return Reply(201, _row(filed))


def _revised(filed: Filed, request: Request, author: str) -> Reply:
    body = fields(request.body, set(), {"title", "description", "state_event", "labels"})
    if filed.author != author:
        return Reply(403, {"message": "403 Forbidden"})
    if (refused := _too_long(body)) is not None:
        return refused
    filed.title = str(body.get("title", filed.title))
    filed.body = str(body.get("description", filed.body))
    if "state_event" in body:
        if body["state_event"] not in EVENTS:
            raise Breach("state_event is close or reopen")
        filed.is_open = EVENTS[str(body["state_event"])]
    return Reply(200, _row(filed))


def _too_long(body: dict[str, object]) -> Reply | None:
    for field, most in (("title", LONGEST_TITLE), ("description", MOST)):
        text = body.get(field)
        if not isinstance(text, str):
            raise Breach(f"{field} is text")
        if len(text) > most:
            return Reply(400, {"message": {field: [f"is too long (maximum is {most} characters)"]}})
    return None


def _row(filed: Filed) -> dict[str, object]:
    return {
        "id": 10_000 + filed.number,
        "iid": filed.number,
        "title": filed.title,
        "description": filed.body or None,
        "state": "opened" if filed.is_open else "closed",
        "discussion_locked": True if filed.is_locked else None,
        "labels": filed.labels,
        "author": {"id": int(filed.author), "username": f"user{filed.author}"},
    }
