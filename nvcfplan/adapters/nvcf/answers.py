"""What an answer's bytes say: JSON or not, the model it should fit, and the words of an error.

Both styles of error body are read wherever they come from, and so are empty bodies, `{"error"}`,
`{"message"}`, HTML pages and cut-off JSON. Source: nvcf-api.md 4.1.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from nvcfplan.adapters.nvcf.words import one_line
from nvcfplan.errors import RemoteGarbled
from nvcfplan.wire.protocol import Answer, GatewayError, ProblemDetail
from nvcfplan.wire.shapes import BadShape, read_as

if TYPE_CHECKING:
    from collections.abc import Iterator

AnswerT = TypeVar("AnswerT", bound=Answer)

_HTML = re.compile(rb"\s*<(?:!doctype|html|head|body)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MOST_TEXT: Final = 65_536
_MOST_FAULTS: Final = 3


class NotJson(ValueError):
    """`str` says what is there instead; it never quotes more than a page's title."""


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """`text`: the explanation, "" if there is none. `searched`: all of the body's words.

    `is_structured`: the body is one of the API's own error forms, not a page of something between.
    """

    text: str
    searched: str
    request_id: str | None
    is_structured: bool


def read_json(body: bytes) -> object:
    """Raises: NotJson."""
    if not body.strip():
        raise NotJson("an empty body")
    if _HTML.match(body):
        raise NotJson(f"an HTML page{_title(body)}")
    try:
        value: object = json.loads(body, parse_constant=_refuse_constant)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise NotJson("JSON nested too deep to be read") from None
    except UnicodeError:
        raise NotJson("JSON whose text is not Unicode") from None
    except ValueError:
        raise NotJson(f"{len(body)} bytes that are not whole JSON") from None
    return value


def fit(model: type[AnswerT], value: object, route: str) -> AnswerT:
    """Raises: RemoteGarbled, naming the fields that do not fit, never their values."""
    if not isinstance(value, dict):
        raise garbled(route, "the whole must be an object")
    try:
        return read_as(model, value)
    except BadShape as shape:
        faults = [f"{one.path} {one.message}" for one in shape.misfits]
    more = len(faults) - _MOST_FAULTS
    named = "; ".join(faults[:_MOST_FAULTS]) + (f"; and {more} more" if more > 0 else "")
    raise garbled(route, one_line(named))


def garbled(route: str, what: str, status: int | None = None) -> RemoteGarbled:
    return RemoteGarbled(
        f"{route} answered something that is not the NVCF API: {what}",
        route=route,
        status=status,
        detail="the answer does not have the shape that the API's contract gives it",
        remedy="check that the endpoint is the NVCF API and that no proxy or sign-in page "
        "answers in its place",
    )


def error_words(body: bytes) -> ErrorWords:
    """In the order in which NVIDIA's own clients look. Source: nvcf-api.md 4.1."""
    try:
        value = read_json(body)
    except NotJson as fault:
        raw = body[:_MOST_TEXT].decode("utf-8", "replace")
        return ErrorWords("" if not body.strip() else _plain(raw, str(fault)), raw, None, False)
    searched = " ".join(_strings(value))[:_MOST_TEXT]
    if not isinstance(value, dict):
        return ErrorWords(searched, searched, None, False)
    text, request_id = _explanation(value)
    return ErrorWords(text, searched, request_id, bool(text))


def _explanation(value: dict[str, object]) -> tuple[str, str | None]:
    try:
        status = read_as(GatewayError, value).request_status
        words = (status.status_code, status.status_description)
        return ": ".join(filter(None, words)), status.request_id
    except BadShape:
        pass
    try:
        problem = read_as(ProblemDetail, value)
    except BadShape:
        problem = ProblemDetail()
    for text in (problem.detail, value.get("message"), value.get("error"), problem.title):
        if isinstance(text, str) and text:
            return text, None
    return "", None


def _plain(raw: str, what: str) -> str:
    looks_like_text = not raw.lstrip().startswith(("<", "{", "[")) and raw.isprintable()
    return raw if looks_like_text else what


def _title(body: bytes) -> str:
    found = _TITLE.search(body[:_MOST_TEXT].decode("utf-8", "replace"))
    return f" titled {' '.join(found.group(1).split())!r}" if found else ""


def _strings(value: object) -> Iterator[str]:
    """Every string of a JSON value, in document order; not recursive: the depth is foreign."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting.extend(reversed(list(one.values())))
        elif isinstance(one, list):
            waiting.extend(reversed(one))


def _refuse_constant(name: str) -> object:
    raise ValueError(name)
