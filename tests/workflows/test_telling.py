"""Channels are told once of what is new to them, whatever fails in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.drifting.findings import acknowledged, finding
from tests.workflows.channels import FakeChannel, Killed
from tests.workflows.rounds import Round

if TYPE_CHECKING:
    from nvcfplan.model import Memory

TAGS, LIMIT = finding("tags"), finding("limit")


def test_a_finding_that_stands_for_ten_looks_is_told_once_and_reminded_of_as_declared() -> None:
    hook = FakeChannel()
    looks = Round((hook,), remind_every=timedelta(hours=1))
    for number in range(10):
        looks.look(15 * number, TAGS)
    assert hook.news == [(["tags"], [], False), ([], [], True), ([], [], True)]
    assert len({one.id for one in hook.heard}) == 3


def test_cleared_is_told_once_and_back_is_told_again() -> None:
    hook = FakeChannel()
    looks = Round((hook,))
    for number, findings in enumerate([[TAGS], [TAGS], [], [], [TAGS], [TAGS]]):
        looks.look(number, *findings)
    assert hook.news == [(["tags"], [], False), ([], ["tags"], False), (["tags"], [], False)]
    assert [one.is_clean for one in hook.heard] == [False, True, False]
    assert len({one.id for one in hook.heard}) == 3


def test_many_looks_while_a_channel_is_down_come_to_one_notice() -> None:
    hook = FakeChannel()
    looks = Round((hook,))
    hook.is_down = True
    for number in range(50):
        deliveries = looks.look(number, *([TAGS] if number < 20 else [LIMIT]))
        assert [one.failure is not None for one in deliveries] == [True]
    hook.is_down = False
    looks.look(50, LIMIT)
    assert hook.news == [(["limit"], [], False)]


@pytest.mark.parametrize("way", ["killed", "no answer"])
def test_after_a_cut_the_same_notice_comes_again_and_what_is_new_by_then_in_another(
    way: str,
) -> None:
    hook = FakeChannel()
    looks = Round((hook,))
    hook.kills, hook.is_mute = way == "killed", way == "no answer"
    if hook.kills:
        with pytest.raises(Killed):
            looks.look(0, TAGS)
    else:
        looks.look(0, TAGS)
    hook.kills = hook.is_mute = False
    looks.look(5, TAGS, LIMIT)
    looks.look(10, TAGS, LIMIT)
    assert hook.news == [(["tags"], [], False), (["tags"], [], False), (["limit"], [], False)]
    first, again, other = hook.heard
    assert first.id == again.id != other.id


def test_what_may_have_arrived_before_a_kill_is_not_taken_back_by_a_failure_after_it() -> None:
    hook = FakeChannel()
    looks = Round((hook,))
    hook.kills = True
    with pytest.raises(Killed):
        looks.look(0, TAGS, LIMIT)
    hook.kills, hook.is_down = False, True
    looks.look(5, LIMIT)
    hook.is_down = False
    looks.look(10, LIMIT)
    first, again, other = hook.heard
    assert first.id == again.id
    assert [one.subject for one in other.cleared] == ["tags"]


def test_one_channel_that_fails_is_nothing_to_the_others() -> None:
    down, up = FakeChannel("down"), FakeChannel("up")
    down.is_down = True
    looks = Round((down, up))
    looks.look(0, TAGS)
    looks.look(5, TAGS)
    down.is_down = False
    looks.look(10, TAGS)
    assert up.news == down.news == [(["tags"], [], False)]


def test_a_channel_that_is_new_hears_what_stands() -> None:
    old, new = FakeChannel("old"), FakeChannel("new")
    looks = Round((old,))
    looks.look(0, TAGS)
    looks.channels = (old, new)
    looks.look(5, TAGS)
    assert new.news == old.news == [(["tags"], [], False)]


def test_a_channel_of_which_nothing_is_known_is_told_quietly_that_all_is_well() -> None:
    hook = FakeChannel()
    looks = Round((hook,))
    looks.look(0)
    looks.look(5)
    (notice,) = hook.heard
    assert (notice.is_quiet, notice.is_first, notice.is_clean) == (True, True, True)


def test_of_what_is_acknowledged_nobody_is_told_until_it_runs_out() -> None:
    hook = FakeChannel()
    looks = Round((hook,), remind_every=timedelta(minutes=20))
    looks.look(0, TAGS)
    looks.revise(_with_acknowledgement)
    for minutes in (5, 30, 55):
        looks.look(minutes, TAGS)
    assert hook.news == [(["tags"], [], False)]
    looks.look(60, TAGS)
    looks.look(61, TAGS)
    assert hook.news == [(["tags"], [], False)] * 2
    assert len({one.id for one in hook.heard}) == 2


def test_what_clears_while_acknowledged_is_told_to_who_was_told_of_it() -> None:
    hook = FakeChannel()
    looks = Round((hook,))
    looks.look(0, TAGS)
    looks.revise(_with_acknowledgement)
    looks.look(5)
    assert hook.news == [(["tags"], [], False), ([], ["tags"], False)]
    assert looks.memory().findings == ()


def _with_acknowledgement(memory: Memory) -> Memory:
    return replace(memory, acknowledgements=(acknowledged(TAGS, minutes=1, until=60),))
