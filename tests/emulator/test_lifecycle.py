"""The status of a deployed version over time, and how a deployment ends."""

from __future__ import annotations

from nvcfplan.emulator.rules import Fault, TrafficRule, Trouble
from tests.emulator.account import Account, Deployable, cluster, rows, spec, world


def statuses(account: Account, target: Deployable, minutes: int) -> list[object]:
    """One a minute, without repetitions."""
    seen: list[object] = [account.status(target)]
    for _ in range(minutes):
        account.emulator.advance(60)
        status = account.status(target)
        if status != seen[-1]:
            seen.append(status)
    return seen


def test_deployment_becomes_active_at_the_tick_after_all_run() -> None:
    account = Account.of(world(boot_time=90.0, tick=60.0))
    target = account.create()
    account.deploy(target, spec(2, 2))
    account.emulator.advance(90)
    assert [one["instanceStatus"] for one in account.instances(target)] == ["RUNNING"] * 2
    assert account.status(target) == "DEPLOYING"
    account.emulator.advance(30)
    assert account.status(target) == "ACTIVE"


def test_nothing_to_run_is_active_in_the_answer_of_the_post() -> None:
    account = Account.of(world())
    target = account.create()
    assert account.deploy(target, spec(0, 4), spec(0, 2))["functionStatus"] == "ACTIVE"
    assert account.instances(target) == []


def test_without_boot_time_and_tick_everything_is_there_at_once() -> None:
    account = Account.of(world(boot_time=0.0, tick=0.0, release_lag=0.0))
    target = account.create()
    account.deploy(target, spec(8, 8))
    assert account.status(target) == "ACTIVE"
    account.call("DELETE", target.deployment)
    assert account.free() == 8
    account.deploy(target, spec(8, 8))
    assert account.status(target) == "ACTIVE"
    assert account.emulator.clock.monotonic() == 0


def test_every_specification_must_reach_its_minimum() -> None:
    account = Account.of(world(cluster(), cluster("lab-2", region="us-east-1")))
    account.emulator.grab("lab-2", "H100", 7)
    target = account.create()
    east = spec(1, 1, instance_type="LAB.H100_2x", regions=["us-east-1"])
    account.deploy(target, spec(1, 1, regions=["us-west-2"]), east)
    account.emulator.advance(20 * 60)
    assert account.status(target) == "DEPLOYING"
    assert "healthInfo" not in account.get(target.deployment).deployment
    account.emulator.advance(15 * 60)
    assert account.status(target) == "DEPLOYING"
    (health,) = rows(account.get(target.deployment).deployment, "healthInfo")
    assert health["instanceType"] == "LAB.H100_2x"
    assert "Capacity not available at this time" in str(health["error"])


def test_error_comes_only_when_all_have_failed_and_names_each() -> None:
    account = Account.of(world())
    target = account.create()
    account.deploy(target, spec(9, 9), spec(5, 5, instance_type="LAB.H100_2x"))
    assert statuses(account, target, 40) == ["DEPLOYING", "ERROR"]
    health = rows(account.get(target.deployment).deployment, "healthInfo")
    assert sorted(str(one["instanceType"]) for one in health) == ["LAB.H100_1x", "LAB.H100_2x"]


def test_rest_of_a_partly_served_specification_is_asked_for_again_without_end() -> None:
    account = Account.of(world(batch_size=5))
    target = account.create()
    account.deploy(target, spec(10, 10))
    assert statuses(account, target, 120) == ["DEPLOYING"]
    assert "healthInfo" not in account.get(target.deployment).deployment
    assert account.kinds().count("request-expired") >= 3


def test_row_of_an_error_stays_and_its_gpus_are_released() -> None:
    account = Account.of(world())
    target = account.create()
    fault = Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy")
    account.emulator.add_fault(fault)
    account.deploy(target, spec(2, 2))
    account.emulator.advance(40 * 60)
    assert account.status(target) == "ERROR"
    assert account.get(target.deployment).status == 200
    assert account.free() == 8
    assert account.call("DELETE", target.deployment).function["status"] == "INACTIVE"
    account.deploy(target, spec(2, 2))


def test_error_is_cleaned_up_after_seven_days() -> None:
    account = Account.of(world())
    target = account.create()
    account.deploy(target, spec(9, 9))
    account.emulator.advance(7 * 86400)
    assert account.status(target) == "ERROR"
    account.emulator.advance(3600)
    assert account.status(target) == "INACTIVE"
    assert account.get(target.deployment).status == 404


def test_raised_minimum_degrades_until_the_new_instances_run() -> None:
    account = Account.of(world())
    target = account.deployed(spec(1, 4))
    answer = account.patch(target, "LAB.H100_1x", minInstances=3)
    assert answer.status == 200
    assert account.status(target) == "ACTIVE"
    assert len(account.instances(target)) == 1
    assert statuses(account, target, 5) == ["ACTIVE", "DEGRADING", "ACTIVE"]
    assert len(account.instances(target)) == 3


def test_raised_minimum_without_room_degrades_for_ever_and_says_nothing() -> None:
    account = Account.of(world())
    target = account.deployed(spec(1, 20))
    account.patch(target, "LAB.H100_1x", minInstances=12)
    assert statuses(account, target, 110) == ["ACTIVE", "DEGRADING"]
    assert "healthInfo" not in account.get(target.deployment).deployment
    account.patch(target, "LAB.H100_1x", minInstances=1, maxInstances=1)
    assert statuses(account, target, 5) == ["DEGRADING", "ACTIVE"]
    assert account.emulator.snapshot()["requests"] == {}


def test_nothing_running_where_something_must_is_degraded() -> None:
    account = Account.of(world())
    account.emulator.grab("lab-1", "H100", 8)
    target = account.create()
    account.deploy(target, spec(0, 4))
    account.patch(target, "LAB.H100_1x", minInstances=1)
    assert statuses(account, target, 10) == ["ACTIVE", "DEGRADED"]
    account.emulator.give_back("lab-1", "H100", 8)
    assert statuses(account, target, 10) == ["DEGRADED", "DEGRADING", "ACTIVE"]


def test_lowered_minimum_stops_nothing() -> None:
    account = Account.of(world())
    target = account.deployed(spec(4, 6))
    account.patch(target, "LAB.H100_1x", minInstances=1)
    account.emulator.advance(3600)
    assert len(account.instances(target)) == 4
    assert account.free() == 4


def test_lowered_maximum_stops_the_surplus_oldest_first_at_the_next_tick() -> None:
    account = Account.of(world())
    target = account.deployed(spec(2, 6))
    old = {one["instanceId"] for one in account.instances(target)}
    account.patch(target, "LAB.H100_1x", minInstances=4)
    account.emulator.advance(600)
    young = {one["instanceId"] for one in account.instances(target)} - old
    account.patch(target, "LAB.H100_1x", minInstances=1, maxInstances=2)
    assert len(account.instances(target)) == 4
    account.emulator.advance(60)
    assert {one["instanceId"] for one in account.instances(target)} == young
    assert account.free() == 4
    account.emulator.advance(300)
    assert account.free() == 6
    assert account.status(target) == "ACTIVE"


def test_undeployed_version_is_inactive_and_its_row_gone() -> None:
    account = Account.of(world())
    target = account.deployed(spec())
    assert account.call("DELETE", target.deployment).function["status"] == "INACTIVE"
    assert account.get(target.deployment).status == 404
    again = account.call("DELETE", target.deployment)
    assert again.status == 404
    assert "Deployment not found" in again.detail


def test_graceful_undeploy_of_an_idle_version_is_a_plain_one() -> None:
    account = Account.of(world())
    target = account.deployed(spec())
    account.call("DELETE", f"{target.deployment}?graceful=true")
    assert account.get(target.deployment).status == 404


def test_graceful_undeploy_keeps_the_row_until_the_queue_is_empty() -> None:
    account = Account.of(world())
    target = account.deployed(spec(2, 2))
    body = {"version": target.version, "depth": 90, "perMinute": 30}
    account.call("POST", "/emulator/queue", body)
    answer = account.call("DELETE", f"{target.deployment}?graceful=true")
    assert answer.function["status"] == "INACTIVE"
    shown = account.get(target.deployment).deployment
    assert shown["functionStatus"] == "INACTIVE"
    assert len(account.instances(target)) == 2
    account.emulator.advance(120)
    assert account.get(target.deployment).status == 200
    account.call("DELETE", f"{target.deployment}?graceful=true")
    account.emulator.advance(60)
    assert account.get(target.deployment).status == 404
    assert account.kinds()[-2:] == ["draining", "undeployed"]


def test_queue_that_never_drains_is_ended_by_force() -> None:
    account = Account.of(world())
    target = account.deployed(spec())
    body = {"function": "chat", "depth": 1, "perMinute": 0}
    account.call("POST", "/emulator/queue", body)
    account.call("DELETE", f"{target.deployment}?graceful=true")
    account.emulator.advance(30 * 86400)
    assert account.get(target.deployment).status == 200
    account.call("DELETE", target.deployment)
    assert account.get(target.deployment).status == 404


def test_undeploying_while_deploying_drops_what_was_asked_for() -> None:
    account = Account.of(world(batch_size=1))
    target = account.create()
    account.deploy(target, spec(9, 9))
    account.call("DELETE", target.deployment)
    account.emulator.advance(3600)
    assert account.free() == 8
    assert account.status(target) == "INACTIVE"


def test_traffic_of_the_world_comes_once_a_version_is_active() -> None:
    traffic = (TrafficRule(function="chat", running=4, queue_depth=900),)
    account = Account.of(world(traffic=traffic))
    busy = account.deployed(spec(1, 2), spec(1, 5, instance_type="LAB.H100_2x"))
    types = [str(one["instanceType"]) for one in account.instances(busy)]
    assert sorted(types) == ["LAB.H100_1x"] * 2 + ["LAB.H100_2x"] * 3
    account.call("DELETE", f"{busy.deployment}?graceful=true")
    assert account.get(busy.deployment).status == 200


def test_traffic_does_not_come_anew_when_a_version_recovers() -> None:
    traffic = (TrafficRule(function="chat", running=1, queue_depth=30, drained_per_minute=3.0),)
    account = Account.of(world(traffic=traffic))
    busy = account.deployed(spec(1, 4))
    account.patch(busy, "LAB.H100_1x", minInstances=2)
    assert statuses(account, busy, 10) == ["ACTIVE", "DEGRADING", "ACTIVE"]
    account.call("DELETE", f"{busy.deployment}?graceful=true")
    assert account.get(busy.deployment).status == 404


def test_versions_of_one_function_can_be_active_at_once() -> None:
    account = Account.of(world())
    old = account.deployed(spec())
    new = account.create_version(old)
    account.deploy(new, spec())
    account.emulator.advance(600)
    assert (account.status(old), account.status(new)) == ("ACTIVE", "ACTIVE")
    account.call("DELETE", old.deployment)
    assert account.status(new) == "ACTIVE"


def test_settled_world_costs_nothing_to_wait_in() -> None:
    account = Account.of(world())
    account.deployed(spec())
    before = account.emulator.snapshot()
    account.emulator.advance(365 * 86400)
    after = account.emulator.snapshot()
    assert {**before, "time": 0} == {**after, "time": 0}


def test_events_tell_the_story_in_order() -> None:
    account = Account.of(world())
    target = account.deployed(spec())
    account.call("DELETE", target.deployment)
    account.emulator.advance(600)
    account.call("DELETE", target.path)
    assert account.kinds() == [
        "created",
        "deploying",
        "instances-starting",
        "instances-running",
        "active",
        "undeployed",
        "released",
        "deleted",
    ]
    events = account.emulator.events()
    assert {one.function for one in events} == {"chat"}
    assert {one.version for one in events} == {target.version}
    assert [one.at for one in events] == sorted(one.at for one in events)


def test_each_instance_boots_at_its_own_pace() -> None:
    account = Account.of(world(boot_time=100.0, boot_spread=300.0))
    target = account.create()
    account.deploy(target, spec(8, 8))
    running = []
    for _ in range(8):
        account.emulator.advance(50)
        states = [one["instanceStatus"] for one in account.instances(target)]
        running.append(states.count("RUNNING"))
    assert running[0] == 0
    assert running[-1] == 8
    assert len(set(running)) > 3, running
