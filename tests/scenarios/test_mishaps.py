"""Requests and replies that come to grief on their way: the run gets there all the same.

However often it is interrupted, in the end there is one version, deployed as the stack says.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.rules import Fault, FaultBody, Trouble, When
from tests.scenarios.conftest import Workshop, codes, h100, stack

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = (4, 5, 6)
ROUTES = (
    "create-function",
    "create-version",
    "deploy",
    "undeploy",
    "delete-version",
    "read-version",
    "read-deployment",
    "list-functions",
    "inventory",
)
OLD_FIRST = ("undeploy", "create-version", "delete-version")
"""Called only where there is an old version to replace."""


def faults_of(route: str) -> Iterator[Fault]:
    bodies = [one for one in FaultBody if one is not FaultBody.PROBLEM]
    for when in When:
        yield Fault(kind=Trouble.STUCK, route=route, when=when)
        yield Fault(kind=Trouble.DROP_REPLY, route=route, when=when)
        if route != "create-function":  # its own test, below
            yield Fault(kind=Trouble.DUPLICATE, route=route, when=when)
        for body in bodies:
            yield Fault(kind=Trouble.GARBLE, route=route, when=when, body=body)
    yield Fault(kind=Trouble.CUT_REPLY, route=route)
    yield Fault(kind=Trouble.LATE, route=route, seconds=20.0)
    yield Fault(kind=Trouble.ANSWER, route=route, status=429, retry_after=3, count=2)
    yield Fault(kind=Trouble.ANSWER, route=route, status=500)
    yield Fault(kind=Trouble.ANSWER, route=route, status=503, body=FaultBody.GARBAGE)


ALL = tuple(fault for route in ROUTES for fault in faults_of(route))
CASES = ALL if os.environ.get("NVCFPLAN_TORTURE") else ALL[::8]


def named(fault: Fault) -> str:
    return f"{fault.route}-{fault.kind}-{fault.when}-{fault.body}-{fault.status}"


def settled(workshop: Workshop) -> None:
    """Applies, and goes on with what was interrupted until there is nothing left to go on with."""
    said = workshop.apply(".")
    for _ in range(3):
        if said.code not in OPEN:
            break
        said = workshop.type("resume", "--emulator", ".")
    assert said.code not in OPEN, said


@pytest.mark.parametrize("fault", CASES, ids=named)
def test_run_gets_there_whatever_befalls_one_of_its_requests(
    workshop: Workshop, fault: Fault
) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    if fault.route in OLD_FIRST:
        assert workshop.apply(".").code == 0
        newer = h100("chat", image="2.0.0", instances=1, more="update: { keepVersions: 0 }")
        workshop.write("stack.yaml", stack(newer))
    workshop.plan(".")
    workshop.emulator().add_fault(fault)

    settled(workshop)

    (met,) = workshop.emulator().overview().faults
    assert met.met
    assert workshop.apply(".").code == 0
    (version,) = workshop.account()
    assert version["status"] == "ACTIVE"


def test_deployment_that_was_delivered_twice_is_not_taken_for_a_failure(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.plan(".")
    fault = Fault(kind=Trouble.DUPLICATE, route="deploy", when=When.BEFORE)
    workshop.emulator().add_fault(fault)

    said = workshop.apply(".")

    assert said.code == 0
    assert "found done" in said.err


def test_function_that_was_delivered_twice_is_pointed_out_by_the_next_plan(
    workshop: Workshop,
) -> None:
    """No answer tells of the second one; both carry the tags of the one request."""
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.plan(".")
    workshop.emulator().add_fault(Fault(kind=Trouble.DUPLICATE, route="create-function"))
    workshop.apply(".")

    said = workshop.plan(".")

    assert (said.code, codes(said.out + said.err)) == (1, ["function-claimed-twice"])
