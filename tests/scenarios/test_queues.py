"""What waits in a queue is said before the version that would answer it is undeployed."""

from __future__ import annotations

import re

import pytest

from tests.scenarios.conftest import Workshop, stack
from tests.scenarios.test_tight_rollouts import begun, lab, world

QUEUE = "traffic:\n  chat: { running: 2, queueDepth: 5000, drainedPerMinute: 1000 }\n"


def _rolled(workshop: Workshop, *words: str, drains: bool = True) -> str:
    more = f"update: {{ keepVersions: 0, prove: none, drain: {str(drains).lower()} }}"
    begun(workshop, world(more=QUEUE), lab("chat", 2, more=more))
    workshop.write("stack.yaml", stack(lab("chat", 2, image="2.0.0", more=more)))
    workshop.plan("-out=roll.nvcfplan", ".")
    said = workshop.type("apply", *words)
    assert said.code == 0, said.err
    return said.out + said.err


@pytest.mark.parametrize(
    "words", [("--emulator", "roll.nvcfplan"), ("-auto-approve", "--emulator", ".")]
)
def test_queued_calls_are_counted_before_anything_is_done(
    workshop: Workshop, words: tuple[str, ...]
) -> None:
    told = _rolled(workshop, *words)
    said = r"In the queue of function.chat@old: 4\d\d\d calls, which end before it is undeployed\."
    line = re.search(said, told)
    assert line is not None, told
    assert line.start() < told.index("creating the version")


def test_calls_that_nobody_lets_end_are_said_to_be_lost(workshop: Workshop) -> None:
    told = _rolled(workshop, "--emulator", "roll.nvcfplan", drains=False)
    assert re.search(r"4\d\d\d calls, which are lost when it is undeployed\.", told), told


def test_an_empty_queue_is_not_worth_a_word(workshop: Workshop) -> None:
    begun(workshop, world(), lab("chat", 2))
    workshop.write("stack.yaml", stack(lab("chat", 2, image="2.0.0")))
    assert "In the queue of" not in workshop.apply(".").err
