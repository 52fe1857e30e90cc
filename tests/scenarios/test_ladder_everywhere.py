"""A capacity failure at each step of a long plan that takes GPUs: back, or on by a rung."""

from __future__ import annotations

import os

import pytest

from nvcfplan.emulator.rules import Trouble, When
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Workshop, as_before, function, stack
from tests.scenarios.test_ladder import FALLBACK, chat, climbing, no_capacity

FUNCTIONS = 10
STEPS = 5 * FUNCTIONS
TAKING = range(1, FUNCTIONS + 1) if os.environ.get("NVCFPLAN_TORTURE") else (4,)
"""Which deployment fails: each replaces one of ten versions, with room for six at once."""


def fleet(*rungs: str, image: str) -> str:
    parts = (function(f"f{n}", image=image, instances="1..1") for n in range(FUNCTIONS))
    return stack(*(climbing(one, *rungs) if rungs else one for one in parts))


def _bumped(workshop: Workshop, *rungs: str, nth: int) -> list[dict[str, object]]:
    """The account before a bump whose `nth` deployment will find no room."""
    workshop.write("stack.yaml", fleet(*rungs, image="1.0.0"))
    assert workshop.apply(".").code == 0
    before = workshop.account()
    workshop.write("stack.yaml", fleet(*rungs, image="2.0.0"))
    document = workshop.plan("-json", ".").document
    plan = document["plan"]
    assert isinstance(plan, dict)
    assert len(plan["steps"]) == STEPS
    workshop.emulator().add_fault(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", nth=nth))
    return before


@pytest.mark.parametrize("nth", TAKING)
def test_without_a_rung_the_account_is_as_before(workshop: Workshop, nth: int) -> None:
    before = _bumped(workshop, nth=nth)

    said = workshop.apply("-on-failure", "all", ".")

    assert said.code == 3, said
    assert as_before(workshop.account()) == as_before(before)


@pytest.mark.parametrize("nth", TAKING)
def test_room_that_comes_late_lets_the_whole_plan_through(workshop: Workshop, nth: int) -> None:
    _bumped(workshop, "wait: 20m", nth=nth)

    said = workshop.apply(".")

    assert said.code == 0, said
    assert workshop.plan(".").code == 0
    serving = [one for one in workshop.account() if one["status"] == "ACTIVE"]
    assert [str(one["containerImage"])[-5:] for one in serving] == ["2.0.0"] * FUNCTIONS


def test_only_the_component_that_failed_is_undone_unless_all_is_asked_for(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", stack(chat(), function("embed")))
    workshop.plan(".")
    workshop.emulator().add_fault(
        Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", function="chat")
    )
    assert workshop.apply(".").code == 3
    assert [one["name"] for one in workshop.account()] == ["embed"]


def test_with_keep_nothing_is_undone_and_resume_goes_on(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat()))
    workshop.plan(".")
    no_capacity(workshop)

    said = workshop.apply("-on-failure", "keep", "-json", ".")

    assert said.code == 4, said
    assert [one["status"] for one in workshop.account()] == ["ERROR"]
    assert workshop.type("resume", "--emulator", ".").code == 0
    assert workshop.plan(".").code == 0


@pytest.mark.parametrize(
    ("route", "nth", "when"),
    [("undeploy", 1, When.BEFORE), ("undeploy", 1, When.AFTER), ("deploy", 2, When.AFTER)],
)
@pytest.mark.parametrize("verb", ["resume", "rollback"])
def test_a_climb_that_was_killed_is_gone_on_with_or_undone(
    workshop: Workshop, route: str, nth: int, when: When, verb: str
) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK)))
    workshop.plan(".")
    no_capacity(workshop)
    workshop.emulator().add_fault(Fault(kind=Trouble.KILL, route=route, nth=nth, when=when))
    process = workshop.fork("apply", "-auto-approve", "--emulator", ".")
    process.communicate(timeout=60)
    assert process.returncode == -9

    said = workshop.type(verb, "--emulator", ".")

    assert said.code == 0, said
    if verb == "rollback":
        assert workshop.account() == []
    else:
        assert "satisfied by fallback 1 of 1" in said.out
        assert workshop.plan(".").code == 0


def test_what_a_ladder_kept_goes_back_when_the_whole_run_does(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat("keep"), function("embed")))
    workshop.plan(".")
    workshop.emulator().add_fault(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy", every=True))

    said = workshop.apply("-on-failure", "all", "-parallelism", "1", ".")

    assert said.code == 3, said
    assert workshop.account() == []
