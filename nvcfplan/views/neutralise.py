"""Foreign text made harmless for a terminal: what acts or hides is shown as its code point."""

from __future__ import annotations

import unicodedata
from typing import Final

_ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, bidi and zero-width characters, half surrogate pairs, unassigned, line separators."""

_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing."""


def safe(text: str) -> str:
    """On one line: an escape becomes the six characters of its `\\u001b`, a newline `\\u000a`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def safe_lines(text: str) -> list[str]:
    """As `safe`, but newlines separate lines; a tab is a space."""
    return [safe(line.replace("\t", " ")) for line in text.split("\n")]


def columns(text: str) -> int:
    """How wide a terminal draws it; for text that is safe."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _ACTING and character not in _BLANK:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
