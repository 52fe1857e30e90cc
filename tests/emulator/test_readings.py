"""What the account can be read by, and what it looks like when it cannot."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nvcfplan.emulator.keys import KeyRule
from nvcfplan.emulator.rules import EmptyInventory, GroupRule, QuotaRule
from nvcfplan.emulator.worldfile import digest_of
from tests.emulator.account import Account, cluster, rows, spec, world

GROUPS = "/v2/nvcf/clusterGroups"
CLUSTERS = "/v1/si/accounts/nca-demo-0001/clusters"
QUOTA = "/v2/orgs/demo/ngc/nvcf/gpu/quota/rules"
ACCOUNT = "/v2/nvcf/accounts/nca-demo-0001"


def test_default_world_offers_the_groups_of_the_contract() -> None:
    groups = rows(Account.of().get(GROUPS).json, "clusterGroups")
    shown = {
        str(group["name"]): (
            [one["name"] for one in rows(group, "clusters")],
            {
                str(gpu["name"]): [one["name"] for one in rows(gpu, "instanceTypes")]
                for gpu in rows(group, "gpus")
            },
        )
        for group in groups
    }
    assert list(shown) == ["GCP-ASIASE1-A", "AZURE-WESTUS2", "OCI-EU-FRANKFURT", "GFN", "byoc-lab"]
    assert shown["GCP-ASIASE1-A"] == (
        ["nvcf-gcp-prod-asiase1-a"],
        {"H100": [f"a3-highgpu-8g_{count}x" for count in (1, 2, 4, 8)]},
    )
    assert shown["byoc-lab"][1] == {"L40S": [f"ON-PREM.GPU.L40S_{count}x" for count in (1, 2, 4)]}
    assert list(shown["GFN"][1]) == ["L40", "T10"]


def test_group_says_who_owns_it_and_which_type_is_the_default() -> None:
    (group,) = rows(Account.of(world()).get(GROUPS).json, "clusterGroups")
    assert group["ncaId"] == "nca-demo-0001"
    assert group["authorizedNcaIds"] == ["*"]
    (gpu,) = rows(group, "gpus")
    defaults = {one["name"]: one["default"] for one in rows(gpu, "instanceTypes")}
    assert defaults == {"LAB.H100_1x": True, "LAB.H100_2x": False, "LAB.H100_4x": False}
    (shown,) = rows(group, "clusters")
    assert shown["name"] == "lab-1"
    assert shown["k8sVersion"] == "v1.30.4"


def test_only_groups_that_may_be_used_and_have_a_ready_cluster_are_listed() -> None:
    groups = (
        GroupRule(name="lab", nca_id="nca-demo-0001", authorized=()),
        GroupRule(name="theirs", nca_id="nca-other", authorized=("nca-third",)),
        GroupRule(name="shared", nca_id="nca-other", authorized=("nca-demo-0001",)),
        GroupRule(name="closed", nca_id="nca-demo-0001"),
    )
    account = Account.of(
        world(
            cluster(),
            cluster("theirs-1", groups=("theirs",)),
            cluster("shared-1", groups=("shared",)),
            cluster("closed-1", groups=("closed",), status="NOT_READY"),
            groups=groups,
        )
    )
    listed = [one["name"] for one in rows(account.get(GROUPS).json, "clusterGroups")]
    assert listed == ["lab", "shared"]
    seen = {one["clusterName"]: one["status"] for one in account.get(CLUSTERS).rows}
    assert seen == {"lab-1": "READY", "shared-1": "READY", "closed-1": "NOT_READY"}
    answer = account.post(account.create(), spec(clusters=["theirs-1"]))
    assert "no available clusters for" in answer.detail


def test_account_without_groups_is_an_error_upstream_unless_the_world_says_otherwise() -> None:
    assert Account.of(world(groups=())).get(GROUPS).status == 502
    account = Account.of(world(groups=(), empty_inventory=EmptyInventory.LIST))
    assert account.get(GROUPS).json == {"clusterGroups": []}


def test_allocator_shows_regions_attributes_and_usage() -> None:
    account = Account.of(world(cluster(attributes=("SOC2",), region="eu-west-1")))
    account.deployed(spec(1, 1, instance_type="LAB.H100_4x"))
    account.emulator.grab("lab-1", "H100", 1)
    (shown,) = account.get(CLUSTERS).rows
    assert shown["clusterGroupName"] == "lab"
    assert shown["region"] == "eu-west-1"
    assert shown["attributes"] == ["SOC2"]
    assert shown["cloudProvider"] == "ON-PREM"
    assert shown["gpuUsage"] == {"H100": {"available": 3, "capacity": 8, "allocated": 5}}
    (gpu,) = rows(shown, "gpus")
    assert gpu["capacity"] == 8
    assert [one["gpuCount"] for one in rows(gpu, "instanceTypes")] == [1, 2, 4]


def test_gpu_count_can_be_hidden() -> None:
    account = Account.of(world(hide_gpu_count=True))
    (shown,) = account.get(CLUSTERS).rows
    (gpu,) = rows(shown, "gpus")
    assert not any("gpuCount" in one for one in rows(gpu, "instanceTypes"))


def test_quota_rules_show_limits_and_gpus_without_one() -> None:
    quota = QuotaRule(gpu="A100", names=("lab", "lab-1"), limit=7)
    answer = Account.of(world(quotas=(quota,))).get(QUOTA).json
    assert answer == {
        "gpus": [
            {"name": "A100", "clusters": [{"names": "lab,lab-1", "limit": 7}]},
            {"name": "H100", "clusters": None},
        ]
    }


def test_account_counts_versions_as_functions() -> None:
    account = Account.of(world(function_limit=9))
    account.create_version(account.create())
    shown = account.get(ACCOUNT).json["account"]
    assert isinstance(shown, dict)
    assert (shown["maxFunctionsAllowed"], shown["currentNumberFunctions"]) == (9, 2)


@pytest.mark.parametrize("path", [CLUSTERS, ACCOUNT, QUOTA])
def test_another_account_or_org_is_not_found(path: str) -> None:
    other = path.replace("nca-demo-0001", "nca-x").replace("orgs/demo", "orgs/x")
    assert Account.of().get(other).status == 404


@pytest.mark.parametrize(
    ("reading", "path"),
    [("inventory", GROUPS), ("capacity", CLUSTERS), ("quota", QUOTA), ("versionLimit", ACCOUNT)],
)
@pytest.mark.parametrize("status", [403, 404, 502])
def test_reading_can_be_made_unreadable(reading: str, path: str, status: int) -> None:
    account = Account.of(world(unreadable=((reading, status),)))
    answer = account.get(path)
    assert answer.status == status
    service = {"type", "title", "status", "detail", "instance"}
    other = {"capacity": {"error"}, "quota": {"requestStatus"}}
    assert set(answer.json) == other.get(reading, service)
    assert account.create()


def test_health_says_that_it_is_an_emulator_and_needs_no_token() -> None:
    rules = world(api_keys=(KeyRule(digest=digest_of("good")),))
    answer = Account.of(rules).get("/health")
    assert answer.json == {"status": "UP", "emulator": True}


def test_missing_or_unknown_token_is_answered_with_an_empty_401() -> None:
    from nvcfplan.emulator.messages import Incoming

    rules = replace(world(), api_keys=(KeyRule(digest=digest_of("good")),))
    emulator = Account.of(rules).emulator
    anyone = Account.of(world()).emulator
    for open_to, authorization, status in (
        (anyone, None, 401),
        (anyone, "Bearer ", 401),
        (anyone, "Basic good", 401),
        (anyone, "Bearer whatever", 200),
        (emulator, "Bearer bad", 401),
        (emulator, "bearer good", 200),
    ):
        incoming = Incoming(method="GET", path=GROUPS, authorization=authorization)
        reply = open_to.exchange(incoming).reply
        assert (reply.status, bool(reply.body)) == (status, status == 200)
        if status == 401:
            assert reply.headers == (("WWW-Authenticate", "Bearer"),)
    admin = Incoming(method="GET", path="/emulator/snapshot", authorization="Bearer bad")
    assert emulator.exchange(admin).reply.status == 401
    assert "good" not in json.dumps(emulator.snapshot())
