"""Whatever drifts, fails, is said and unsaid: nothing is lost, and nothing is told twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.drifting import FindingClass, acknowledge, unacknowledge
from nvcfplan.model import Readable
from tests.budget import examples
from tests.drifting.findings import acknowledged, at, finding
from tests.workflows.channels import FakeChannel, Killed
from tests.workflows.rounds import Round

if TYPE_CHECKING:
    from nvcfplan.drifting import Notice

FINDINGS: Final = (
    finding("tags"),
    finding("limit"),
    finding("pool", kind=FindingClass.CAPACITY),
    finding("quota", kind=FindingClass.QUOTA),
)
REMIND: Final = timedelta(hours=3)
WAYS: Final = ("up", "up", "up", "down", "mute", "kills")


@dataclass(frozen=True, slots=True)
class Turn:
    """`said`: which finding is acknowledged before it, for so many minutes; 0: taken back."""

    minutes: int
    drifted: tuple[bool, ...]
    is_blind: bool
    way: str
    said: tuple[int, int] | None


def turns() -> st.SearchStrategy[list[Turn]]:
    one = st.builds(
        Turn,
        minutes=st.integers(1, 120),
        drifted=st.tuples(*(st.booleans() for _ in FINDINGS)),
        is_blind=st.booleans(),
        way=st.sampled_from(WAYS),
        said=st.none()
        | st.tuples(st.integers(0, len(FINDINGS) - 1), st.sampled_from((0, 60, 400))),
    )
    return st.lists(one, min_size=1, max_size=15)


@given(turns())
@settings(max_examples=examples(2000), deadline=None)
def test_a_channel_ends_up_knowing_what_stands_and_hears_of_each_once(story: list[Turn]) -> None:
    hook = FakeChannel()
    looks = Round((hook,), remind_every=REMIND)
    minutes, uncertain = 0, set[str]()
    for turn in [*story, *([Turn(1, story[-1].drifted, False, "up", None)] * 2)]:
        minutes += turn.minutes
        before = len(hook.heard)
        take(looks, hook, turn, minutes)
        for notice in hook.heard[before:]:
            known = [one.id for one in hook.heard[:before]]
            assert notice.id not in known or notice.id in uncertain, "told twice for no reason"
            uncertain.discard(notice.id)
        if hook.heard[before:] and turn.way in ("mute", "kills"):
            uncertain.add(hook.heard[-1].id)
    check_what_is_known(looks, hook)
    check_news(hook)


def take(looks: Round, hook: FakeChannel, turn: Turn, minutes: int) -> None:
    if turn.said is not None:
        _say(looks, turn.said, minutes)
    hook.is_down, hook.is_mute = turn.way == "down", turn.way == "mute"
    hook.kills = turn.way == "kills"
    found = [one for one, has in zip(FINDINGS, turn.drifted, strict=True) if has]
    unread = (Readable.CAPACITY, Readable.QUOTA) if turn.is_blind else ()
    seen = [one for one in found if not (turn.is_blind and one.kind in _RESTING)]
    try:
        looks.look(minutes, *seen, unread=unread)
    except Killed:
        assert hook.kills


_RESTING: Final = (FindingClass.CAPACITY, FindingClass.QUOTA)


def _say(looks: Round, said: tuple[int, int], minutes: int) -> None:
    of, lasting = FINDINGS[said[0]], said[1]
    if not lasting:
        looks.revise(lambda memory: unacknowledge(memory, of.fingerprint, at(minutes)))
        return
    made = acknowledged(of, minutes=minutes, until=minutes + lasting)
    looks.revise(lambda memory: acknowledge(memory, made))


def check_what_is_known(looks: Round, hook: FakeChannel) -> None:
    """What counts is known to stand, and nothing is that does not."""
    memory = looks.memory()
    standing = {one.subject for one in memory.findings if one.cleared is None}
    silent = {one.fingerprint for one in memory.acknowledgements}
    counting = {
        one.subject
        for one in memory.findings
        if one.cleared is None and one.fingerprint not in silent
    }
    believed: set[str] = set()
    for notice in once(hook.heard):
        believed -= {one.subject for one in notice.cleared}
        believed |= {one.subject for one in notice.appeared}
    assert counting <= believed <= standing
    assert [one for one in memory.findings if one.cleared is not None] == []


def check_news(hook: FakeChannel) -> None:
    """Every time that a finding counts is told of in one notice; reminders keep their distance."""
    told = [
        (one.subject, one.counts_since) for notice in once(hook.heard) for one in notice.appeared
    ]
    assert len(told) == len(set(told))
    moments = [notice.at for notice in once(hook.heard)]
    for earlier, notice in zip(moments, once(hook.heard)[1:], strict=False):
        assert not notice.is_reminder or notice.at - earlier >= REMIND - timedelta(minutes=1)


def once(heard: list[Notice]) -> list[Notice]:
    """As a receiver keeps them that drops what it has: by id."""
    kept: dict[str, Notice] = {}
    for one in heard:
        kept.setdefault(one.id, one)
    return list(kept.values())


@pytest.mark.parametrize("way", ["down", "mute", "kills"])
def test_what_came_and_went_while_a_channel_was_out_of_reach_leaves_no_trace(way: str) -> None:
    hook = FakeChannel()
    looks = Round((hook,))
    for minutes in range(0, 500, 5):
        drifted = tuple(bool(minutes >> at_ & 1) for at_ in range(len(FINDINGS)))
        take(looks, hook, Turn(5, drifted, False, way, None), minutes)
    memory = looks.memory()
    assert len(memory.findings) <= len(FINDINGS)
    assert len(memory.correspondence) == 1
