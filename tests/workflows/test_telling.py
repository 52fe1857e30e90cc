"""Channels are told once of what is new to them, whatever fails in between."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nvcfplan.drifting import recollect
from nvcfplan.reports import Circumstances, LastRun, drift_report
from nvcfplan.workflows import Delivery, Scope, Telling, read_memory, revise_memory, tell_channels
from tests.drifting.findings import acknowledged, at, drift, finding
from tests.fakes import MemoryStore
from tests.workflows.channels import FakeChannel, Killed

if TYPE_CHECKING:
    from nvcfplan.drifting import Finding, Recollection
    from nvcfplan.model import Memory

SCOPE = Scope("shop", "prod")
TAGS, LIMIT = finding("tags"), finding("limit")


@dataclass
class Round:
    """Looks at the times that are given, each told to all channels."""

    channels: tuple[FakeChannel, ...]
    remind_every: timedelta | None = None
    store: MemoryStore = field(default_factory=MemoryStore)

    def look(self, minutes: float, *findings: Finding) -> tuple[Delivery, ...]:
        return asyncio.run(self._look(minutes, findings))

    async def _look(self, minutes: float, findings: tuple[Finding, ...]) -> tuple[Delivery, ...]:
        found, now = drift(*findings), at(minutes)

        def change(memory: Memory) -> tuple[Memory, Recollection]:
            recalled = recollect(memory, found, now)
            return recalled.memory, recalled

        recalled = await revise_memory(SCOPE, self.store, change)
        around = Circumstances(
            stack=str(SCOPE),
            account="acme",
            last_run=LastRun.SETTLED,
            run_words="",
            looked_at=now,
            has_state=True,
        )
        telling = Telling(channels=self.channels, remind_every=self.remind_every)
        report = drift_report(found, around, recalled)
        return await tell_channels(report, SCOPE, self.store, telling)

    def memory(self) -> Memory:
        return asyncio.run(read_memory(SCOPE, self.store))


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
    asyncio.run(
        revise_memory(SCOPE, looks.store, lambda memory: (_with_acknowledgement(memory), None))
    )
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
    asyncio.run(
        revise_memory(SCOPE, looks.store, lambda memory: (_with_acknowledgement(memory), None))
    )
    looks.look(5)
    assert hook.news == [(["tags"], [], False), ([], ["tags"], False)]
    assert looks.memory().findings == ()


def _with_acknowledgement(memory: Memory) -> Memory:
    return replace(memory, acknowledgements=(acknowledged(TAGS, minutes=1, until=60),))
