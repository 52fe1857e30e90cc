"""Changes in place: PATCH of a specification, PUT of a deployment."""

from __future__ import annotations

import pytest

from tests.emulator.account import (
    NOBODY,
    Account,
    Answer,
    Deployable,
    Json,
    cluster,
    rows,
    spec,
    world,
)


@pytest.fixture
def account() -> Account:
    return Account.of(world(cluster(), cluster("lab-2", region="us-east-1")))


def put(account: Account, target: Deployable, *specs: Json) -> Answer:
    return account.call("PUT", target.deployment, {"deploymentSpecifications": list(specs)})


def counts(account: Account, target: Deployable) -> list[tuple[object, object, object]]:
    shown = rows(account.get(target.deployment).deployment, "deploymentSpecifications")
    return sorted(
        (one["minInstances"], one["maxInstances"], one["maxRequestConcurrency"]) for one in shown
    )


def test_patch_changes_what_is_given(account: Account) -> None:
    target = account.deployed(spec(1, 4))
    answer = account.patch(target, "LAB.H100_1x", maxInstances="6")
    shown = answer.json["gpuSpecification"]
    assert isinstance(shown, dict)
    assert (shown["minInstances"], shown["maxInstances"]) == (1, 6)
    assert counts(account, target) == [(1, 6, 1)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "at least one property"),
        ({"gpu": "L40S"}, "at least one property"),
        ({"minInstances": 5}, "'minInstances' must be lesser than or equal to 'maxInstances'"),
        ({"maxInstances": 0}, "must be greater than 0"),
        ({"minInstances": -1}, "must be greater than or equal to 0"),
        ({"minInstances": "x"}, "must be an integer"),
        ({"autoscalingConfigurationPolicy": "NONE"}, "autoscalingConfigurationPolicy"),
    ],
)
def test_patch_that_makes_no_sense_is_refused(account: Account, body: Json, message: str) -> None:
    target = account.deployed(spec(1, 4))
    answer = account.patch(target, "LAB.H100_1x", **body)
    assert answer.status == 400
    assert message in answer.detail
    assert counts(account, target) == [(1, 4, 1)]


def test_patch_of_something_unknown_is_not_found(account: Account) -> None:
    target = account.deployed(spec())
    deployment = account.get(target.deployment).deployment["deploymentId"]
    (id_,) = account.specification_ids(target).values()
    for first, second, status in (
        (deployment, NOBODY, 404),
        (NOBODY, id_, 404),
        (deployment, "x", 400),
        ("x", id_, 400),
    ):
        path = f"/v2/nvcf/deployments/{first}/gpu-specifications/{second}"
        assert account.call("PATCH", path, {"minInstances": 1}).status == status


def test_patch_is_judged_by_status_then_emptiness_then_id_then_counts(account: Account) -> None:
    target = account.create()
    account.deploy(target, spec(9, 9))
    deployment = account.get(target.deployment).deployment["deploymentId"]
    unknown = f"/v2/nvcf/deployments/{deployment}/gpu-specifications/{NOBODY}"
    assert "at least one property" in account.call("PATCH", unknown, {}).detail
    assert account.call("PATCH", unknown, {"minInstances": 10}).status == 404
    assert "greater than 0" in account.call("PATCH", unknown, {"maxInstances": 0}).detail
    account.emulator.advance(3600)
    assert account.status(target) == "ERROR"
    assert "Status ERROR" in account.call("PATCH", unknown, {}).detail


def test_patch_of_autoscaling_is_held_to_its_bounds(account: Account) -> None:
    target = account.deployed(spec(1, 4))
    sticky = {"size": "PT2H", "threshold": "PT1H"}
    bad = {"scaleUpDetails": {"factor": 2, "threshold": 50, "stickiness": sticky}}
    answer = account.patch(target, "LAB.H100_1x", autoscalingConfiguration=bad, maxInstances=9)
    assert (answer.status, "at most PT1H" in answer.detail) == (400, True)
    assert counts(account, target) == [(1, 4, 1)]


def test_put_needs_only_counts_and_keeps_concurrency_that_is_not_sent(account: Account) -> None:
    target = account.deployed(spec(1, 4, maxRequestConcurrency=7))
    assert put(account, target, {"minInstances": 2, "maxInstances": 3}).status == 200
    assert counts(account, target) == [(2, 3, 7)]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"minInstances": 3, "maxInstances": 2}, "lesser than or equal to 'maxInstances'"),
        ({"minInstances": 1}, "must not be null"),
        (spec(1, 2, maxRequestConcurrency=16385), "must be between 1 and 16384"),
    ],
)
def test_put_out_of_bounds_is_refused(account: Account, entry: Json, message: str) -> None:
    target = account.deployed(spec(1, 4))
    answer = put(account, target, entry)
    assert (answer.status, message in answer.detail) == (400, True)
    assert counts(account, target) == [(1, 4, 1)]


def test_put_takes_the_last_of_entries_with_one_id(account: Account) -> None:
    target = account.deployed(spec(1, 2), spec(1, 2, instance_type="LAB.H100_2x"))
    id_ = account.specification_ids(target)["LAB.H100_1x"]
    entries = [spec(1, most, gpuSpecificationId=id_) for most in (5, 6)]
    assert put(account, target, *entries).status == 200
    assert counts(account, target) == [(1, 2, 1), (1, 6, 1)]


def test_update_of_a_version_that_is_not_deployed_is_refused(account: Account) -> None:
    target = account.create()
    assert put(account, target, spec()).status == 404
    account.deploy(target, spec(9, 9))
    account.emulator.advance(3600)
    assert account.status(target) == "ERROR"
    assert account.patch(target, "LAB.H100_1x", minInstances=1).status == 400
    assert put(account, target, spec()).status == 400


def test_update_of_a_draining_version_is_refused(account: Account) -> None:
    target = account.deployed(spec())
    account.call("POST", "/emulator/queue", {"version": target.version, "depth": 9})
    account.call("DELETE", f"{target.deployment}?graceful=true")
    assert account.patch(target, "LAB.H100_1x", minInstances=0).status == 400
    assert put(account, target, spec()).status == 400


def test_update_is_taken_while_deploying(account: Account) -> None:
    target = account.create()
    account.deploy(target, spec(1, 2))
    assert account.patch(target, "LAB.H100_1x", minInstances=2).status == 200
    account.emulator.advance(900)
    assert account.status(target) == "ACTIVE"
    assert len(account.instances(target)) == 2


def test_autoscaling_is_set_and_dropped(account: Account) -> None:
    target = account.deployed(spec(1, 4))
    up = {"scaleUpDetails": {"factor": 1.5, "threshold": 70}}
    answer = account.patch(target, "LAB.H100_1x", autoscalingConfiguration=up)
    assert answer.json["gpuSpecification"]["autoscalingConfiguration"] == up  # type: ignore[index] # JSON
    policy = "platform_configuration"
    answer = account.patch(target, "LAB.H100_1x", autoscalingConfigurationPolicy=policy)
    assert "autoscalingConfiguration" not in answer.json["gpuSpecification"]  # type: ignore[operator] # JSON
    bad = {"scaleUpDetails": {"factor": 0.5, "threshold": 70}}
    assert account.patch(target, "LAB.H100_1x", autoscalingConfiguration=bad).status == 400


def test_equal_values_change_nothing_not_even_the_time(account: Account) -> None:
    target = account.deployed(spec(1, 4))
    before = account.get(target.deployment).deployment
    account.emulator.advance(3600)
    assert account.patch(target, "LAB.H100_1x", minInstances=1, maxInstances=4).status == 200
    assert put(account, target, spec(1, 4)).status == 200
    assert account.get(target.deployment).deployment == before
    account.patch(target, "LAB.H100_1x", maxInstances=5)
    after = account.get(target.deployment).deployment
    assert after["lastUpdatedAt"] != before["lastUpdatedAt"]
    assert after["deploymentId"] == before["deploymentId"]


def test_put_takes_counts_and_concurrency_and_ignores_gpu_and_type(account: Account) -> None:
    target = account.deployed(spec(1, 4, maxRequestConcurrency=2))
    entry = {**spec(2, 3, instance_type="LAB.H100_4x", maxRequestConcurrency=5), "gpu": "Z1"}
    assert put(account, target, entry).status == 200
    assert counts(account, target) == [(2, 3, 5)]
    assert list(account.specification_ids(target)) == ["LAB.H100_1x"]


def test_put_of_several_needs_their_ids(account: Account) -> None:
    target = account.deployed(spec(1, 2), spec(1, 2, instance_type="LAB.H100_2x"))
    ids = account.specification_ids(target)
    one = spec(2, 2, gpuSpecificationId=ids["LAB.H100_1x"])
    two = spec(1, 3, gpuSpecificationId=ids["LAB.H100_2x"])
    assert "were sent" in put(account, target, one).detail
    without = put(account, target, one, spec(1, 3))
    assert without.status == 400
    assert "use PATCH endpoint" in without.detail
    unknown = put(account, target, one, spec(1, 3, gpuSpecificationId=NOBODY))
    assert (unknown.status, "Invalid gpuSpecificationId" in unknown.detail) == (400, True)
    assert put(account, target, two, one).status == 200
    assert counts(account, target) == [(1, 3, 1), (2, 2, 1)]


@pytest.mark.parametrize(
    ("deployed", "sent"),
    [
        ({"backend": "lab"}, {"backend": "LAB"}),
        ({"backend": "lab"}, {}),
        ({}, {"backend": "lab"}),
        ({"clusters": ["lab-1"]}, {"clusters": ["lab-1", "lab-2"]}),
    ],
)
def test_put_that_moves_the_deployment_is_refused(
    account: Account, deployed: Json, sent: Json
) -> None:
    target = account.deployed({**spec(), **deployed})
    assert put(account, target, {**spec(0, 1), **sent}).status == 400
    assert counts(account, target) == [(1, 2, 1)]


def test_put_compares_clusters_as_a_set(account: Account) -> None:
    target = account.deployed(spec(clusters=["lab-1", "lab-2"]))
    assert put(account, target, spec(1, 3, clusters=["lab-2", "lab-1"])).status == 200
