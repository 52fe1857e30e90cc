"""What is shown of a world agrees with it; faults are told in the words that script them."""

from __future__ import annotations

import pytest

from nvcfplan.emulator.faults import fault_of
from nvcfplan.emulator.overview import stated
from nvcfplan.emulator.sheets import Sheet
from tests.emulator.account import Account, Json, rows, spec, world

FAULTS: tuple[Json, ...] = (
    {"kind": "answer", "route": "deploy", "status": 429, "retryAfter": 7, "text": "slow down"},
    {"kind": "answer", "route": "any", "nth": 2, "count": 3, "from": 60.0, "until": 120.0},
    {"kind": "pause", "route": "any", "seconds": 5.0, "every": True, "function": "chat"},
    {"kind": "kill", "route": "deploy", "when": "before"},
    {
        "kind": "grab",
        "route": "deploy",
        "cluster": "lab-1",
        "gpu": "H100",
        "gpus": 2,
        "tenant": "x",
    },
    {"kind": "capacity-async", "route": "deploy", "silent": True, "instanceType": "LAB.H100_1x"},
    {"kind": "break", "route": "deploy", "failure": "image-pull", "instances": 1},
    {"kind": "garble", "route": "any", "body": "truncated"},
)


@pytest.mark.parametrize("words", FAULTS, ids=lambda one: str(one["kind"]))
def test_fault_is_told_in_the_words_that_script_it(words: Json) -> None:
    sheet = Sheet(words, faults=[])
    fault = fault_of(sheet)
    assert fault is not None, sheet.faults
    assert stated(fault) == words
    assert fault_of(Sheet(stated(fault), faults=[])) == fault


def test_overview_is_the_same_over_http() -> None:
    account = Account.of(world())
    target = account.deployed(spec(2, 4), spec(1, 1, instance_type="LAB.H100_2x"))
    account.emulator.grab("lab-1", "H100", 3, tenant="x")
    account.deploy(account.create("late"), spec(2, 2))
    account.patch(target, "LAB.H100_2x", minInstances=0)
    seen = account.emulator.overview()
    (pool,) = seen.pools
    assert (pool.capacity, pool.ours, pool.others, pool.leaving, pool.free) == (8, 4, 3, 0, 1)
    deployed, late = seen.versions
    assert (deployed.status, late.status) == ("ACTIVE", "DEPLOYING")
    assert [one.waiting for one in late.specifications] == [2]
    assert sum(one.running for one in deployed.specifications) == 3
    told = account.get("/emulator/overview").json
    assert [one["waiting"] for one in rows(rows(told, "versions")[1], "specifications")] == [2]
    account.call("DELETE", target.deployment)
    (pool,) = account.emulator.overview().pools
    assert (pool.ours, pool.leaving, pool.free) == (4, 4, 1)
