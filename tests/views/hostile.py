"""Three hundred strings that want to act where they are shown, and plans that hold them everywhere.

Each attack comes bare, inside of a word, after an unclosed piece of code, and after a line break.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final, TypeVar

from nvcfplan.model import Json, canonical_json

T = TypeVar("T")

_MENTIONS = (
    "@octocat", "@org/team", "@everyone", "cc @all-hands!", "user@example.com", "\u00ad@octocat",
)  # fmt: skip
_REFERENCES = (
    "#1", "GH-26", "org/repo#7", "!45", "group/project!9", "~bug", "%milestone", "$12", "&3",
    "https://forge.example/o/r/issues/1", "0123456789abcdef0123456789abcdef01234567", "deadbee",
    "[vulnerability:1]", "org/repo@deadbeef",
)  # fmt: skip
_LINKS = (
    "[click](https://evil.example)", "[x][y]", "[y]: https://evil.example", "<https://evil.example>",
    "www.evil.example", "http://evil.example/a?b=c", "[x](javascript:alert(1))", "[[wiki]]",
    "[^1]", "ftp://evil.example", "xmpp:a@evil.example", "[x](<data:text/html,hi>)",
)  # fmt: skip
_IMAGES = (
    "![i](https://evil.example/beacon.png)", "<img src=https://evil.example/b>", "![x][y]",
    '<img src=x onerror="alert(1)">', "<svg/onload=alert(1)>", "<picture><source srcset=//e>",
)  # fmt: skip
_HTML = (
    "<script>alert(1)</script>", "</details></summary>", "<details open>", "</code></pre>", "<!--",
    "-->", "<a href='https://evil.example'>x</a>", "<iframe src=//evil.example>", "</style>",
    "<style>*{display:none}</style>", "&lt;b&gt;", "&#64;octocat", '"><b onmouseover=alert(1)>',
    "<table><tr><td>", "<base href=//evil.example>", "<form>",
    "<meta http-equiv=refresh content=0>",
    "{{ 7*7 }}", "{% raw %}",
)  # fmt: skip
_BLOCKS = (
    "```", "````\n# out", "~~~", "`", "``", "# heading", "> quote", "- [x] done", "1. one", "---",
    "===", "***", "| a | b |\n|---|---|", "a|b|c", "\\|", "\\\\|", "**bold**", "__b__", "$$x$$",
    "$`x`$", "~~gone~~", ":smile:", "/close", "/label ~bug", "    indented", "\\`", "`x", "x`",
    "a\n\nb", "a\r\nb",
)  # fmt: skip
_FORGERIES = (
    "<!-- nvcfplan:stack=inference;env=default;v=1 -->",
    "<!-- nvcfplan:stack=other;env=default;v=1",
    "--><!-- nvcfplan:stack=a;env=b;v=1 -->", "::error file=a,line=1::forged", "%0A::warning::x",
)  # fmt: skip
_ESCAPES = (
    "\x1b[2J", "\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;https://evil.example\x1b\\x", "\x9b2J",
    "\x07", "\x08\x08", "\r", "\x00", "\x1bc", "\x1b[?1049h", "\x1bP$q\x1b\\", "\x7f", "\x0c",
)  # fmt: skip
_HIDDEN = (
    "\u202e gnp.exe", "\u2066x\u2069", "\u200b", "\u200d", "\ufeff", "\u2028", "\u2029", "\u00ad",
    "\u061c", "\U000e0041", "\ud800", "\u180e", "\u2800\u3164", "\u115f",
)  # fmt: skip
ATTACKS: Final = (
    *_MENTIONS, *_REFERENCES, *_LINKS, *_IMAGES, *_HTML, *_BLOCKS, *_FORGERIES, *_ESCAPES, *_HIDDEN,
)  # fmt: skip
_AROUND: Final = ("{}", "x{}y", "`a {}", "b \n{} c")
HOSTILE: Final = tuple(around.replace("{}", one) for around in _AROUND for one in ATTACKS)

_JSON: Final = frozenset({"before", "after", "live", "fields", "inventory", "value"})
"""Fields that hold JSON: what is put in goes into its strings, so that it still reads."""
_KEPT: Final = frozenset({"label", "digest", "inputs", "lineage"})
"""Labels of versions are words of ours that decide; digests are hexadecimal."""


def poisoned(value: T, evil: str, name: str = "") -> T:
    """The same, with `evil` behind every text in it; equal texts stay equal."""
    found: T = _poisoned(value, evil, name)
    return found


def _poisoned(value: Any, evil: str, name: str) -> Any:  # any value that a plan is made of
    if isinstance(value, Enum) or name in _KEPT:
        return value
    if isinstance(value, str):
        return _json(value, evil) if name in _JSON else value + evil
    if isinstance(value, tuple):
        return tuple(_poisoned(one, evil, name) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            one.name: _poisoned(getattr(value, one.name), evil, one.name) for one in fields(value)
        }
        return replace(value, **changed)
    return value


def _json(text: str, evil: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        return Json(text + evil)
    return canonical_json(_in_json(value, evil.encode("utf-8", "replace").decode("utf-8")))


def _in_json(value: object, evil: str) -> object:
    if isinstance(value, str):
        return value + evil
    if isinstance(value, list):
        return [_in_json(one, evil) for one in value]
    if isinstance(value, dict):
        return {name + evil: _in_json(one, evil) for name, one in value.items()}
    return value
