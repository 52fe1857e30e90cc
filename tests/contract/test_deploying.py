"""POST of a deployment: its answer, and what it is refused for in which order (4.3)."""

from __future__ import annotations

from typing import cast

import pytest

from tests.contract.remote import (
    ACCOUNT,
    NOBODY,
    Json,
    Remote,
    Version,
    chart,
    container,
    deployment,
    h100,
    problem,
    without,
)
from tests.contract.rows import covers

HARDWARE = {"cpuArch", "os", "driverVersion", "storage", "systemMemory", "gpuMemory"}


def bare(specification: Json) -> Json:
    """Without what only the server knows."""
    hidden = HARDWARE | {"gpuSpecificationId"}
    return {key: value for key, value in specification.items() if key not in hidden}


def refused(remote: Remote, version: Version, *specifications: Json, status: int = 400) -> str:
    """Nothing is left of a refused deployment."""
    before = remote.get(version.deployment).status
    answer = remote.post(version, *specifications)
    assert answer.status == status, answer.content
    assert answer.media_type == "application/problem+json"
    assert answer.json["instance"] == version.deployment
    assert remote.get(version.deployment).status == before
    return answer.detail


@covers("2.1#10", "5#3")
def test_deployment_is_answered_whole(remote: Remote) -> None:
    version = remote.create()
    answer = remote.post(version, h100(1, 2), h100(0, 3, 4, maxRequestConcurrency=8))
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json.keys() == {"deployment"}
    found = answer.one("deployment")
    specifications = cast("list[Json]", found.pop("deploymentSpecifications"))
    assert found == {
        "functionId": version.function,
        "functionVersionId": version.id,
        "deploymentId": found["deploymentId"],
        "functionName": "chat",
        "ncaId": ACCOUNT,
        "functionStatus": "DEPLOYING",
        "createdAt": "2026-01-01T00:00:00.000000Z",
        "lastUpdatedAt": "2026-01-01T00:00:00.000000Z",
    }
    assert {str(one["instanceType"]): bare(one) for one in specifications} == {
        "LAB.H100_1x": {**h100(1, 2), "maxRequestConcurrency": 1, "preferredOrder": 1},
        "LAB.H100_4x": {**h100(0, 3, 4), "maxRequestConcurrency": 8, "preferredOrder": 1},
    }
    assert len({str(one["gpuSpecificationId"]) for one in specifications}) == 2


@covers("2.1#11", "2.1#14")
def test_deployment_is_read_by_version_and_by_id(remote: Remote) -> None:
    version = remote.create()
    posted = remote.deploy(version, h100(), h100(1, 1, 4))
    answer = remote.get(version.deployment)
    assert answer.status == 200
    assert answer.json == {"deployment": posted}
    by_id = remote.get(f"/v2/nvcf/deployments/{posted['deploymentId']}")
    assert (by_id.status, by_id.json) == (200, answer.json)


def test_everything_of_a_specification_is_echoed(remote: Remote) -> None:
    version = remote.create(chart())
    given = h100(
        1,
        2,
        maxRequestConcurrency=4,
        clusters=["lab-1"],
        regions=["us-west-2"],
        attributes=["SOC2"],
        preferredOrder=7,
        configuration={"replicas": {"count": 1}},
        helmValidationPolicy={"name": "Default"},
        autoscalingConfiguration={
            "scaleUpDetails": {"factor": 1.5, "threshold": 70},
            "scaleDownDetails": {"factor": 0.5, "threshold": 30},
        },
    )
    (found,) = cast("list[Json]", remote.deploy(version, given)["deploymentSpecifications"])
    assert bare(found) == given
    assert found.keys() <= given.keys() | HARDWARE | {"gpuSpecificationId"}


def test_what_was_not_sent_is_absent(remote: Remote) -> None:
    version = remote.create()
    nulls = {"backend": None, "clusters": None, "regions": None, "configuration": None}
    (found,) = cast("list[Json]", remote.deploy(version, h100(**nulls))["deploymentSpecifications"])
    assert bare(found) == {**h100(), "maxRequestConcurrency": 1, "preferredOrder": 1}


def test_duplicate_specifications_are_taken_and_keep_ids_and_order(remote: Remote) -> None:
    version = remote.create()
    posted = remote.deploy(version, h100(), h100(), h100(1, 1, 4))
    ids = [
        one["gpuSpecificationId"] for one in cast("list[Json]", posted["deploymentSpecifications"])
    ]
    assert len(set(map(str, ids))) == 3
    remote.advance(600)
    assert [one["gpuSpecificationId"] for one in remote.specifications(version)] == ids


def test_names_are_matched_in_any_case(remote: Remote) -> None:
    version = remote.create()
    posted = remote.deploy(version, h100(gpu="h100", instanceType="lab.h100_1x", backend="LAB"))
    assert posted["functionStatus"] == "DEPLOYING"


def test_backend_that_is_empty_is_none(remote: Remote) -> None:
    version = remote.create()
    posted = remote.deploy(version, h100(backend="", clusters=["lab-1"]))
    (found,) = cast("list[Json]", posted["deploymentSpecifications"])
    assert "backend" not in found


MIN_ABOVE_MAX = "Invalid request: 'minInstances' must be lesser than or equal to 'maxInstances'"


def scaling(**stickiness: object) -> Json:
    details = {"factor": 1.5, "threshold": 50, "stickiness": stickiness}
    return h100(autoscalingConfiguration={"scaleUpDetails": details})


def test_stickiness_within_its_bounds_is_taken(remote: Remote) -> None:
    remote.deploy(remote.create(), scaling(size="PT1H", threshold="PT59M"))


@covers("4.3#0")
@pytest.mark.parametrize(
    ("specification", "says"),
    [
        (h100(3, 2), MIN_ABOVE_MAX),
        (without(h100(), "minInstances"), MIN_ABOVE_MAX),
        (h100(None, 2), MIN_ABOVE_MAX),
        (h100(1, None), MIN_ABOVE_MAX),
        (scaling(size="PT2H", threshold="PT1M"), "stickiness"),
        (scaling(size="PT1M", threshold="PT1M"), "stickiness"),
        (without(h100(), "maxInstances"), MIN_ABOVE_MAX),
        (h100(-1, 2), "minInstances"),
        (h100(0, 0), "maxInstances"),
        (h100(gpu=""), "gpu"),
        (h100(gpu=None), "gpu"),
        (h100(instanceType=" "), "instanceType"),
        (h100(instanceType=None), "instanceType"),
        (h100(maxRequestConcurrency=0), "maxRequestConcurrency"),
        (h100(maxRequestConcurrency=16385), "maxRequestConcurrency"),
        (h100(preferredOrder=0), "preferredOrder"),
        (h100(preferredOrder=100), "preferredOrder"),
        (
            h100(autoscalingConfiguration={"scaleUpDetails": {"factor": 1.0, "threshold": 50}}),
            "factor",
        ),
        (
            h100(autoscalingConfiguration={"scaleDownDetails": {"factor": 1.0, "threshold": 50}}),
            "factor",
        ),
        (
            h100(autoscalingConfiguration={"scaleUpDetails": {"factor": 1.5, "threshold": 101}}),
            "threshold",
        ),
    ],
)
def test_specification_out_of_bounds_is_refused_by_validation(
    remote: Remote, specification: Json, says: str
) -> None:
    version = remote.create()
    detail = refused(remote, version, specification)
    assert detail.startswith("Validation failed: [object=")
    assert says in detail


@covers("4.3#0")
def test_empty_list_is_refused_by_validation(remote: Remote) -> None:
    version = remote.create()
    assert refused(remote, version).startswith("Validation failed: ")
    assert remote.call("POST", version.deployment, {}).status == 400


@covers("4.3#1")
def test_version_that_is_not_in_the_account_is_not_found(remote: Remote) -> None:
    unknown = Version(NOBODY, NOBODY)
    answer = remote.post(unknown, h100())
    assert answer.status == 404
    detail = f"{unknown.subject}: Not found in account '{ACCOUNT}'"
    assert answer.json == problem(404, "not-found", "Not Found", detail, unknown.deployment)


@covers("4.3#4")
def test_deployment_that_drains_is_waited_for(remote: Remote) -> None:
    version = remote.deployed(h100())
    remote.emulate("queue", version=version.id, depth=5, perMinute=0)
    remote.good("DELETE", f"{version.deployment}?graceful=true")
    assert remote.status(version) == "INACTIVE"
    assert "deployment found for INACTIVE function" in refused(remote, version, h100())


@covers("4.3#5")
def test_deployed_version_is_not_deployed_again(remote: Remote) -> None:
    version = remote.create()
    remote.deploy(version, h100())
    for status in ("DEPLOYING", "ACTIVE"):
        assert remote.status(version) == status
        answer = remote.post(version, h100())
        assert answer.status == 400
        assert f"Status {status}, use PATCH endpoint to update gpu-specification" in answer.detail
        remote.advance(600)


@covers("4.3#6")
def test_version_in_error_is_not_deployed_again(remote: Remote) -> None:
    version = remote.create()
    remote.emulate("fault", kind="capacity-async", route="deploy")
    remote.deploy(version, h100())
    remote.advance(3600)
    assert remote.status(version) == "ERROR"
    assert "already has a deployment with errors" in refused(remote, version, h100())


@covers("4.3#7")
@pytest.mark.world("lab", groups={"lab": {"ncaId": "nca-x", "authorized": ["nca-x"]}})
def test_account_that_sees_no_group_cannot_deploy(remote: Remote) -> None:
    version = remote.create()
    assert f"No Backends defined for account '{ACCOUNT}'" in refused(remote, version, h100())


@covers("4.3#8")
def test_backend_and_clusters_exclude_each_other(remote: Remote) -> None:
    version = remote.create()
    answer = remote.post(version, h100(backend="lab", clusters=["lab-1"]))
    assert answer.status == 400
    detail = "Backend 'lab' and Clusters '[lab-1]' could not be specified at the same time"
    assert answer.json == problem(400, "bad-request", "Bad Request", detail, version.deployment)


@covers("4.3#9")
def test_unknown_backend_is_named(remote: Remote) -> None:
    version = remote.create()
    assert "Invalid Backend 'moon'" in refused(remote, version, h100(backend="moon"))


@covers("4.3#10")
@pytest.mark.world(
    "lab",
    groups={"lab": {}, "bare": {}},
    clusters={"bare-1": {"groups": ["bare"], "gpus": {}}},
)
def test_group_without_gpus_is_named(remote: Remote) -> None:
    version = remote.create()
    assert "GPUs missing for Backend" in refused(remote, version, h100(backend="bare"))


@covers("4.3#11")
def test_unknown_gpu_is_named(remote: Remote) -> None:
    version = remote.create()
    for fields in ({}, {"backend": "lab"}):
        assert "Invalid GPU 'B200'" in refused(remote, version, h100(gpu="B200", **fields))


@covers("4.3#12")
def test_unknown_instance_type_is_named(remote: Remote) -> None:
    version = remote.create()
    answer = remote.post(version, h100(instanceType="LAB.H100_3x"))
    assert answer.status == 400
    detail = f"{version.subject}: Invalid InstanceType 'LAB.H100_3x' specified"
    assert answer.json == problem(400, "bad-request", "Bad Request", detail, version.deployment)


@covers("4.3#13")
@pytest.mark.parametrize(
    "fields", [{"configuration": {"a": 1}}, {"helmValidationPolicy": {"name": "Default"}}]
)
def test_helm_fields_are_refused_on_a_container_function(remote: Remote, fields: Json) -> None:
    assert refused(remote, remote.create(), h100(**fields))
    remote.deploy(remote.create(chart()), h100(**fields))


@covers("4.3#16")
@pytest.mark.world("lab", quotas=[{"gpu": "H100", "names": ["lab"], "limit": 3}])
def test_quota_is_spent_by_maximum(remote: Remote) -> None:
    version = remote.create()
    detail = refused(remote, version, h100(0, 4))
    assert (
        "Validation failed - [All allocated GPU instances in use - contact your support team]"
        in detail
    )
    remote.deploy(version, h100(0, 3))
    assert "All allocated GPU instances in use" in refused(remote, remote.create(), h100(0, 1))


@covers("4.3#17")
def test_specifications_before_the_one_without_room_are_undone(remote: Remote) -> None:
    remote.emulate("grab", cluster="lab-1", gpu="H100", gpus=8)
    version = remote.create()
    detail = refused(remote, version, h100(2, 2, clusters=["lab-2"]), h100(clusters=["lab-1"]))
    assert detail.startswith(
        f"{version.subject}: Failed to deploy, reverting state to 'INACTIVE': "
    )
    assert remote.status(version) == "INACTIVE"
    assert (remote.free("lab-1"), remote.free("lab-2")) == (0, 8)
    remote.advance(600)
    assert remote.free("lab-2") == 8
    remote.deploy(version, h100(2, 2, clusters=["lab-2"]))


def test_unknown_region_shows_only_where_instances_are_asked_for(remote: Remote) -> None:
    version = remote.create()
    for fields in ({"regions": ["moon"]}, {"clusters": ["moon"]}, {"attributes": ["moon"]}):
        detail = refused(remote, version, h100(1, 1, **fields))
        assert "no available clusters for" in detail
    posted = remote.deploy(version, h100(0, 1, regions=["moon"]))
    assert posted["functionStatus"] == "ACTIVE"


ORDER: list[tuple[Json, str]] = [
    (h100(3, 2), "Validation failed: "),
    (h100(backend="moon", clusters=["lab-1"]), "could not be specified at the same time"),
    (h100(backend="moon", gpu="B200"), "Invalid Backend '"),
    (h100(gpu="B200", instanceType="LAB.B200_1x"), "Invalid GPU '"),
    (h100(instanceType="LAB.H100_3x", configuration={"a": 1}), "Invalid InstanceType '"),
    (h100(0, 9, configuration={"a": 1}), "onfiguration"),
    (h100(1, 9), "All allocated GPU instances in use"),
    (h100(1, 1), "no available clusters with capacity"),
]
"""Each breaks its own rule and the next one that it can."""


@pytest.mark.world("lab", quotas=[{"gpu": "H100", "names": ["lab"], "limit": 8}])
def test_checks_stand_in_their_order(remote: Remote) -> None:
    for cluster in ("lab-1", "lab-2"):
        remote.emulate("grab", cluster=cluster, gpu="H100", gpus=8)
    version = remote.create()
    for specification, says in ORDER:
        assert says in refused(remote, version, specification)


@pytest.mark.world("lab", groups={"lab": {"ncaId": "nca-x", "authorized": ["nca-x"]}})
def test_missing_groups_are_noticed_after_the_version_and_before_names(remote: Remote) -> None:
    refused_for = remote.post(Version(NOBODY, NOBODY), h100(gpu="B200"))
    assert refused_for.status == 404
    assert "No Backends" in refused(
        remote, remote.create(), h100(backend="moon", clusters=["lab-1"])
    )


def test_body_is_looked_at_before_the_version(remote: Remote) -> None:
    answer = remote.post(Version(NOBODY, NOBODY), h100(3, 2))
    assert answer.status == 400
    assert answer.detail.startswith("Validation failed: ")


def test_status_is_looked_at_before_names(remote: Remote) -> None:
    version = remote.deployed(h100())
    assert "use PATCH endpoint" in remote.post(version, h100(gpu="B200")).detail


def test_deployment_with_many_specifications_is_taken(remote: Remote) -> None:
    version = remote.create(container())
    answer = remote.call("POST", version.deployment, deployment(*[h100(0, 1)] * 50))
    assert answer.status == 200
