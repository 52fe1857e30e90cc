"""Changes to a deployment and its end: rows 12, 13, 15 of 2.1, section 3.5 and 4.4."""

from __future__ import annotations

from typing import cast

import pytest

from tests.contract.remote import (
    NOBODY,
    Json,
    Remote,
    Version,
    chart,
    container,
    deployment,
    h100,
    problem,
)
from tests.contract.rows import covers

DEPLOYMENTS = "/v2/nvcf/deployments"


def put(remote: Remote, version: Version, *specifications: Json) -> Json:
    answer = remote.call("PUT", version.deployment, deployment(*specifications))
    assert answer.status == 200, answer.content
    assert answer.json.keys() == {"deployment"}
    return answer.one("deployment")


def refused_put(remote: Remote, version: Version, *specifications: Json) -> str:
    before = remote.deployment(version)
    answer = remote.call("PUT", version.deployment, deployment(*specifications))
    assert answer.status == 400, answer.content
    assert remote.deployment(version) == before
    return answer.detail


def in_error(remote: Remote) -> Version:
    version = remote.create()
    remote.emulate("fault", kind="capacity-async", route="deploy")
    remote.deploy(version, h100())
    remote.advance(3600)
    assert remote.status(version) == "ERROR"
    return version


@covers("2.1#12")
def test_put_takes_minimum_maximum_and_concurrency(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    before = remote.deployment(version)
    found = put(remote, version, h100(2, 4, maxRequestConcurrency=8))
    (specification,) = cast("list[Json]", before["deploymentSpecifications"])
    changed = {**specification, **h100(2, 4, maxRequestConcurrency=8)}
    assert found == {
        **before,
        "lastUpdatedAt": "2026-01-01T00:10:00.000000Z",
        "deploymentSpecifications": [changed],
    }
    assert remote.deployment(version) == found


def test_put_of_what_is_there_changes_nothing(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    before = remote.deployment(version)
    remote.advance(60)
    assert put(remote, version, h100(1, 2)) == before


def test_put_ignores_gpu_and_instance_type(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    found = put(remote, version, h100(1, 3, gpu="B200", instanceType="LAB.B200_1x"))
    (specification,) = cast("list[Json]", found["deploymentSpecifications"])
    assert (specification["gpu"], specification["instanceType"]) == ("H100", "LAB.H100_1x")
    assert specification["maxInstances"] == 3


def test_put_names_each_of_several_specifications_by_its_id(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2), h100(1, 1, 4))
    first, second = remote.specifications(version)
    found = put(remote, version, {**second, "maxInstances": 3}, {**first, "maxInstances": 5})
    assert found["deploymentSpecifications"] == [
        {**first, "maxInstances": 5},
        {**second, "maxInstances": 3},
    ]
    detail = refused_put(remote, version, h100(1, 2), h100(1, 1, 4))
    assert "PATCH" in detail
    unknown = {**first, "gpuSpecificationId": NOBODY}
    assert NOBODY in refused_put(remote, version, unknown, second)


def test_put_with_another_number_of_specifications_is_refused(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    assert refused_put(remote, version, h100(), h100(1, 1, 4))
    assert refused_put(remote, version)


def test_put_may_not_move_a_specification(remote: Remote) -> None:
    grouped = remote.deployed(h100(backend="lab"))
    assert refused_put(remote, grouped, h100(backend="LAB"))
    assert refused_put(remote, grouped, h100())
    placed = remote.deployed(h100(clusters=["lab-1", "lab-2"]))
    assert refused_put(remote, placed, h100(clusters=["lab-1"]))
    put(remote, placed, h100(1, 3, clusters=["lab-2", "lab-1"]))


def test_put_takes_effect_at_a_tick_and_checks_no_capacity(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    put(remote, version, h100(3, 40))
    assert (remote.status(version), len(remote.instances(version))) == ("ACTIVE", 1)
    remote.advance(600)
    assert (remote.status(version), len(remote.instances(version))) == ("ACTIVE", 3)
    put(remote, version, h100(1, 3))
    remote.advance(600)
    assert len(remote.instances(version)) == 3


def test_lower_maximum_stops_the_oldest_at_a_tick(remote: Remote) -> None:
    version = remote.deployed(h100(1, 4))
    oldest = remote.instances(version)[0]["instanceId"]
    put(remote, version, h100(3, 4))
    remote.advance(600)
    put(remote, version, h100(1, 2))
    assert len(remote.instances(version)) == 3
    remote.advance(60)
    left = [one["instanceId"] for one in remote.instances(version)]
    assert len(left) == 2
    assert oldest not in left


@covers("2.1#15")
def test_patch_answers_the_whole_specification(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2), h100(1, 1, 4))
    path = remote.specification_path(version, "LAB.H100_4x")
    (before,) = (
        one for one in remote.specifications(version) if one["instanceType"] == "LAB.H100_4x"
    )
    answer = remote.call("PATCH", path, {"minInstances": 2, "maxInstances": 2})
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json == {"gpuSpecification": {**before, "minInstances": 2, "maxInstances": 2}}
    assert remote.call("PATCH", path, {"maxInstances": 5}).one("gpuSpecification") == {
        **before,
        "minInstances": 2,
        "maxInstances": 5,
    }


def test_patch_of_what_is_there_is_taken(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    before = remote.deployment(version)
    remote.advance(60)
    path = remote.specification_path(version, "LAB.H100_1x")
    assert remote.call("PATCH", path, {"minInstances": 1}).status == 200
    assert remote.deployment(version) == before


def test_patch_sets_and_drops_autoscaling(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    path = remote.specification_path(version, "LAB.H100_1x")
    scaling = {"scaleUpDetails": {"factor": 1.5, "threshold": 70}}
    answer = remote.good("PATCH", path, {"autoscalingConfiguration": scaling})
    assert answer.one("gpuSpecification")["autoscalingConfiguration"] == scaling
    policy = {"autoscalingConfigurationPolicy": "platform_configuration"}
    answer = remote.good("PATCH", path, policy)
    assert "autoscalingConfiguration" not in answer.one("gpuSpecification")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"gpu": "B200"},
        {"minInstances": 3},
        {"maxInstances": 0},
        {"minInstances": -1},
        {"autoscalingConfiguration": {"scaleUpDetails": {"factor": 0.5, "threshold": 1}}},
        {"autoscalingConfigurationPolicy": "MINE"},
    ],
)
def test_patch_that_is_empty_or_out_of_bounds_is_refused(remote: Remote, body: Json) -> None:
    version = remote.deployed(h100(1, 2))
    path = remote.specification_path(version, "LAB.H100_1x")
    answer = remote.call("PATCH", path, body)
    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    assert remote.specifications(version)[0]["maxInstances"] == 2


@covers("4.4#1")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_deployment_that_is_not_there_is_not_found(remote: Remote, method: str) -> None:
    version = remote.create()
    body = deployment(h100()) if method == "PUT" else None
    answer = remote.call(method, version.deployment, body)
    assert answer.status == 404
    detail = f"{version.subject}: Deployment not found"
    assert answer.json == problem(404, "not-found", "Not Found", detail, version.deployment)
    unknown = Version(version.function, NOBODY)
    answer = remote.call(method, unknown.deployment, body)
    assert answer.status == 404
    assert "Not found in account" in answer.detail


@covers("4.4#2")
def test_deployment_in_error_is_not_changed(remote: Remote) -> None:
    version = in_error(remote)
    assert "ERROR" in refused_put(remote, version, h100(1, 3))
    path = remote.specification_path(version, "LAB.H100_1x")
    assert remote.call("PATCH", path, {"maxInstances": 3}).status == 400


@covers("4.4#2")
def test_deployment_that_drains_is_not_changed(remote: Remote) -> None:
    version = remote.deployed(h100())
    path = remote.specification_path(version, "LAB.H100_1x")
    remote.emulate("queue", version=version.id, depth=5, perMinute=0)
    remote.good("DELETE", f"{version.deployment}?graceful=true")
    assert "INACTIVE" in refused_put(remote, version, h100(1, 3))
    assert remote.call("PATCH", path, {"maxInstances": 3}).status == 400


@covers("4.4#3")
def test_id_that_is_no_uuid_is_a_bad_request_and_an_unknown_one_is_not_found(
    remote: Remote,
) -> None:
    version = remote.deployed(h100())
    id_ = remote.deployment(version)["deploymentId"]
    assert remote.get(f"{DEPLOYMENTS}/first").status == 400
    assert remote.get(f"{DEPLOYMENTS}/{NOBODY}").status == 404
    for path, status in (
        (f"{DEPLOYMENTS}/first/gpu-specifications/{NOBODY}", 400),
        (f"{DEPLOYMENTS}/{id_}/gpu-specifications/first", 400),
        (f"{DEPLOYMENTS}/{NOBODY}/gpu-specifications/{NOBODY}", 404),
        (f"{DEPLOYMENTS}/{id_}/gpu-specifications/{NOBODY}", 404),
    ):
        assert remote.call("PATCH", path, {"maxInstances": 3}).status == status


@covers("4.4#4")
def test_deleting_a_deployed_version_undeploys_and_frees(remote: Remote) -> None:
    version = remote.deployed(h100(8, 8, clusters=["lab-1"]))
    assert remote.free("lab-1") == 0
    answer = remote.call("DELETE", version.path)
    assert (answer.status, answer.content) == (204, b"")
    assert remote.get(version.deployment).status == 404
    remote.advance(600)
    assert remote.free("lab-1") == 8


@covers("4.4#6")
def test_last_writer_wins_without_a_conflict(remote: Remote) -> None:
    version = remote.deployed(h100(1, 2))
    path = remote.specification_path(version, "LAB.H100_1x")
    stale = {"If-Match": '"1"', **remote.headers}
    for most in (5, 3, 4):
        answer = remote.call("PATCH", path, {"maxInstances": most}, headers=stale)
        assert answer.status == 200
    assert remote.specifications(version)[0]["maxInstances"] == 4
    assert "etag" not in remote.get(version.deployment).headers


@covers("2.1#13", "5#12")
def test_undeployed_version_is_answered_inactive_and_its_row_is_gone(remote: Remote) -> None:
    version = remote.deployed(h100())
    before = remote.get(version.path).one("function")
    answer = remote.call("DELETE", version.deployment)
    assert (answer.status, answer.media_type) == (200, "application/json")
    expected = {**before, "status": "INACTIVE"}
    del expected["activeInstances"]
    assert answer.json == {"function": expected}
    assert remote.get(version.deployment).status == 404
    assert remote.call("DELETE", version.deployment).status == 404


def test_capacity_comes_back_only_later(remote: Remote) -> None:
    version = remote.deployed(h100(8, 8, clusters=["lab-1"]))
    remote.good("DELETE", version.deployment)
    assert remote.free("lab-1") == 0
    answer = remote.post(version, h100(1, 1, clusters=["lab-1"]))
    assert answer.status == 400
    assert "no available clusters with capacity" in answer.detail
    remote.advance(900)
    remote.deploy(version, h100(1, 1, clusters=["lab-1"]))


@covers("2.1#13")
def test_graceful_undeployment_waits_for_the_queue(remote: Remote) -> None:
    version = remote.deployed(h100())
    remote.emulate("queue", version=version.id, depth=5, perMinute=1)
    answer = remote.call("DELETE", f"{version.deployment}?graceful=true")
    assert answer.status == 200
    assert answer.one("function")["status"] == "INACTIVE"
    found = remote.get(version.deployment)
    assert found.status == 200
    assert found.one("deployment")["functionStatus"] == "INACTIVE"
    remote.advance(240)
    assert remote.get(version.deployment).status == 200
    remote.advance(120)
    assert remote.get(version.deployment).status == 404


def test_graceful_undeployment_with_an_empty_queue_is_done_at_once(remote: Remote) -> None:
    version = remote.deployed(h100())
    remote.good("DELETE", f"{version.deployment}?graceful=true")
    assert remote.get(version.deployment).status == 404


def test_second_plain_undeployment_forces_a_graceful_one(remote: Remote) -> None:
    version = remote.deployed(h100())
    remote.emulate("queue", version=version.id, depth=5, perMinute=0)
    remote.good("DELETE", f"{version.deployment}?graceful=true")
    remote.advance(7200)
    assert remote.get(version.deployment).status == 200
    assert remote.call("DELETE", version.deployment).status == 200
    assert remote.get(version.deployment).status == 404


def test_flag_that_is_no_flag_is_a_bad_request(remote: Remote) -> None:
    version = remote.deployed(h100())
    assert remote.call("DELETE", f"{version.deployment}?graceful=perhaps").status == 400
    assert remote.get(f"{version.path}?includeSecrets=perhaps").status == 400
    assert remote.status(version) == "ACTIVE"


def test_redeployment_has_new_ids(remote: Remote) -> None:
    version = remote.create(chart())
    before = remote.deploy(version, h100())
    remote.good("DELETE", version.deployment)
    after = remote.deploy(version, h100())
    assert after["deploymentId"] != before["deploymentId"]
    ids = [cast("list[Json]", one["deploymentSpecifications"])[0] for one in (before, after)]
    assert ids[0]["gpuSpecificationId"] != ids[1]["gpuSpecificationId"]


def test_several_versions_of_a_function_are_active_at_once(remote: Remote) -> None:
    first = remote.deployed(h100())
    second = remote.create_version(first, container())
    remote.deploy(second, h100())
    remote.advance(600)
    assert [remote.status(first), remote.status(second)] == ["ACTIVE", "ACTIVE"]
