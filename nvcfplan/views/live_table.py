"""What is in flight, as a block of lines that a terminal redraws in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.views.neutralise import columns, safe
from nvcfplan.views.wording import about_left, counted, doing, lasting, subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from nvcfplan.reports import InFlight, Progress

_WIDE: Final = 120
"""From so many columns on, what is waited for stands beside the step, else below it."""
_LONGEST_NAME: Final = 40
_ECHO: Final = 5
"""Columns left free at the end: a terminal writes `^C` there, and `^C^C` must not begin a line."""
_SHORT_SECONDS: Final = 60
"""How long a mere request takes is of interest to nobody."""


def draw_live(progress: Progress, at: float, *, width: int, height: int) -> Text:
    """At most `height` lines of at most `width` columns; styled, which says nothing by itself."""
    from rich.text import Text

    is_wide = width >= _WIDE
    room = max(1, (height - 2) // (1 if is_wide else 2))
    shown, hidden = progress.in_flight[:room], len(progress.in_flight) - room
    names = [clipped(subject_of(one.task), _LONGEST_NAME) for one in shown]
    heads = _aligned(
        [f"  {name}  {_time(one, at)}" for name, one in zip(_aligned(names), shown, strict=True)]
    )
    drawn = Text()
    for head, one in zip(heads, shown, strict=True):
        drawn.append(clipped(head if is_wide else head.rstrip(), width - 1), style="cyan")
        reason = f"  {safe(one.reason)}" if is_wide else f"\n      {safe(one.reason) or '...'}"
        room_left = width - 1 - (columns(head) if is_wide else -1)
        drawn.append(clipped(reason, max(1, room_left)) + "\n")
    if hidden > 0:
        drawn.append(f"  and {counted(hidden, 'step')} more\n")
    drawn.append(clipped(stand_in_words(progress, at), width - _ECHO), style="bold")
    return drawn


def stand_in_words(progress: Progress, at: float) -> str:
    """`3 of 18 steps done, 2 in flight; 4m12s elapsed, about 44m left`."""
    words = f"{progress.done} of {counted(progress.total, 'step')} done"
    if progress.aside:
        words += f", {progress.aside_done} of {counted(len(progress.aside), 'undo step')} done"
    words += f", {len(progress.in_flight)} in flight; {lasting(at)} elapsed"
    left = progress.left(at)
    return words if left is None or not progress.in_flight else f"{words}, {about_left(left)}"


def clipped(text: str, width: int) -> str:
    """At most `width` columns; an ellipsis says that something is missing."""
    if columns(text) <= width:
        return text
    kept = text
    while kept and columns(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept}…"


def _aligned(texts: Sequence[str]) -> list[str]:
    widest = max((columns(text) for text in texts), default=0)
    return [text + " " * (widest - columns(text)) for text in texts]


def _time(one: InFlight, at: float) -> str:
    elapsed, left = one.elapsed(at), one.left(at)
    words = f"{doing(one.task)}, {lasting(elapsed)}"
    if one.expected_seconds is None or one.expected_seconds < _SHORT_SECONDS:
        return words
    if left is None:
        return f"{words}, longer than the expected {lasting(one.expected_seconds)}"
    return f"{words}, {about_left(left)}"
