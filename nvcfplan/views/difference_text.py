"""The lines in which two texts differ, as `diff -u` writes them, with its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.views.ink import Ink
from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from collections.abc import Sequence


def render_difference(lines: Sequence[str], *, colour: bool) -> str:
    """Never folded: a line is a line of the file."""
    ink = Ink(colour)
    return "\n".join(_inked(safe(line), ink) for line in lines)


def _inked(line: str, ink: Ink) -> str:
    if line.startswith(("+++", "---")):
        return ink.bold(line)
    if line.startswith("@@"):
        return ink.cyan(line)
    if line.startswith("+"):
        return ink.green(line)
    return ink.red(line) if line.startswith("-") else line
