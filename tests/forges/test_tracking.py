"""One issue with one life, whoever else writes, closes or deletes, and however many do at once."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.adapters.forges.tracking import TrackingIssue
from nvcfplan.errors import Forbidden, RemoteError, RemoteMissing
from nvcfplan.reports import (
    Comment,
    Issue,
    IssueDeed,
    IssueText,
    Kept,
    Remark,
    Tracked,
    Tracker,
)
from tests.budget import examples
from tests.forges.kinds import GITHUB, GITLAB, KINDS, Kind
from tests.forges.server import FakeForge, Filed, Reply, Request, serving

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

MARKER = "<!-- nvcfplan:drift:stack=shop;env=default;v=1 -->"
ON_GITHUB = pytest.mark.parametrize("kind", [GITHUB], ids=["github"])
KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)


def tracked(body: str = "chat is gone", *, is_clean: bool = False, title: str = "Drift") -> Tracked:
    text = IssueText(title=title, body=body, labels=("drift", "gpu"))
    return Tracked(marker=MARKER, text=text, is_clean=is_clean)


CLEAN = tracked("all is well", is_clean=True)


class Life:
    """One forge and one client of it, for as long as a test lasts."""

    def __init__(self, kind: Kind, runner: asyncio.Runner) -> None:
        self.forge = kind.served()
        self.forge.tokens["ghs_own"] = "acme-plans[bot]"
        self._kind = kind
        self._runner = runner

    @contextmanager
    def begun(self, token: str = "token-of-bot") -> Iterator[Life]:
        with serving(self.forge) as address:
            client = self._kind.tracker(address, token=token)
            self._board = TrackingIssue(self._runner.run(client.__aenter__()))
            yield self
            self._runner.run(client.__aexit__(None, None, None))
        assert self.forge.breaches == []

    def kept(self, what: Tracked) -> Kept:
        return self._runner.run(self._board.keep(what))

    def told(self, what: Tracked, notice: str, *, is_first: bool = False) -> Kept:
        remark = Remark(id=notice, body=f"notice {notice}", is_first=is_first)
        return self._runner.run(self._board.tell(what, remark))


@pytest.fixture
def life(kind: Kind) -> Iterator[Life]:
    with asyncio.Runner() as runner, Life(kind, runner).begun() as begun:
        yield begun


def rows(forge: FakeForge) -> list[Filed]:
    return list((forge.issues or {}).values())


def said(forge: FakeForge) -> list[str]:
    return [one.body.splitlines()[-1] for one in forge.notes]


def body(text: str, notice: str = "") -> str:
    return f"{MARKER}\n<!-- nvcfplan:notice={notice} -->\n{text}\n"


@KIND
def test_one_life_from_the_first_finding_to_clean_and_back(life: Life) -> None:
    forge = life.forge
    first = life.told(tracked("one"), "sha256:a1")
    (issue,) = rows(forge)
    assert (first.deed, first.reference) == (IssueDeed.CREATED, f"#{issue.number}")
    assert (issue.title, issue.labels, said(forge)) == ("Drift", ["drift", "gpu"], [])
    assert life.kept(tracked("one, worse")).deed is IssueDeed.EDITED
    assert life.kept(tracked("one, worse")).deed is IssueDeed.KEPT
    assert life.told(tracked("two"), "sha256:b2").deed is IssueDeed.EDITED
    assert (issue.body, said(forge)) == (body("two", "sha256:b2"), ["notice sha256:b2"])
    assert life.told(CLEAN, "sha256:c3").deed is IssueDeed.CLOSED
    assert (issue.is_open, said(forge)[1:]) == (False, ["notice sha256:c3"])
    assert life.kept(CLEAN).deed is IssueDeed.NONE
    assert life.told(tracked("three"), "sha256:d4").deed is IssueDeed.REOPENED
    assert (issue.is_open, said(forge)[2:]) == (True, ["notice sha256:d4"])
    assert rows(forge) == [issue]


@KIND
def test_without_a_memory_of_notices_the_issue_is_made_and_closed_all_the_same(life: Life) -> None:
    forge = life.forge
    assert life.kept(CLEAN).deed is IssueDeed.NONE
    assert life.kept(tracked()).deed is IssueDeed.CREATED
    assert life.kept(CLEAN).deed is IssueDeed.CLOSED
    (issue,) = rows(forge)
    assert (issue.is_open, issue.body, said(forge)) == (False, body("all is well"), [])


@KIND
def test_a_person_who_closes_it_is_heeded_until_something_changes(life: Life) -> None:
    forge = life.forge
    life.told(tracked(), "sha256:a1")
    (issue,) = rows(forge)
    issue.is_open = False
    assert life.kept(tracked("worse")).deed is IssueDeed.NONE
    assert not issue.is_open
    assert life.told(tracked("worse"), "sha256:b2").deed is IssueDeed.REOPENED
    assert issue.is_open


@KIND
def test_a_notice_that_is_repeated_is_said_once(life: Life) -> None:
    forge = life.forge
    for _ in range(3):
        life.told(tracked("one"), "sha256:a1")
    assert said(forge) == []
    for _ in range(3):
        life.told(tracked("two"), "sha256:b2")
    assert said(forge) == ["notice sha256:b2"]


@KIND
def test_whoever_has_lost_the_memory_of_notices_repeats_none_on_an_open_issue(life: Life) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1", is_first=True)
    assert life.told(tracked("two"), "sha256:b2", is_first=True).deed is IssueDeed.EDITED
    assert said(forge) == []
    life.told(CLEAN, "sha256:c3")
    assert life.told(tracked("two"), "sha256:d4", is_first=True).deed is IssueDeed.REOPENED
    assert said(forge) == ["notice sha256:c3", "notice sha256:d4"]


@KIND
def test_a_notice_that_broke_off_after_the_comment_is_not_said_again(life: Life) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1")

    def refusing(request: Request) -> None:
        if request.method in ("PATCH", "PUT"):
            forge.scripted = [Reply(403, {"message": "no"})]

    forge.before = refusing
    with pytest.raises(Forbidden):
        life.told(tracked("two"), "sha256:b2")
    forge.before = lambda _: None
    assert said(forge) == ["notice sha256:b2"]
    assert life.told(tracked("two"), "sha256:b2").deed is IssueDeed.EDITED
    assert said(forge) == ["notice sha256:b2"]


@KIND
def test_a_forged_marker_by_others_is_left_alone(kind: Kind, life: Life) -> None:
    forge = life.forge
    forged = forge.file(kind.other, "Drift", body("forged"))
    life.told(tracked("one"), "sha256:a1")
    life.told(CLEAN, "sha256:b2")
    assert (forged.body, forged.is_open, len(rows(forge))) == (body("forged"), True, 2)


@KIND
def test_other_issues_of_ours_and_requests_are_left_alone(kind: Kind, life: Life) -> None:
    forge = life.forge
    texts = ["by hand", f"> {MARKER}", f"first\n{MARKER}", MARKER.replace("shop", "x"), ""]
    others = [forge.file(kind.me, "mine", text) for text in texts]
    if kind is GITHUB:
        others.append(forge.file(kind.me, "a pull request", body("quoted")))
        others[-1].is_request = True
    before = [replace(one) for one in others]
    life.told(tracked("one"), "sha256:a1")
    life.told(CLEAN, "sha256:b2")
    assert others == before


@KIND
def test_of_duplicates_the_lowest_number_survives_and_the_rest_point_to_it(
    kind: Kind, life: Life
) -> None:
    forge = life.forge
    issues = [forge.file(kind.me, "Drift", body(text)) for text in ("one", "two", "three")]
    found = life.kept(tracked("four"))
    assert (found.reference, found.healed) == (f"#{issues[0].number}", 2)
    assert [one.is_open for one in issues] == [True, False, False]
    assert issues[2].body == f"The same is tracked in #{issues[0].number}.\n"
    assert life.kept(tracked("four")).healed == 0


@KIND
def test_one_that_was_deleted_is_made_anew(life: Life) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1")
    forge.delete_issue(rows(forge)[0].number)
    assert life.told(tracked("two"), "sha256:b2").deed is IssueDeed.CREATED
    assert [one.body for one in rows(forge)] == [body("two", "sha256:b2")]


@KIND
@pytest.mark.parametrize("is_clean", [False, True])
def test_one_that_is_deleted_while_we_write_is_made_anew_if_called_for(
    life: Life, is_clean: bool
) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1")

    def interfering(request: Request) -> None:
        if request.method != "GET" and rows(forge) and rows(forge)[0].number == 11:
            forge.delete_issue(11)

    forge.before = interfering
    found = life.told(CLEAN if is_clean else tracked("two"), "sha256:b2")
    assert found.deed is (IssueDeed.NONE if is_clean else IssueDeed.CREATED)
    assert len(rows(forge)) == (0 if is_clean else 1)


@KIND
def test_the_line_ends_of_a_browser_are_as_good(life: Life) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1")
    (issue,) = rows(forge)
    issue.body = issue.body.replace("\n", "\r\n")
    assert life.kept(tracked("one")).deed is IssueDeed.KEPT


@KIND
def test_an_issue_that_is_far_back_in_the_list_is_found(kind: Kind, life: Life) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1")
    for number in range(150):
        forge.file(kind.me, f"other {number}", "by hand")
    assert life.told(tracked("two"), "sha256:b2").deed is IssueDeed.EDITED


@KIND
def test_before_one_is_made_a_forge_that_knows_no_author_is_asked_for_all(life: Life) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1")
    forge.finds_authors = False
    assert life.told(tracked("two"), "sha256:b2").deed is IssueDeed.EDITED
    assert life.kept(tracked("three")).deed is IssueDeed.NONE
    assert len(rows(forge)) == 1


@KIND
def test_a_title_that_is_too_long_is_cut(kind: Kind, life: Life) -> None:
    life.kept(tracked(title="x" * 300))
    assert len(rows(life.forge)[0].title) == {"github": 256, "gitlab": 255}[kind.name]


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [(GITHUB, RemoteMissing, "turned off"), (GITLAB, Forbidden, "may not do this")],
    ids=["github", "gitlab"],
)
def test_issues_that_are_turned_off_are_said_to_be_so(
    life: Life, error: type[RemoteError], words: str
) -> None:
    life.forge.issues = None
    with pytest.raises(error, match=words) as refused:
        life.told(tracked(), "sha256:a1")
    assert "issues" in refused.value.remedy


@ON_GITHUB
def test_one_that_is_locked_is_said_to_be_so(life: Life) -> None:
    forge = life.forge
    life.told(tracked("one"), "sha256:a1")
    rows(forge)[0].is_locked = True
    with pytest.raises(Forbidden, match="#11 is locked") as refused:
        life.told(tracked("two"), "sha256:b2")
    assert "unlock" in refused.value.remedy


@ON_GITHUB
def test_without_the_permission_it_is_named(life: Life) -> None:
    forge = life.forge

    def refusing(request: Request) -> None:
        if request.method == "POST":
            forge.scripted = [Reply(403, {"message": "not accessible"})]

    forge.before = refusing
    with pytest.raises(Forbidden) as refused:
        life.told(tracked(), "sha256:a1")
    assert "`issues: write`" in refused.value.remedy


@KIND
def test_an_issue_that_may_have_been_made_is_not_made_twice(kind: Kind, life: Life) -> None:
    """The answer is lost: the next look finds it."""
    forge = life.forge

    def cut(request: Request) -> None:
        if request.method == "POST":
            forge.file(kind.me, "Drift", body("one", "sha256:a1"))
            forge.scripted = [Reply(0)]

    forge.before = cut
    with pytest.raises(RemoteError):
        life.told(tracked("one"), "sha256:a1")
    forge.before = lambda _: None
    assert life.told(tracked("one"), "sha256:a1").deed is IssueDeed.KEPT
    assert (len(rows(forge)), said(forge)) == (1, [])


def test_an_app_of_ones_own_learns_its_name_from_the_answer() -> None:
    with asyncio.Runner() as runner, Life(GITHUB, runner).begun("ghs_own") as life:
        life.kept(tracked("one"))
        life.told(tracked("two"), "sha256:a1")
        assert [one.author for one in rows(life.forge)] == ["acme-plans[bot]"]


class _Turn:
    """Awaited, it lets another have its turn."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class SharedTracker(Tracker):
    """In memory; each call is one turn, so that a schedule can put them in any order."""

    limit = 65_536

    def __init__(self) -> None:
        self.rows: dict[int, Issue] = {}
        self.remarks: list[Comment] = []

    def reference(self, number: int) -> str:
        return f"#{number}"

    async def author(self) -> str:
        return "bot"

    async def issues(self, *, is_open: bool, author: str = "") -> Sequence[Issue]:
        del author
        await _Turn()
        return tuple(one for one in self.rows.values() if one.is_open is is_open)

    async def file(self, text: IssueText) -> Issue:
        await _Turn()
        number = len(self.rows) + 1
        self.rows[number] = Issue(
            number=number, author="bot", title=text.title, body=text.body, is_open=True
        )
        return self.rows[number]

    async def revise(self, number: int, text: IssueText, *, is_open: bool) -> Issue | None:
        await _Turn()
        found = self.rows[number]
        self.rows[number] = replace(found, title=text.title, body=text.body, is_open=is_open)
        return self.rows[number]

    async def comments(self, request: int) -> Sequence[Comment]:
        await _Turn()
        return tuple(one for one in self.remarks if one.id == request)

    async def create(self, request: int, body: str) -> Comment:
        await _Turn()
        self.remarks.append(Comment(id=request, author="bot", body=body))
        return self.remarks[-1]


@settings(max_examples=examples(2000))
@given(
    looks=st.lists(st.booleans(), min_size=2, max_size=4),
    turns=st.lists(st.integers(0, 3), max_size=60),
)
def test_looks_at_once_end_as_one_open_issue_with_the_lowest_number(
    looks: list[bool], turns: list[int]
) -> None:
    """Whatever order their calls come in, whether they tell or keep."""
    tracker = SharedTracker()
    board = TrackingIssue(tracker)
    working = [
        board.tell(tracked(), Remark(id="sha256:a1", body="new"))
        if tells
        else board.keep(tracked())
        for tells in looks
    ]
    running = list(range(len(looks)))
    for turn in [*turns, *range(1000)]:
        if not running:
            break
        chosen = running[turn % len(running)]
        try:
            working[chosen].send(None)
        except StopIteration:
            running.remove(chosen)
    assert not running
    assert [one.number for one in tracker.rows.values() if one.is_open] == [1]
    assert tracker.rows[1].body.startswith(MARKER)
