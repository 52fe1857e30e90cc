"""GitHub's issues as documented: lists with pull requests among them, deleted ones, turned off.

Source: docs.github.com, REST API: "Issues", "Using pagination".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.forges.server import Breach, Reply, fields, known, listed, page_of

if TYPE_CHECKING:
    from tests.forges.server import FakeForge, Filed, Request

ROOT = "/api/v3"
REPOSITORY = f"{ROOT}/repos/acme/stacks"
MOST = 65_536
LONGEST_TITLE = 256
STATES = {"open": {True}, "closed": {False}, "all": {True, False}}
FILTERS = {"milestone", "state", "assignee", "type", "creator", "mentioned", "labels"}
ORDER = {"sort", "direction", "since", "per_page", "page"}


def routed_issues(forge: FakeForge, request: Request, author: str) -> Reply:
    """Raises: Breach."""
    if forge.issues is None:
        return Reply(410, {"message": "Issues are disabled for this repo"})
    if (request.method, request.path) == ("GET", f"{REPOSITORY}/issues"):
        return _listed(forge, request)
    if (request.method, request.path) == ("POST", f"{REPOSITORY}/issues"):
        return _filed(forge, request, author)
    match = re.fullmatch(rf"{REPOSITORY}/issues/(\d+)", request.path)
    if match is None or request.method != "PATCH":
        raise Breach("no such route")
    if int(match[1]) in forge.deleted:
        return Reply(410, {"message": "This issue was deleted"})
    if (filed := forge.issues.get(int(match[1]))) is None:
        return Reply(404, {"message": "Not Found"})
    return _revised(filed, request, author)


def link(request: Request, following: int) -> dict[str, str]:
    if not following:
        return {}
    return {"Link": f'<http://forge{request.path}?page={following}>; rel="next"'}


def _listed(forge: FakeForge, request: Request) -> Reply:
    query = request.query
    known(query, FILTERS | ORDER)
    states = STATES.get(query.get("state", "open"))
    if states is None:
        raise Breach("state")
    rows: list[object] = [_row(one) for one in listed(forge, query.get("creator"), states=states)]
    found, following = page_of(rows, query, 30)
    return Reply(200, found, link(request, following))


def _filed(forge: FakeForge, request: Request, author: str) -> Reply:
    body = fields(
        request.body, {"title"}, {"body", "assignee", "milestone", "labels", "assignees", "type"}
    )
    if (refused := _too_long(body)) is not None:
        return refused
    labels = body.get("labels", [])
    if not isinstance(labels, list) or not all(isinstance(one, str) for one in labels):
        raise Breach("labels are a list of text")
    return Reply(201, _row(forge.file(author, str(body["title"]), str(body["body"]), labels)))


def _revised(filed: Filed, request: Request, author: str) -> Reply:
    body = fields(
        request.body,
        set(),
        {"title", "body", "state", "state_reason", "milestone", "labels", "assignees", "type"},
    )
    if filed.author != author:
        return Reply(403, {"message": "Must have admin rights to Repository."})
    if (refused := _too_long(body)) is not None:
        return refused
    if body.get("state", "open") not in ("open", "closed"):
        raise Breach("state is open or closed")
    filed.title, filed.body = str(body.get("title", filed.title)), str(body.get("body", filed.body))
    filed.is_open = body["state"] == "open" if "state" in body else filed.is_open
    return Reply(200, _row(filed))


def _too_long(body: dict[str, object]) -> Reply | None:
    for field, most in (("title", LONGEST_TITLE), ("body", MOST)):
        text = body.get(field)
        if not isinstance(text, str):
            raise Breach(f"{field} is text")
        if len(text) > most:
            message = f"{field} is too long (maximum is {most} characters)"
            fault = {"resource": "Issue", "code": "custom", "field": field, "message": message}
            return Reply(422, {"message": "Validation Failed", "errors": [fault]})
    return None


def _row(filed: Filed) -> dict[str, object]:
    row: dict[str, object] = {
        "id": 10_000 + filed.number,
        "number": filed.number,
        "title": filed.title,
        "body": filed.body or None,
        "state": "open" if filed.is_open else "closed",
        "locked": filed.is_locked,
        "labels": [{"name": one} for one in filed.labels],
        "user": {"login": filed.author, "id": 1, "type": "User"},
    }
    return row | ({"pull_request": {"url": "http://forge/pulls/1"}} if filed.is_request else {})
