"""Keeps one issue on a forge that says what has drifted of a stack.

It is a channel of notices like others, and more: the forge remembers for us, so that the issue is
right after each look, whatever became of the notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nvcfplan.errors import (
    NoticeUndelivered,
    RateLimited,
    RemoteError,
    RemoteGarbled,
    RemoteUnavailable,
)
from nvcfplan.reports import IssueText, Remark, Tracked
from nvcfplan.workflows.ports import NoticeChannel

if TYPE_CHECKING:
    from nvcfplan.reports import DriftReport, IssueBoard, Kept, Notice


class IssueDrawing(Protocol):
    def marker(self, report: DriftReport) -> str:
        """The first line of the issue that it is found by: of stack, environment and account."""
        ...

    def title(self, report: DriftReport) -> str: ...

    def body(self, report: DriftReport) -> str:
        """How things stand; within the forge's limit, with some room for hidden lines. The same
        again while they stand the same.
        """
        ...

    def remark(self, notice: Notice) -> str: ...


class IssueChannel(NoticeChannel):
    """`name`: as of every channel. `labels`: of an issue that is made."""

    def __init__(
        self, name: str, board: IssueBoard, drawing: IssueDrawing, *, labels: tuple[str, ...] = ()
    ) -> None:
        self._name = name
        self._board = board
        self._drawing = drawing
        self._labels = labels
        self.kept: Kept | None = None

    @property
    def name(self) -> str:
        return self._name

    async def tell(self, notice: Notice, report: DriftReport) -> None:
        """Raises: NoticeUndelivered."""
        if notice.is_quiet:
            return
        tracked = self._tracked(report, is_clean=notice.is_clean)
        remark = Remark(id=notice.id, body=self._drawing.remark(notice), is_first=notice.is_first)
        try:
            self.kept = await self._board.tell(tracked, remark)
        except RemoteError as error:
            raise _undelivered(error) from error

    async def keep(self, report: DriftReport) -> None:
        """Where nothing was seen, but not all could be looked at, the issue stays as it is.

        Raises: NoticeUndelivered.
        """
        if report.drift is None:
            return
        is_clean = not any(one.counts for one in report.standing) and not report.unseen
        if is_clean and report.drift.unread:
            return
        try:
            self.kept = await self._board.keep(self._tracked(report, is_clean=is_clean))
        except RemoteError as error:
            raise _undelivered(error) from error

    def _tracked(self, report: DriftReport, *, is_clean: bool) -> Tracked:
        text = IssueText(
            title=self._drawing.title(report),
            body=self._drawing.body(report),
            labels=self._labels,
        )
        return Tracked(marker=self._drawing.marker(report), text=text, is_clean=is_clean)


def _undelivered(error: RemoteError) -> NoticeUndelivered:
    """After these some of it may have been done; the notice's id keeps it from being done twice."""
    maybe = isinstance(error, RemoteUnavailable | RemoteGarbled | RateLimited)
    return NoticeUndelivered(
        error.summary, detail=error.detail, remedy=error.remedy, maybe_received=maybe
    )
