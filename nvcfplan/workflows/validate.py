"""Are the stack's files good? Offline: no account, no secret, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.loading import read_stack

if TYPE_CHECKING:
    from nvcfplan.loading import StackReading, StackSource


def read_stack_files(source: StackSource) -> StackReading:
    """Every fault at once, located, in report order; with the sources they point into."""
    return read_stack(source)
