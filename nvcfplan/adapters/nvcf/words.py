"""Foreign text made fit to show: secrets out, control characters visible, one line, bounded."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LONGEST: Final = 500
_MASK: Final = "(sensitive value)"
_SHORTEST_REDACTED: Final = 4
"""Masking shorter values would mangle every text that holds them."""
_SHORTEST_LEARNED: Final = 8
_SHORTEST_LINE: Final = 12
"""A line of a longer value: shorter ones, such as `}`, say nothing."""
_PERCENT: Final = re.compile("%[0-9A-F]{2}")
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
        for spelling in _spelled(self.values):
            text = text.replace(spelling, _MASK)
        return text

    def shown(self, text: str) -> str:
        return one_line(self.apply(text))


class KnownSecrets:
    """The secret values that this process has met, whoever met them; it forgets none."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._redaction = Redaction()

    def __repr__(self) -> str:
        return f"KnownSecrets({len(self._values)} values)"

    def learn(self, *values: str) -> None:
        """Values that are words, such as `true`, are left out: every text would be mangled."""
        self._values.update((one, None) for one in values if len(one) >= _SHORTEST_LEARNED)

    @property
    def redaction(self) -> Redaction:
        if len(self._redaction.values) != len(self._values):
            self._redaction = Redaction(tuple(self._values))
        return self._redaction


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


@lru_cache(maxsize=8)
def _spelled(values: tuple[str, ...]) -> tuple[str, ...]:
    """Longest first."""
    spellings = {one for value in values for one in _spellings(value)}
    return tuple(sorted(spellings, key=lambda one: (-len(one), one)))


def _spellings(value: str) -> set[str]:
    """Of a value of several lines each of them too: a log shows them one by one."""
    if len(value) < _SHORTEST_REDACTED:
        return set()
    lines = {line for line in value.splitlines() if len(line) >= _SHORTEST_LINE}
    return {spelling for one in {value, *lines} for spelling in _ways_to_write(one)}


def _ways_to_write(value: str) -> set[str]:
    """Loads what it needs when there is a secret: most commands have none."""
    import base64
    import json
    from urllib.parse import quote, quote_plus

    encoded = value.encode("utf-8", "surrogatepass")
    escaped = quote(encoded, safe="")
    in_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {
        value,
        *in_json,
        *(json.dumps(one)[1:-1] for one in in_json),
        escaped,
        _PERCENT.sub(lambda found: found[0].lower(), escaped),
        quote_plus(encoded),
        base64.b64encode(encoded).decode("ascii"),
        base64.urlsafe_b64encode(encoded).decode("ascii"),
        base64.urlsafe_b64encode(encoded).decode("ascii").rstrip("="),
        encoded.hex(),
    }
