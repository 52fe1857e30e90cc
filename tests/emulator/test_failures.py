"""What a deployment comes to when a scripted failure befalls it: words, times, what is left."""

from __future__ import annotations

import pytest

from nvcfplan.emulator.failures import BROKEN, REFUSED, UNSERVED, broken_text
from nvcfplan.emulator.rules import Fault, Trouble
from nvcfplan.emulator.serving import Cause, Service
from tests.emulator.account import Account, Deployable, rows, spec, world

HOUR = 3600


def account_with(*faults: Fault, **knobs: object) -> Account:
    return Account.of(world(faults=faults, **knobs))


def errors(account: Account, target: Deployable) -> list[str]:
    shown = account.get(target.deployment).deployment
    return [str(one["error"]) for one in rows(shown, "healthInfo")]


def has_health(account: Account, target: Deployable) -> bool:
    return "healthInfo" in account.get(target.deployment).deployment


@pytest.mark.parametrize("word", sorted(REFUSED))
def test_refused_deployment_says_so_in_the_allocators_words_and_leaves_nothing(word: str) -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy", failure=word))
    target = account.create()
    answer = account.post(target, spec())
    known = REFUSED[word]
    assert answer.status == known.status
    assert known.text.format(gpu="H100", type="LAB.H100_1x") in answer.detail
    assert ("reverting state to 'INACTIVE'" in answer.detail) is (word != "quota")
    assert account.get(target.deployment).status == 404
    (entry,) = account.emulator.ledger()
    assert (entry.outcome, entry.is_injected) == (Service.REFUSED, True)
    account.deploy(target, spec())


@pytest.mark.parametrize(
    ("word", "cause"),
    [("no-cluster", Cause.PLACEMENT), ("quota", Cause.QUOTA), ("no-reservation", Cause.CAPACITY)],
)
def test_ledger_says_why_it_was_refused(word: str, cause: Cause) -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy", failure=word))
    account.post(account.create(), spec())
    assert [one.cause for one in account.emulator.ledger()] == [cause]


def test_specification_that_fits_no_cluster_is_refused_for_that_whatever_is_scripted() -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy"))
    answer = account.post(account.create(), spec(regions=["mars"]))
    assert "no available clusters for" in answer.detail
    assert [one.is_injected for one in account.emulator.ledger()] == [False]


@pytest.mark.parametrize("word", sorted(UNSERVED))
def test_request_that_nobody_serves_ends_in_error_in_the_words_and_at_the_time(word: str) -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", failure=word))
    target = account.create()
    account.deploy(target, spec(2, 2))
    takes = UNSERVED[word].seconds or 1800
    account.emulator.advance(takes - 60)
    assert account.status(target) == "DEPLOYING"
    assert not has_health(account, target)
    assert account.instances(target) == []
    account.emulator.advance(120)
    assert account.status(target) == "ERROR"
    given = {"provider": "ON-PREM", "gpu": "H100", "type": "LAB.H100_1x", "minutes": 30}
    assert errors(account, target) == [UNSERVED[word].text.format(**given)]


def test_silent_request_is_never_served_and_never_told() -> None:
    account = account_with(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", is_silent=True))
    target = account.create()
    account.deploy(target, spec(1, 2))
    account.emulator.advance(3 * 24 * HOUR)
    assert account.status(target) == "DEPLOYING"
    assert not has_health(account, target)
    assert account.instances(target) == []
    account.call("DELETE", target.deployment)
    account.deploy(target, spec())


def test_service_without_placeholders_leaves_what_does_not_fit_waiting_for_ever() -> None:
    account = Account.of(world(stuck_instead_of_error=True))
    target = account.create()
    account.deploy(target, spec(9, 9))
    account.emulator.advance(10 * 24 * HOUR)
    assert account.status(target) == "DEPLOYING"
    assert not has_health(account, target)


def test_part_of_the_instances_may_be_withheld() -> None:
    fault = Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", instances=2)
    account = account_with(fault)
    target = account.create()
    account.deploy(target, spec(3, 3))
    account.emulator.advance(600)
    assert (len(account.instances(target)), account.status(target)) == (1, "DEPLOYING")
    assert sorted(one.instances for one in account.emulator.ledger()) == [1, 2]
    account.emulator.advance(HOUR)
    assert (len(account.instances(target)), account.status(target)) == (3, "ACTIVE")


@pytest.mark.parametrize("word", sorted(BROKEN))
def test_instances_that_break_end_in_error_with_the_agents_text(word: str) -> None:
    account = account_with(Fault(kind=Trouble.BREAK, route="deploy", failure=word))
    target = account.create()
    account.deploy(target, spec(2, 2))
    takes = BROKEN[word].seconds
    if takes > 120:
        account.emulator.advance(takes - 60)
        assert account.status(target) == "DEPLOYING"
        assert [one["instanceStatus"] for one in account.instances(target)] == ["STARTING"] * 2
        assert account.free() == 6
    account.emulator.advance(180)
    assert account.status(target) == "ERROR"
    assert errors(account, target) == [broken_text(BROKEN[word])]
    assert account.instances(target) == []
    account.emulator.advance(300)
    assert account.free() == 8
    assert account.post(target, spec()).status == 400


def test_agent_adds_the_containers_log_to_its_state() -> None:
    assert broken_text(BROKEN["model-not-found"]).splitlines() == [
        "pod terminated due to state container-restart-loop:"
        " back-off restarting failed container (CrashLoopBackOff)",
        "---",
        "CONTAINER inference EXITED, CODE=1:",
        "FileNotFoundError: No such file or directory: '/config/models/llm/config.json'",
        "---",
    ]


def test_one_specification_breaks_while_the_other_runs() -> None:
    fault = Fault(
        kind=Trouble.BREAK, route="deploy", failure="image-pull", instance_type="LAB.H100_2x"
    )
    account = account_with(fault)
    target = account.create()
    account.deploy(target, spec(1, 1), spec(1, 1, instance_type="LAB.H100_2x"))
    account.emulator.advance(2 * HOUR)
    assert account.status(target) == "DEPLOYING"
    assert errors(account, target) == [broken_text(BROKEN["image-pull"])]
    assert [one["instanceType"] for one in account.instances(target)] == ["LAB.H100_1x"]


def test_instance_that_breaks_beside_a_running_one_is_replaced() -> None:
    account = account_with(Fault(kind=Trouble.BREAK, route="deploy", instances=1))
    target = account.create()
    account.deploy(target, spec(2, 2))
    account.emulator.advance(HOUR)
    assert account.status(target) == "ACTIVE"
    assert not has_health(account, target)


def test_raised_minimum_whose_instances_break_degrades_and_says_nothing() -> None:
    fault = Fault(kind=Trouble.BREAK, route="update-specification", failure="admission")
    account = account_with(fault)
    target = account.deployed(spec(1, 4))
    account.patch(target, "LAB.H100_1x", minInstances=2)
    account.emulator.advance(24 * HOUR)
    assert account.status(target) == "DEGRADING"
    assert not has_health(account, target)
    assert 5 < account.kinds().count("instance-broke") < 60
    account.patch(target, "LAB.H100_1x", minInstances=1)
    account.emulator.advance(HOUR)
    assert account.status(target) == "ACTIVE"


def test_failure_takes_no_time_where_nothing_does() -> None:
    fault = Fault(kind=Trouble.BREAK, route="deploy", failure="configuration")
    knobs = {"boot_time": 0.0, "tick": 0.0, "release_lag": 0.0, "instant": True}
    account = account_with(fault, **knobs)
    target = account.create()
    account.deploy(target, spec(1, 1))
    assert account.status(target) == "ERROR"
    assert account.free() == 8
    assert account.emulator.clock.monotonic() == 0


def test_failure_can_be_given_other_words_and_another_time() -> None:
    fault = Fault(kind=Trouble.BREAK, route="deploy", text="the roof fell in", seconds=5.0)
    account = account_with(fault)
    target = account.create()
    account.deploy(target, spec(1, 1))
    account.emulator.advance(60)
    assert errors(account, target) == ["the roof fell in"]
