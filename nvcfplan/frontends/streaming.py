"""JSON lines on standard output: `version` first, whatever comes, and each line at once."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nvcfplan.documents import encode_stream_version
from nvcfplan.frontends.terminal import ReportUnwritten

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.frontends.terminal import Terminal


def stream(terminal: Terminal, encode: Callable[[datetime], bytes]) -> None:
    """`encode` is given when the line is written. Raises: ReportUnwritten."""
    now = datetime.now(UTC)
    if not terminal.has_streamed:
        terminal.has_streamed = True
        terminal.report(encode_stream_version(now).decode("ascii"))
    terminal.report(encode(now).decode("ascii"))


def stream_quietly(terminal: Terminal, encode: Callable[[datetime], bytes]) -> None:
    """Of a run: it goes on though nobody can be told of it; its end will say so."""
    with suppress(ReportUnwritten):
        stream(terminal, encode)
