"""The emulator's own calls, as they come over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from nvcfplan.emulator.clock import WallClock
from nvcfplan.emulator.messages import Incoming
from nvcfplan.emulator.serving import EmulatorError
from tests.emulator.account import Account, Json, rows, spec, world


@pytest.fixture
def account() -> Account:
    return Account.of(world())


def post(account: Account, word: str, **body: object) -> Json:
    answer = account.call("POST", f"/emulator/{word}", body)
    assert answer.status == 200, answer.body
    return answer.json


def test_advance_moves_the_world(account: Account) -> None:
    target = account.create()
    account.deploy(target, spec())
    gone = post(account, "advance", seconds="10m")
    assert gone == {"now": "2026-01-01T00:10:00+00:00", "left": 0.0}
    assert account.status(target) == "ACTIVE"


def test_way_on_which_much_happens_is_gone_in_parts(account: Account) -> None:
    post(account, "schedule", what="lose", every="1s")
    first = post(account, "advance", seconds="1h")
    assert 0 < cast("float", first["left"]) < 3600
    assert post(account, "advance", seconds=first["left"])["left"] == 0
    account.emulator.advance(2 * 3600)
    assert account.emulator.clock.monotonic() == 3 * 3600


def test_calendar_ends_and_the_world_goes_on() -> None:
    account = Account.of(replace(world(), starts_at="9999-12-30T00:00:00Z"))
    for seconds in (1e15, 1e300, "999999999999d"):
        answer = account.call("POST", "/emulator/advance", {"seconds": seconds})
        assert (answer.status, answer.detail) == (400, "time cannot go beyond the year 9999")
    with pytest.raises(EmulatorError, match="beyond the year 9999"):
        account.emulator.advance(1e15)
    wall = iter((0.0, 1e6, 2e6))
    clock = WallClock(0.0, speed=1e9, monotonic=lambda: next(wall))
    for _ in range(2):
        asked = Incoming(method="GET", path="/v2/nvcf/functions", authorization="Bearer any")
        assert account.emulator.exchange(asked, wall=clock).reply.status == 200
    assert account.create()


def test_grab_and_give_back(account: Account) -> None:
    post(account, "grab", cluster="lab-1", gpu="H100", gpus=5, tenant="x")
    assert account.free() == 3
    refused = {"cluster": "lab-1", "gpu": "H100", "gpus": 4}
    answer = account.call("POST", "/emulator/grab", refused)
    assert (answer.status, answer.detail) == (400, "lab-1 has 3 free H100; 4 cannot be taken")
    post(account, "give-back", cluster="lab-1", gpu="H100", gpus=5, tenant="x")
    assert account.free() == 8


def test_fault_comes_over_http_as_in_a_world_file(account: Account) -> None:
    post(account, "fault", kind="capacity-sync", route="deploy", instanceType="LAB.H100_1x")
    assert account.post(account.create(), spec()).status == 400


def test_load_moves_the_running_count_within_its_bounds(account: Account) -> None:
    target = account.deployed(spec(2, 6))
    assert post(account, "load", function="chat", running=5) == {"running": 5}
    assert {one["instanceStatus"] for one in account.instances(target)} == {"RUNNING"}
    account.emulator.advance(3600)
    assert len(account.instances(target)) == 5
    assert account.free() == 3
    assert post(account, "load", version=target.version, running=2) == {"running": 2}
    assert account.free() == 3
    account.emulator.advance(300)
    assert account.free() == 6


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"function": "chat", "running": 1}, "not within 2..20"),
        ({"function": "chat", "running": 21}, "not within 2..20"),
        ({"function": "chat", "running": 9}, "there is room for 8"),
        ({"function": "nobody", "running": 2}, "0 versions are meant"),
        ({"function": "chat", "running": 2, "instanceType": "x"}, "name one instanceType of"),
        ({"function": "chat"}, "`running` is missing"),
    ],
)
def test_load_that_is_not_possible_changes_nothing(account: Account, body: Json, why: str) -> None:
    account.deployed(spec(2, 20))
    answer = account.call("POST", "/emulator/load", body)
    assert answer.status == 400
    assert why in answer.detail
    assert account.free() == 6


def test_wrong_body_says_everything_that_is_wrong(account: Account) -> None:
    body = {"cluster": 5, "gpu": "H100", "gpuss": 1}
    detail = account.call("POST", "/emulator/grab", body).detail
    assert "cluster: a string is expected" in detail
    assert "`gpus` is missing" in detail
    assert "did you mean `gpus`?" in detail


def test_histories_can_be_read(account: Account) -> None:
    account.deployed(spec())
    ledger = rows(account.get("/emulator/ledger").json, "ledger")
    assert [one["outcome"] for one in ledger] == ["served-at-once"]
    events = rows(account.get("/emulator/events").json, "events")
    assert events[0]["kind"] == "created"
    snapshot = account.get("/emulator/snapshot").json
    assert snapshot == account.emulator.snapshot()


def test_reset_begins_again(account: Account) -> None:
    account.emulator.grab("lab-1", "H100", 1)
    account.deployed(spec())
    assert account.call("POST", "/emulator/reset").status == 200
    assert account.emulator.snapshot() == Account.of(world()).emulator.snapshot()
    assert account.emulator.events() == ()
    assert account.emulator.ledger() == ()


def test_call_that_does_not_exist_names_those_that_do(account: Account) -> None:
    answer = account.call("POST", "/emulator/explode")
    assert answer.status == 404
    assert "advance" in answer.detail
    assert account.get("/emulator/advance").status == 404
    assert account.call("POST", "/emulator/cordon", {"cluster": "x"}).status == 400
