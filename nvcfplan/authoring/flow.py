"""Flow mappings and sequences (`{...}`, `[...]`) with some parts less and some more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nvcfplan.authoring.splicing import (
    Splice,
    break_of,
    line_end,
    line_start,
    next_line,
    spliced,
)
from nvcfplan.located import BREAK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.located import Range


class Part(NamedTuple):
    """`at`: with its key, without the comma behind it."""

    at: Range
    is_kept: bool


def reflowed(
    text: str, whole: Range, parts: Sequence[Part], added: Sequence[str], inner: Sequence[Splice]
) -> Iterator[Splice]:
    """`inner`: changes within the parts that are kept; they are among what is given back."""
    start, end = whole
    if BREAK.search(text, start, end) is None or not any(one.is_kept for one in parts):
        yield _rewritten(text, whole, parts, added, inner)
        return
    yield from inner
    for one in parts:
        if not one.is_kept:
            yield _left_out(text, one.at)
    if added:
        yield from _behind(text, parts, added)


def _rewritten(
    text: str, whole: Range, parts: Sequence[Part], added: Sequence[str], inner: Sequence[Splice]
) -> Splice:
    start, end = whole
    pieces = []
    for (first, last), is_kept in parts:
        if is_kept:
            within = [one for one in inner if first <= one.start and one.end <= last]
            pieces.append(spliced(text[first:last], within, offset=first))
    is_empty_mapping = text[start] == "{" and not parts
    gap = " " if text[start + 1] == " " or is_empty_mapping else ""
    joined = ", ".join((*pieces, *added))
    inside = f"{gap}{joined}{gap}" if joined else ""
    return Splice(start, end, f"{text[start]}{inside}{text[end - 1]}")


def _left_out(text: str, at: Range) -> Splice:
    """With the comma behind it; with its line, where nothing else stands in that."""
    first, last = at[0], _behind_comma(text, at[1])
    begin, rest = line_start(text, first), text[last : line_end(text, last)].strip(" \t")
    if not text[begin:first].strip(" \t") and (not rest or rest.startswith("#")):
        return Splice(begin, next_line(text, last), "")
    while text[last : last + 1] == " ":
        last += 1
    return Splice(first, last, "")


def _behind(text: str, parts: Sequence[Part], added: Sequence[str]) -> Iterator[Splice]:
    """Each on a line of its own, indented as the last part is."""
    first, last = parts[-1].at
    has_comma = _behind_comma(text, last) > last
    begin = line_start(text, first)
    lead = text[begin:first] if not text[begin:first].strip(" \t") else " " * (first - begin)
    if not has_comma and parts[-1].is_kept:
        yield Splice(last, last, ",")
    cut = break_of(text)
    lines = f",{cut}".join(f"{lead}{one}" for one in added)
    at = next_line(text, _behind_comma(text, last))
    closing = text[last:at]
    if BREAK.search(closing) is None or "}" in closing or "]" in closing:
        yield Splice(last, last, f"{cut}{lines}")
    else:
        yield Splice(at, at, f"{lines},{cut}")


def _behind_comma(text: str, offset: int) -> int:
    """Of the comma that follows, if one does."""
    at = offset
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return at + 1 if text[at : at + 1] == "," else offset
