"""What is learnt by the way: read before a run, written after it, and never in its way."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from nvcfplan.applying import Document
from nvcfplan.documents import decode_memory, encode_memory
from nvcfplan.errors import NvcfplanError
from nvcfplan.model import Memory
from nvcfplan.reports import learnt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying import Event, Lease, StateStore
    from nvcfplan.workflows.reading import Scope


async def read_memory(scope: Scope, store: StateStore) -> Memory:
    """Empty where there is none, or it cannot be read."""
    try:
        stored = await store.read(str(scope), Document.MEMORY)
    except NvcfplanError:
        return Memory()
    return Memory() if stored is None else decode_memory(stored.content)


async def remember_durations(
    scope: Scope, store: StateStore, lease: Lease, events: Sequence[Event]
) -> None:
    """A run that has ended is not spoilt by a memory that cannot be written."""
    with suppress(NvcfplanError):
        stored = await store.read(str(scope), Document.MEMORY)
        before = Memory() if stored is None else decode_memory(stored.content)
        after = learnt(before, events)
        if after != before:
            token = None if stored is None else stored.token
            content = encode_memory(after)
            await store.write(str(scope), Document.MEMORY, content, expected=token, lease=lease)
