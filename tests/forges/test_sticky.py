"""One comment, whoever else writes and however many post at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.adapters.forges.sticky import StickyComments
from nvcfplan.reports import Comment, CommitStatus, Deed, Forge, OpenRequest, Posted
from tests.budget import examples
from tests.forges.kinds import GITHUB, KINDS, Kind, run
from tests.forges.server import FakeForge, Request, serving

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

MARKER = "<!-- nvcfplan:stack=shop;env=default;v=1 -->"
KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)


def body(text: str) -> str:
    return f"{MARKER}\n{text}\n"


def posted(
    kind: Kind,
    forge: FakeForge,
    text: str,
    *,
    only_edits: bool = False,
    token: str = "token-of-bot",
) -> Posted:
    async def work(address: str) -> Posted:
        async with kind.client(address, token=token) as client:
            board = StickyComments(client)
            return await board.post(7, body(text), marker=MARKER, only_edits=only_edits)

    with serving(forge) as address:
        found = run(work(address))
    assert forge.breaches == []
    return found


@KIND
def test_posting_twice_edits_once(kind: Kind) -> None:
    forge = kind.served()
    first, second = posted(kind, forge, "one"), posted(kind, forge, "two")
    assert (first.deed, second.deed) == (Deed.CREATED, Deed.EDITED)
    assert first.id == second.id
    assert forge.bodies() == [body("two")]


@KIND
def test_the_same_text_is_not_written_again(kind: Kind) -> None:
    forge = kind.served()
    posted(kind, forge, "one")
    forge.seen.clear()
    assert posted(kind, forge, "one").deed is Deed.KEPT
    assert {one.method for one in forge.seen} == {"GET"}


@KIND
def test_a_forged_marker_by_another_author_is_left_alone(kind: Kind) -> None:
    forge = kind.served()
    forge.write(kind.other, body("forged"))
    found = posted(kind, forge, "one")
    assert found.deed is Deed.CREATED
    assert forge.bodies() == [body("forged"), body("one")]
    posted(kind, forge, "two")
    assert forge.bodies() == [body("forged"), body("two")]


@KIND
def test_another_comment_of_ours_is_left_alone(kind: Kind) -> None:
    forge = kind.served()
    texts = ["said by hand", f"> {MARKER}\nquoted", f"first\n{MARKER}", MARKER.replace("shop", "x")]
    for text in texts:
        forge.write(kind.me, text)
    posted(kind, forge, "one")
    assert forge.bodies() == [*texts, body("one")]


@KIND
def test_a_deleted_comment_is_made_again(kind: Kind) -> None:
    forge = kind.served()
    posted(kind, forge, "one")
    forge.notes.clear()
    assert posted(kind, forge, "two").deed is Deed.CREATED
    assert forge.bodies() == [body("two")]


@KIND
def test_one_that_is_deleted_while_we_edit_is_made_again(kind: Kind) -> None:
    forge = kind.served()
    posted(kind, forge, "one")

    def interfering(request: Request) -> None:
        if request.method in ("PATCH", "PUT"):
            forge.notes.clear()

    forge.before = interfering
    assert posted(kind, forge, "two").deed is Deed.CREATED
    assert forge.bodies() == [body("two")]


@KIND
def test_duplicates_of_ours_are_healed_and_the_oldest_stays(kind: Kind) -> None:
    forge = kind.served()
    oldest = forge.write(kind.me, body("one"))
    for text in ("two", "three"):
        forge.write(kind.me, body(text))
    found = posted(kind, forge, "four")
    assert (found.id, found.deed, found.healed) == (oldest.id, Deed.EDITED, 2)
    assert forge.bodies() == [body("four")]


@KIND
def test_crlf_is_as_good_as_a_newline(kind: Kind) -> None:
    """Forges give back what a browser has edited with its own line ends."""
    forge = kind.served()
    forge.write(kind.me, f"{MARKER}\r\nold\r\n")
    posted(kind, forge, "new")
    assert forge.bodies() == [body("new")]


@KIND
def test_where_only_an_edit_is_wanted_nothing_is_made(kind: Kind) -> None:
    forge = kind.served()
    found = posted(kind, forge, "one", only_edits=True)
    assert (found.id, found.deed) == (None, Deed.NONE)
    assert forge.bodies() == []


def test_who_wrote_is_learnt_from_the_forges_answer() -> None:
    """An app of one's own may not ask its name either, and is not the bot of Actions."""
    forge = GITHUB.served()
    forge.tokens = {"ghs_own": "acme-plans[bot]"}
    for text in ("one", "two", "three"):
        posted(GITHUB, forge, text, token="ghs_own")
    assert forge.bodies() == [body("three")]


class _Turn:
    """Awaited, it lets another have its turn."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class SharedForge(Forge):
    """In memory; each call is one turn, so that a schedule can put them in any order."""

    limit = 65_536

    def __init__(self) -> None:
        self.rows: list[Comment] = []
        self.made = 0

    def reference(self, number: int) -> str:
        return f"#{number}"

    async def author(self) -> str:
        return "bot"

    async def comments(self, request: int) -> Sequence[Comment]:
        del request
        await _Turn()
        return tuple(self.rows)

    async def create(self, request: int, body: str) -> Comment:
        del request
        await _Turn()
        self.made += 1
        made = Comment(id=self.made, author="bot", body=body)
        self.rows.append(made)
        return made

    async def edit(self, request: int, comment: int, body: str) -> Comment | None:
        del request
        await _Turn()
        for place, one in enumerate(self.rows):
            if one.id == comment:
                self.rows[place] = Comment(id=comment, author="bot", body=body)
                return self.rows[place]
        return None

    async def delete(self, request: int, comment: int) -> None:
        del request
        await _Turn()
        self.rows = [one for one in self.rows if one.id != comment]

    async def open_requests(self, most: int = 50) -> Sequence[OpenRequest]:
        del most
        return ()

    async def set_status(self, commit: str, status: CommitStatus) -> None:
        del commit, status


@settings(max_examples=examples(2000))
@given(
    posts=st.integers(2, 4),
    turns=st.lists(st.integers(0, 3), max_size=60),
    before=st.integers(0, 2),
)
def test_posts_at_once_end_as_one_comment_with_the_lowest_id(
    posts: int, turns: list[int], before: int
) -> None:
    """Whatever order their calls come in."""
    forge = SharedForge()
    for _ in range(before):
        forge.made += 1
        forge.rows.append(Comment(id=forge.made, author="bot", body=body("old")))
    board = StickyComments(forge)
    working = [board.post(7, body(f"text {one}"), marker=MARKER) for one in range(posts)]
    running = list(range(posts))
    for turn in [*turns, *range(1000)]:
        if not running:
            break
        chosen = running[turn % len(running)]
        try:
            working[chosen].send(None)
        except StopIteration:
            running.remove(chosen)
    assert not running
    assert [one.id for one in forge.rows] == [1]
    assert forge.rows[0].body.startswith(f"{MARKER}\ntext ")
