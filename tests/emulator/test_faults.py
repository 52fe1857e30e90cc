"""Scripted faults: which request they meet, and what becomes of it."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from nvcfplan.emulator.rules import Fault, FaultBody, Trouble, When
from nvcfplan.emulator.serving import Cause, Emulator, EmulatorError, Service
from tests.emulator.account import Account, container, rows, spec, world

FUNCTIONS = "/v2/nvcf/functions"


def account_with(*faults: Fault) -> Account:
    return Account.of(world(faults=faults))


def test_synchronous_capacity_fault_refuses_one_deploy_and_leaves_nothing() -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy"))
    target = account.create()
    answer = account.post(target, spec())
    assert answer.status == 400
    assert "Failed to deploy, reverting state to 'INACTIVE'" in answer.detail
    assert "no available clusters with capacity" in answer.detail
    assert account.status(target) == "INACTIVE"
    (entry,) = account.emulator.ledger()
    assert (entry.outcome, entry.cause, entry.is_injected) == (
        Service.REFUSED,
        Cause.CAPACITY,
        True,
    )
    account.deploy(target, spec())


def test_asynchronous_capacity_fault_ends_in_error_after_the_queue_timeout() -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy"))
    target = account.create()
    assert account.deploy(target, spec(2, 2))["functionStatus"] == "DEPLOYING"
    account.emulator.advance(31 * 60)
    shown = account.get(target.deployment).deployment
    assert shown["functionStatus"] == "ERROR"
    assert "Capacity not available at this time" in str(rows(shown, "healthInfo")[0]["error"])
    (entry,) = account.emulator.ledger()
    assert (entry.outcome, entry.is_injected) == (Service.EXPIRED, True)


MARKERS = (
    "Failed to create instances in the stipulated time",
    "Acknowledged capacity expired without instance creation",
    "Instance request schedule expired for this batch",
    "Cluster could not fulfill the instance request",
    "pod terminated due to state instance-terminated-no-capacity: unschedulable for 10m0s",
)


@pytest.mark.parametrize("text", MARKERS)
def test_asynchronous_capacity_fault_can_use_other_words(text: str) -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", text=text))
    target = account.create()
    account.deploy(target, spec())
    account.emulator.advance(31 * 60)
    (health,) = rows(account.get(target.deployment).deployment, "healthInfo")
    assert health["error"] == text


def test_allocator_that_does_not_answer_reverts_the_deploy() -> None:
    account = account_with(Fault(kind=Trouble.ANSWER, route="deploy", status=502))
    target = account.create()
    answer = account.post(target, spec())
    assert answer.status == 502
    assert (
        "Failed to deploy, reverting state to 'INACTIVE': Failed to get response from 'ICMS'"
        in (answer.detail)
    )
    assert account.status(target) == "INACTIVE"


def test_scripted_answer_can_say_anything() -> None:
    text = "There are no available clusters with reservation for H100"
    account = account_with(Fault(kind=Trouble.ANSWER, route="deploy", status=400, text=text))
    assert account.post(account.create(), spec()).detail == text


def test_capacity_fault_can_be_meant_for_one_instance_type() -> None:
    fault = Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", instance_type="lab.h100_2X")
    account = account_with(fault)
    target = account.create()
    account.deploy(target, spec(1, 1), spec(1, 1, instance_type="LAB.H100_2x"))
    account.emulator.advance(31 * 60)
    shown = account.get(target.deployment).deployment
    assert shown["functionStatus"] == "DEPLOYING"
    assert [one["instanceType"] for one in rows(shown, "healthInfo")] == ["LAB.H100_2x"]


def test_capacity_fault_on_an_update_starves_what_it_asks_for() -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_ASYNC, route="update-specification"))
    target = account.deployed(spec(1, 4))
    account.patch(target, "LAB.H100_1x", minInstances=2)
    account.emulator.advance(3600)
    assert account.status(target) == "DEGRADING"
    assert account.free() == 7
    account.patch(target, "LAB.H100_1x", minInstances=1, maxInstances=1)
    account.emulator.advance(60)
    assert account.status(target) == "ACTIVE"


def test_fault_meets_the_nth_request_of_its_route_and_function() -> None:
    fault = Fault(kind=Trouble.ANSWER, route="deploy", function="chat", nth=2, status=503)
    account = account_with(fault)
    chat, other = account.create("chat"), account.create("other")
    answers = [account.post(one, spec()).status for one in (other, chat, other, chat, chat)]
    assert answers == [200, 200, 400, 503, 400]


def test_fault_can_meet_every_request_from_the_nth_on() -> None:
    account = account_with(Fault(kind=Trouble.ANSWER, route="any", nth=2, every=True, status=429))
    answers = [account.get(FUNCTIONS) for _ in range(3)]
    assert [one.status for one in answers] == [200, 429, 429]
    assert answers[1].detail == "too many requests. Slow down."


def test_function_is_known_by_its_name_in_every_call_about_it() -> None:
    account = account_with(
        *(
            Fault(kind=Trouble.ANSWER, route=route, function="chat", status=503)
            for route in ("create-function", "create-version", "list-versions", "read-deployment")
        ),
        Fault(kind=Trouble.ANSWER, route="update-specification", function="chat", status=503),
    )
    assert account.call("POST", FUNCTIONS, container("chat")).status == 503
    target = account.deployed(spec())
    versions = f"{FUNCTIONS}/{target.function}/versions"
    assert account.call("POST", versions, container("other")).status == 503
    assert account.get(versions).status == 503
    assert account.get(target.deployment).status == 503
    assert account.patch(target, "LAB.H100_1x", minInstances=1).status == 503


def test_scripted_answer_may_be_html_and_serves_nothing() -> None:
    fault = Fault(kind=Trouble.ANSWER, route="create-function", status=502, body=FaultBody.HTML)
    account = account_with(fault)
    answer = account.call("POST", FUNCTIONS, container())
    assert (answer.status, answer.media_type) == (502, "text/html")
    assert account.get(FUNCTIONS).json == {"functions": []}


def test_grab_takes_what_is_free_just_before_the_request() -> None:
    fault = Fault(kind=Trouble.GRAB, route="deploy", cluster="lab-1", gpu="h100", nth=2)
    account = account_with(fault)
    account.deployed(spec(3, 3))
    second = account.create("second")
    assert "with capacity" in account.post(second, spec()).detail
    assert account.free() == 0
    account.emulator.give_back("lab-1", "H100", 5)
    account.deploy(second, spec())


def test_grab_of_a_part_leaves_the_rest() -> None:
    fault = Fault(kind=Trouble.GRAB, route="deploy", cluster="lab-1", gpu="H100", gpus=3)
    account = account_with(fault)
    account.deployed(spec(5, 5))
    assert account.free() == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Trouble.ANSWER, route="nonsense"),
        Fault(kind=Trouble.ANSWER, route="deploy", nth=0),
        Fault(kind=Trouble.ANSWER, route="deploy", status=200),
        Fault(kind=Trouble.CAPACITY_SYNC, route="undeploy"),
        Fault(kind=Trouble.CAPACITY_ASYNC, route="metadata"),
        Fault(kind=Trouble.GRAB, route="deploy"),
        Fault(kind=Trouble.PAUSE, route="deploy"),
    ],
)
def test_fault_that_could_never_act_is_refused(fault: Fault) -> None:
    with pytest.raises(EmulatorError, match="cannot act"):
        Account.of().emulator.add_fault(fault)


def client(emulator: Emulator) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=emulator.transport(),
        base_url=emulator.base_url,
        headers={"Authorization": "Bearer any"},
    )


def test_paused_reply_comes_later_in_virtual_time() -> None:
    emulator = Emulator.open(None, world())
    emulator.add_fault(Fault(kind=Trouble.PAUSE, route="create-function", seconds=90.0))

    async def create() -> tuple[int, float]:
        async with client(emulator) as http:
            answer = await http.post("/functions", json=container())
            return answer.status_code, emulator.clock.monotonic()

    assert asyncio.run(create()) == (200, 90.0)
    (event,) = emulator.events()
    assert (event.at - emulator.clock.now()).total_seconds() == -90


@pytest.mark.parametrize(("when", "made"), [(When.AFTER, 1), (When.BEFORE, 0)])
def test_dropped_reply_is_a_connection_error(when: When, made: int) -> None:
    emulator = Emulator.open(None, world())
    emulator.add_fault(Fault(kind=Trouble.DROP_REPLY, route="create-function", when=when))

    async def create() -> int:
        async with client(emulator) as http:
            with pytest.raises(httpx2.ReadError):
                await http.post("/functions", json=container())
            return len((await http.get("/functions")).json()["functions"])

    assert asyncio.run(create()) == made
