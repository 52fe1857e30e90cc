"""Requests to change a stack, as a forge knows them: pull requests and merge requests, what is said
on them, and what a forge must be able to do for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """`author`: whoever wrote it, in whatever form the forge tells people apart."""

    id: int
    author: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """`head`: the commit that is proposed; `source`: where it comes from, repository and branch;
    `base`: the branch it is proposed for.
    """

    number: int
    head: str
    source: str
    base: str


class CommitState(StrEnum):
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """`context` names it beside others of the same commit. `url` empty: there is nothing to see."""

    context: str
    state: CommitState
    description: str
    url: str = ""


class Deed(StrEnum):
    CREATED = "created"
    EDITED = "edited"
    KEPT = "kept"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """`id` None: there was no comment, and none was wanted. `healed`: duplicates taken away."""

    id: int | None
    deed: Deed
    healed: int = 0


class Forge(Protocol):
    """Every method raises: RemoteError."""

    @property
    def limit(self) -> int:
        """The most bytes of UTF-8 that a comment may have, to be safe whatever is counted."""
        ...

    def reference(self, number: int) -> str:
        """A request as people write it: `#123`."""
        ...

    async def author(self) -> str:
        """As whom comments are written; what comes back from `create` is right where it differs."""
        ...

    async def comments(self, request: int) -> Sequence[Comment]:
        """All of them, oldest first. Raises: RemoteMissing when there is no such request."""
        ...

    async def create(self, request: int, body: str) -> Comment:
        """Not repeated once it may have arrived."""
        ...

    async def edit(self, request: int, comment: int, body: str) -> Comment | None:
        """None: it is gone."""
        ...

    async def delete(self, request: int, comment: int) -> None:
        """Gone already is as good."""
        ...

    async def open_requests(self, most: int = 50) -> Sequence[OpenRequest]:
        """The ones touched last."""
        ...

    async def set_status(self, commit: str, status: CommitStatus) -> None: ...


class Board(Protocol):
    """The one comment of ours with a certain first line. Every method raises: RemoteError."""

    async def ours(self, request: int, marker: str) -> Sequence[Comment]:
        """By marker and author, oldest first; more than one where somebody posted at once."""
        ...

    async def post(
        self, request: int, body: str, *, marker: str, only_edits: bool = False
    ) -> Posted:
        """`body` begins with `marker`. `only_edits`: where there is none, none is made."""
        ...
