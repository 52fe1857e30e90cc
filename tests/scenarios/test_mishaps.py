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


def test_function_that_was_delivered_twice_is_swept_by_the_next_apply(workshop: Workshop) -> None:
    """No answer tells of the second one; both carry the tags of the one request."""
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.plan(".")
    workshop.emulator().add_fault(Fault(kind=Trouble.DUPLICATE, route="create-function"))
    workshop.apply(".")
    ids = {one["id"]: one["status"] for one in workshop.account()}
    (surplus,) = [function for function, status in ids.items() if status == "INACTIVE"]

    said = workshop.plan(".")
    assert said.code == 2
    assert f"function.chat~{surplus}" in said.out
    assert "cleanup: our own late create" in said.out

    assert workshop.apply(".").code == 0
    (left,) = workshop.account()
    assert (left["status"], left["id"] != surplus) == ("ACTIVE", True)
    assert workshop.plan(".").code == 0


def test_version_that_was_delivered_twice_does_not_take_the_place_of_a_kept_one(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.apply(".")
    newer = h100("chat", image="2.0.0", instances=1, more="update: { keepVersions: 1 }")
    workshop.write("stack.yaml", stack(newer))
    workshop.plan(".")
    workshop.emulator().add_fault(Fault(kind=Trouble.DUPLICATE, route="create-version"))
    workshop.apply(".")

    assert "cleanup: our own late create" in workshop.plan(".").out
    assert workshop.apply(".").code == 0
    images = [(str(one["containerImage"])[-5:], one["status"]) for one in workshop.account()]
    assert sorted(images) == [("1.0.0", "INACTIVE"), ("2.0.0", "ACTIVE")]


@pytest.mark.parametrize("way_out", ["apply", "rollback"])
def test_function_that_is_made_long_after_its_request_is_swept(
    workshop: Workshop, way_out: str
) -> None:
    """The first request is given up, and arrives when nobody looks for it any more."""
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.plan(".")
    late = Fault(kind=Trouble.LATE, route="create-function", seconds=100.0)
    workshop.emulator().add_fault(late)
    assert workshop.apply(".").code == 0
    if way_out == "rollback":
        assert workshop.type("rollback", "-auto-approve", "--emulator", ".").code == 0

    said = workshop.plan(".")
    assert (said.code, "cleanup: our own late create" in said.out) == (2, True)
    assert workshop.apply(".").code == 0
    assert [one["status"] for one in workshop.account()] == ["ACTIVE"]
    assert workshop.plan(".").code == 0


def test_late_function_that_somebody_deployed_is_only_reported(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.plan(".")
    late = Fault(kind=Trouble.LATE, route="create-function", seconds=100.0)
    workshop.emulator().add_fault(late)
    workshop.apply(".")
    (surplus,) = [one for one in workshop.account() if one["status"] == "INACTIVE"]
    (used,) = [one for one in workshop.account() if one["status"] == "ACTIVE"]
    deployment = used["deployment"]
    assert isinstance(deployment, dict)
    rows = [
        {key: row[key] for key in ("gpu", "instanceType", "minInstances", "maxInstances")}
        for row in deployment["deploymentSpecifications"]
    ]
    path = f"deployments/functions/{surplus['id']}/versions/{surplus['versionId']}"
    workshop.ask(path, method="POST", body={"deploymentSpecifications": rows})

    said = workshop.plan(".")

    assert (said.code, codes(said.out + said.err)) == (0, ["late-arrival-deployed"])
