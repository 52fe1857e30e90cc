"""The same values written down as many people would: in blocks and in flow, quoted, commented."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def written(value: dict[str, object], seed: int) -> str:
    throw = random.Random(f"writing {seed}")
    cut = throw.choice(("\n", "\n", "\r\n"))
    end = throw.choice((cut, cut, "", f"{cut}# the end{cut}"))
    return cut.join(_Hand(throw).mapping(value, 0)) + end


class _Hand:
    """One author's habits."""

    def __init__(self, throw: random.Random) -> None:
        self._throw = throw
        self._step = throw.choice((2, 4))
        self._is_flush = throw.random() < 0.5

    def mapping(self, value: dict[str, object], indent: int) -> Iterator[str]:
        for key, one in value.items():
            yield from self._comment(indent)
            yield from self._entry(key, one, indent)

    def _entry(self, key: str, value: object, indent: int) -> Iterator[str]:
        lead = " " * indent + self._key(key)
        if isinstance(value, dict | list) and value and indent < 3 * self._step:
            is_flow = indent > 0 and self._throw.random() < 0.3
        else:
            is_flow = True
        if not isinstance(value, dict | list) or not value or is_flow:
            yield f"{lead}: {self._flow(value)}{self._aside()}"
            return
        yield f"{lead}:{self._aside()}"
        if isinstance(value, dict):
            yield from self.mapping(value, indent + self._step)
            return
        dash = indent if self._is_flush else indent + self._step
        for one in value:
            yield from self._item(one, dash)

    def _item(self, value: object, indent: int) -> Iterator[str]:
        if not isinstance(value, dict) or not value or self._throw.random() < 0.3:
            yield f"{' ' * indent}- {self._flow(value)}{self._aside()}"
            return
        first, *rest = self.mapping(value, indent + 2)
        while not first or first.lstrip().startswith("#"):
            yield first
            first, *rest = rest
        yield f"{' ' * indent}- {first.lstrip()}"
        yield from rest

    def _flow(self, value: object) -> str:
        gap = self._throw.choice(("", " "))
        if isinstance(value, dict):
            inner = ", ".join(f"{self._key(key)}: {self._flow(one)}" for key, one in value.items())
            return f"{{{gap}{inner}{gap}}}" if inner else "{}"
        if isinstance(value, list):
            inner = ", ".join(self._flow(one) for one in value)
            return f"[{gap}{inner}{gap}]" if inner else "[]"
        return self._scalar(value)

    def _scalar(self, value: object) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        is_word = value.isidentifier() and value not in ("true", "false", "null")
        if is_word and self._throw.random() < 0.6:
            return value
        if self._throw.random() < 0.5:
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=False)

    def _key(self, key: str) -> str:
        if key.isidentifier() and self._throw.random() < 0.9:
            return key
        return json.dumps(key)

    def _aside(self) -> str:
        return f"  # aside {self._throw.randint(1, 999)}" if self._throw.random() < 0.2 else ""

    def _comment(self, indent: int) -> Iterator[str]:
        if self._throw.random() < 0.2:
            yield f"{' ' * indent}# remark {self._throw.randint(1, 999)}"
        if self._throw.random() < 0.1:
            yield ""
