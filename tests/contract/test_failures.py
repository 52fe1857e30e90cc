"""How capacity that is not there and everything else that fails shows: 6.1, 6.2 and 6.3."""

from __future__ import annotations

import pytest

from tests.contract.remote import Remote, h100
from tests.contract.rows import covers

HOUR = 3600
ENTRY = {"icmsRequestId", "gpu", "backend", "instanceType", "error"}


@pytest.mark.parametrize(
    ("failure", "status", "marker"),
    [
        pytest.param(
            "no-capacity", 400, "no available clusters with capacity", marks=covers("6.1#1")
        ),
        pytest.param(
            "no-reservation", 400, "no available clusters with reservation", marks=covers("6.1#2")
        ),
        pytest.param("no-cluster", 400, "no available clusters for", marks=covers("6.1#3")),
        pytest.param(
            "no-access", 409, "does not have access to any ready cluster", marks=covers("6.1#4")
        ),
        pytest.param(
            "no-access-clusters",
            409,
            "NVCF_CUSTOMER_NO_ACCESS_TO_CLUSTERS",
            marks=covers("6.1#5"),
        ),
        ("no-access-gpu", 409, "NVCF_CUSTOMER_NO_ACCESS_TO_GPU"),
        ("no-access-instance-type", 409, "NVCF_CUSTOMER_NO_ACCESS_TO_INSTANCE_TYPE"),
        ("no-access-ready-cluster", 409, "NVCF_CUSTOMER_NO_ACCESS_TO_READY_CLUSTER"),
        pytest.param("reconfiguration", 502, "under reconfiguration", marks=covers("6.1#8")),
        pytest.param(
            "allocator-down", 502, "Failed to get response from 'ICMS'", marks=covers("6.1#9")
        ),
        pytest.param(
            "reserved-capacity", 502, "Insufficient reserved capacity", marks=covers("6.1#10")
        ),
        ("fully-utilized", 502, "is fully utilized"),
        pytest.param("payment-required", 402, "", marks=covers("6.1#11")),
    ],
)
def test_refusal_of_the_allocator_is_passed_on_and_leaves_nothing(
    remote: Remote, failure: str, status: int, marker: str
) -> None:
    remote.emulate("fault", kind="capacity-sync", route="deploy", failure=failure)
    version = remote.create()
    answer = remote.post(version, h100())
    assert (answer.status, answer.media_type) == (status, "application/problem+json")
    assert answer.json.keys() == {"type", "title", "status", "detail", "instance"}
    outer = f"{version.subject}: Failed to deploy, reverting state to 'INACTIVE': "
    assert answer.detail.startswith(outer)
    assert marker in answer.detail
    assert remote.status(version) == "INACTIVE"
    assert remote.get(version.deployment).status == 404
    remote.deploy(version, h100())


@covers("6.1#6")
def test_hosted_quota_is_not_wrapped_as_a_failed_deployment(remote: Remote) -> None:
    remote.emulate("fault", kind="capacity-sync", route="deploy", failure="quota")
    answer = remote.post(remote.create(), h100())
    assert (answer.status, answer.detail) == (
        400,
        "Validation failed - [All allocated GPU instances in use - contact your support team]",
    )


@covers("6.1#1")
def test_only_free_gpus_are_looked_at_not_whether_all_of_it_fits(remote: Remote) -> None:
    remote.emulate("grab", cluster="lab-1", gpu="H100", gpus=7)
    version = remote.create()
    posted = remote.deploy(version, h100(8, 8, clusters=["lab-1"]))
    assert posted["functionStatus"] == "DEPLOYING"


REQUEST = "Backend 'ON-PREM', GPU 'H100', Instance Type 'LAB.H100_1x': "


@pytest.mark.parametrize(
    ("failure", "marker"),
    [
        pytest.param(
            "queue-expired",
            f"{REQUEST}Capacity not available at this time"
            " - Exceeded max queued duration '30' minutes",
            marks=covers("6.2#1"),
        ),
        pytest.param(
            "not-created",
            "Failed to create instances in the stipulated '35' minutes",
            marks=covers("6.2#2"),
        ),
        ("not-created-cached", "Failed to create instances in the stipulated '160' minutes"),
        pytest.param(
            "acknowledged-expired",
            "Acknowledged capacity expired without instance creation",
            marks=covers("6.2#3"),
        ),
        pytest.param(
            "schedule-expired",
            "Instance request schedule expired for this batch",
            marks=covers("6.2#4"),
        ),
        pytest.param(
            "cannot-fulfill",
            "Cluster could not fulfill the instance request",
            marks=covers("6.2#5"),
        ),
        pytest.param(
            "cluster-unhealthy",
            "Cluster became unhealthy after acknowledging capacity",
            marks=covers("6.2#6"),
        ),
        pytest.param(
            "unschedulable",
            "pod terminated due to state instance-terminated-no-capacity",
            marks=covers("6.2#7"),
        ),
        pytest.param("pod-stuck", "PodStuckScheduling", marks=covers("6.2#8")),
        pytest.param("pod-stuck", "Insufficient nvidia.com/gpu", marks=covers("6.2#8")),
        pytest.param("no-capacity-category", "no_capacity", marks=covers("6.2#9")),
        pytest.param("status-capacity", "capacity-not-available", marks=covers("6.2#10")),
        ("status-schedule", "schedule-expired"),
        ("status-fulfill", "cannot-fulfill"),
        ("status-constraint", "constraint-not-fulfillable"),
        pytest.param(
            "no-reason",
            "Missing healthInfo or no errors in healthInfo.errorLog.",
            marks=covers("6.2#12"),
        ),
        ("reserved-capacity", "Insufficient reserved capacity"),
        ("fully-utilized", "is fully utilized"),
    ],
)
def test_request_that_ends_without_instances_is_told_in_health(
    remote: Remote, failure: str, marker: str
) -> None:
    remote.emulate("fault", kind="capacity-async", route="deploy", failure=failure)
    version = remote.create()
    assert remote.deploy(version, h100())["functionStatus"] == "DEPLOYING"
    remote.advance(3 * HOUR)
    assert remote.status(version) == "ERROR"
    (entry,) = remote.health(version)
    assert entry.keys() == ENTRY
    assert (entry["gpu"], entry["instanceType"]) == ("LAB.H100_1x", "LAB.H100_1x")
    assert marker in str(entry["error"])
    assert remote.instances(version) == []


@covers("6.2#11")
@pytest.mark.world("lab", schedule=[{"at": "1m", "what": "allocator-down", "for": "10m"}])
def test_allocator_that_goes_down_fails_what_is_deploying(remote: Remote) -> None:
    version = remote.create()
    remote.deploy(version, h100(1, 1, backend="lab"), h100(1, 1, 4))
    remote.advance(240)
    assert remote.status(version) == "ERROR"
    found = {str(one["instanceType"]): one for one in remote.health(version)}
    assert found.keys() == {"LAB.H100_1x", "LAB.H100_4x"}
    for entry in found.values():
        assert "Failed to update deploying function status" in str(entry["error"])
        assert entry["gpu"] == "H100"
    assert found["LAB.H100_1x"]["backend"] == "lab"
    assert remote.post(remote.create(), h100()).status == 502
    remote.advance(900)
    remote.deploy(remote.create(), h100())


@covers("6.2#13")
def test_request_that_nobody_takes_may_stay_silent_for_ever(remote: Remote) -> None:
    remote.emulate("fault", kind="capacity-async", route="deploy", silent=True)
    version = remote.create()
    remote.deploy(version, h100())
    remote.advance(30 * 24 * HOUR)
    assert remote.status(version) == "DEPLOYING"
    assert "healthInfo" not in remote.deployment(version)
    assert remote.instances(version) == []


@covers("6.2#13")
@pytest.mark.world("lab", stuckInsteadOfError=True)
def test_account_may_never_give_up_a_request(remote: Remote) -> None:
    remote.emulate("grab", cluster="lab-1", gpu="H100", gpus=7)
    version = remote.create()
    remote.deploy(version, h100(1, 1, 8, clusters=["lab-1"]))
    remote.advance(24 * HOUR)
    assert (remote.status(version), remote.health(version)) == ("DEPLOYING", [])


@pytest.mark.parametrize(
    ("failure", "marker"),
    [
        pytest.param("configuration", "degraded-worker", marks=covers("6.3#1")),
        ("degraded-worker", "degraded-worker"),
        pytest.param("startup-timeout", "degraded_worker", marks=covers("6.3#1")),
        pytest.param("restart-loop", "container-restart-loop", marks=covers("6.3#2")),
        pytest.param("crash-loop", "CrashLoopBackOff", marks=covers("6.3#2")),
        pytest.param("create-container", "create-container-error", marks=covers("6.3#3")),
        ("create-container", "CreateContainerError"),
        ("malformed-arguments", "instance-terminated-terminal-error"),
        pytest.param(
            "malformed-arguments", "Container arguments are malformed", marks=covers("6.3#3")
        ),
        pytest.param("model-not-found", "No such file", marks=covers("6.3#4")),
        pytest.param("model-no-access", "cannot access '/config/models", marks=covers("6.3#4")),
        ("model-missing", "/config/models/llm/config.json: not found"),
        pytest.param("model-download-loop", "init-container-restart-loop", marks=covers("6.3#5")),
        ("model-download-stuck", "init-container-stuck"),
        ("model-cache", "model-cache-failure"),
        ("model-download-stage", "downloadingContainerModelError"),
        pytest.param("image-pull", "image-pull-issues", marks=covers("6.3#6")),
        ("image-pull", "ImagePullBackOff"),
        ("image-pull-error", "ErrImagePull"),
        ("image-pull-stage", "downloadingContainerError"),
        pytest.param("admission", "instance-terminated-admission-error", marks=covers("6.3#8")),
        pytest.param("shared-storage", "shared-storage-failure", marks=covers("6.3#9")),
        pytest.param(
            "persistent-storage", "internal-persistent-storage-failure", marks=covers("6.3#9")
        ),
    ],
)
def test_instance_that_fails_ends_the_deployment_in_error(
    remote: Remote, failure: str, marker: str
) -> None:
    remote.emulate("fault", kind="break", route="deploy", failure=failure)
    version = remote.create()
    remote.deploy(version, h100())
    remote.advance(3 * HOUR)
    assert remote.status(version) == "ERROR"
    (entry,) = remote.health(version)
    assert entry.keys() == ENTRY
    assert marker in str(entry["error"])
    assert remote.instances(version) == []
    remote.advance(900)
    assert remote.free("lab-1") == 8


def test_agent_tells_state_reason_and_log(remote: Remote) -> None:
    remote.emulate("fault", kind="break", route="deploy", failure="restart-loop")
    version = remote.create()
    remote.deploy(version, h100())
    remote.advance(HOUR)
    (entry,) = remote.health(version)
    lines = str(entry["error"]).splitlines()
    assert lines[0].startswith("pod terminated due to state container-restart-loop: ")
    assert len(lines) > 1


def test_configuration_failure_shows_only_after_two_hours(remote: Remote) -> None:
    remote.emulate("fault", kind="break", route="deploy", failure="configuration")
    version = remote.create()
    remote.deploy(version, h100())
    remote.advance(2 * HOUR - 60)
    assert (remote.status(version), remote.health(version)) == ("DEPLOYING", [])
    remote.advance(300)
    assert remote.status(version) == "ERROR"


@covers("5#7", "6.2#16")
def test_one_broken_specification_of_two_leaves_it_deploying(remote: Remote) -> None:
    remote.emulate(
        "fault", kind="break", route="deploy", failure="image-pull", instanceType="LAB.H100_4x"
    )
    version = remote.create()
    remote.deploy(version, h100(), h100(1, 1, 4))
    remote.advance(HOUR)
    assert remote.status(version) == "DEPLOYING"
    (entry,) = remote.health(version)
    assert entry["instanceType"] == "LAB.H100_4x"
    assert [one["instanceType"] for one in remote.instances(version)] == ["LAB.H100_1x"]


LOST = [
    ("preempted", "PREEMPTED"),
    ("instance-not-found", "instance-not-found"),
    ("utils-pod-not-found", "utils-pod-not-found"),
    ("maintenance", "instance-terminated-service-maintenance"),
    ("cloud-offline", "instance-terminated-cloud-offline"),
    ("lifetime-expired", "Instance lifetime expired"),
    ("shutting-down", "stuck in shutting-down state"),
]


@covers("6.3#10", "5#8", "5#10")
@pytest.mark.parametrize("failure", [word for word, _ in LOST])
def test_lost_instance_degrades_and_is_replaced(remote: Remote, failure: str) -> None:
    version = remote.deployed(h100(2, 2))
    before = {one["instanceId"] for one in remote.instances(version)}
    lose(remote, failure=failure, instances=1)
    assert len(remote.instances(version)) == 1
    remote.advance(60)
    assert remote.status(version) == "DEGRADING"
    remote.advance(HOUR)
    assert remote.status(version) == "ACTIVE"
    after = {one["instanceId"] for one in remote.instances(version)}
    assert (len(after), len(after & before)) == (2, 1)


@covers("6.3#10")
@pytest.mark.parametrize(("failure", "marker"), LOST)
def test_instance_lost_while_deploying_is_told_in_health(
    remote: Remote, failure: str, marker: str
) -> None:
    remote.emulate("fault", kind="break", route="deploy", failure=failure)
    version = remote.create()
    remote.deploy(version, h100())
    remote.advance(HOUR)
    assert remote.status(version) == "ERROR"
    (entry,) = remote.health(version)
    assert marker in str(entry["error"])


def lose(remote: Remote, **fields: object) -> None:
    """Running instances go, a second from now."""
    remote.emulate("schedule", at="1s", what="lose", **fields)
    remote.advance(1)


@covers("5#9", "5#10")
def test_version_without_any_instance_is_degraded_until_one_comes_back(remote: Remote) -> None:
    version = remote.deployed(h100(1, 1, clusters=["lab-1"]))
    remote.emulate("cordon", cluster="lab-1")
    lose(remote)
    remote.advance(HOUR)
    assert (remote.status(version), remote.health(version)) == ("DEGRADED", [])
    remote.emulate("uncordon", cluster="lab-1")
    remote.advance(HOUR)
    assert remote.status(version) == "ACTIVE"


@covers("5#9")
def test_version_with_a_minimum_of_none_stays_active_without_instances(remote: Remote) -> None:
    version = remote.deployed(h100(0, 2), h100(1, 1, 4, clusters=["lab-1"]))
    lose(remote)
    remote.emulate("cordon", cluster="lab-1")
    remote.advance(60)
    assert remote.instances(version) == []
    assert remote.status(version) == "ACTIVE"
