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
_UNESCAPED: Final = ("", "/", "/:?@!$&'()*+,;=")
_AS_GO_WRITES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_FOR_ADDRESSES: Final = str.maketrans("+/", "-_")
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
        """Raw, as JSON, HTML, URL, hex and base64 write them; longest first, so that none is cut.

        And what is left of one where the text was cut within it.
        """
        for spelling in _spelled(self.values):
            text = text.replace(spelling, _MASK)
        for value in self.values:
            text = _without_ends(text, value)
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


def _without_ends(text: str, value: str) -> str:
    """Whoever bounds a text cuts it anywhere: its end may be a beginning, its beginning an end."""
    if len(value) < _SHORTEST_LINE:
        return text
    begins = text.rfind(value[:_SHORTEST_LINE])
    if begins >= 0 and value.startswith(text[begins:]):
        text = text[:begins] + _MASK
    ends = text.find(value[-_SHORTEST_LINE:]) + _SHORTEST_LINE
    if ends >= _SHORTEST_LINE and value.endswith(text[:ends]):
        text = _MASK + text[ends:]
    return text


def _ways_to_write(value: str) -> set[str]:
    encoded = value.encode("utf-8", "surrogatepass")
    return {
        value,
        *_in_json(value),
        *_in_html(value),
        *_in_urls(encoded),
        *_in_base64(encoded),
        encoded.hex(),
        encoded.hex().upper(),
    }


def _in_json(value: str) -> set[str]:
    """Twice over too, and as Go and PHP write it, which escape more."""
    import json

    once = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    wary = {one.translate(_AS_GO_WRITES) for one in once} | {
        one.replace("/", "\\/") for one in once
    }
    both = once | wary
    return both | {json.dumps(one)[1:-1] for one in both}


def _in_html(value: str) -> set[str]:
    bare = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    quotes = (("&quot;", "&#x27;"), ("&quot;", "&#39;"), ("&#34;", "&#39;"))
    return {bare} | {bare.replace('"', two).replace("'", one) for two, one in quotes}


def _in_urls(encoded: bytes) -> set[str]:
    """A path and a query let more stand than has to be escaped."""
    from urllib.parse import quote, quote_plus

    found = {quote(encoded, safe=kept) for kept in _UNESCAPED} | {quote_plus(encoded)}
    return found | {_PERCENT.sub(lambda one: one[0].lower(), text) for text in found}


def _in_base64(encoded: bytes) -> set[str]:
    """Whole, and within more: wherever it begins in a group of three bytes."""
    import base64

    found = {base64.b64encode(encoded).decode("ascii")}
    for shift, partial in enumerate((0, 2, 3) if len(encoded) >= _SHORTEST_LEARNED else ()):
        text = base64.b64encode(bytes(shift) + encoded).decode("ascii")
        found.add(text[partial : (shift + len(encoded)) * 8 // 6])
    return found | {one.translate(_FOR_ADDRESSES) for one in found}
