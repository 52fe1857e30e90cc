"""The statuses a version goes through, each transition of section 5."""

from __future__ import annotations

import pytest

from tests.contract.remote import Json, Remote, Version, h100
from tests.contract.rows import covers

WEEK = 7 * 24 * 3600


def starved(remote: Remote, *specifications: Json, instance_type: str | None = None) -> Version:
    """Deployed, with requests (for one type) that nobody picks up."""
    version = remote.create()
    given = {} if instance_type is None else {"instanceType": instance_type}
    remote.emulate("fault", kind="capacity-async", route="deploy", **given)
    remote.deploy(version, *specifications)
    return version


@covers("5#2", "6.2#15")
def test_deployment_without_minimum_is_active_at_once_and_has_no_instance(
    remote: Remote,
) -> None:
    version = remote.create()
    posted = remote.deploy(version, h100(0, 2), h100(0, 1, 4, regions=["moon"]))
    assert posted["functionStatus"] == "ACTIVE"
    remote.advance(7200)
    assert (remote.status(version), remote.instances(version)) == ("ACTIVE", [])
    assert "healthInfo" not in remote.deployment(version)


@covers("5#3", "5#5")
def test_deployment_becomes_active_when_every_minimum_runs(remote: Remote) -> None:
    version = remote.create()
    posted = remote.deploy(version, h100(2, 2), h100(1, 1, 4), h100(0, 1, 8))
    assert posted["functionStatus"] == "DEPLOYING"
    remote.advance(60)
    assert remote.status(version) == "DEPLOYING"
    assert {one["instanceStatus"] for one in remote.instances(version)} == {"STARTING"}
    remote.advance(600)
    assert remote.status(version) == "ACTIVE"
    running = [(one["instanceType"], one["instanceStatus"]) for one in remote.instances(version)]
    assert sorted(map(str, running)) == sorted(
        map(str, [("LAB.H100_1x", "RUNNING")] * 2 + [("LAB.H100_4x", "RUNNING")])
    )


def test_transition_shows_only_at_a_tick(remote: Remote) -> None:
    version = remote.create()
    remote.deploy(version, h100())
    seen = []
    for _ in range(60):
        remote.advance(10)
        seen.append(remote.status(version))
    turned = seen.index("ACTIVE")
    assert (turned + 1) * 10 % 60 == 0


@covers("5#4")
def test_refused_deployment_leaves_the_version_inactive(remote: Remote) -> None:
    version = remote.create()
    for cluster in ("lab-1", "lab-2"):
        remote.emulate("grab", cluster=cluster, gpu="H100", gpus=8)
    assert remote.post(version, h100()).status == 400
    assert remote.status(version) == "INACTIVE"
    assert remote.get(version.deployment).status == 404


@covers("5#6")
def test_deployment_fails_when_all_of_it_has_failed(remote: Remote) -> None:
    version = starved(remote, h100(2, 2), h100(1, 1, 4))
    remote.advance(1740)
    assert (remote.status(version), remote.health(version)) == ("DEPLOYING", [])
    remote.advance(120)
    found = remote.deployment(version)
    assert found["functionStatus"] == "ERROR"
    health = remote.health(version)
    assert {one["instanceType"] for one in health} == {"LAB.H100_1x", "LAB.H100_4x"}
    assert len(health) == 2
    assert all(one.keys() == {
        "icmsRequestId", "gpu", "backend", "instanceType", "error",
    } for one in health)  # fmt: skip


@covers("5#7", "6.2#16")
def test_failure_of_a_part_leaves_it_deploying_with_one_entry(remote: Remote) -> None:
    version = starved(remote, h100(1, 1), h100(1, 1, 4), instance_type="LAB.H100_4x")
    remote.advance(3600)
    assert remote.status(version) == "DEPLOYING"
    (entry,) = remote.health(version)
    assert entry["instanceType"] == entry["gpu"] == "LAB.H100_4x"
    assert entry["backend"] == "ON-PREM"
    assert [one["instanceType"] for one in remote.instances(version)] == ["LAB.H100_1x"]


@covers("5#8", "5#10", "6.2#14")
def test_raised_minimum_degrades_without_a_word_until_it_runs(remote: Remote) -> None:
    version = remote.deployed(h100(1, 8, clusters=["lab-1"]))
    remote.emulate("grab", cluster="lab-1", gpu="H100", gpus=7)
    path = remote.specification_path(version, "LAB.H100_1x")
    remote.good("PATCH", path, {"minInstances": 3})
    remote.advance(3600)
    assert (remote.status(version), remote.health(version)) == ("DEGRADING", [])
    assert len(remote.instances(version)) == 1
    remote.emulate("give-back", cluster="lab-1", gpu="H100", gpus=7)
    remote.advance(3600)
    assert (remote.status(version), len(remote.instances(version))) == ("ACTIVE", 3)


@covers("5#8")
def test_lowered_minimum_ends_the_degrading(remote: Remote) -> None:
    version = remote.deployed(h100(1, 8, clusters=["lab-1"]))
    remote.emulate("grab", cluster="lab-1", gpu="H100", gpus=7)
    path = remote.specification_path(version, "LAB.H100_1x")
    remote.good("PATCH", path, {"minInstances": 3})
    remote.advance(600)
    assert remote.status(version) == "DEGRADING"
    remote.good("PATCH", path, {"minInstances": 1})
    remote.advance(60)
    assert remote.status(version) == "ACTIVE"


@covers("5#11")
def test_error_stays_until_it_is_undeployed(remote: Remote) -> None:
    version = starved(remote, h100())
    remote.advance(WEEK - 3600)
    assert remote.status(version) == "ERROR"
    assert remote.instances(version) == []
    answer = remote.call("DELETE", version.deployment)
    assert (answer.status, answer.one("function")["status"]) == (200, "INACTIVE")
    remote.deploy(version, h100())


@covers("5#11")
def test_error_ends_by_itself_after_seven_days(remote: Remote) -> None:
    version = starved(remote, h100())
    remote.advance(3600)
    assert remote.status(version) == "ERROR"
    remote.advance(WEEK)
    assert remote.status(version) == "INACTIVE"
    assert remote.get(version.deployment).status == 404


def test_error_frees_what_did_run(remote: Remote) -> None:
    version = starved(remote, h100(8, 8, clusters=["lab-1"]))
    remote.advance(3600)
    assert (remote.status(version), remote.free("lab-1")) == ("ERROR", 8)


@covers("5#12")
@pytest.mark.parametrize("status", ["DEPLOYING", "ACTIVE", "DEGRADING", "ERROR"])
def test_undeploying_ends_any_status(remote: Remote, status: str) -> None:
    version = starved(remote, h100()) if status == "ERROR" else remote.create()
    if status != "ERROR":
        remote.deploy(version, h100(1, 8, clusters=["lab-1"]))
    if status != "DEPLOYING":
        remote.advance(3600)
    if status == "DEGRADING":
        remote.emulate("grab", cluster="lab-1", gpu="H100", gpus=7)
        path = remote.specification_path(version, "LAB.H100_1x")
        remote.good("PATCH", path, {"minInstances": 3})
        remote.advance(60)
    assert remote.status(version) == status
    answer = remote.call("DELETE", version.deployment)
    assert (answer.status, answer.one("function")["status"]) == (200, "INACTIVE")


def test_instances_are_shown_with_where_they_run(remote: Remote) -> None:
    version = remote.deployed(h100(1, 1, clusters=["lab-2"]))
    (instance,) = remote.instances(version)
    assert instance == {
        "instanceId": instance["instanceId"],
        "functionId": version.function,
        "functionVersionId": version.id,
        "instanceType": "LAB.H100_1x",
        "instanceStatus": "RUNNING",
        "icmsRequestId": instance["icmsRequestId"],
        "ncaId": "nca-demo-0001",
        "gpu": "H100",
        "backend": "ON-PREM",
        "location": "lab-2",
        "instanceCreatedAt": instance["instanceCreatedAt"],
        "instanceUpdatedAt": instance["instanceUpdatedAt"],
    }


def test_autoscaler_moves_between_minimum_and_maximum(remote: Remote) -> None:
    version = remote.deployed(h100(1, 4))
    remote.emulate("load", version=version.id, running=4)
    remote.advance(600)
    assert (remote.status(version), len(remote.instances(version))) == ("ACTIVE", 4)
    remote.emulate("load", version=version.id, running=2)
    remote.advance(600)
    assert len(remote.instances(version)) == 2
