"""What a POST of a deployment is refused for, in which order, with which words."""

from __future__ import annotations

import pytest

from nvcfplan.emulator.rules import GroupRule, QuotaRule, QuotaUnit
from nvcfplan.emulator.serving import Cause, Service
from tests.emulator.account import (
    NOBODY,
    Account,
    Deployable,
    Json,
    chart,
    cluster,
    rows,
    spec,
    world,
)


@pytest.fixture
def account() -> Account:
    return Account.of(world())


def refused(account: Account, target: Deployable, *specs: Json, status: int = 400) -> str:
    before = account.status(target)
    answer = account.post(target, *specs)
    assert answer.status == status, answer.body
    assert account.status(target) == before
    return answer.detail


def scaling(way: str, **fields: object) -> Json:
    details = {"factor": 2 if way == "Up" else 0.5, "threshold": 50, **fields}
    return spec(autoscalingConfiguration={f"scale{way}Details": details})


def test_autoscaling_at_its_bounds_is_shown_as_sent(account: Account) -> None:
    entry = scaling(
        "Up", metric="m", threshold=100, stickiness={"size": "PT1H", "threshold": "PT59M59.9S"}
    )
    target = account.create()
    account.deploy(target, entry)
    (shown,) = rows(account.get(target.deployment).deployment, "deploymentSpecifications")
    assert shown["autoscalingConfiguration"] == entry["autoscalingConfiguration"]


def test_autoscaling_comes_back_as_the_service_writes_it(account: Account) -> None:
    sticky = {"size": "PT3600S", "threshold": "pt90s"}
    details = {"factor": "2", "threshold": "50", "stickiness": sticky, "other": 1}
    target = account.create()
    account.deploy(target, spec(autoscalingConfiguration={"scaleUpDetails": details}))
    (shown,) = rows(account.get(target.deployment).deployment, "deploymentSpecifications")
    assert shown["autoscalingConfiguration"] == {
        "scaleUpDetails": {
            "factor": 2.0,
            "threshold": 50,
            "stickiness": {"size": "PT1H", "threshold": "PT1M30S"},
        }
    }


def test_what_foreign_clients_send_empty_is_as_if_it_was_not_sent(account: Account) -> None:
    empty: Json = {
        "backend": "",
        "clusters": [],
        "regions": None,
        "attributes": [],
        "availabilityZones": [],
        "configuration": None,
        "helmValidationPolicy": None,
        "autoscalingConfiguration": None,
        "maxRequestConcurrency": None,
        "preferredOrder": None,
        "gpuSpecificationId": None,
    }
    plain, target = account.create("plain"), account.create()
    account.deploy(plain, spec())
    account.deploy(target, {**spec(), **empty})
    (first,) = rows(account.get(plain.deployment).deployment, "deploymentSpecifications")
    (second,) = rows(account.get(target.deployment).deployment, "deploymentSpecifications")
    assert second == {**first, "gpuSpecificationId": second["gpuSpecificationId"]}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (spec(3, 2), "'minInstances' must be lesser than or equal to 'maxInstances'"),
        (spec(-1, 2), "must be greater than or equal to 0"),
        (spec(0, 0), "must be greater than 0"),
        (spec(1, 2**31), "must be greater than 0"),
        (spec("one", 2), "must be an integer"),
        ({**spec(), "gpu": " "}, "must not be blank"),
        (spec(instance_type=""), "must not be blank"),
        (spec(maxRequestConcurrency=0), "must be between 1 and 16384"),
        (spec(maxRequestConcurrency=16385), "must be between 1 and 16384"),
        (spec(preferredOrder=100), "must be between 1 and 99"),
        (spec(clusters="lab-1"), "must be an array"),
        (
            spec(autoscalingConfiguration={"scaleUpDetails": {"factor": 1, "threshold": 50}}),
            "must be above 1.0",
        ),
        (
            spec(autoscalingConfiguration={"scaleDownDetails": {"factor": 0.5, "threshold": 101}}),
            "must be between 0 and 100",
        ),
        (scaling("Down", factor=1), "must be below 1.0"),
        (scaling("Down", factor=0), "must be below 1.0"),
        (scaling("Up", factor=None), "scaleUpDetails.factor, rejected=[null]"),
        (scaling("Up", threshold=None), "scaleUpDetails.threshold, rejected=[null]"),
        (scaling("Up", threshold="half"), "must be an integer"),
        (scaling("Up", factor="much"), "must be a number"),
        (scaling("Up", stickiness={"size": "PT1H"}), "stickiness.threshold, rejected=[null]"),
        (scaling("Up", stickiness={"size": "1h", "threshold": "PT1M"}), "ISO-8601"),
        (scaling("Up", stickiness={"size": "PT1H1S", "threshold": "PT1M"}), "at most PT1H"),
        (scaling("Up", stickiness={"size": "PT5M", "threshold": "PT5M"}), "must be below size"),
        (spec(autoscalingConfiguration={"scaleUpDetails": 7}), "must be an object"),
        (spec(autoscalingConfiguration=7), "must be an object"),
    ],
)
def test_body_out_of_bounds_fails_validation(account: Account, entry: Json, message: str) -> None:
    detail = refused(account, account.create(), entry)
    assert detail.startswith("Validation failed: [object=functionDeploymentRequest, field=")
    assert message in detail


@pytest.mark.parametrize("missing", ["minInstances", "maxInstances"])
@pytest.mark.parametrize("is_null", [False, True], ids=["absent", "null"])
def test_missing_count_gives_the_order_message_too(
    account: Account, missing: str, is_null: bool
) -> None:
    entry = {key: value for key, value in spec().items() if key != missing}
    if is_null:
        entry[missing] = None
    detail = refused(account, account.create(), entry)
    assert f"field=deploymentSpecifications.0.{missing}, rejected=[null]" in detail
    assert "'minInstances' must be lesser than or equal to 'maxInstances'" in detail


def test_no_specification_at_all_fails_validation(account: Account) -> None:
    assert refused(account, account.create()).startswith("Validation failed: ")


def test_body_is_validated_before_the_version_is_looked_up(account: Account) -> None:
    answer = account.post(Deployable(NOBODY, NOBODY), spec(3, 2))
    assert answer.status == 400
    answer = account.post(Deployable(NOBODY, NOBODY), spec())
    assert answer.status == 404
    assert "Not found in account" in answer.detail


def test_counts_may_be_strings(account: Account) -> None:
    target = account.create()
    account.deploy(target, spec("1", "2", maxRequestConcurrency="3"))
    (shown,) = rows(account.get(target.deployment).deployment, "deploymentSpecifications")
    counts = [shown[key] for key in ("minInstances", "maxInstances", "maxRequestConcurrency")]
    assert counts == [1, 2, 3]


def test_draining_version_cannot_be_deployed(account: Account) -> None:
    target = account.deployed(spec())
    account.call("POST", "/emulator/queue", {"version": target.version, "depth": 5})
    account.call("DELETE", f"{target.deployment}?graceful=true")
    detail = refused(account, target, spec(instance_type="nonsense"))
    assert "deployment found for INACTIVE function" in detail


def test_deployed_version_cannot_be_deployed_again(account: Account) -> None:
    target = account.create()
    account.deploy(target, spec())
    words = "use PATCH endpoint to update gpu-specification"
    assert f"Status DEPLOYING, {words}" in refused(account, target, spec(instance_type="nonsense"))
    account.emulator.advance(600)
    assert f"Status ACTIVE, {words}" in refused(account, target, spec())


def test_version_in_error_cannot_be_deployed(account: Account) -> None:
    target = account.create()
    account.deploy(target, spec(9, 9))
    account.emulator.advance(3600)
    assert account.status(target) == "ERROR"
    assert "already has a deployment with errors" in refused(account, target, spec())


def test_account_without_groups_has_no_backends() -> None:
    foreign = GroupRule(name="lab", nca_id="nca-other", authorized=())
    account = Account.of(world(groups=(foreign,)))
    assert "No Backends defined for account" in refused(account, account.create(), spec())


def test_backend_and_clusters_exclude_each_other(account: Account) -> None:
    entry = spec(backend="nowhere", clusters=["lab-1"], instance_type="nonsense")
    detail = refused(account, account.create(), entry)
    assert "Backend 'nowhere' and Clusters '[lab-1]' could not be specified at the same time" in (
        detail
    )


def test_unknown_names_are_told_outermost_first(account: Account) -> None:
    target = account.create()
    entry: Json = {"gpu": "Z1", "instanceType": "nonsense", "minInstances": 0, "maxInstances": 1}
    assert "Invalid Backend 'nowhere'" in refused(account, target, {**entry, "backend": "nowhere"})
    assert "Invalid GPU 'Z1'" in refused(account, target, {**entry, "backend": "lab"})
    assert "Invalid GPU 'Z1'" in refused(account, target, entry)
    detail = refused(account, target, {**entry, "gpu": "H100"})
    assert "Invalid InstanceType 'nonsense'" in detail


def test_group_without_gpus_is_refused() -> None:
    account = Account.of(world(cluster(gpus=())))
    detail = refused(account, account.create(), spec(backend="lab"))
    assert "GPUs missing for Backend 'lab'" in detail


def test_names_match_in_any_case(account: Account) -> None:
    target = account.create()
    entry = {**spec(instance_type="lab.h100_2X", backend="LAB"), "gpu": "h100"}
    account.deploy(target, entry)
    assert account.free() == 6


def test_gpu_of_another_group_is_not_in_this_one() -> None:
    groups = tuple(GroupRule(name=name, nca_id="nca-demo-0001") for name in ("lab", "empty"))
    bare = cluster("lab-2", groups=("empty",), gpus=())
    account = Account.of(world(cluster(), bare, groups=groups))
    assert "GPUs missing" in refused(account, account.create(), spec(backend="empty"))


@pytest.mark.parametrize("field", ["configuration", "helmValidationPolicy"])
def test_helm_settings_are_refused_for_a_container(account: Account, field: str) -> None:
    entry = spec(**{field: {"name": "Default"}})
    detail = refused(account, account.create(), entry)
    assert f"The {field} field in Gpu specification should be empty for container" in detail
    made = account.call("POST", "/v2/nvcf/functions", chart()).function
    target = Deployable(str(made["id"]), str(made["versionId"]))
    account.deploy(target, entry)
    (shown,) = rows(account.get(target.deployment).deployment, "deploymentSpecifications")
    assert shown[field] == {"name": "Default"}


def test_quota_counts_max_over_what_can_touch_its_clusters() -> None:
    quota = QuotaRule(gpu="H100", names=("lab",), limit=8)
    account = Account.of(world(cluster(), cluster("lab-2"), quotas=(quota,)))
    account.deploy(account.create(), spec(0, 2, instance_type="LAB.H100_2x"))
    second = account.create("second")
    detail = refused(account, second, spec(0, 5))
    assert "All allocated GPU instances in use" in detail
    assert "Failed to deploy" not in detail
    account.deploy(second, spec(0, 4))
    (entry,) = account.emulator.ledger()
    assert (entry.outcome, entry.cause, entry.is_injected) == (
        Service.REFUSED,
        Cause.QUOTA,
        False,
    )


def test_quota_in_instances_of_one_type_is_enforced_and_not_shown() -> None:
    unit, kind = QuotaUnit.INSTANCES, "LAB.H100_2x"
    quota = QuotaRule(gpu="H100", names=("lab",), limit=2, unit=unit, instance_type=kind)
    account = Account.of(world(quotas=(quota,)))
    account.deploy(account.create(), spec(0, 9))
    second = account.create("second")
    assert "All allocated" in refused(account, second, spec(0, 3, instance_type=kind))
    account.deploy(second, spec(0, 2, instance_type=kind))
    shown = account.get("/v2/orgs/demo/ngc/nvcf/gpu/quota/rules").json
    assert [one["clusters"] for one in rows(shown, "gpus")] == [None]


def test_quota_of_one_cluster_leaves_the_others_alone() -> None:
    quota = QuotaRule(gpu="H100", names=("lab-1",), limit=1)
    account = Account.of(world(cluster(), cluster("lab-2"), quotas=(quota,)))
    account.deploy(account.create(), spec(1, 8, clusters=["lab-2"]))
    target = account.create()
    assert "All allocated" in refused(account, target, spec(1, 2, clusters=["lab-1", "lab-2"]))
    assert "All allocated" in refused(account, target, spec(1, 2))


def test_quota_is_given_back_by_undeploying() -> None:
    quota = QuotaRule(gpu="H100", names=("lab",), limit=2)
    account = Account.of(world(quotas=(quota,)))
    first, second = account.deployed(spec()), account.create()
    assert "All allocated" in refused(account, second, spec())
    account.call("DELETE", first.deployment)
    account.deploy(second, spec())


def test_nothing_matching_is_a_placement_refusal(account: Account) -> None:
    target = account.create()
    for wrong in ({"regions": ["mars"]}, {"clusters": ["lab-9"]}, {"attributes": ["SOC2"]}):
        detail = refused(account, target, spec(**wrong))
        assert "Failed to deploy, reverting state to 'INACTIVE': " in detail
        assert "no available clusters for H100 GPU or LAB.H100_1x instance type" in detail
    assert account.get(target.deployment).status == 404
    assert {one.cause for one in account.emulator.ledger()} == {Cause.PLACEMENT}
    assert not any(one.is_injected for one in account.emulator.ledger())


def test_misspelt_region_is_taken_when_nothing_has_to_run(account: Account) -> None:
    target = account.create()
    assert account.deploy(target, spec(0, 1, regions=["mars"]))["functionStatus"] == "ACTIVE"


def test_backend_whose_cluster_has_just_closed_is_a_conflict(account: Account) -> None:
    target = account.create()
    account.call("POST", "/emulator/cordon", {"cluster": "lab-1"})
    answer = account.post(target, spec(backend="lab"))
    assert answer.status == 409
    assert "Failed to deploy, reverting state to 'INACTIVE': " in answer.detail
    assert "does not have access to any ready cluster for GPU: H100" in answer.detail
    assert account.post(target, spec()).status == 400
    account.emulator.advance(15 * 60 + 1)
    assert "No Backends defined" in refused(account, target, spec(backend="lab"))
    account.call("POST", "/emulator/uncordon", {"cluster": "lab-1"})
    assert "No Backends defined" in refused(account, target, spec(backend="lab"))
    account.emulator.advance(15 * 60)
    account.deploy(target, spec(backend="lab"))


def test_no_room_at_all_is_a_capacity_refusal_that_leaves_nothing(account: Account) -> None:
    account.deployed(spec(2, 2, instance_type="LAB.H100_4x"))
    target = account.create("second")
    for form in ({}, {"backend": "lab"}):
        detail = refused(account, target, spec(**form))
        assert "Failed to deploy, reverting state to 'INACTIVE': " in detail
        assert (
            "There are no available clusters with capacity for H100 GPU or LAB.H100_1x"
            " instance type" in detail
        )
        assert account.get(target.deployment).status == 404
    assert account.kinds().count("refused") == 2


def test_refusal_of_one_specification_undoes_the_others() -> None:
    two = Account.of(world(cluster(), cluster("lab-2", region="us-east-1")))
    two.deployed(spec(2, 2, instance_type="LAB.H100_4x", regions=["us-east-1"]))
    target = two.create("second")
    before = two.free()
    refused(two, target, spec(regions=["us-west-2"]), spec(regions=["us-east-1"]))
    assert two.free() == before
    assert two.get(target.deployment).status == 404
    assert two.emulator.snapshot()["requests"] == {}


def test_deployment_shows_what_was_sent_and_what_the_service_adds(account: Account) -> None:
    target = account.create()
    sent = spec(
        1, 2, regions=["us-west-2"], clusters=["lab-1"], availabilityZones=["a"], attributes=[]
    )
    shown = account.deploy(target, sent)
    assert shown["functionId"] == target.function
    assert shown["functionVersionId"] == target.version
    assert shown["functionName"] == "chat"
    assert shown["functionStatus"] == "DEPLOYING"
    assert "healthInfo" not in shown
    (entry,) = rows(shown, "deploymentSpecifications")
    assert {key: entry[key] for key in sent if key != "attributes"} == {
        key: value for key, value in sent.items() if key != "attributes"
    }
    assert entry["maxRequestConcurrency"] == 1
    assert entry["preferredOrder"] == 1
    assert {"gpuSpecificationId", "cpuArch", "os", "driverVersion"} <= entry.keys()


def test_specifications_come_back_in_the_order_of_their_ids(account: Account) -> None:
    target = account.create()
    shown = account.deploy(target, *(spec(0, most) for most in range(1, 9)))
    entries = rows(shown, "deploymentSpecifications")
    ids = [str(one["gpuSpecificationId"]) for one in entries]
    assert ids == sorted(ids)
    assert [one["maxInstances"] for one in entries] != list(range(1, 9))


def test_each_deployment_has_its_own_id_and_can_be_found_by_it(account: Account) -> None:
    target = account.create()
    first = account.deploy(target, spec())["deploymentId"]
    account.call("DELETE", target.deployment)
    second = account.deploy(target, spec())["deploymentId"]
    assert first != second
    assert account.get(f"/v2/nvcf/deployments/{second}").deployment["deploymentId"] == second
    assert account.get(f"/v2/nvcf/deployments/{first}").status == 404
    assert account.get("/v2/nvcf/deployments/nonsense").status == 400
