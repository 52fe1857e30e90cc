"""What the NGC front shows: all deployments, capacity, quota, instances, clusters, callers."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import cast

import pytest

from nvcfplan.emulator.keys import KeyRule
from nvcfplan.emulator.messages import Incoming, Reply
from nvcfplan.emulator.rules import Fault, GroupRule, QuotaRule, Trouble
from nvcfplan.emulator.serving import EmulatorError
from nvcfplan.emulator.worldfile import digest_of
from nvcfplan.located import decode_source, parse_source
from tests.emulator.account import NOBODY, Account, Json, cluster, rows, spec, world

FRONT = ("/orgs/demo", "/orgs/demo/teams/blue")
VIEW = "/v3/orgs/demo/ngc/nvcf/deployments/instanceTypes"
AVAILABLE = "/v3/orgs/demo/ngc/nvcf/deployments/available/instanceTypes"
USE = "/v2/nvcf/accounts/nca-demo-0001/usage/gpus"
CALLER = "/v3/keys/get-caller-info"


@pytest.mark.parametrize("scope", [*FRONT, "/nvcf/accounts/nca-demo-0001"])
def test_deployments_of_the_account_come_in_one_answer(scope: str) -> None:
    account = Account.of(world())
    path = f"/v2{scope}/deployments" if "accounts" in scope else f"/v2{scope}/nvcf/deployments"
    assert account.get(path).json == {"deployments": []}
    account.create("idle")
    active = account.deployed(spec(), name="active")
    draining = account.deployed(spec(), name="draining")
    new = account.create("new")
    account.deploy(new, spec())
    account.emulator.exchange(_posted("queue", version=draining.version, depth=10_000))
    account.call("DELETE", f"{draining.deployment}?graceful=true")
    shown = rows(account.get(path).json, "deployments")
    assert [one["functionStatus"] for one in shown] == ["ACTIVE", "DEPLOYING"]
    assert shown == [account.get(one.deployment).deployment for one in (active, new)]


def _posted(word: str, **fields: object) -> Incoming:
    return Incoming(method="POST", path=f"/emulator/{word}", body=json.dumps(fields).encode())


def usages(account: Account, path: str = VIEW, gpu: str = "H100") -> dict[tuple[str, str], Json]:
    """By instance type and cluster."""
    return {
        (str(kind["instanceName"]), str(one["clusterName"])): cast("Json", one["usage"])
        for kind in rows(account.get(path).json, gpu)
        for region in rows(kind, "regions")
        for one in rows(region, "clusters")
    }


def test_capacity_view_counts_what_is_deployed_and_what_fits() -> None:
    account = Account.of(world(cluster(), cluster("lab-2", region="us-east-1")))
    account.deployed(spec(1, 2, instance_type="LAB.H100_2x", clusters=["lab-1"]))
    account.emulator.grab("lab-1", "H100", 3)
    found = usages(account)
    assert found["LAB.H100_2x", "lab-1"] == {
        "minInstances": 1,
        "maxInstances": 2,
        "activeInstances": 1,
        "availableInstances": 1,
        "activeGpus": 2,
        "availableGpus": 3,
    }
    assert found["LAB.H100_4x", "lab-1"]["availableInstances"] == 0
    assert found["LAB.H100_4x", "lab-2"] == {
        "minInstances": 0,
        "maxInstances": 0,
        "activeInstances": 0,
        "availableInstances": 2,
        "activeGpus": 0,
        "availableGpus": 8,
    }


def test_capacity_view_is_filtered_and_what_does_not_fit_is_not_available() -> None:
    account = Account.of(
        world(
            cluster(capacity=2),
            cluster("lab-2", region="us-east-1"),
            cluster("lab-3", status="NOT_READY"),
        )
    )
    assert {place for _, place in usages(account)} == {"lab-1", "lab-2"}
    assert set(usages(account, f"{VIEW}?gpus=h100,L4&regions=us-west-2")) == {
        (f"LAB.H100_{count}x", "lab-1") for count in (1, 2, 4)
    }
    assert account.get(f"{VIEW}?gpus=L4").json == {}
    assert ("LAB.H100_4x", "lab-1") not in usages(account, AVAILABLE)
    assert ("LAB.H100_2x", "lab-1") in usages(account, AVAILABLE)


def test_quota_rules_come_as_yaml_only_to_who_does_not_ask_for_json() -> None:
    quotas = (QuotaRule(gpu="A100", names=("lab", "lab-1"), limit=7),)
    emulator = Account.of(world(quotas=quotas, quota_as_yaml=True)).emulator

    def read(accept: str | None) -> Reply:
        path = "/v2/orgs/demo/teams/blue/ngc/nvcf/gpu/quota/rules"
        asked = Incoming(method="GET", path=path, authorization="Bearer any", accept=accept)
        return emulator.exchange(asked).reply

    as_json = read("application/json")
    assert as_json.media_type == "application/json"
    for accept in (None, "*/*"):
        reply = read(accept)
        assert reply.media_type == "application/yaml"
        source = decode_source(reply.body, "rules").value
        assert source is not None
        (document,) = parse_source(source).documents
        assert document.to_plain() == json.loads(as_json.body)
    empty = Account.of(world(groups=(), quota_as_yaml=True)).get(
        "/v2/orgs/demo/ngc/nvcf/gpu/quota/rules"
    )
    assert empty.body == b"gpus: []\n"


@pytest.mark.parametrize("scope", FRONT)
def test_live_instances_of_a_version_are_shown(scope: str) -> None:
    account = Account.of(world())
    target = account.deployed(spec(2, 2))
    path = f"/v2{scope}/skyway/instances/functions/{target.function}/versions/{target.version}"
    assert account.get(path).json == {"instances": account.instances(target)}
    idle = account.create("idle")
    path = f"/v2{scope}/skyway/instances/functions/{idle.function}/versions/{idle.version}"
    assert account.get(path).json == {"instances": []}
    assert account.get(path.replace(idle.version, NOBODY)).status == 404


@pytest.mark.parametrize("scope", FRONT)
def test_registered_clusters_are_the_orgs_own_in_an_array(scope: str) -> None:
    groups = (
        GroupRule(name="lab", nca_id="nca-demo-0001"),
        GroupRule(name="theirs", nca_id="nca-other"),
    )
    account = Account.of(world(cluster(), cluster("theirs-1", groups=("theirs",)), groups=groups))
    (found,) = account.get(f"/v2{scope}/sis/clusters").rows
    assert found["clusterName"] == "lab-1"
    assert account.get(f"/v2{scope}/sis/clusterVersions").status == 200


def test_gpu_use_sums_over_specifications_and_where_they_may_land() -> None:
    account = Account.of(world(cluster(), cluster("lab-2", region="us-east-1")))
    account.deployed(spec(1, 2), name="anywhere")
    account.deployed(spec(1, 3, clusters=["lab-2"]), name="there")
    account.create("idle")
    (found,) = rows(account.get(USE).json, "gpus")
    places = {
        one["cluster"]: (one["currentMinUsage"], one["currentMaxUsage"], one["clusterGroup"])
        for one in rows(found, "placements")
    }
    assert (found["gpu"], found["instanceType"]) == ("H100", "LAB.H100_1x")
    assert (found["currentMinUsage"], found["currentMaxUsage"]) == (2, 5)
    assert places == {"lab-1": (1, 2, "lab"), "lab-2": (2, 5, "lab")}


def test_orgs_and_accounts_are_the_one_there_is() -> None:
    account = Account.of(world(function_limit=7))
    (org,) = rows(account.get("/v2/orgs").json, "organizations")
    assert org["name"] == "demo"
    (found,) = rows(account.get("/v2/nvcf/accounts").json, "cloudAccounts")
    assert (found["ncaId"], found["maxFunctionsAllowed"]) == ("nca-demo-0001", 7)


def keyed() -> Account:
    return Account.of(world(api_keys=(KeyRule(digest=digest_of("nvapi-good")),)))


def ask(account: Account, body: bytes, media_type: str) -> Reply:
    asked = Incoming(method="POST", path=CALLER, media_type=media_type, body=body)
    return account.emulator.exchange(asked).reply


def test_caller_is_told_by_the_key_in_the_body_without_a_token() -> None:
    form = "application/x-www-form-urlencoded"
    reply = ask(keyed(), b"credentials=nvapi-good", form)
    found = json.loads(reply.body)
    assert (reply.status, found["type"], found["orgName"]) == (200, "PERSONAL_KEY", "demo")
    assert found["user"]["roles"][0]["team"] is None
    assert json.loads(ask(keyed(), b'{"credentials": "nvapi-good"}', "application/json").body)
    assert b"nvapi-good" not in reply.body
    for body, media_type in (
        (b"credentials=nvapi-bad", form),
        (b"", form),
        (b"\xff\xfe=%ff", form),
        (b'{"credentials": ["nvapi-good"]}', "application/json"),
        (b"nvapi-good", "text/plain"),
    ):
        assert ask(keyed(), body, media_type).status == 401


def test_caller_is_told_by_his_bearer_token() -> None:
    assert keyed().by("nvapi-good").get(CALLER).json["orgName"] == "demo"
    assert keyed().by("nvapi-bad").get(CALLER).status == 401


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Basic " + base64.b64encode(b"$oauthtoken:nvapi-good").decode(), 200),
        ("Bearer nvapi-good", 200),
        ("Basic " + base64.b64encode(b"someone:nvapi-good").decode(), 401),
        ("Basic " + base64.b64encode(b"$oauthtoken:nvapi-bad").decode(), 401),
        ("Basic " + base64.b64encode(b"\xff\xff").decode(), 401),
        ("Basic ???", 401),
        ("Basic \u00e9", 401),
        (None, 401),
    ],
)
def test_key_is_exchanged_for_a_token_that_works(authorization: str | None, status: int) -> None:
    account = keyed()
    answer = Account(account.emulator, authorization).get("/token?service=ngc&scope=a&scope=b")
    assert answer.status == status
    if status == 200:
        assert answer.json["expires_in"] == 600
        assert account.by(str(answer.json["token"])).get("/v2/nvcf/functions").status == 200


@pytest.mark.parametrize("scope", FRONT)
def test_logs_are_empty_and_asked_of_what_exists(scope: str) -> None:
    account = Account.of(world())
    target = account.create()
    logs = f"/v2{scope}/nvcf/logs"
    body = {"parameters": [{"name": "start", "value": "2026-01-01 00:00:00"}]}
    for path in (f"functions/{target.function}", target.path.removeprefix("/v2/nvcf/")):
        found = account.call("POST", f"{logs}/{path}", body).json
        assert (found["data"], found["metadata"]) == ([], {"page": 0, "totalPages": 0})
        assert account.get(f"{logs}/{found['jobId']}?page=1&page_size=100").json["data"] == []
    assert account.call("POST", f"{logs}/functions/{NOBODY}", body).status == 404


@pytest.mark.parametrize("path", ["/health", "/info"])
def test_what_is_open_needs_no_token_and_meets_no_fault(path: str) -> None:
    outage = Fault(kind=Trouble.ANSWER, route="any", status=503, every=True)
    account = Account.of(world(faults=(outage,), api_keys=(KeyRule(digest=digest_of("k")),)))
    assert Account(account.emulator, None).get(path).status == 200
    assert account.by("k").get("/v2/nvcf/functions").status == 503
    with pytest.raises(EmulatorError, match="cannot act"):
        account.emulator.add_fault(replace(outage, route=path.strip("/")))
