"""One file's text, and how an offset in it becomes line, column and byte."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final, TypeAlias

from nvcfplan.diagnostics import Checked, Diagnostic, Position, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Range: TypeAlias = tuple[int, int]
"""Offsets into a source's `parsed` text, in characters, the end not included."""

MOST_BYTES: Final = 8 * 1024 * 1024

HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What cannot be seen, or turns around what is seen: control, bidi, zero-width, half pairs."""

BREAK: Final = re.compile(r"\r\n|\r|\n")


class Source:
    """`parsed` is what the parser is given in place of `text`: without hidden characters, and
    perhaps with characters more, at the offsets `inserted`. All offsets are into `parsed`.
    """

    __slots__ = ("_inserted", "_mark_bytes", "_starts", "file", "parsed", "text")

    def __init__(
        self, file: str, text: str, *, parsed: str | None = None, inserted: tuple[int, ...] = ()
    ) -> None:
        self._mark_bytes = 3 if text.startswith("\ufeff") else 0
        self.file = file
        self.text = text.removeprefix("\ufeff")
        self.parsed = HIDDEN.sub("\ufffd", self.text) if parsed is None else parsed
        self._inserted = inserted
        self._starts: list[int] | None = None

    def encoded(self, text: str) -> bytes:
        """The file, were this its text: with the mark at its beginning, if it has one."""
        return (("\ufeff" if self._mark_bytes else "") + text).encode("utf-8")

    def position(self, offset: int) -> Position:
        index = self.index(offset)
        starts = self._line_starts()
        line = bisect_right(starts, index)
        before = self.text[:index]
        byte = index if before.isascii() else len(before.encode("utf-8", "surrogatepass"))
        return Position(line, index - starts[line - 1] + 1, byte + self._mark_bytes)

    def span(self, start: int, end: int) -> Span:
        return Span(self.file, self.position(start), self.position(end))

    def line(self, number: int, concealed: Iterable[Range] = ()) -> str:
        """The line without its break; what is concealed is overwritten with asterisks."""
        begin = self._line_starts()[number - 1]
        found = BREAK.search(self.text, begin)
        text = self.text[begin : found.start() if found else None]
        for start, end in concealed:
            first = max(self.index(start) - begin, 0)
            last = min(self.index(end) - begin, len(text))
            if first < last:
                text = text[:first] + "*" * (last - first) + text[last:]
        return text

    def with_insertions(self, insertions: Sequence[tuple[int, str]]) -> Source:
        """`insertions`: offsets into `text`, ascending, and the character put in before each."""
        pieces, last = [], 0
        for index, character in insertions:
            pieces += [self.parsed[last:index], character]
            last = index
        inserted = tuple(index + count for count, (index, _) in enumerate(insertions))
        text = "\ufeff" + self.text if self._mark_bytes else self.text
        parsed = "".join((*pieces, self.parsed[last:]))
        return Source(self.file, text, parsed=parsed, inserted=inserted)

    def line_count(self) -> int:
        return len(self._line_starts())

    def index(self, offset: int) -> int:
        """Where in `text` that offset of `parsed` stands."""
        return min(offset - bisect_left(self._inserted, offset), len(self.text))

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(found.end() for found in BREAK.finditer(self.text))]
        return self._starts


def decode_source(content: bytes, file: str) -> Checked[Source]:
    """The source in a file's bytes: UTF-8, and not more than `MOST_BYTES`."""
    if len(content) > MOST_BYTES:
        return Checked(None, (too_large(Source(file, ""), len(content)),))
    try:
        return Checked(Source(file, content.decode("utf-8")), ())
    except UnicodeDecodeError as error:
        source = Source(file, content[: error.start].decode("utf-8"))
        end = len(source.text)
        fault = Diagnostic(
            code="not-utf8",
            severity=Severity.ERROR,
            summary=f"byte {error.start} (0x{content[error.start]:02x}) is not UTF-8",
            remedy="save the file as UTF-8",
            span=source.span(end, end),
        )
        return Checked(None, (fault,))


def too_large(source: Source, size: int) -> Diagnostic:
    return Diagnostic(
        code="file-too-large",
        severity=Severity.ERROR,
        summary=f"the file has {size} bytes; at most {MOST_BYTES} are read",
        remedy="split it into several files of one stack",
        span=source.span(0, 0),
    )
