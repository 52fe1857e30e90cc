"""kill -9 wherever it hurts, then `resume`: it converges, and nothing is made twice."""

from __future__ import annotations

import signal

import pytest

from nvcfplan.emulator.rules import Trouble, When
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Workshop, function, h100, stack

POINTS = [
    (route, when)
    for route in ("create-function", "create-version", "deploy", "undeploy", "delete-version")
    for when in (When.BEFORE, When.AFTER)
]
"""A request that was never processed, and one whose answer nobody heard."""


def _killed(workshop: Workshop, route: str, when: When) -> None:
    """A stack with one function to bump and one to add, killed in the middle of its apply."""
    old = "update: { keepVersions: 0 }"
    workshop.write("stack.yaml", stack(h100("chat", more=old)))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", more=old), function("embed")))
    workshop.emulator().add_fault(Fault(kind=Trouble.KILL, route=route, when=when))
    process = workshop.fork("apply", "-auto-approve", "--emulator", ".")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("route", "when"), POINTS)
def test_a_killed_apply_is_finished_by_resume(workshop: Workshop, route: str, when: When) -> None:
    _killed(workshop, route, when)

    said = workshop.type("resume", "--emulator", ".")

    assert said.code == 0, said
    account = workshop.account()
    assert sorted((one["name"], one["status"]) for one in account) == [
        ("chat", "ACTIVE"),
        ("embed", "ACTIVE"),
    ]
    images = {one["name"]: one["containerImage"] for one in account}
    assert images["chat"] == "nvcr.io/acme/chat:2.0.0"
    assert workshop.plan(".").code == 0


@pytest.mark.parametrize(("route", "when"), [point for point in POINTS if "create" in point[0]])
def test_a_killed_apply_can_be_undone_instead(workshop: Workshop, route: str, when: When) -> None:
    _killed(workshop, route, when)

    said = workshop.type("rollback", "--emulator", ".")

    assert said.code == 0, said
    (left,) = workshop.account()
    assert (left["name"], left["status"]) == ("chat", "ACTIVE")
    assert str(left["containerImage"]).endswith("1.0.0")


def test_an_apply_killed_before_it_wrote_a_plan_leaves_nothing_to_settle(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    assert workshop.type("resume", "--emulator", ".").code == 0
    assert workshop.apply(".").code == 0


def test_resume_after_a_finished_apply_has_nothing_to_do(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    workshop.apply(".")
    seen = workshop.events()
    said = workshop.type("resume", "--emulator", ".")
    assert (said.code, workshop.events()) == (0, seen)
    assert "the last run ended as applied" in said.err


def test_resume_needs_no_readable_stack(workshop: Workshop) -> None:
    _killed(workshop, "deploy", When.AFTER)
    workshop.write("stack.yaml", "stack: [")
    assert workshop.type("resume", "--emulator", ".").code == 0
    assert {one["status"] for one in workshop.account()} == {"ACTIVE"}


def test_an_applied_run_is_undone_only_with_approval(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    workshop.apply(".")
    assert workshop.type("rollback", "--emulator", ".").code == 1
    assert len(workshop.account()) == 1
    assert workshop.type("rollback", "-auto-approve", "--emulator", ".").code == 0
    assert workshop.account() == []
    assert workshop.plan(".").code == 2
