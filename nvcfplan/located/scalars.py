"""What a plain scalar means: YAML 1.2's core schema, so `no`, `1:30:00` and dates are strings."""

from __future__ import annotations

import math
import re
from typing import Final, TypeAlias

Plain: TypeAlias = str | int | float | bool | None

_LONGEST_NUMBER: Final = 100
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_WORDS: Final[dict[str, Plain]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def core_scalar(text: str) -> Plain:
    """Raises: ValueError, with the reason, for numbers that are not finite or far too long."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > _LONGEST_NUMBER:
            raise ValueError(f"a number of {len(text)} characters")
        return int(text) if text[1:2] not in ("o", "x") else int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("a number that is not finite")
    if _FLOAT.fullmatch(text):
        return _finite(text)
    return text


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number that is not finite")
    return value
