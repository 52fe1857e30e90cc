"""What gives way, and in which order, where a text has to stay under a limit.

A part has several forms, from all of it down to what must never be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`forms`: from the longest to the shortest. `rank`: the lowest gives way first.

    `name`: what to say of it where it is not whole.
    """

    name: str
    forms: tuple[str, ...]
    rank: int


def fitted(
    parts: Sequence[Part], budget: int, draw: Callable[[Sequence[str], Sequence[str]], str]
) -> str:
    """`draw` makes the whole of the parts' texts and of the names of those cut short.

    `budget` in bytes of UTF-8; what has no shorter form is drawn even beyond it.
    """
    chosen = [0] * len(parts)
    for at in sorted(range(len(parts)), key=lambda one: parts[one].rank):
        while True:
            cut = [part.name for part, form in zip(parts, chosen, strict=True) if form]
            texts = [part.forms[form] for part, form in zip(parts, chosen, strict=True)]
            text = draw(texts, cut)
            if len(text.encode("utf-8")) <= budget:
                return text
            if chosen[at] + 1 == len(parts[at].forms):
                break
            chosen[at] += 1
    return text
