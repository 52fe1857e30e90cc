"""One issue for what is tracked, however often it comes and goes and however many write at once.

Ours is an issue that begins with the marker *and* was written by us; of several the one with the
lowest number stays. A second hidden line tells which notice was told last, so that one that is
repeated after a fault is not said twice.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import Forbidden, RemoteMissing
from nvcfplan.reports import IssueBoard, IssueDeed, IssueText, Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports import Issue, Remark, Tracked, Tracker

_TOLD: Final = re.compile(r"<!-- nvcfplan:notice=([0-9a-z:]*) -->")


class TrackingIssue(IssueBoard):
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    async def keep(self, tracked: Tracked) -> Kept:
        """Looks for open issues of ours alone, unless there are none and one is called for."""
        ours = await self._ours(tracked.marker, is_open=True, is_quick=True)
        if ours and tracked.is_clean:
            return await self._closed(ours, tracked, told=_told(ours[0].body))
        if ours:
            return await self._edited(ours, tracked, told=_told(ours[0].body))
        if tracked.is_clean or await self._all(tracked.marker):
            return Kept(reference="", deed=IssueDeed.NONE)
        return await self._created(tracked, "")

    async def tell(self, tracked: Tracked, remark: Remark) -> Kept:
        ours = await self._all(tracked.marker)
        standing = [one for one in ours if one.is_open]
        if tracked.is_clean and not standing:
            return Kept(reference="", deed=IssueDeed.NONE)
        if not ours:
            return await self._created(tracked, remark.id)
        chosen = standing[0] if tracked.is_clean else ours[0]
        others = [one for one in standing if one.number != chosen.number]
        is_known = remark.is_first and chosen.is_open
        if _told(chosen.body) != remark.id and not is_known:
            await self._say(chosen, remark)
        if tracked.is_clean:
            return await self._closed([chosen, *others], tracked, told=remark.id)
        return await self._edited([chosen, *others], tracked, told=remark.id)

    async def _say(self, issue: Issue, remark: Remark) -> None:
        """On an issue that is gone meanwhile nothing is said: another will be filed.

        Raises: Forbidden, saying so if the issue is locked.
        """
        mark = _told_line(remark.id)
        author = await self._tracker.author()
        try:
            said = await self._tracker.comments(issue.number)
            if not any(one.author == author and _first_line(one.body) == mark for one in said):
                await self._tracker.create(issue.number, f"{mark}\n{remark.body}")
        except RemoteMissing:
            return
        except Forbidden as error:
            raise _locked(error, self._tracker.reference(issue.number), issue) from error

    async def _edited(self, ours: Sequence[Issue], tracked: Tracked, *, told: str) -> Kept:
        """The first that is still there; one that was deleted meanwhile is filed anew."""
        for place, one in enumerate(ours):
            text = _text(tracked, told)
            reference = self._tracker.reference(one.number)
            if one.is_open and _says(one, text):
                healed = await self._superseded(ours[place + 1 :], reference)
                return Kept(reference=reference, deed=IssueDeed.KEPT, healed=healed)
            if await self._tracker.revise(one.number, text, is_open=True) is not None:
                deed = IssueDeed.EDITED if one.is_open else IssueDeed.REOPENED
                healed = await self._superseded(ours[place + 1 :], reference)
                return Kept(reference=reference, deed=deed, healed=healed)
        return await self._created(tracked, told)

    async def _closed(self, ours: Sequence[Issue], tracked: Tracked, *, told: str) -> Kept:
        for place, one in enumerate(ours):
            text = _text(tracked, told)
            if await self._tracker.revise(one.number, text, is_open=False) is not None:
                reference = self._tracker.reference(one.number)
                healed = await self._superseded(ours[place + 1 :], reference)
                return Kept(reference=reference, deed=IssueDeed.CLOSED, healed=healed)
        return Kept(reference="", deed=IssueDeed.NONE)

    async def _created(self, tracked: Tracked, told: str) -> Kept:
        """Who we are, the forge says in its answer; then all are listed again, so that of two
        filed at once the one with the lowest number stays.
        """
        made = await self._tracker.file(_text(tracked, told))
        found = await self._tracker.issues(is_open=True, author=made.author)
        ours = _marked(found, made.author, tracked.marker)
        first = ours[0] if ours and ours[0].number < made.number else made
        others = [one for one in ours if one.number > first.number]
        reference = self._tracker.reference(first.number)
        healed = await self._superseded(others, reference)
        deed = IssueDeed.CREATED if first is made else IssueDeed.KEPT
        return Kept(reference=reference, deed=deed, healed=healed)

    async def _superseded(self, issues: Sequence[Issue], by: str) -> int:
        """Closed, with where it goes on. It is no more ours to find."""
        pointer = f"The same is tracked in {by}."
        for one in issues:
            text = IssueText(title=one.title, body=f"{pointer}\n")
            await self._tracker.revise(one.number, text, is_open=False)
        return len(issues)

    async def _all(self, marker: str) -> tuple[Issue, ...]:
        """Open and closed, lowest number first. Of everybody's, closed ones would be too many."""
        opened = await self._ours(marker, is_open=True, is_quick=False)
        closed = await self._ours(marker, is_open=False, is_quick=True)
        return tuple(sorted((*opened, *closed), key=lambda one: one.number))

    async def _ours(self, marker: str, *, is_open: bool, is_quick: bool) -> tuple[Issue, ...]:
        """A forge that finds none of this author's is asked for everybody's, unless `is_quick`:
        not every forge finds the issues of an app by its name.
        """
        author = await self._tracker.author()
        found = await self._tracker.issues(is_open=is_open, author=author)
        if not found and not is_quick:
            found = await self._tracker.issues(is_open=is_open)
        return _marked(found, author, marker)


def _marked(issues: Sequence[Issue], author: str, marker: str) -> tuple[Issue, ...]:
    found = (one for one in issues if one.author == author and _first_line(one.body) == marker)
    return tuple(sorted(found, key=lambda one: one.number))


def _first_line(body: str) -> str:
    return next(iter(body.splitlines()), "")


def _text(tracked: Tracked, told: str) -> IssueText:
    body = f"{tracked.marker}\n{_told_line(told)}\n{tracked.text.body.rstrip()}\n"
    return replace(tracked.text, body=body)


def _told_line(notice: str) -> str:
    return f"<!-- nvcfplan:notice={notice} -->"


def _told(body: str) -> str:
    """Empty: none was."""
    second = next(iter(body.splitlines()[1:2]), "")
    found = _TOLD.fullmatch(second)
    return found[1] if found else ""


def _says(issue: Issue, text: IssueText) -> bool:
    """Line ends are the forge's matter."""
    return issue.title == text.title and issue.body.splitlines() == text.body.splitlines()


def _locked(error: Forbidden, reference: str, issue: Issue) -> Forbidden:
    if not issue.is_locked:
        return error
    return Forbidden(
        f"{error.route}: issue {reference} is locked: nothing can be said on it",
        route=error.route,
        status=error.status,
        detail=error.detail,
        remedy="unlock its conversation, or delete it: then a new one is filed",
    )
