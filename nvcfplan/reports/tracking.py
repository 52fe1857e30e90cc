"""The one issue that tracks what has drifted of a stack, and what a forge must be able to do.

Issues are told by their first line and their author, as comments are: anybody can write a marker.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports.requests import Comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """`is_locked`: not everybody may comment on it."""

    number: int
    author: str
    title: str
    body: str
    is_open: bool
    is_locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueText:
    """`labels` are set when the issue is made, and left to people from then on."""

    title: str
    body: str
    labels: tuple[str, ...] = ()


class Tracker(Protocol):
    """A forge's issues. Every method raises: RemoteError."""

    @property
    def limit(self) -> int:
        """The most bytes of UTF-8 that the text of an issue may have."""
        ...

    def reference(self, number: int) -> str:
        """An issue as people write it: `#123`."""
        ...

    async def author(self) -> str:
        """As whom issues are written; what comes back from `file` is right where it differs."""
        ...

    async def issues(self, *, is_open: bool, author: str = "") -> Sequence[Issue]:
        """Never requests. `author` empty: of everybody. Raises: RemoteMissing without issues."""
        ...

    async def file(self, text: IssueText) -> Issue:
        """Not repeated once it may have arrived."""
        ...

    async def revise(self, number: int, text: IssueText, *, is_open: bool) -> Issue | None:
        """Opens or closes it as well. None: it is gone."""
        ...

    async def comments(self, request: int) -> Sequence[Comment]:
        """All that was said on it, oldest first."""
        ...

    async def create(self, request: int, body: str) -> Comment:
        """A comment. Not repeated once it may have arrived."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What the issue has to say now. `marker`: the first line, which `text.body` lacks."""

    marker: str
    text: IssueText
    is_clean: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """`id`: of the notice that it tells; said once, however often it is asked for.

    `is_first`: what was told before is not known; an issue that is open has told it.
    """

    id: str
    body: str
    is_first: bool = False


class IssueDeed(StrEnum):
    CREATED = "created"
    EDITED = "edited"
    KEPT = "kept"
    REOPENED = "reopened"
    CLOSED = "closed"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`reference` empty: there is no issue, and none is wanted. `healed`: duplicates closed."""

    reference: str
    deed: IssueDeed
    healed: int = 0


class IssueBoard(Protocol):
    """Every method raises: RemoteError."""

    async def keep(self, tracked: Tracked) -> Kept:
        """The issue says how things stand. What a person closed stays closed."""
        ...

    async def tell(self, tracked: Tracked, remark: Remark) -> Kept:
        """How things stand has changed, or is to be remembered: the issue says so, open again."""
        ...
