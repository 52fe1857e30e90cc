"""Plain values as YAML text, in the style of what they replace; in one line, or as a block."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from nvcfplan.located import HIDDEN, core_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDEST: Final = 80
_INDICATORS: Final = frozenset("-?:,[]{}#&*!|>'\"%@` ")
_IN_FLOW: Final = frozenset(",[]{}")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def scalar_text(value: object, *, like: str = "", in_flow: bool = False) -> str:
    """`like`: the text that it takes the place of: its quotes are kept."""
    if not isinstance(value, str):
        return json.dumps(value)
    if like.startswith("'") and "\n" not in value:
        return "'" + value.replace("'", "''") + "'"
    if like.startswith('"') or not _is_plain(value, in_flow=in_flow):
        return json.dumps(value, ensure_ascii=False)
    return value


def is_writable(value: object) -> bool:
    """Not where a template would be seen in it, or what cannot be seen at all."""
    if isinstance(value, dict):
        return all(is_writable(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(is_writable(one) for one in value)
    if not isinstance(value, str):
        return True
    return not ("{{" in value or "{%" in value or HIDDEN.search(value))


def key_text(key: str) -> str:
    is_plain = _PLAIN_KEY.fullmatch(key) and _is_text(key)
    return key if is_plain else json.dumps(key, ensure_ascii=False)


def flow_text(value: object) -> str:
    """In one line: `{ a: 1, b: [x, y] }`."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key_text(key)}: {flow_text(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(flow_text(one) for one in value)}]"
    return scalar_text(value, in_flow=True)


def entry_lines(key: str, value: object, *, indent: int, step: int) -> Sequence[str]:
    """`key: value` as lines of a block; what is too wide for one line has one for each part."""
    lead = " " * indent
    line = f"{lead}{key_text(key)}: {_inline(value)}"
    if len(line) <= WIDEST or not value or not isinstance(value, dict | list):
        return [line]
    return [f"{lead}{key_text(key)}:", *block_lines(value, indent=indent + step, step=step)]


def item_lines(value: object, *, indent: int, step: int) -> Sequence[str]:
    """`- value` as lines of a block."""
    lead = " " * indent
    line = f"{lead}- {_inline(value)}"
    if len(line) <= WIDEST or not value or not isinstance(value, dict):
        return [line]
    first, *rest = block_lines(value, indent=indent + 2, step=step)
    return [f"{lead}- {first.lstrip()}", *rest]


def block_lines(value: object, *, indent: int, step: int) -> Iterator[str]:
    """The parts of a mapping or a list, each in lines of its own."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from entry_lines(key, one, indent=indent, step=step)
    elif isinstance(value, list):
        for one in value:
            yield from item_lines(one, indent=indent, step=step)


def _inline(value: object) -> str:
    return flow_text(value) if isinstance(value, dict | list) else scalar_text(value)


def _is_plain(text: str, *, in_flow: bool) -> bool:
    """Read back as the same text, quotes or no quotes."""
    if not text or not text.isprintable() or text[-1] in ": " or not _is_text(text):
        return False
    is_marked = text[0] in _INDICATORS and not (text[0] in "-?:" and text[1:2].isalnum())
    is_cut = ": " in text or " #" in text or (in_flow and not _IN_FLOW.isdisjoint(text))
    return not is_marked and not is_cut and not text.startswith(("---", "..."))


def _is_text(text: str) -> bool:
    try:
        return core_scalar(text) == text
    except ValueError:
        return False
