"""One journal record a line: `LENGTH CRC32 RECORD`. Pure.

What was being written when the power went is at the end and cut short, or filled with zeros: it
was never acknowledged, so it is dropped. Anything else that does not read is damage.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

_HEAD = re.compile(rb"(\d{1,10}) ([0-9a-f]{8}) ")


@dataclass(frozen=True, slots=True)
class Framed:
    """`length`: bytes up to the end of the last whole record; what follows is a torn tail."""

    records: tuple[bytes, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Damaged:
    """`line`: 1-based number of the record that does not read. `records`: those before it."""

    line: int
    records: tuple[bytes, ...] = ()


def frame(record: bytes) -> bytes:
    return b"%d %08x %b\n" % (len(record), zlib.crc32(record), record)


def unframe(content: bytes) -> Framed | Damaged:
    records: list[bytes] = []
    position = 0
    while position < len(content):
        end = _end_of_frame(content, position)
        if end is None:
            if _is_torn(content, position):
                break
            return Damaged(len(records) + 1, tuple(records))
        head = _HEAD.match(content, position)
        assert head is not None
        records.append(content[head.end() : end - 1])
        position = end
    return Framed(tuple(records), position)


def _end_of_frame(content: bytes, position: int) -> int | None:
    """One past the line end of a frame that is whole and true; else None."""
    head = _HEAD.match(content, position)
    if head is None:
        return None
    end = head.end() + int(head.group(1))
    record = content[head.end() : end]
    is_whole = content[end : end + 1] == b"\n"
    return end + 1 if is_whole and zlib.crc32(record) == int(head.group(2), 16) else None


def _is_torn(content: bytes, position: int) -> bool:
    """Cut short, or never filled, and no whole record anywhere behind it."""
    rest = content[position:]
    if _is_followed(content, position):
        return False
    if rest.endswith(b"\0"):
        return b"\n" not in rest
    head = _HEAD.match(rest)
    if head is None:
        return b"\n" not in rest and len(rest) < len("9999999999 ffffffff ")
    return len(rest) <= head.end() + int(head.group(1))


def _is_followed(content: bytes, position: int) -> bool:
    """A damaged length may promise more than the file holds: then records still follow it."""
    line = content.find(b"\n", position)
    while line != -1:
        if _end_of_frame(content, line + 1) is not None:
            return True
        line = content.find(b"\n", line + 1)
    return False
