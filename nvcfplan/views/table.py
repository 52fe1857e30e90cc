"""Plain tables: the first column to the left, numbers to the right, words to the left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.views.neutralise import columns

if TYPE_CHECKING:
    from collections.abc import Sequence


_INDENT: Final = "  "


def draw_table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """In `width` columns, if the cells but the first leave room. The last column is words.

    Cells are safe text. A first cell too wide has its own line.
    """
    widths = [max(columns(row[at]) for row in (head, *rows)) for at in range(len(head))]
    room = width - len(_INDENT) - sum(one + 2 for one in widths[1:])
    first = min(widths[0], room)
    lines: list[str] = []
    for row in (head, *rows):
        name = row[0]
        if columns(name) > first:
            lines.append(f"{_INDENT}{name}")
            name = ""
        lines.append(f"{_INDENT}{_line(name, first, row[1:], widths[1:])}".rstrip())
    return lines


def _line(name: str, first: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
    return "  ".join((name + " " * (first - columns(name)), *numbers, cells[-1]))
