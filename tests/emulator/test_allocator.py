"""The allocator's own views: names, instance types, room, and running instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from nvcfplan.emulator.inventory import lasting_id
from nvcfplan.emulator.rules import GpuRule, InstanceTypeRule, Usage
from tests.emulator.account import NOBODY, Account, Json, cluster, rows, spec, world

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import WorldFile

ALLOCATOR = "/v1/si/accounts/nca-demo-0001"
KINDS = [f"LAB.H100_{count}x" for count in (1, 2, 4)]


def two_clusters() -> WorldFile:
    """`lab-1` has two GPUs, and is full once they are taken; `lab-2` has eight."""
    return world(
        cluster(capacity=2, attributes=("HIPAA",)),
        cluster("lab-2", region="US-East-1", attributes=("HIPAA", "SOC2")),
        cluster("lab-3", region="eu-north-1", status="CORDON"),
    )


def full() -> Account:
    account = Account.of(two_clusters())
    account.emulator.grab("lab-1", "H100", 2)
    return account


def names(account: Account, path: str) -> object:
    (found,) = account.get(f"{ALLOCATOR}/{path}").json.values()
    return found


def test_names_are_those_of_places_with_room() -> None:
    account = full()
    assert names(account, "gpus") == ["H100"]
    assert names(account, "regions") == ["us-east-1"]
    assert names(account, "clusterNames") == ["lab-2"]
    assert names(account, "attributes") == ["HIPAA", "SOC2"]


def test_places_without_room_are_named_when_asked_for() -> None:
    account = full()
    assert names(account, "regions?capacityValidation=false") == ["us-east-1", "us-west-2"]
    assert names(account, "clusterNames?capacityValidation=false") == ["lab-1", "lab-2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["lab-1", "lab-2"]),
        ("regions=us-east-1", ["lab-2"]),
        ("regions=us-east-1,us-west-2", ["lab-1", "lab-2"]),
        ("attributes=hipaa", ["lab-1", "lab-2"]),
        ("attributes=HIPAA,SOC2", ["lab-2"]),
        ("backends=LAB", ["lab-1", "lab-2"]),
        ("backends=other", []),
        ("gpus=L4", []),
        ("gpus=h100", ["lab-1", "lab-2"]),
        ("instanceTypeUsage=CONTAINER", ["lab-1", "lab-2"]),
    ],
)
def test_names_are_filtered(query: str, expected: list[str]) -> None:
    assert names(Account.of(two_clusters()), f"clusterNames?{query}") == expected


@pytest.mark.parametrize("path", ["gpus", "instanceTypes", "clusterGroups"])
def test_usage_that_is_none_is_refused(path: str) -> None:
    answer = Account.of(world()).get(f"{ALLOCATOR}/{path}?instanceTypeUsage=container")
    assert (answer.status, "expected values: DEFAULT | CONTAINER" in answer.detail) == (400, True)


def test_types_are_shown_by_what_they_are_for() -> None:
    types = (
        InstanceTypeRule(name="both", gpu_count=1),
        InstanceTypeRule(name="box", gpu_count=1, usage=Usage.CONTAINER),
        InstanceTypeRule(name="chart", gpu_count=1, usage=Usage.HELM),
    )
    pool = GpuRule(name="H100", capacity=8, instance_types=types)
    account = Account.of(world(cluster(gpus=(pool,))))
    for usage, expected in (("DEFAULT", ["both", "chart"]), ("CONTAINER", ["both", "box"])):
        path = f"{ALLOCATOR}/instanceTypes?instanceTypeUsage={usage}"
        assert [one["name"] for one in rows(account.get(path).json, "H100")] == expected
        path = f"{ALLOCATOR}/clusterGroups?instanceTypeUsage={usage}"
        (group,) = rows(account.get(path).json, "clusterGroups")
        assert [one["name"] for one in rows(rows(group, "gpus")[0], "instanceTypes")] == expected


def test_flag_that_is_none_is_refused() -> None:
    assert Account.of(world()).get(f"{ALLOCATOR}/gpus?capacityValidation=maybe").status == 400


def test_instance_types_are_summed_over_clusters() -> None:
    account = Account.of(two_clusters())
    found = rows(account.get(f"{ALLOCATOR}/instanceTypes").json, "H100")
    assert [one["name"] for one in found] == KINDS
    first = found[0]
    assert first["availableCapacity"] == 10
    assert (first["clusters"], first["regions"]) == (["lab-1", "lab-2"], ["US-East-1", "us-west-2"])
    assert (first["gpuCount"], first["defaultable"], first["nodeType"]) == (1, True, "SINGLE")
    four = found[2]
    assert (four["clusters"], four["availableCapacity"]) == (["lab-2"], 2)
    only = account.get(f"{ALLOCATOR}/instanceTypes?instanceType=lab.h100_2x&clusters=lab-1").json
    assert [(one["name"], one["availableCapacity"]) for one in rows(only, "H100")] == [
        ("LAB.H100_2x", 1)
    ]


def test_availability_is_nested_down_to_the_cluster() -> None:
    (gpu,) = rows(full().get(f"{ALLOCATOR}/instanceTypes/availability").json, "gpus")
    (region,) = rows(rows(gpu, "instanceTypes")[1], "regions")
    assert (gpu["gpuName"], region["regionName"]) == ("H100", "US-East-1")
    assert rows(region, "clusters") == [
        {
            "clusterId": lasting_id("lab-2"),
            "clusterName": "lab-2",
            "cloudProvider": "ON-PREM",
            "clusterGroup": "lab",
            "isDefaultInstanceType": False,
            "maxClusterAvailableCapacity": 4,
            "attributes": ["HIPAA", "SOC2"],
        }
    ]


def test_groups_say_value_and_node_type() -> None:
    (group,) = rows(Account.of(world()).get(f"{ALLOCATOR}/clusterGroups").json, "clusterGroups")
    (gpu,) = rows(group, "gpus")
    assert rows(gpu, "instanceTypes")[0] == {
        "name": "LAB.H100_1x",
        "value": "LAB.H100_1x",
        "description": "1 x H100",
        "default": True,
        "nodeType": "SINGLE",
    }


def test_usage_counts_running_and_starting_instances() -> None:
    account = Account.of(world())
    running = account.deployed(spec(2, 2))
    starting = account.create("other")
    account.deploy(starting, spec(1, 1))
    (gpu,) = rows(account.get(f"{ALLOCATOR}/gpu/usage").json, "Gpus")
    assert _status(gpu) == {"activeInstances": 2, "pendingInstances": 1}
    id_ = account.get(running.deployment).deployment["deploymentId"]
    (found,) = rows(account.get(f"{ALLOCATOR}/deployments/{id_}/gpu/usage").json, "deployments")
    (gpu,) = rows(found, "gpus")
    assert (found["deploymentId"], _status(gpu)) == (
        id_,
        {"activeInstances": 2, "pendingInstances": 0},
    )


def _status(gpu: Json) -> object:
    (kind,) = rows(gpu, "instances")
    (region,) = rows(kind, "regions")
    (place,) = rows(region, "clusters")
    assert place["clusterGroupName"] == "lab"
    return place["status"]


def test_unknown_deployment_uses_nothing() -> None:
    answer = Account.of(world()).get(f"{ALLOCATOR}/deployments/{NOBODY}/gpu/usage")
    assert answer.json == {"deployments": [{"deploymentId": NOBODY, "gpus": []}]}


def test_clusters_are_an_array_under_both_spellings() -> None:
    account = Account.of(two_clusters())
    found = account.get(f"{ALLOCATOR}/clusters?includeAuthorizedClusters=true").rows
    assert [one["clusterName"] for one in found] == ["lab-1", "lab-2", "lab-3"]
    assert account.get("/v1/accounts/nca-demo-0001/clusters").rows == found
    usage = cast("dict[str, Json]", found[0]["gpuUsage"])
    assert usage["H100"]["capacity"] == 2


@pytest.mark.parametrize(
    "path",
    [
        "gpus",
        "regions",
        "clusterNames",
        "attributes",
        "instanceTypes",
        "instanceTypes/availability",
        "clusterGroups",
        "clusters",
        "gpu/usage",
        f"deployments/{NOBODY}/gpu/usage",
    ],
)
def test_every_view_can_be_made_unreadable(path: str) -> None:
    account = Account.of(world(unreadable=(("capacity", 403),)))
    answer = account.get(f"{ALLOCATOR}/{path}")
    assert (answer.status, answer.json) == (403, {"error": "Access Denied"})
    other = account.get(f"{ALLOCATOR}/{path}".replace("nca-demo-0001", "nca-other"))
    assert (other.status, set(other.json)) == (404, {"error"})
