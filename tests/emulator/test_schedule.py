"""What comes by itself: tenants, clusters that come and go, losses, an allocator that is down."""

from __future__ import annotations

from nvcfplan.emulator.rules import (
    EmptyInventory,
    GpuRule,
    Happening,
    InstanceTypeRule,
    LoadRule,
    ScheduleRule,
    TrafficRule,
)
from nvcfplan.emulator.serving import Cause, Service
from tests.emulator.account import Account, Deployable, cluster, rows, spec, world

MINUTE = 60
HOUR = 3600


def account_with(*schedule: ScheduleRule, **knobs: object) -> Account:
    clusters = (cluster(), cluster("lab-2", region="us-east-1"))
    return Account.of(world(*clusters, schedule=schedule, **knobs))


def grab(**fields: object) -> ScheduleRule:
    given = {"at": 600.0, "what": Happening.GRAB, "cluster": "lab-1", "gpu": "h100", **fields}
    return ScheduleRule(**given)  # type: ignore[arg-type] # fields of the rule, by name


def status(**fields: object) -> ScheduleRule:
    given = {"at": 600.0, "what": Happening.STATUS, "cluster": "lab-1", **fields}
    return ScheduleRule(**given)  # type: ignore[arg-type] # fields of the rule, by name


def listed(account: Account) -> list[str]:
    groups = rows(account.get("/v2/nvcf/clusterGroups").json, "clusterGroups")
    return [str(one["name"]) for group in groups for one in rows(group, "clusters")]


def running(account: Account, target: Deployable) -> int:
    return sum(one["instanceStatus"] == "RUNNING" for one in account.instances(target))


def test_tenant_takes_and_returns_what_is_free_each_time_anew() -> None:
    account = account_with(grab(lasts=600.0, every=1200.0))
    seen = []
    for _ in range(9):
        account.emulator.advance(300)
        seen.append(account.free())
    assert seen == [8, 0, 0, 8, 8, 0, 0, 8, 8]


def test_tenant_comes_so_often_and_no_more() -> None:
    account = account_with(grab(gpus=3, every=600.0, times=2))
    account.emulator.advance(24 * HOUR)
    assert account.free() == 2


def test_tenant_takes_only_what_is_there_and_returns_only_that() -> None:
    account = account_with(grab(gpus=6, lasts=1200.0))
    target = account.deployed(spec(4, 4, clusters=["lab-1"]))
    account.emulator.advance(5 * MINUTE)
    assert account.free() == 0
    account.call("DELETE", target.deployment)
    account.emulator.advance(HOUR)
    assert account.free() == 8


def test_request_that_waits_for_a_scheduled_tenant_is_not_held_against_the_planner() -> None:
    account = account_with(grab(lasts=1200.0, gpus=6))
    account.emulator.advance(10 * MINUTE)
    target = account.create()
    account.deploy(target, spec(4, 4, clusters=["lab-1"]))
    (entry,) = account.emulator.ledger()
    assert (entry.outcome, entry.is_injected) == (Service.WAITED, True)
    account.emulator.advance(25 * MINUTE)
    assert account.status(target) == "ACTIVE"


def test_new_cluster_is_used_at_once_by_the_allocator_and_listed_late() -> None:
    account = Account.of(
        world(
            cluster("lab-1", status="NOT_READY"),
            schedule=(status(status="READY"),),
            empty_inventory=EmptyInventory.LIST,
        )
    )
    target = account.create()
    assert "No Backends defined" in account.post(target, spec()).detail
    account.emulator.advance(24 * MINUTE)
    assert listed(account) == []
    assert "No Backends defined" in account.post(target, spec()).detail
    account.emulator.advance(MINUTE)
    assert listed(account) == ["lab-1"]
    account.deploy(target, spec())


def test_vanished_cluster_is_still_validated_and_refused_by_the_allocator() -> None:
    account = Account.of(world(cluster(), schedule=(status(status="DELETED"),)))
    account.emulator.advance(10 * MINUTE)
    target = account.create()
    answer = account.post(target, spec())
    assert "There are no available clusters for H100" in answer.detail
    (entry,) = account.emulator.ledger()
    assert (entry.cause, entry.is_injected) == (Cause.PLACEMENT, True)
    account.emulator.advance(15 * MINUTE)
    assert "No Backends defined" in account.post(target, spec()).detail


def test_inventory_without_a_cache_knows_at_once() -> None:
    account = account_with(status(status="CORDON", lasts=600.0), inventory_cache=0.0)
    account.emulator.advance(10 * MINUTE)
    assert listed(account) == ["lab-2"]
    account.emulator.advance(10 * MINUTE)
    assert listed(account) == ["lab-1", "lab-2"]


def test_cluster_that_comes_and_goes_quickly_is_never_seen_to_do_so() -> None:
    account = account_with(status(status="CORDON", lasts=300.0))
    seen = []
    for _ in range(8):
        account.emulator.advance(5 * MINUTE)
        seen.append(len(listed(account)))
    assert seen == [2, 2, 2, 2, 1, 2, 2, 2]


def test_instances_of_a_deleted_cluster_are_lost_and_come_back_elsewhere() -> None:
    account = account_with(status(at=1200.0, status="DELETED"))
    target = account.deployed(spec(3, 3))
    assert account.locations(target) == ["lab-1"] * 3
    account.emulator.advance(11 * MINUTE)
    assert account.status(target) == "DEGRADING"
    account.emulator.advance(5 * MINUTE)
    assert account.status(target) == "ACTIVE"
    assert account.locations(target) == ["lab-2"] * 3


def test_lost_instances_degrade_a_version_until_others_run() -> None:
    lose = ScheduleRule(at=1200.0, what=Happening.LOSE, instances=1, failure="maintenance")
    account = account_with(lose)
    target = account.deployed(spec(2, 4))
    account.emulator.advance(11 * MINUTE)
    assert account.status(target) == "DEGRADING"
    assert running(account, target) == 1
    account.emulator.advance(5 * MINUTE)
    assert (account.status(target), running(account, target)) == ("ACTIVE", 2)
    assert "healthInfo" not in account.get(target.deployment).deployment


def test_instance_lost_while_deploying_is_named_if_it_was_the_last() -> None:
    lose = ScheduleRule(at=60.0, what=Happening.LOSE, function="chat", failure="cloud-offline")
    account = account_with(lose)
    target = account.create()
    account.deploy(target, spec(2, 2))
    account.emulator.advance(3 * MINUTE)
    assert account.status(target) == "ERROR"
    (health,) = rows(account.get(target.deployment).deployment, "healthInfo")
    assert "instance-terminated-cloud-offline" in str(health["error"])


def test_losses_hit_only_what_they_mean() -> None:
    lose = ScheduleRule(at=1800.0, what=Happening.LOSE, function="chat", cluster="lab-2")
    account = account_with(lose)
    here = account.deployed(spec(1, 1, clusters=["lab-1"]))
    there = account.deployed(spec(1, 1, clusters=["lab-2"]))
    other = account.deployed(spec(1, 1, clusters=["lab-2"]), name="other")
    account.emulator.advance(MINUTE)
    assert [running(account, one) for one in (here, there, other)] == [1, 0, 1]


def down(**fields: object) -> ScheduleRule:
    given = {"at": 1200.0, "what": Happening.ALLOCATOR_DOWN, **fields}
    return ScheduleRule(**given)  # type: ignore[arg-type] # fields of the rule, by name


def test_allocator_that_is_down_fails_what_is_under_way_and_refuses_the_rest() -> None:
    account = account_with(down(at=60.0))
    target, second = account.create(), account.create("second")
    account.deploy(target, spec(1, 1), spec(1, 1, instance_type="LAB.H100_2x"))
    account.emulator.advance(2 * MINUTE)
    assert account.status(target) == "ERROR"
    health = rows(account.get(target.deployment).deployment, "healthInfo")
    assert {(str(one["gpu"]), str(one["instanceType"])) for one in health} == {
        ("H100", "LAB.H100_1x"),
        ("H100", "LAB.H100_2x"),
    }
    assert all("Failed to update deploying function status" in str(one["error"]) for one in health)
    answer = account.post(second, spec())
    assert answer.status == 502
    assert "Failed to get response from 'ICMS'" in answer.detail
    assert account.status(second) == "INACTIVE"


def test_serving_version_is_degraded_while_the_allocator_is_down() -> None:
    account = account_with(down(lasts=600.0))
    target = account.deployed(spec(2, 2))
    account.emulator.advance(12 * MINUTE)
    assert account.status(target) == "DEGRADED"
    assert running(account, target) == 2
    account.emulator.advance(10 * MINUTE)
    assert account.status(target) == "ACTIVE"


def test_inventory_outlives_an_allocator_that_is_down_for_as_long_as_it_is_kept() -> None:
    account = account_with(down(at=0.0))
    account.emulator.advance(14 * MINUTE)
    assert account.get("/v2/nvcf/clusterGroups").status == 200
    assert account.get("/v1/si/accounts/nca-demo-0001/clusters").status == 502
    account.emulator.advance(2 * MINUTE)
    assert account.get("/v2/nvcf/clusterGroups").status == 502


def test_schedule_can_be_added_to_while_the_world_runs() -> None:
    account = account_with()
    account.emulator.advance(HOUR)
    body = {"at": "5m", "what": "grab", "cluster": "lab-1", "gpu": "H100", "for": "10m"}
    assert account.call("POST", "/emulator/schedule", body).status == 200
    account.emulator.advance(5 * MINUTE)
    assert account.free() == 0
    account.emulator.advance(10 * MINUTE)
    assert account.free() == 8


def test_entry_that_means_nothing_is_refused() -> None:
    account = account_with()
    for body in (
        {"what": "grab"},
        {"what": "status", "cluster": "lab-1", "status": "SLEEPY"},
        {"what": "status", "cluster": "nowhere"},
        {"what": "lose", "failure": "boredom"},
        {"what": "lose", "every": 0},
        {"what": "allocator-down", "for": "2h", "every": "1h"},
        {"what": "dance"},
    ):
        assert account.call("POST", "/emulator/schedule", body).status == 400, body
    assert account.emulator.snapshot()["agenda"] == []


def test_load_rises_and_falls_between_min_and_max() -> None:
    load = (LoadRule(at=600.0, running=9), LoadRule(at=1200.0, running=0))
    traffic = (TrafficRule(function="chat", running=2, load=load),)
    account = Account.of(world(traffic=traffic))
    target = account.create()
    account.deploy(target, spec(1, 5))
    seen = []
    for _ in range(6):
        account.emulator.advance(5 * MINUTE)
        seen.append(running(account, target))
    assert seen == [2, 2, 5, 5, 1, 1]
    assert [one.outcome for one in account.emulator.ledger()] == [Service.AT_ONCE]


def test_load_that_finds_no_room_is_reported_nowhere_but_in_the_log() -> None:
    traffic = (TrafficRule(function="chat", load=(LoadRule(at=600.0, running=4),)),)
    account = Account.of(world(traffic=traffic))
    account.emulator.grab("lab-1", "H100", 7)
    target = account.create()
    account.deploy(target, spec(0, 5))
    account.emulator.advance(HOUR)
    assert (running(account, target), account.status(target)) == (1, "ACTIVE")
    assert "healthInfo" not in account.get(target.deployment).deployment
    assert account.kinds().count("scaled-short") == 1


def test_idle_version_goes_down_to_its_minimum() -> None:
    traffic = (TrafficRule(function="chat", running=4, queue_depth=300, idle_after=1800.0),)
    account = Account.of(world(traffic=traffic))
    target = account.create()
    account.deploy(target, spec(0, 5))
    assert running(account, target) == 4
    account.emulator.advance(34 * MINUTE)
    assert running(account, target) == 4
    account.emulator.advance(2 * MINUTE)
    assert (running(account, target), account.status(target)) == (0, "ACTIVE")


def test_load_of_a_version_that_is_gone_comes_to_nothing() -> None:
    traffic = (TrafficRule(function="chat", load=(LoadRule(at=600.0, running=4),)),)
    account = Account.of(world(traffic=traffic))
    target = account.create()
    account.deploy(target, spec(0, 5))
    account.call("DELETE", target.deployment)
    account.emulator.advance(HOUR)
    assert account.free() == 8


def test_listed_type_that_cannot_be_had_passes_the_service_and_not_the_allocator() -> None:
    types = (
        InstanceTypeRule(name="LAB.H100_1x", gpu_count=1),
        InstanceTypeRule(name="LAB.H100_8x", gpu_count=8, is_phantom=True),
    )
    account = Account.of(
        world(cluster(gpus=(GpuRule(name="H100", capacity=8, instance_types=types),)))
    )
    answer = account.post(account.create(), spec(instance_type="LAB.H100_8x"))
    assert "There are no available clusters for H100 GPU or LAB.H100_8x" in answer.detail
    assert account.post(account.create(), spec(0, 1, instance_type="LAB.H100_8x")).status == 200


def test_views_may_be_as_old_as_the_last_heartbeat() -> None:
    account = Account.of(world(heartbeat=300.0))
    target = account.create()
    account.deploy(target, spec(3, 3))
    assert account.free() == 8
    account.emulator.advance(299)
    assert account.free() == 8
    account.emulator.advance(1)
    assert account.free() == 5


def test_views_may_lie() -> None:
    types = (InstanceTypeRule(name="LAB.H100_1x", gpu_count=1),)
    lying = cluster(gpus=(GpuRule(name="H100", capacity=8, instance_types=types, misreported=3),))
    account = Account.of(world(lying))
    account.deployed(spec(8, 8))
    assert account.free() == 3
    assert "with capacity" in account.post(account.create("second"), spec()).detail


def test_service_without_patch_says_so() -> None:
    for status in (404, 405):
        account = Account.of(world(patch_unsupported=status))
        target = account.deployed(spec(1, 4))
        assert account.patch(target, "LAB.H100_1x", minInstances=2).status == status
