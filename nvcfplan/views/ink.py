"""Colour, which never says anything by itself, and the width in which text is drawn."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Final

from nvcfplan.views.neutralise import safe_lines

WIDTH: Final = 80
"""Where nobody says how wide the terminal is."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Draws with colour or without, in so many columns; the words are the same."""

    is_coloured: bool
    width: int = WIDTH

    def green(self, text: str) -> str:
        return self._drawn("green", text)

    def yellow(self, text: str) -> str:
        return self._drawn("yellow", text)

    def red(self, text: str) -> str:
        return self._drawn("red", text)

    def cyan(self, text: str) -> str:
        return self._drawn("cyan", text)

    def bold(self, text: str) -> str:
        return self._drawn("bold", text)

    def faint(self, text: str) -> str:
        return self._drawn("dim", text)

    def title(self, text: str, rest: str = "  ") -> list[str]:
        """A heading of ours, set off."""
        return [self.bold(line) for line in self.folded(text, first="", rest=rest)]

    def _drawn(self, style: str, text: str) -> str:
        """rich is loaded only where there is colour."""
        if not self.is_coloured or not text:
            return text
        from rich.color import ColorSystem
        from rich.style import Style

        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)

    def folded(self, text: str, *, first: str, rest: str) -> list[str]:
        """Prose in lines as wide as there is room, words kept whole; made safe.

        `first` leads the first line, `rest` all others.
        """
        lines: list[str] = []
        for line in safe_lines(text):
            lead = first if not lines else rest
            lines += textwrap.wrap(
                line,
                self.width,
                initial_indent=lead,
                subsequent_indent=rest,
                break_long_words=False,
                break_on_hyphens=False,
            ) or [lead.rstrip()]
        return lines
