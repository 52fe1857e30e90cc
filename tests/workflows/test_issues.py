"""The issue says how things stand after each look, and never more than the look could see."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nvcfplan.drifting import FindingClass
from nvcfplan.errors import (
    Forbidden,
    NoticeUndelivered,
    RateLimited,
    RemoteError,
    RemoteGarbled,
    RemoteUnavailable,
    Unreachable,
)
from nvcfplan.model import Readable
from nvcfplan.reports import IssueBoard, IssueDeed, Kept, Remark, Tracked
from nvcfplan.workflows import IssueChannel, IssueDrawing
from tests.documents.drifts import REPORTS
from tests.drifting.findings import acknowledged, finding
from tests.notices.notices import looked, noticed

if TYPE_CHECKING:
    from nvcfplan.drifting import Notice
    from nvcfplan.reports import DriftReport

QUOTA = finding("gpus", kind=FindingClass.QUOTA)


class Plain(IssueDrawing):
    def marker(self, report: DriftReport) -> str:
        return f"<!-- {report.stack} -->"

    def title(self, report: DriftReport) -> str:
        return report.stack

    def body(self, report: DriftReport) -> str:
        return report.outcome.value

    def remark(self, notice: Notice) -> str:
        return "clean" if notice.is_clean else "news"


class Recording(IssueBoard):
    """`said`: what was kept (a word) or told (two)."""

    def __init__(self, failure: RemoteError | None = None) -> None:
        self.said: list[tuple[str, ...]] = []
        self.texts: list[Tracked] = []
        self._failure = failure

    async def keep(self, tracked: Tracked) -> Kept:
        return self._done(tracked, ("clean" if tracked.is_clean else "drift",))

    async def tell(self, tracked: Tracked, remark: Remark) -> Kept:
        word = "clean" if tracked.is_clean else "drift"
        return self._done(tracked, (word, remark.body))

    def _done(self, tracked: Tracked, words: tuple[str, ...]) -> Kept:
        if self._failure is not None:
            raise self._failure
        self.said.append(words)
        self.texts.append(tracked)
        return Kept(reference="#1", deed=IssueDeed.EDITED)


def channel(board: IssueBoard) -> IssueChannel:
    return IssueChannel("github-issue:a/b", board, Plain(), labels=("drift",))


def kept(report: DriftReport) -> list[tuple[str, ...]]:
    board = Recording()
    asyncio.run(channel(board).keep(report))
    return board.said


def test_it_says_how_things_stand() -> None:
    assert kept(looked(finding())[0]) == [("drift",)]
    assert kept(looked()[0]) == [("clean",)]


def test_drift_that_is_acknowledged_is_none() -> None:
    known = acknowledged(finding(), minutes=0)
    assert kept(looked(finding(), acknowledgements=(known,))[0]) == [("clean",)]


def test_a_look_that_could_not_see_all_calls_nothing_clean() -> None:
    assert kept(looked(unread=[Readable.QUOTA])[0]) == []
    assert kept(looked(finding(), unread=[Readable.QUOTA])[0]) == [("drift",)]


def test_what_stood_and_cannot_be_looked_at_stands() -> None:
    _, memory = looked(QUOTA)
    report, _ = looked(memory=memory, minutes=30, unread=[Readable.QUOTA])
    assert kept(report) == [("drift",)]


def test_a_look_that_was_skipped_says_nothing() -> None:
    assert kept(REPORTS["skipped"]) == []


def test_a_notice_is_told_with_how_things_stand() -> None:
    board = Recording()
    report, memory = looked(finding())
    notice, memory = noticed(report, memory)
    asyncio.run(channel(board).tell(notice, report))
    report, memory = looked(memory=memory, minutes=60)
    asyncio.run(channel(board).tell(noticed(report, memory)[0], report))
    assert board.said == [("drift", "news"), ("clean", "clean")]
    assert board.texts[0].text.labels == ("drift",)
    assert board.texts[0].marker == "<!-- shop@prod -->"


def test_a_quiet_notice_is_left_to_the_keeping() -> None:
    board = Recording()
    report, memory = looked()
    asyncio.run(channel(board).tell(noticed(report, memory)[0], report))
    assert board.said == []


@pytest.mark.parametrize(
    ("error", "maybe_received"),
    [
        (RemoteUnavailable, True),
        (RemoteGarbled, True),
        (RateLimited, True),
        (Forbidden, False),
        (Unreachable, False),
    ],
)
def test_what_a_forge_refuses_is_told_again_as_it_was_if_it_may_be_half_done(
    error: type[RemoteError], maybe_received: bool
) -> None:
    board = Recording(error("no", route="POST /x", detail="why", remedy="do"))
    report, memory = looked(finding())
    with pytest.raises(NoticeUndelivered, match="no") as told:
        asyncio.run(channel(board).tell(noticed(report, memory)[0], report))
    assert told.value.maybe_received is maybe_received
    assert (told.value.detail, told.value.remedy) == ("why", "do")
    with pytest.raises(NoticeUndelivered):
        asyncio.run(channel(board).keep(report))
