"""What comes in and goes out, free of any HTTP library; and JSON as the service reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from nvcfplan.emulator.refusals import PROBLEM, Refusal, bad_request, problem

MOST_BYTES = 6 * 1024 * 1024
"""Source: nvcf-api.md 7 (payload size)."""

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """`path` without query; `query` keeps the last of several values."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    body: bytes = b""
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def reply_of(content: object | None) -> Reply:
    """200 with JSON, or 204 without content. Source: nvcf-api.md 1.3."""
    if content is None:
        return Reply(status=204)
    return Reply(status=200, body=json.dumps(content, ensure_ascii=False).encode())


def reply_to(refusal: Refusal, path: str) -> Reply:
    body = json.dumps(problem(refusal, path), ensure_ascii=False).encode()
    return Reply(status=refusal.status, body=body, media_type=PROBLEM)


def json_object(body: bytes) -> dict[str, object]:
    """Raises Refusal: not JSON, not an object, a key twice, too large."""
    if len(body) > MOST_BYTES:
        raise Refusal(413, f"Request body is larger than {MOST_BYTES} bytes")
    try:
        value: object = json.loads(
            body.decode(), object_pairs_hook=_distinct, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise bad_request(f"Failed to read request: {_why(error)}") from error
    if not isinstance(value, dict):
        raise bad_request("Failed to read request: a JSON object is expected")
    return value


class _Unreadable(ValueError):
    """Its text is ours, so it may be shown."""


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, _Unreadable) else "the body is not JSON"


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unreadable(f"Duplicate field '{twice[:100]}'")
    return found


def _no_constant(name: str) -> object:
    raise _Unreadable(f"{name} is not JSON")
