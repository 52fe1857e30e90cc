"""A run that climbs a ladder is cut at every record, within records, and around every request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from nvcfplan.applying import RunOutcome
from nvcfplan.model import LastResort, PoolId
from nvcfplan.plans import Deploy
from tests.chaos.applier import Applier
from tests.chaos.ladders import Ladder, Way, laid
from tests.chaos.simulation import carry_out, is_open
from tests.chaos.test_cuts import (
    Action,
    cut,
    function,
    has_plan,
    is_settled,
    picture,
    recovered,
    staged,
)
from tests.chaos.weather import Weather
from tests.chaos.worlds import GPU

if TYPE_CHECKING:
    from nvcfplan.applying import Call, Done, Refused, Unanswered
    from tests.chaos.account import Besieged
    from tests.chaos.scene import Scene

STRIDE: Final = 1 if os.environ.get("NVCFPLAN_TORTURE") else 29
FOR_EVER: Final = 1e9


@dataclass
class Rush(Weather):
    """Others come for the GPUs just before our first deployment does.

    `leaving` of 0: it is refused; of 1: it is taken, and waits in vain.
    """

    leaving: int = 0
    seconds: float = FOR_EVER
    has_come: bool = False

    def deliver(self, call: Call, account: Besieged) -> Done | Refused | Unanswered:
        if isinstance(call.task, Deploy) and not self.has_come:
            self.has_come = True
            account.seize(PoolId("a", GPU), account.now + self.seconds, leaving=self.leaving)
        return Weather.deliver(self, call, account)


@dataclass(frozen=True, slots=True)
class Climb:
    """`low`: instances that are wanted. `seconds`: until the others give back."""

    ladder: Ladder
    low: int = 1
    leaving: int = 0
    seconds: float = FOR_EVER
    placed: str = "a"
    ends: RunOutcome = RunOutcome.APPLIED

    def action(self) -> Action:
        before = laid(function(low=self.low), self.ladder)
        after = laid(function(low=self.low, image="2"), self.ladder)
        return Action({"chat": before}, {"chat": after})

    def staged(self) -> Scene:
        scene = staged(self.action())
        scene.weather = Rush(Random(1), frozenset(), leaving=self.leaving, seconds=self.seconds)
        return scene


_TOO_LARGE: Final = (Way.RESIZED,)

CLIMBS: Final = {
    "fallback": Climb(Ladder((Way.ELSEWHERE,)), placed="b"),
    "fallback after a wait in vain": Climb(Ladder((Way.ELSEWHERE,)), low=2, leaving=1, placed="b"),
    "second fallback": Climb(Ladder((Way.RESIZED, Way.ELSEWHERE)), placed="b"),
    "wait": Climb(Ladder((Way.WAIT,), wait_seconds=1200), seconds=600),
    "shrink": Climb(Ladder((Way.SHRINK,)), low=2, leaving=1),
    "rollback": Climb(Ladder(_TOO_LARGE), ends=RunOutcome.ROLLED_BACK),
    "keep": Climb(Ladder(_TOO_LARGE, last=LastResort.KEEP), ends=RunOutcome.INCOMPLETE),
}


def moments(name: str, count: int) -> range:
    return range(1 + 4 * list(CLIMBS).index(name) % STRIDE, count + 1, STRIDE)


def placed(scene: Scene) -> set[str]:
    """Where all stands that is deployed."""
    return {
        cluster
        for function_id, version in scene.account.deployed()
        for row in (scene.account.functions[function_id][version].row,)
        if row is not None
        for one in row.placed
        for cluster in one.specification.clusters
    }


@pytest.mark.parametrize("name", CLIMBS)
def test_a_climb_ends_on_its_rung(name: str) -> None:
    climb = CLIMBS[name]
    action, scene = climb.action(), climb.staged()
    applier = Applier(scene, "one")
    carry_out(scene, [applier.apply(action.after)])
    assert applier.outcome is climb.ends
    assert placed(scene) == {climb.placed}
    if climb.ends is RunOutcome.APPLIED:
        assert is_settled(scene, action.after)


@pytest.mark.parametrize("name", CLIMBS)
def test_a_climb_that_is_cut_anywhere_is_resumed_to_its_rung(name: str) -> None:
    climb = CLIMBS[name]
    action, scene = climb.action(), climb.staged()
    whole, count = cut(scene, action.after, None)
    for at in moments(name, count):
        died, _ = cut(scene, action.after, at)
        has_begun = has_plan(died)
        recovered(died, "resume")
        assert picture(died) == picture(whole if has_begun else scene), at
        assert is_open(died) is (has_begun and is_open(whole)), at


@pytest.mark.parametrize("name", CLIMBS)
def test_a_climb_that_is_cut_anywhere_can_be_undone_instead(name: str) -> None:
    climb = CLIMBS[name]
    action, scene = climb.action(), climb.staged()
    _, count = cut(scene, action.after, None)
    for at in moments(name, count):
        died, _ = cut(scene, action.after, at)
        if has_plan(died):
            recovered(died, "rollback")
            assert picture(died) == picture(scene), at
            assert is_settled(died, action.before), at


@pytest.mark.parametrize("name", [name for name, one in CLIMBS.items() if name != "rollback"])
def test_the_undo_of_a_climb_that_is_cut_anywhere_is_gone_on_with(name: str) -> None:
    climb = CLIMBS[name]
    scene = climb.staged()
    whole, _ = cut(scene, climb.action().after, None)
    _, count = cut(whole, None, None)
    for at in moments(name, count):
        for way in ("resume", "rollback"):
            died, _ = cut(whole, None, at)
            if is_open(died):
                recovered(died, way)
                # Cut before its plan stood in the journal, it had not begun: resumed, it stays.
                is_whole = way == "resume" and picture(died) == picture(whole)
                assert is_whole or picture(died) == picture(scene), at


def test_what_was_kept_for_want_of_room_is_resumed_once_there_is_some() -> None:
    climb = CLIMBS["keep"]
    action, scene = climb.action(), climb.staged()
    kept, _ = cut(scene, action.after, None)
    kept.account.give_back(everything=True)
    assert recovered(kept, "resume") is RunOutcome.APPLIED
    assert placed(kept) == {"a"}
    assert is_settled(kept, action.after)
