"""Changes of a text by position: what is replaced by what, and the lines around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nvcfplan.located import BREAK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Splice(NamedTuple):
    """From `start` to before `end`, in characters, `text` takes the place of what stands there."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice], *, offset: int = 0) -> str:
    """`offset`: where in the whole the text begins. None of the splices overlaps another; of those
    at one place the order is kept.
    """
    pieces, last = [], 0
    for one in sorted(splices, key=lambda one: (one.start, one.end)):
        assert one.start - offset >= last, one
        pieces += [text[last : one.start - offset], one.text]
        last = one.end - offset
    return "".join((*pieces, text[last:]))


def line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def line_end(text: str, offset: int) -> int:
    """Where the line's break begins, or the text ends."""
    found = BREAK.search(text, offset)
    return found.start() if found else len(text)


def next_line(text: str, offset: int) -> int:
    found = BREAK.search(text, offset)
    return found.end() if found else len(text)


def break_of(text: str) -> str:
    """The one that the text uses first."""
    found = BREAK.search(text)
    return found.group() if found else "\n"


def without_lines(text: str, start: int, end: int) -> Splice:
    """The lines from that of `start` to that of `end`, with the break of the last one."""
    return Splice(line_start(text, start), next_line(text, end), "")


def without_all(text: str, ranges: Sequence[tuple[int, int]]) -> Iterator[Splice]:
    """As `without_lines`, for ranges in order; those whose lines follow one another are one."""
    left = list(ranges)
    while left:
        start, end = left.pop(0)
        while left and line_start(text, left[0][0]) == next_line(text, end):
            _, end = left.pop(0)
        yield without_lines(text, start, end)


def new_lines(text: str, after: int, lines: Iterable[str], *, instead: bool) -> Splice:
    """Behind the line of `after`. `instead`: that line is left out."""
    at, cut = next_line(text, after), break_of(text)
    added = cut.join(lines)
    if at < len(text) or text.endswith(("\n", "\r")):
        return Splice(at, at, added + cut)
    return Splice(at, at, added if instead else cut + added)
