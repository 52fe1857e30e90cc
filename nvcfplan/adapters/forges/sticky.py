"""One comment on a request, however often it is posted and by how many at once.

Ours is a comment that begins with the marker *and* was written by us: anybody can write a marker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.reports import Board, Deed, Posted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports import Comment, Forge


class StickyComments(Board):
    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    async def ours(self, request: int, marker: str) -> tuple[Comment, ...]:
        return _ours(await self._forge.comments(request), await self._forge.author(), marker)

    async def post(
        self, request: int, body: str, *, marker: str, only_edits: bool = False
    ) -> Posted:
        """The oldest comment of ours is edited in place, or a new one is made; then all are listed
        again, so that of two posted at once the one with the lowest id stays.
        """
        assert _is_marked(body, marker), "what is posted must be found again"
        ours = await self.ours(request, marker)
        if ours:
            return await _edited(self._forge, request, ours, body)
        if only_edits:
            return Posted(id=None, deed=Deed.NONE)
        return await _created(self._forge, request, body, marker)


async def _edited(forge: Forge, request: int, ours: Sequence[Comment], body: str) -> Posted:
    """The first that is still there; one that was deleted meanwhile is posted anew."""
    for number, one in enumerate(ours):
        if one.body.rstrip() == body.rstrip():
            healed = await _deleted(forge, request, ours[number + 1 :])
            return Posted(id=one.id, deed=Deed.KEPT, healed=healed)
        if await forge.edit(request, one.id, body) is not None:
            healed = await _deleted(forge, request, ours[number + 1 :])
            return Posted(id=one.id, deed=Deed.EDITED, healed=healed)
    made = await forge.create(request, body)
    return Posted(id=made.id, deed=Deed.CREATED)


async def _created(forge: Forge, request: int, body: str, marker: str) -> Posted:
    """Who we are, the forge says in its answer: what was assumed before may have been wrong."""
    made = await forge.create(request, body)
    ours = _ours(await forge.comments(request), made.author, marker)
    if not ours or ours[0].id == made.id:
        return Posted(
            id=made.id, deed=Deed.CREATED, healed=await _deleted(forge, request, ours[1:])
        )
    found = await _edited(forge, request, ours, body)
    return Posted(id=found.id, deed=Deed.EDITED, healed=found.healed)


async def _deleted(forge: Forge, request: int, comments: Sequence[Comment]) -> int:
    for one in comments:
        await forge.delete(request, one.id)
    return len(comments)


def _ours(comments: Sequence[Comment], author: str, marker: str) -> tuple[Comment, ...]:
    found = (one for one in comments if one.author == author and _is_marked(one.body, marker))
    return tuple(sorted(found, key=lambda one: one.id))


def _is_marked(body: str, marker: str) -> bool:
    return next(iter(body.splitlines()), "") == marker
