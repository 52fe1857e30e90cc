"""Foreign text made fit to show: secrets out, control characters visible, one line, bounded."""

from __future__ import annotations

import base64
import json
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

LONGEST: Final = 500
_MASK: Final = "(sensitive value)"
_SHORTEST_REDACTED: Final = 4
"""Masking shorter values would mangle every text that holds them."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, repr=False)
class Redaction:
    """The values that must not come back to us in somebody else's words."""

    values: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Redaction({len(self.values)} values)"

    def also(self, *values: str) -> Redaction:
        return Redaction((*self.values, *values))

    def apply(self, text: str) -> str:
        """Raw, as JSON, as URL and as base64 writes them; longest first, so that none is cut."""
        spellings = {one for value in self.values for one in _spellings(value)}
        for spelling in sorted(spellings, key=lambda one: (-len(one), one)):
            text = text.replace(spelling, _MASK)
        return text

    def shown(self, text: str) -> str:
        return one_line(self.apply(text))


def one_line(text: str, longest: int = LONGEST) -> str:
    """Runs of white space become one space; control, bidi and zero-width characters `\\u202e`."""
    flat = " ".join(text.split())
    visible = "".join(_visible(character) for character in flat[: longest + 1])
    return visible if len(visible) <= longest else visible[: longest - 1] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _spellings(value: str) -> set[str]:
    if len(value) < _SHORTEST_REDACTED:
        return set()
    encoded = value.encode("utf-8", "surrogatepass")
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(encoded, safe=""),
        base64.b64encode(encoded).decode("ascii"),
        base64.urlsafe_b64encode(encoded).decode("ascii"),
        encoded.hex(),
    }
