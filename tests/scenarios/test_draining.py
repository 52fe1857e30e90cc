"""A queue that does not end in time: `update.onDrainTimeout`, typed into the command line."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import Workshop, stack
from tests.scenarios.test_tight_rollouts import begun, lab, world

QUEUE = "traffic:\n  chat: { running: 2, queueDepth: 100000, drainedPerMinute: 0.1 }\n"


def policy(word: str) -> str:
    return f"update: {{ keepVersions: 0, prove: none, drainTimeout: 10m, onDrainTimeout: {word} }}"


def rolled(workshop: Workshop, word: str) -> tuple[int, str, str]:
    """Code, the plan's text, and what apply said, on one line each."""
    begun(workshop, world(more=QUEUE), lab("chat", 2, more=policy(word)))
    workshop.write("stack.yaml", stack(lab("chat", 2, image="2.0.0", more=policy(word))))
    plan = " ".join(workshop.plan("-out=roll.nvcfplan", ".").out.split())
    said = workshop.type("apply", "--emulator", "roll.nvcfplan")
    return said.code, plan, " ".join((said.out + said.err).split())


def test_force_loses_what_is_queued_and_says_so_before_and_when_it_does(
    workshop: Workshop,
) -> None:
    code, plan, said = rolled(workshop, "force")
    assert code == 0, said
    assert "what is queued after 10m is lost" in plan
    assert "undone only if there is room, and loses queued work" in plan
    assert "undeployed at once, and what is still queued is lost" in said
    plain = [one for one in workshop.events() if "undeploy" in one.kind]
    assert plain
    assert workshop.plan(".").code == 0


@pytest.mark.parametrize(
    ("word", "words"),
    [("fail", "(update.drainTimeout)"), ("wait", "still draining its queue after 2")],
)
def test_fail_and_wait_end_in_an_undo_with_the_reason(
    workshop: Workshop, word: str, words: str
) -> None:
    code, plan, said = rolled(workshop, word)
    assert code == 3, said
    assert words in said
    assert ("queued work may take 40m" in plan) is (word == "wait")
