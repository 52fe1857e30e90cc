"""The payloads written with the contract: accepted, served, and answered as they stand."""

from __future__ import annotations

from typing import cast

import pytest

from tests.contract.remote import (
    ACCOUNT,
    FUNCTIONS,
    Json,
    Remote,
    Version,
    container,
    deployment,
    example,
    without,
)
from tests.contract.rows import covers

pytestmark = pytest.mark.world("account")

NEW = ("gpuSpecificationId", "createdAt", "lastUpdatedAt", "deploymentId")
HARDWARE = ("cpuArch", "os", "driverVersion", "storage", "systemMemory", "gpuMemory")
GCP = {
    "gpu": "H100",
    "backend": "GCP-ASIASE1-A",
    "instanceType": "a3-highgpu-8g_2x",
    "minInstances": 1,
    "maxInstances": 4,
    "maxRequestConcurrency": 8,
}
VIDEO = {
    "gpu": "H100",
    "instanceType": "AZURE.GPU.H100_8x",
    "minInstances": 2,
    "maxInstances": 3,
    "regions": ["us-west-2"],
}


def specifications(answer: Json) -> list[Json]:
    return cast("list[Json]", answer["deploymentSpecifications"])


def by_type(answer: Json, *hidden: str) -> dict[str, Json]:
    """Specifications by instance type, without what differs from account to account."""
    return {
        str(one["instanceType"]): without(one, *NEW, *HARDWARE, *hidden)
        for one in specifications(answer)
    }


@covers("2.1#1")
def test_inventory_is_served(remote: Remote) -> None:
    answer = remote.get("/v2/nvcf/clusterGroups")
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json.keys() == {"clusterGroups"}
    assert [plain_group(one) for one in answer.rows("clusterGroups")] == [
        plain_group(one)
        for one in cast("list[Json]", example("clusterGroups.json")["clusterGroups"])
    ]


def plain_group(group: Json) -> Json:
    """Without the ids and descriptions, which each account words for itself."""
    gpus = cast("list[Json]", group["gpus"])
    types = {
        str(gpu["name"]): [
            without(one, "description") for one in cast("list[Json]", gpu["instanceTypes"])
        ]
        for gpu in gpus
    }
    clusters = [without(one, "id") for one in cast("list[Json]", group["clusters"])]
    assert all("id" in one for one in (group, *cast("list[Json]", group["clusters"])))
    return {**without(group, "id"), "gpus": types, "clusters": clusters}


@pytest.mark.parametrize(
    "name", ["function-create-request.json", "function-create-helm-request.json"]
)
def test_function_is_created_as_it_was_written(remote: Remote, name: str) -> None:
    given = example(name)
    answer = remote.call("POST", FUNCTIONS, given)
    assert answer.status == 200
    function = answer.one("function")
    expected = {**without(given, "secrets"), "status": "INACTIVE", "ncaId": ACCOUNT}
    rate = cast("Json", expected.pop("rateLimit", {}))
    assert {key: function[key] for key in expected} == expected
    shown = cast("Json", function.get("rateLimit", {}))
    assert {key: shown[key] for key in shown} == {
        key: value for key, value in rate.items() if key in shown
    }
    assert "secrets" not in function


def test_functions_are_listed_as_written(remote: Remote) -> None:
    """Those of the example, created as their own fields say."""
    listed = cast("list[Json]", example("functions-list.json")["functions"])
    made: dict[object, Version] = {}
    for one in listed:
        server_made = ("id", "versionId", "ncaId", "status", "createdAt", "ownedByDifferentAccount")
        body = without(one, *server_made)
        first = made.get(one["id"])
        created = remote.create(body) if first is None else remote.create_version(first, body)
        made.setdefault(one["id"], created)
    ids = {str(version.function): str(id_) for id_, version in made.items()}
    found = [
        {**without(one, "versionId", "createdAt", "status"), "id": ids[str(one["id"])]}
        for one in remote.get(FUNCTIONS).rows("functions")
    ]
    key = str
    assert sorted(found, key=key) == sorted(
        (
            {
                **without(one, "versionId", "createdAt", "status"),
                "id": one["id"],
            }
            for one in listed
        ),
        key=key,
    )


def test_heterogeneous_deployment_is_answered_as_written(remote: Remote) -> None:
    version = remote.create(container(name="chat-llama"))
    posted = remote.deploy(version, *specifications(example("deployment-create-request.json")))
    expected = cast("Json", example("deployment-create-response.json")["deployment"])
    own = ("functionId", "functionVersionId", "deploymentSpecifications", *NEW)
    assert without(posted, *own) == without(expected, *own)
    assert by_type(posted) == by_type(expected)
    assert posted.keys() == expected.keys()


def test_part_without_capacity_shows_as_written(remote: Remote) -> None:
    expected = cast("Json", example("deployment-deploying-partial.json")["deployment"])
    (entry,) = cast("list[Json]", expected["healthInfo"])
    version = remote.create(container(name="chat-llama"))
    remote.emulate(
        "fault",
        kind="capacity-async",
        route="deploy",
        instanceType="ON-PREM.GPU.L40S_4x",
        text=str(entry["error"]),
    )
    remote.deploy(version, *specifications(example("deployment-create-request.json")))
    remote.advance(1860)
    found = remote.deployment(version)
    own = ("functionId", "functionVersionId", "deploymentSpecifications", *NEW)
    assert without(found, *own) == without(expected, *own)
    assert by_type(found) == by_type(expected)


@pytest.mark.world("account", quotas=[])
@covers("6.2#1")
def test_deployment_that_no_cluster_took_ends_as_written(remote: Remote) -> None:
    """One of the two rooms has four GPUs left: half of it comes to run, and goes again."""
    expected = cast("Json", example("deployment-error-capacity.json")["deployment"])
    remote.emulate("grab", cluster="nvcf-azure-westus2-2", gpu="H100", gpus=4)
    version = remote.create(container(name="video-gen"))
    remote.deploy(version, VIDEO)
    remote.advance(1860)
    found = remote.deployment(version)
    own = ("functionId", "functionVersionId", "deploymentSpecifications", *NEW)
    assert without(found, *own) == without(expected, *own)
    assert by_type(found) == by_type(expected)


@pytest.mark.world("account", quotas=[])
@covers("6.1#1")
def test_rooms_without_a_free_gpu_are_refused_as_written(remote: Remote) -> None:
    for cluster, gpus in (("nvcf-azure-westus2-1", 4), ("nvcf-azure-westus2-2", 8)):
        remote.emulate("grab", cluster=cluster, gpu="H100", gpus=gpus)
    version = remote.create(container(name="video-gen"))
    answer = remote.post(version, VIDEO)
    expected = example("error-capacity-sync.problem.json")
    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    assert answer.json == renamed(expected, version)


def renamed(body: Json, version: Version) -> Json:
    """An example's error body, for another version."""
    names = (
        ("5c1b7f0e-2f0d-4a6a-9d1c-6a1f6f6b0a01", version.function),
        ("e7f1b2a3-0c4d-4b5e-8f60-718293a4b503", version.function),
        ("9a4d2c3b-7710-4a37-8f0b-2b9c8f3f2a02", version.function),
        ("7be21c64-13a7-47d7-a1a0-5f2d8f0f6c12", version.id),
        ("0d3f1f0a-8c55-4a6e-8f5f-0f9a3c2b1d11", version.id),
        ("31c9a2f4-5d6e-4f70-8192-a3b4c5d6e731", version.id),
        ("c2a0f5de-6f53-4d08-9c6d-1e7f4e8c3b21", version.id),
    )
    changed = dict(body)
    for key, value in body.items():
        if isinstance(value, str):
            for old, new in names:
                value = value.replace(old, new)
            changed[key] = value
    return changed


def written(case: str) -> tuple[int, Json]:
    """Status and body of one of the error examples."""
    cases = cast("list[Json]", cast("object", example("error-bodies.json")))
    (found,) = (one for one in cases if one["case"] == case)
    return cast("int", found["httpStatus"]), cast("Json", found["body"])


@pytest.mark.parametrize(
    ("case", "specification"),
    [
        ("unknown instance type", {**GCP, "instanceType": "a3-highgpu-8g_3x"}),
        (
            "backend and clusters together",
            {**GCP, "backend": "byoc-lab", "clusters": ["byoc-cluster-1"]},
        ),
        (
            "body validation: min above max",
            {**GCP, "minInstances": 3, "maxInstances": 2},
        ),
    ],
)
def test_refusal_of_a_deployment_is_as_written(
    remote: Remote, case: str, specification: Json
) -> None:
    status, body = written(case)
    version = remote.create()
    answer = remote.post(version, specification)
    assert (answer.status, answer.media_type) == (status, "application/problem+json")
    assert answer.json == renamed(body, version)


def test_deployed_version_is_refused_as_written(remote: Remote) -> None:
    status, body = written("version already deployed")
    version = remote.deployed(GCP)
    answer = remote.post(version, GCP)
    assert (answer.status, answer.json) == (status, renamed(body, version))


def test_version_in_error_is_refused_as_written(remote: Remote) -> None:
    status, body = written("version in ERROR, deployment not removed yet")
    version = remote.create()
    remote.emulate("fault", kind="capacity-async", route="deploy")
    remote.deploy(version, GCP)
    remote.advance(3600)
    answer = remote.post(version, GCP)
    assert (answer.status, answer.json) == (status, renamed(body, version))


def test_missing_deployment_is_as_written(remote: Remote) -> None:
    status, body = written("no deployment")
    version = remote.create()
    answer = remote.get(version.deployment)
    assert (answer.status, answer.json) == (status, renamed(body, version))


def test_missing_version_is_as_written(remote: Remote) -> None:
    status, body = written("function version not in account")
    version = remote.create()
    nobody = Version(version.function, "00000000-0000-0000-0000-000000000000")
    answer = remote.get(nobody.path)
    assert (answer.status, answer.json) == (status, renamed(body, nobody))


@pytest.mark.world("account", functionLimit=1)
def test_function_limit_is_as_written(remote: Remote) -> None:
    status, body = written("function limit of the account")
    remote.create()
    answer = remote.call("POST", FUNCTIONS, container())
    assert (answer.status, answer.json) == (status, body)


@covers("6.1#9")
def test_allocator_that_is_down_is_as_written(remote: Remote) -> None:
    status, body = written("allocator unreachable")
    remote.emulate("fault", kind="answer", route="deploy", status=502)
    version = remote.create()
    answer = remote.post(version, GCP)
    assert (answer.status, answer.json) == (status, renamed(body, version))


@covers("6.1#4")
def test_group_without_a_ready_cluster_is_as_written(remote: Remote) -> None:
    """Closed a moment ago: the service still lists it, the allocator does not."""
    status, body = written("placement, backend form")
    remote.emulate("cordon", cluster="nvcf-gcp-prod-asiase1-a")
    version = remote.create()
    answer = remote.post(version, {**GCP, "instanceType": "a3-highgpu-8g_8x", "maxInstances": 1})
    assert (answer.status, answer.json) == (status, renamed(body, version))


@covers("6.1#3")
def test_specification_that_fits_nowhere_is_refused_as_written(remote: Remote) -> None:
    status, body = written("placement: nothing matches gpu/type/region/cluster/attributes")
    version = remote.create()
    answer = remote.post(version, {**VIDEO, "maxInstances": 2, "regions": ["moon"]})
    assert (answer.status, answer.json) == (status, renamed(body, version))


def test_deployment_that_drains_is_refused_as_written(remote: Remote) -> None:
    status, body = written("graceful undeploy still draining")
    version = remote.deployed(GCP)
    remote.emulate("queue", version=version.id, depth=5, perMinute=0)
    remote.good("DELETE", f"{version.deployment}?graceful=true")
    answer = remote.post(version, GCP)
    assert (answer.status, answer.json) == (status, renamed(body, version))


def test_too_many_requests_are_refused_as_written(remote: Remote) -> None:
    status, body = written("too many requests")
    remote.emulate("fault", kind="answer", route="list-functions", status=429)
    answer = remote.get(FUNCTIONS)
    assert (answer.status, answer.json) == (status, body)
    assert "retry-after" not in answer.headers


def test_specification_is_patched_as_written(remote: Remote) -> None:
    written_ = example("gpu-spec-patch.json")
    version = remote.deployed(GCP)
    path = remote.specification_path(version, "a3-highgpu-8g_2x")
    answer = remote.call("PATCH", path, written_["request"])
    expected = cast("Json", cast("Json", written_["response"])["gpuSpecification"])
    assert answer.status == 200
    hidden = (*NEW, *HARDWARE)
    assert without(answer.one("gpuSpecification"), *hidden) == without(expected, *hidden)


def test_version_with_instances_is_as_written(remote: Remote) -> None:
    expected = cast("Json", example("function-version-with-instances.json")["function"])
    server_made = ("id", "versionId", "ncaId", "status", "createdAt", "ownedByDifferentAccount")
    body = without(expected, "activeInstances", *server_made)
    version = remote.deployed(GCP, body=body)
    found = remote.get(version.path).one("function")
    own = ("id", "versionId", "createdAt", "activeInstances")
    assert without(found, *own) == without(expected, *own)
    (instance,) = remote.instances(version)
    (shown,) = cast("list[Json]", expected["activeInstances"])
    hidden = (
        "instanceId", "functionId", "functionVersionId", "icmsRequestId",
        "instanceCreatedAt", "instanceUpdatedAt",
    )  # fmt: skip
    assert without(instance, *hidden) == without(shown, *hidden)
    assert instance.keys() == shown.keys()


def test_quota_rules_are_as_written(remote: Remote) -> None:
    expected = cast("list[Json]", example("gpu-quota-rules.json")["gpus"])
    answer = remote.get("/v2/orgs/demo/ngc/nvcf/gpu/quota/rules")
    assert (answer.status, list(answer.json)) == (200, ["gpus"])
    found = {str(one["name"]): one for one in answer.rows("gpus")}
    assert [found[str(one["name"])] for one in expected] == expected


def test_account_answers_the_whole_list_of_a_deployment(remote: Remote) -> None:
    version = remote.create()
    body = deployment(*specifications(example("deployment-create-request.json")))
    remote.good("POST", version.deployment, body)
    remote.advance(600)
    assert remote.status(version) == "ACTIVE"
    assert remote.free("nvcf-gcp-prod-asiase1-a") == 6
    assert remote.free("byoc-cluster-1", "L40S") == 8
