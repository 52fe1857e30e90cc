"""A channel in memory: what it was told, and the ways in which it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.errors import NoticeUndelivered
from nvcfplan.workflows import NoticeChannel

if TYPE_CHECKING:
    from nvcfplan.drifting import Notice
    from nvcfplan.reports import DriftReport


class Killed(BaseException):
    """The process ends at once."""


class FakeChannel(NoticeChannel):
    """`is_down`: nothing arrives. `is_mute`: it arrives, and no answer comes.

    `kills`: it arrives, and we are killed before the answer is noted.
    """

    def __init__(self, name: str = "hook") -> None:
        self._name = name
        self.heard: list[Notice] = []
        self.is_down = False
        self.is_mute = False
        self.kills = False

    @property
    def name(self) -> str:
        return self._name

    async def tell(self, notice: Notice, report: DriftReport) -> None:
        del report
        if self.is_down:
            raise NoticeUndelivered("connection refused", remedy="start it")
        self.heard.append(notice)
        if self.kills:
            raise Killed
        if self.is_mute:
            raise NoticeUndelivered("no answer", remedy="look at it", maybe_received=True)

    @property
    def news(self) -> list[tuple[list[str], list[str], bool]]:
        """Of each notice: what appeared, what cleared, and whether it reminds; quiet ones not."""
        return [
            (
                sorted(one.subject for one in notice.appeared),
                sorted(one.subject for one in notice.cleared),
                notice.is_reminder,
            )
            for notice in self.heard
            if not notice.is_quiet
        ]
