"""Whatever befalls it: nothing is orphaned, doubled, lost or stuck, and what must serve serves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.budget import examples
from tests.chaos.defects import DEFECTS
from tests.chaos.simulation import KINDS, simulate
from tests.chaos.visits import Visit
from tests.chaos.weather import Trouble

PARTS = 4
SCHEDULES = examples(10_000) // PARTS
LEAST = {
    Visit.RESUME: 50,
    Visit.ROLLBACK: 50,
    Visit.ASKED: 50,
    Visit.ADOPT: 50,
    Visit.LOCKED: 10,
    Visit.LEASE_LOST: 20,
    Visit.SWEEP: 3,
    Visit.BLOCKED: 5,
    Visit.TORN: 5,
    Visit.FALLBACK: 5,
    Visit.WAIT: 3,
    Visit.SHRINK: 1,
    Visit.LADDER_ROLLBACK: 1,
    Visit.LADDER_KEEP: 5,
    Visit.REFUSED: 5,
    Visit.CUT: 1,
}
"""In 250 schedules, so that none of these can quietly stop happening."""

TELLING = {
    "no sweep": frozenset({Trouble.LATE, Trouble.DROP_BEFORE}),
    "no read-back": frozenset({Trouble.DROP_REPLY, Trouble.LATE}),
    "intent after call": frozenset({Trouble.KILL}),
    "blind retry": frozenset({Trouble.DROP_REPLY, Trouble.GARBAGE}),
    "funding edge dropped": frozenset({Trouble.JUMP}),
    "undo not in reverse": frozenset({Trouble.KILL, Trouble.INTERRUPT, Trouble.REFUSED}),
}
"""The troubles under which a defect shows."""


@pytest.mark.parametrize("part", range(PARTS))
def test_after_one_more_run_all_is_as_it_should_be(part: int) -> None:
    visits, met, unfeasible = Counter[str](), Counter[Trouble](), 0
    for seed in range(part * 10_000, part * 10_000 + SCHEDULES):
        told = simulate(seed)
        assert not told.faults, (seed, told.faults)
        visits += told.visits
        met += told.met
        unfeasible += not told.is_feasible

    rare = {word: visits[word] for word, least in LEAST.items() if visits[word] < least}
    assert not rare, visits
    assert met.keys() == set(KINDS)
    assert unfeasible <= SCHEDULES / 20


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_noticed(name: str) -> None:
    for seed in range(200):
        try:
            told = simulate(seed, DEFECTS[name], kinds=TELLING[name])
        except AssertionError:
            return
        if told.faults:
            return
    pytest.fail(f"nobody noticed: {name}")


@pytest.mark.parametrize("name", DEFECTS)
def test_the_same_troubles_without_the_defect_do_no_harm(name: str) -> None:
    for seed in range(20):
        assert not simulate(seed, kinds=TELLING[name]).faults, seed


def test_the_same_seed_tells_the_same_story() -> None:
    seeds = range(7, 11)
    here = [simulate(seed).digest for seed in seeds]
    assert [simulate(seed).digest for seed in seeds] == here
    assert _told_elsewhere(seeds) == here


def _told_elsewhere(seeds: range) -> list[str]:
    """By another process, where sets and mappings have another order."""
    code = (
        "from tests.chaos.simulation import simulate\n"
        f"for seed in {seeds!r}: print(simulate(seed).digest)"
    )
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": str(root), "PYTHONHASHSEED": "17", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
