"""What befalls requests and replies on their way, as a client sees it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, TypeVar

import httpx2
import pytest

from nvcfplan.emulator.rules import Fault, FaultBody, Trouble, When
from nvcfplan.emulator.serving import Emulator, EmulatorError
from tests.emulator.account import Account, container, rows, spec, world

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

FUNCTIONS = "/v2/nvcf/functions"
T = TypeVar("T")


def emulated(*faults: Fault) -> Emulator:
    return Emulator.open(None, world(faults=faults))


def asked(emulator: Emulator, ask: Callable[[httpx2.AsyncClient], Awaitable[T]]) -> T:
    async def run() -> T:
        async with httpx2.AsyncClient(
            transport=emulator.transport(),
            base_url=emulator.base_url,
            headers={"Authorization": "Bearer any"},
            timeout=30.0,
        ) as client:
            return await ask(client)

    return asyncio.run(run())


def create(client: httpx2.AsyncClient) -> Awaitable[httpx2.Response]:
    return client.post("/functions", json=container())


def names(emulator: Emulator) -> list[str]:
    found = Account(emulator).get(FUNCTIONS).json["functions"]
    assert isinstance(found, list)
    return [one["name"] for one in found]


@pytest.mark.parametrize(("when", "made"), [(When.BEFORE, []), (When.AFTER, ["chat"])])
def test_stuck_reply_costs_the_callers_whole_patience(when: When, made: list[str]) -> None:
    emulator = emulated(Fault(kind=Trouble.STUCK, route="create-function", when=when))
    with pytest.raises(httpx2.ReadTimeout):
        asked(emulator, create)
    assert emulator.clock.monotonic() == 30.0
    assert names(emulator) == made


def test_cut_reply_breaks_off_in_the_middle_of_the_body() -> None:
    emulator = emulated(Fault(kind=Trouble.CUT_REPLY, route="create-function"))

    async def read(client: httpx2.AsyncClient) -> tuple[int, bytes]:
        async with client.stream("POST", "/functions", json=container()) as answer:
            chunks = answer.aiter_raw()
            body = await anext(chunks)
            with pytest.raises(httpx2.RemoteProtocolError):
                await anext(chunks)
        return answer.status_code, body

    status, body = asked(emulator, read)
    assert status == 200
    assert body.startswith(b'{"function": ')
    assert not body.endswith(b"}}")
    assert names(emulator) == ["chat"]


def test_late_request_is_served_after_the_caller_has_gone() -> None:
    emulator = emulated(Fault(kind=Trouble.LATE, route="create-function", seconds=45.0))
    with pytest.raises(httpx2.ReadError):
        asked(emulator, create)
    emulator.advance(44)
    assert names(emulator) == []
    emulator.advance(1)
    assert names(emulator) == ["chat"]


def test_late_request_comes_at_its_time_however_time_passes() -> None:
    account = Account.of(world(faults=(Fault(kind=Trouble.LATE, route="deploy", seconds=45.0),)))
    target = account.create()
    account.post(target, spec(1, 1))
    account.call("POST", "/emulator/advance", {"seconds": "10m"})
    assert account.status(target) == "ACTIVE"
    created = str(account.get(target.deployment).deployment["createdAt"])
    assert created.startswith("2026-01-01T00:00:45")


def test_late_request_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    fault = Fault(kind=Trouble.LATE, route="create-function", seconds=45.0)
    first = Account(Emulator.open(path, world(faults=(fault,))))
    first.call("POST", FUNCTIONS, container(description="späte \u20ac"))
    first.emulator.close()
    second = Account(Emulator.open(path, None))
    second.emulator.advance(60)
    (made,) = rows(second.get(FUNCTIONS).json, "functions")
    assert made["description"] == "späte \u20ac"
    second.emulator.close()


def test_late_request_with_secrets_is_served_at_once_and_keeps_none(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    fault = Fault(kind=Trouble.LATE, route="any", seconds=45.0)
    account = Account(Emulator.open(path, world(faults=(fault,))))
    secrets = [{"name": "A", "value": "canary"}]
    account.call("POST", FUNCTIONS, container(secrets=secrets))
    assert names(account.emulator) == ["chat"]
    account.emulator.close()
    assert b"canary" not in path.read_bytes()


def test_late_request_that_makes_no_sense_any_more_comes_to_nothing() -> None:
    account = Account.of(world(faults=(Fault(kind=Trouble.LATE, route="deploy", seconds=45.0),)))
    target = account.create()
    account.post(target, spec())
    account.call("DELETE", target.path)
    account.emulator.advance(60)
    assert account.kinds()[-2:] == ["deleted", "arrived"]
    assert account.free() == 8


def test_request_delivered_twice_is_served_twice() -> None:
    emulator = emulated(Fault(kind=Trouble.DUPLICATE, route="create-function"))
    assert asked(emulator, create).status_code == 200
    assert names(emulator) == ["chat", "chat"]


@pytest.mark.parametrize(("when", "status"), [(When.AFTER, 200), (When.BEFORE, 400)])
def test_reply_to_a_doubled_deployment_is_of_the_first_or_of_the_second_delivery(
    when: When, status: int
) -> None:
    account = Account.of(world(faults=(Fault(kind=Trouble.DUPLICATE, route="deploy", when=when),)))
    target = account.create()
    assert account.post(target, spec()).status == status
    assert account.status(target) == "DEPLOYING"
    assert len(account.instances(target)) == 1


def test_second_delivery_may_come_later() -> None:
    fault = Fault(kind=Trouble.DUPLICATE, route="create-function", seconds=20.0)
    emulator = emulated(fault)
    asked(emulator, create)
    assert names(emulator) == ["chat"]
    emulator.advance(20)
    assert names(emulator) == ["chat", "chat"]


@pytest.mark.parametrize("body", [one for one in FaultBody if one is not FaultBody.PROBLEM])
def test_served_request_may_be_answered_with_anything(body: FaultBody) -> None:
    emulator = emulated(Fault(kind=Trouble.GARBLE, route="create-function", body=body))
    answer = asked(emulator, create)
    assert answer.status_code == 200
    assert names(emulator) == ["chat"]
    if body is FaultBody.WRONG_TYPE:
        assert answer.headers["content-type"] == "text/plain"
        assert answer.json()["function"]["name"] == "chat"
        return
    with pytest.raises(ValueError, match=r"Expecting|decode|Unterminated"):
        json.loads(answer.content)
    is_json = answer.headers.get("content-type") == "application/json"
    assert is_json is (body in (FaultBody.GARBAGE, FaultBody.TRUNCATED))


def test_garbled_answer_may_be_to_a_request_that_was_never_served() -> None:
    fault = Fault(
        kind=Trouble.GARBLE, route="create-function", body=FaultBody.HTML, when=When.BEFORE
    )
    emulator = emulated(fault)
    assert asked(emulator, create).status_code == 200
    assert names(emulator) == []


def list_functions(client: httpx2.AsyncClient) -> Awaitable[httpx2.Response]:
    return client.get("/functions")


def test_too_many_requests_may_say_when_to_come_back() -> None:
    with_time = Fault(kind=Trouble.ANSWER, route="list-functions", status=429, retry_after=7)
    without = Fault(kind=Trouble.ANSWER, route="list-functions", status=429)
    answers = [asked(emulated(one), list_functions) for one in (with_time, without)]
    assert [one.status_code for one in answers] == [429, 429]
    assert [one.headers.get("retry-after") for one in answers] == ["7", None]


def test_fault_meets_so_many_requests_and_no_more() -> None:
    fault = Fault(kind=Trouble.ANSWER, route="list-functions", nth=2, count=3, status=503)
    account = Account(emulated(fault))
    assert [account.get(FUNCTIONS).status for _ in range(6)] == [200, 503, 503, 503, 200, 200]


def test_outage_lasts_from_one_time_until_another() -> None:
    outage = Fault(
        kind=Trouble.ANSWER, route="any", status=503, every=True, since=600.0, until=1200.0
    )
    account = Account(emulated(outage))
    seen = []
    for _ in range(5):
        seen.append((account.get(FUNCTIONS).status, account.get("/v2/nvcf/clusterGroups").status))
        account.emulator.advance(300)
    assert seen == [(200, 200), (200, 200), (503, 503), (503, 503), (200, 200)]


def test_outage_may_be_of_one_route_alone() -> None:
    outage = Fault(kind=Trouble.DROP_REPLY, route="deploy", every=True, until=600.0)
    account = Account(emulated(outage))
    target = account.create()
    assert account.get(FUNCTIONS).status == 200
    account.emulator.advance(600)
    assert account.post(target, spec()).status == 200


def test_instances_may_be_lost_just_before_a_request() -> None:
    fault = Fault(kind=Trouble.LOSE, route="read-version", function="chat", nth=2, instances=1)
    account = Account(emulated(fault))
    target = account.create()
    account.deploy(target, spec(2, 2))
    account.emulator.advance(600)
    assert len(account.instances(target)) == 2
    assert len(account.instances(target)) == 1


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(kind=Trouble.LATE, route="deploy"), "seconds above 0"),
        (Fault(kind=Trouble.BREAK, route="undeploy"), "meets only"),
        (Fault(kind=Trouble.BREAK, route="deploy", failure="ennui"), "is none of: configuration"),
        (Fault(kind=Trouble.KILL, route="deploy", failure="image-pull"), "has no failure"),
        (Fault(kind=Trouble.BREAK, route="deploy", is_silent=True), "has no silent"),
        (Fault(kind=Trouble.GRAB, route="deploy", cluster="a", gpu="b", instances=1), "instances"),
        (Fault(kind=Trouble.GARBLE, route="deploy"), "anything but"),
        (Fault(kind=Trouble.GARBLE, route="deploy", retry_after=3), "anything but|retryAfter"),
        (Fault(kind=Trouble.ANSWER, route="deploy", body=FaultBody.TRUNCATED), "one of"),
        (Fault(kind=Trouble.STUCK, route="deploy", every=True, count=2), "exclude"),
        (Fault(kind=Trouble.STUCK, route="deploy", since=9.0, until=9.0), "after from"),
        (Fault(kind=Trouble.STUCK, route="deploy", count=0), "begin at 1"),
    ],
)
def test_fault_that_could_never_act_is_refused_with_its_reason(fault: Fault, why: str) -> None:
    with pytest.raises(EmulatorError, match=why):
        emulated().add_fault(fault)
