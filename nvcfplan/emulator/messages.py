"""What comes in and goes out, free of any HTTP library; and JSON as the service reads it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nvcfplan.emulator.refusals import PROBLEM, Refusal, bad_request
from nvcfplan.emulator.styles import Style, error_body, style_of

MOST_BYTES = 6 * 1024 * 1024
"""Source: nvcf-api.md 7 (payload size)."""

MOST_LEVELS = 200
"""Of nested arrays and objects in a body."""

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """`path` without query. `query`: several values of one name stand joined by commas.

    `media_type`: of the body, without parameters, lower case; None: not said.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = None
    accept: str | None = None
    media_type: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    body: bytes = b""
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def incoming(
    method: str,
    path: str,
    *,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
) -> Incoming:
    """From what a server or a transport has; `headers` by lower-case name."""
    values: dict[str, list[str]] = {}
    for name, value in query:
        values.setdefault(name, []).append(value)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Incoming(
        method=method,
        path=path,
        query={name: ",".join(found) for name, found in values.items()},
        authorization=headers.get("authorization"),
        accept=headers.get("accept"),
        media_type=media_type or None,
        body=body,
    )


def reply_of(content: object | None) -> Reply:
    """200 with JSON, or 204 without content. Source: nvcf-api.md 1.3."""
    if content is None:
        return Reply(status=204)
    return Reply(status=200, body=encoded(content))


def encoded(content: object) -> bytes:
    """UTF-8. Half a surrogate pair, which JSON can hold, becomes `?`, as in Java."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def reply_to(refusal: Refusal, path: str, *, is_gateway: bool = False, nonce: str = "") -> Reply:
    """In the style that the path has; `nonce` as in `error_body`."""
    style = style_of(path, is_gateway=is_gateway)
    return Reply(
        status=refusal.status,
        body=encoded(error_body(refusal, path, style=style, nonce=nonce)),
        media_type=PROBLEM if style is Style.SERVICE else JSON,
        headers=refusal.headers,
    )


def too_large() -> Refusal:
    return Refusal(413, f"Request body is larger than {MOST_BYTES} bytes")


def json_object(body: bytes) -> dict[str, object]:
    """Raises Refusal: not JSON, not an object, a key twice, too large or too deep."""
    if len(body) > MOST_BYTES:
        raise too_large()
    try:
        value: object = json.loads(
            body.decode(),
            object_pairs_hook=_distinct,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        _refuse_deep(value)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"Failed to read request: {_why(error)}") from error
    if not isinstance(value, dict):
        raise bad_request("Failed to read request: a JSON object is expected")
    return _storable(value) if b"\\ud" in body.lower() else value


def _refuse_deep(value: object) -> None:
    """Level by level, since what is looked for would exhaust a stack."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise _Unreadable(f"nested more than {MOST_LEVELS} levels deep")


def _finite(text: str) -> float:
    """What would be infinite could not be shown again."""
    value = float(text)
    if math.isinf(value):
        raise _Unreadable(f"Numeric value ({text[:40]}) out of range")
    return value


def _storable(value: dict[str, object]) -> dict[str, object]:
    """Without halves of surrogate pairs, which no database takes."""
    found: dict[str, object] = json.loads(encoded(value))
    return found


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
