"""Bytes -> JSON values, when the bytes may be anybody's; and values -> their one form in bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvcfplan.model import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES: Final = 64 * 1024 * 1024
"""A plan of 10,000 functions has about a third of this."""


class Unreadable(ValueError):
    """Not JSON, or JSON that no document of ours is; the text says which, without contents."""


def parse_object(data: bytes) -> dict[str, object]:
    """One JSON object. Raises: Unreadable."""
    if len(data) > MOST_BYTES:
        raise Unreadable(f"it has {len(data):,} bytes; at most {MOST_BYTES:,} are read")
    try:
        parsed: object = json.loads(
            data.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise Unreadable(f"it is not JSON: {error.msg} at {place}") from error
    except RecursionError as error:
        raise Unreadable("it is nested too deeply") from error
    except ValueError as error:
        raise Unreadable(f"it is not JSON that can be compared: {error}") from error
    if not isinstance(parsed, dict):
        raise Unreadable("it is JSON, but not an object")
    return parsed


def canonical_bytes(value: object) -> bytes:
    """Sorted keys, no spaces, a newline at the end.

    Half a surrogate pair, which a server may have sent, is written as its JSON escape.
    """
    return canonical_json(value).encode("utf-8", "backslashreplace") + b"\n"


def first_difference(left: object, right: object, path: str = "") -> str | None:
    """Where two JSON values differ, such as `steps[0].acquire`; None where they do not."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = sorted(left.keys() | right.keys())
        inner = (f"{path}.{name}" if path else name for name in names)
        pairs = [(left.get(name, _ABSENT), right.get(name, _ABSENT)) for name in names]
        return _first(zip(inner, pairs, strict=True))
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        inner = (f"{path}[{index}]" for index in range(len(left)))
        return _first(zip(inner, zip(left, right, strict=True), strict=True))
    return None if type(left) is type(right) and left == right else path


_ABSENT: Final = object()


def _first(places: Iterable[tuple[str, tuple[object, object]]]) -> str | None:
    found = (first_difference(left, right, path) for path, (left, right) in places)
    return next((path for path in found if path is not None), None)


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not a JSON number")
