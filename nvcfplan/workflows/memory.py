"""What is learnt by the way: read before a run or a look, written after it, never in its way.

No lease is needed to write it, for it makes no plan stale: whoever finds it changed in between
reads it again, and makes the same change to what is there now.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from nvcfplan.applying import Document
from nvcfplan.documents import decode_memory, encode_memory
from nvcfplan.errors import NvcfplanError, StateConflict
from nvcfplan.model import Memory
from nvcfplan.reports import learnt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvcfplan.applying import Event, Lease, StateStore
    from nvcfplan.workflows.reading import Scope

T = TypeVar("T")

MEMORY_UNWRITTEN: Final = "memory-unwritten"
_MOST_CONFLICTS: Final = 50
"""Each means that somebody else has got on; so many mean that the store is broken."""


async def read_memory(scope: Scope, store: StateStore) -> Memory:
    """Empty where there is none, or it cannot be read."""
    try:
        stored = await store.read(str(scope), Document.MEMORY)
    except NvcfplanError:
        return Memory()
    return Memory() if stored is None else decode_memory(stored.content)


async def revise_memory(
    scope: Scope,
    store: StateStore,
    change: Callable[[Memory], tuple[Memory, T]],
    *,
    lease: Lease | None = None,
) -> T:
    """What `change` gave beside the memory that was then written.

    It may be called more than once. Nothing is written where nothing changes. Raises: StoreError.
    """
    for remaining in reversed(range(_MOST_CONFLICTS)):
        stored = await store.read(str(scope), Document.MEMORY)
        before = Memory() if stored is None else decode_memory(stored.content)
        after, found = change(before)
        if after == before:
            return found
        token = None if stored is None else stored.token
        content = encode_memory(after)
        try:
            await store.write(str(scope), Document.MEMORY, content, expected=token, lease=lease)
        except StateConflict:
            if not remaining:
                raise
            continue
        return found
    raise AssertionError("the last conflict is raised")


async def remember_durations(
    scope: Scope, store: StateStore, lease: Lease, events: Sequence[Event]
) -> None:
    """A run that has ended is not spoilt by a memory that cannot be written."""
    with suppress(NvcfplanError):
        await revise_memory(
            scope, store, lambda memory: (learnt(memory, events), None), lease=lease
        )
