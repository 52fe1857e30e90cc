"""What an account shows of what it may use and uses: 2.2, 2.3, and the front's views of 1.1."""

from __future__ import annotations

from typing import cast

import pytest

from tests.contract.remote import ACCOUNT, Answer, Json, Remote, container, example, h100

VIEW = "/v3/orgs/demo/ngc/nvcf/deployments"
ICMS = f"/v1/si/accounts/{ACCOUNT}"
GROUPS = "/v2/nvcf/clusterGroups"
EXAMPLES = pytest.mark.world("account")


def listed(answer: Answer) -> list[Json]:
    """Of an answer that is an array itself."""
    assert (answer.status, answer.media_type) == (200, "application/json")
    return cast("list[Json]", cast("object", answer.json))


def group_names(remote: Remote) -> list[object]:
    return [one["name"] for one in remote.good("GET", GROUPS).rows("clusterGroups")]


def test_inventory_has_neither_capacity_nor_regions(remote: Remote) -> None:
    (group,) = remote.get(f"{GROUPS}?regions=moon").rows("clusterGroups")
    assert group.keys() == {"id", "name", "ncaId", "authorizedNcaIds", "gpus", "clusters"}
    (gpu,) = cast("list[Json]", group["gpus"])
    assert gpu.keys() == {"name", "instanceTypes"}
    types = cast("list[Json]", gpu["instanceTypes"])
    assert [one["default"] for one in types].count(True) == 1
    assert {key for one in types for key in one} == {"name", "description", "default"}
    clusters = cast("list[Json]", group["clusters"])
    assert {key for one in clusters for key in one} == {"id", "name", "k8sVersion"}


def test_group_is_listed_while_a_cluster_is_ready_and_the_list_is_15_minutes_late(
    remote: Remote,
) -> None:
    remote.emulate("cordon", cluster="lab-1")
    remote.advance(1000)
    assert group_names(remote) == ["lab"]
    remote.emulate("cordon", cluster="lab-2")
    remote.advance(840)
    assert group_names(remote) == ["lab"]
    remote.advance(120)
    answer = remote.get(GROUPS)
    assert (answer.status, answer.media_type) == (502, "application/problem+json")


NO_GROUPS: Json = {"lab": {"ncaId": "nca-x", "authorized": ["nca-x"]}}


@pytest.mark.world("lab", groups=NO_GROUPS)
def test_empty_inventory_is_an_error_of_what_stands_behind(remote: Remote) -> None:
    assert remote.get(GROUPS).status == 502


@pytest.mark.world("lab", groups=NO_GROUPS, emptyInventory="list")
def test_empty_inventory_may_be_an_empty_list(remote: Remote) -> None:
    assert remote.get(GROUPS).json == {"clusterGroups": []}


@EXAMPLES
@pytest.mark.parametrize("view", [VIEW, VIEW.replace("/ngc/", "/teams/blue/ngc/")])
def test_capacity_view_is_as_written(remote: Remote, view: str) -> None:
    """Of the instance types that the example lists, with the deployment of the other examples."""
    version = remote.create(container(name="chat-llama"))
    request = example("deployment-create-request.json")
    remote.good("POST", version.deployment, request)
    remote.advance(600)
    assert remote.status(version) == "ACTIVE"
    answer = remote.get(f"{view}/instanceTypes?gpus=H100,L40S")
    assert answer.status == 200
    found = {gpu: by_name(kinds) for gpu, kinds in answer.json.items()}
    expected = {
        gpu: by_name(kinds) for gpu, kinds in example("gpu-capacity-instanceTypes.json").items()
    }
    assert found.keys() == expected.keys()
    for gpu, kinds in expected.items():
        assert {name: found[gpu][name] for name in kinds} == kinds


def by_name(kinds: object) -> dict[str, Json]:
    """Instance types by name, without the ids of clusters."""
    content = cast("list[Json]", kinds)
    for kind in content:
        for region in cast("list[Json]", kind["regions"]):
            for cluster in cast("list[Json]", region["clusters"]):
                del cluster["clusterId"]
    return {str(one["instanceName"]): one for one in content}


@EXAMPLES
def test_capacity_view_is_narrowed_by_gpus_and_regions(remote: Remote) -> None:
    assert remote.get(f"{VIEW}/instanceTypes?gpus=L40S").json.keys() == {"L40S"}
    found = remote.get(f"{VIEW}/instanceTypes?gpus=H100&regions=ap-east-1").json
    regions = {
        str(region["regionName"])
        for kind in cast("list[Json]", found["H100"])
        for region in cast("list[Json]", kind["regions"])
    }
    assert regions == {"ap-east-1"}
    assert remote.get(f"{VIEW}/available/instanceTypes").status == 200


def test_deployments_of_the_org_come_in_one_answer(remote: Remote) -> None:
    active = remote.deployed(h100())
    deploying = remote.create()
    remote.deploy(deploying, h100())
    remote.create()
    for path in (
        "/v2/orgs/demo/nvcf/deployments",
        "/v2/orgs/demo/teams/blue/nvcf/deployments",
        f"/v2/nvcf/accounts/{ACCOUNT}/deployments",
    ):
        found = remote.good("GET", path).rows("deployments")
        shown = {str(one["functionVersionId"]): one for one in found}
        assert shown == {one.id: remote.deployment(one) for one in (active, deploying)}


def test_instances_are_shown_by_the_front_as_by_the_service(remote: Remote) -> None:
    version = remote.deployed(h100(2, 2))
    below = f"skyway/instances/functions/{version.function}/versions/{version.id}"
    answer = remote.good("GET", f"/v2/orgs/demo/{below}")
    assert answer.rows("instances") == remote.instances(version)


def test_registered_clusters_are_an_array(remote: Remote) -> None:
    found = listed(remote.get("/v2/orgs/demo/sis/clusters"))
    assert {one["clusterName"] for one in found} == {"lab-1", "lab-2"}
    assert remote.get("/v2/orgs/demo/sis/clusterVersions").status == 200


def test_use_of_gpus_is_summed_over_what_is_deployed(remote: Remote) -> None:
    remote.deployed(h100(1, 2))
    deploying = remote.create()
    remote.deploy(deploying, h100(2, 3))
    (gpu,) = remote.good("GET", f"/v2/nvcf/accounts/{ACCOUNT}/usage/gpus").rows("gpus")
    assert (gpu["gpu"], gpu["instanceType"]) == ("H100", "LAB.H100_1x")
    assert (gpu["currentMinUsage"], gpu["currentMaxUsage"]) == (3, 5)


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("gpus", "gpus", {"H100"}),
        ("regions", "regions", {"us-east-1", "us-west-2"}),
        ("clusterNames", "clusterNames", {"lab-1", "lab-2"}),
        ("attributes", "attributes", {"SOC2"}),
    ],
)
def test_allocator_lists_names(remote: Remote, name: str, key: str, expected: set[str]) -> None:
    found = remote.good("GET", f"{ICMS}/{name}").json[key]
    assert expected <= set(cast("list[str]", found))


def test_allocator_hides_what_has_no_room_unless_told_otherwise(remote: Remote) -> None:
    for cluster in ("lab-1", "lab-2"):
        remote.emulate("grab", cluster=cluster, gpu="H100", gpus=8)
    assert remote.good("GET", f"{ICMS}/gpus").json == {"gpus": []}
    assert remote.good("GET", f"{ICMS}/gpus?capacityValidation=false").json == {"gpus": ["H100"]}


def test_allocator_counts_instances_that_fit(remote: Remote) -> None:
    remote.emulate("grab", cluster="lab-1", gpu="H100", gpus=3)
    found = cast("list[Json]", remote.good("GET", f"{ICMS}/instanceTypes").json["H100"])
    room = {str(one["name"]): (one["gpuCount"], one["availableCapacity"]) for one in found}
    assert room == {"LAB.H100_1x": (1, 13), "LAB.H100_4x": (4, 3), "LAB.H100_8x": (8, 1)}
    assert remote.get(f"{ICMS}/instanceTypes/availability").status == 200
    assert remote.get(f"{ICMS}/gpu/usage").status == 200


def test_allocator_refuses_with_an_error_of_its_own(remote: Remote) -> None:
    answer = remote.get("/v1/si/accounts/nca-other/gpus")
    assert answer.status in (403, 404)
    assert answer.json.keys() == {"error"}


@pytest.mark.parametrize("path", ["/health", "/info", "/v3/openapi"])
def test_some_paths_ask_nobody_who_he_is(remote: Remote, path: str) -> None:
    answer = remote.call("GET", path, headers={})
    assert (answer.status, answer.media_type) == (200, "application/json")


def test_caller_is_told_who_he_is(remote: Remote) -> None:
    assert remote.good("GET", "/v3/keys/get-caller-info").json["orgName"] == "demo"
    assert [one["name"] for one in remote.good("GET", "/v2/orgs").rows("organizations")] == ["demo"]
