"""The contract's own payloads, read through the client, become the nouns of the model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.errors import AccountMismatch, Forbidden, RemoteError, RemoteGarbled
from nvcfplan.model import (
    EnvironmentVariable,
    FunctionId,
    Health,
    LiveVersion,
    Secret,
    SecretOrigin,
    SecretReference,
    Status,
    VersionId,
    VersionLimit,
)
from tests.adapters.fakes import Script, answer, client_of, payload, problem, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.model import Account, LiveDeployment, LiveFunction

CHAT = FunctionId("5c1b7f0e-2f0d-4a6a-9d1c-6a1f6f6b0a01")
CHAT_OLD = VersionId("0d3f1f0a-8c55-4a6e-8f5f-0f9a3c2b1d11")
CHAT_NEW = VersionId("7be21c64-13a7-47d7-a1a0-5f2d8f0f6c12")
VIDEO = FunctionId("e7f1b2a3-0c4d-4b5e-8f60-718293a4b503")
VIDEO_ONLY = VersionId("31c9a2f4-5d6e-4f70-8192-a3b4c5d6e731")

LIST = "GET /v2/nvcf/functions"
VERSION = f"GET /v2/nvcf/functions/{CHAT}/versions/{CHAT_OLD}"
DEPLOYMENT = f"GET /v2/nvcf/deployments/functions/{CHAT}/versions/{CHAT_OLD}"
VIDEO_DEPLOYMENT = f"GET /v2/nvcf/deployments/functions/{VIDEO}/versions/{VIDEO_ONLY}"


def functions_of(*answers: httpx2.Response, nca_id: str | None = None) -> Sequence[LiveFunction]:
    async def read() -> Sequence[LiveFunction]:
        async with client_of(Script({LIST: answers}), nca_id=nca_id) as client:
            return await NvcfReader(client).functions()

    return run(read())


def version_of(answers: Mapping[str, Sequence[httpx2.Response]]) -> LiveVersion | None:
    async def read() -> LiveVersion | None:
        async with client_of(Script(answers)) as client:
            return await NvcfReader(client).version(CHAT, CHAT_OLD)

    return run(read())


def one_version(**fields: object) -> LiveVersion:
    row = {
        "id": "f1",
        "versionId": "v1",
        "ncaId": "nca",
        "name": "echo",
        "status": "INACTIVE",
        "inferenceUrl": "/echo",
        **fields,
    }
    (function,) = functions_of(answer({"functions": [row]}))
    return function.versions[0]


def test_the_list_is_grouped_by_function_and_oldest_version_first() -> None:
    found = functions_of(answer(payload("functions-list.json")))
    assert [one.id for one in found] == sorted(one.id for one in found)
    assert len(found) == 3
    chat = next(one for one in found if one.id == CHAT)
    assert [one.version_id for one in chat.versions] == [CHAT_OLD, CHAT_NEW]
    assert [one.status for one in chat.versions] == [Status.ACTIVE, Status.INACTIVE]
    assert chat.versions[0].created_at == datetime(2026, 11, 2, 9, 14, 7, 512311, tzinfo=UTC)
    assert chat.versions[0].instances is None
    assert chat.versions[0].secret_names is None


def test_a_configuration_is_read_whole() -> None:
    chat = next(
        one for one in functions_of(answer(payload("functions-list.json"))) if one.id == CHAT
    )
    config = chat.versions[0].config
    assert config.container_image == "nvcr.io/acme/serving/chat:1.4.0"
    assert config.container_environment == (EnvironmentVariable("MAX_LEN", "8192"),)
    assert config.health == Health(
        protocol="HTTP",
        uri="/v1/health/ready",
        port=8000,
        timeout=timedelta(seconds=10),
        expected_status_code=200,
    )
    assert config.tags == ("nvcfplan:stack=prod-chat", "team:search")


def test_what_the_service_leaves_out_is_filled_in_with_its_defaults() -> None:
    config = one_version().config
    assert config.inference_port == 8000
    assert config.api_body_format == "CUSTOM"
    assert config.function_type == "DEFAULT"
    assert config.description == "echo"
    assert config.health == Health(
        protocol="HTTP",
        uri="/v2/health/ready",
        port=8000,
        timeout=timedelta(seconds=10),
        expected_status_code=200,
    )


def test_the_derived_health_block_follows_protocol_port_and_old_uri() -> None:
    config = one_version(inferenceUrl="/grpc", inferencePort=9001, healthUri="/ok").config
    assert config.health is not None
    assert (config.health.protocol, config.health.port, config.health.uri) == ("gRPC", 9001, "/ok")


def test_sets_are_sorted_and_empty_objects_are_absent() -> None:
    config = one_version(
        tags=["b", "a", "a"],
        containerEnvironment=[{"key": "Z", "value": "1"}, {"key": "A", "value": "2"}],
        containerImage="",
    ).config
    assert config.tags == ("a", "b")
    assert [one.key for one in config.container_environment] == ["A", "Z"]
    assert config.container_image is None


def test_values_of_secret_looking_variables_are_masked_and_say_where_they_are() -> None:
    rows = [{"key": "HF_TOKEN", "value": "hf-value"}, {"key": "TOKENIZER", "value": "fast"}]
    token, tokenizer = one_version(containerEnvironment=rows).config.container_environment
    assert isinstance(token.value, Secret)
    assert token.value.reference == SecretReference("HF_TOKEN", SecretOrigin.LIVE, "f1/v1/HF_TOKEN")
    assert "hf-value" not in repr(token)
    assert tokenizer.value == "fast"


@pytest.mark.parametrize(
    ("key", "is_masked"),
    [
        ("HF_TOKEN", True),
        ("apiKey", True),
        ("db.password", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("TOKEN2", True),
        ("MAX_TOKENS", False),
        ("MONKEY", False),
        ("KEYBOARD", False),
    ],
)
def test_whole_words_of_the_key_decide_what_is_masked(key: str, is_masked: bool) -> None:
    rows = [{"key": key, "value": "v"}]
    (variable,) = one_version(containerEnvironment=rows).config.container_environment
    assert isinstance(variable.value, Secret) is is_masked


def test_functions_of_other_accounts_are_never_seen() -> None:
    rows = [
        {"id": "f1", "versionId": "v1", "name": "a", "status": "ACTIVE", "ncaId": "nca"},
        {
            "id": "f2",
            "versionId": "v2",
            "name": "b",
            "status": "ACTIVE",
            "ownedByDifferentAccount": True,
        },
    ]
    assert [one.id for one in functions_of(answer({"functions": rows}))] == ["f1"]


def test_a_status_that_is_not_known_is_said_to_be_unknown() -> None:
    assert one_version(status="PARTIALLY_ACTIVE").status is Status.UNKNOWN
    assert one_version(status="active").status is Status.ACTIVE


@pytest.mark.parametrize("bad", ["../../admin", "", "a b", "x" * 65, "a/b", ".."])
def test_an_id_that_could_leave_its_place_in_an_address_is_refused(bad: str) -> None:
    with pytest.raises(RemoteGarbled, match="an id that is not one"):
        one_version(id=bad)


def test_functions_of_another_account_than_told_are_refused() -> None:
    with pytest.raises(AccountMismatch, match="nca-demo-0001, not to other"):
        functions_of(answer(payload("functions-list.json")), nca_id="other")


def test_one_version_comes_with_instances_secret_names_and_deployment() -> None:
    found = version_of(
        {
            VERSION: [answer(payload("function-version-with-instances.json"))],
            DEPLOYMENT: [answer(payload("deployment-create-response.json"))],
        }
    )
    assert found is not None
    assert found.instances is not None
    assert [(one.location, one.gpu, one.is_running) for one in found.instances] == [
        ("nvcf-gcp-prod-asiase1-a", "H100", True)
    ]
    assert found.secret_names == ()
    assert found.deployment is not None
    assert found.deployment.status is Status.DEPLOYING


def test_a_version_without_a_row_has_no_deployment_and_one_that_is_gone_is_none() -> None:
    gone = problem(404, "Deployment not found")
    there = answer(payload("function-version-with-instances.json"))
    found = version_of({VERSION: [there], DEPLOYMENT: [gone]})
    assert found is not None
    assert found.deployment is None
    assert version_of({VERSION: [problem(404, "Not found")], DEPLOYMENT: [gone]}) is None


def test_a_page_that_says_404_is_not_taken_for_a_missing_row() -> None:
    page = httpx2.Response(404, content=b"<html><title>404</title></html>")
    there = answer(payload("function-version-with-instances.json"))
    with pytest.raises(RemoteGarbled, match="titled '404'"):
        version_of({VERSION: [there], DEPLOYMENT: [page]})


def deployments_of(
    answers: Mapping[str, Sequence[httpx2.Response]],
) -> Mapping[str, LiveDeployment]:
    async def read() -> Mapping[VersionId, LiveDeployment]:
        async with client_of(Script(answers)) as client:
            return await NvcfReader(client).deployments([(CHAT, CHAT_OLD), (VIDEO, VIDEO_ONLY)])

    found = run(read())
    return {str(version): row for version, row in found.items()}


def test_deployments_come_by_version_with_rows_sorted_by_id() -> None:
    found = deployments_of(
        {
            DEPLOYMENT: [answer(payload("deployment-deploying-partial.json"))],
            VIDEO_DEPLOYMENT: [problem(404, "Deployment not found")],
        }
    )
    assert list(found) == [CHAT_OLD]
    row = found[CHAT_OLD]
    h100, l40s = (one.specification for one in row.specifications)
    assert (h100.gpu, h100.backend, h100.clusters) == ("H100", "GCP-ASIASE1-A", ())
    assert (l40s.gpu, l40s.backend) == ("L40S", None)
    assert (l40s.clusters, l40s.regions, l40s.attributes) == (
        ("byoc-cluster-1",),
        ("us-west-2",),
        ("SOC2",),
    )
    assert h100.key == row.specifications[0].id == "1f2e3d4c-5b6a-4798-8a9b-acbdcedfe051"
    assert row.health[0].instance_type == "ON-PREM.GPU.L40S_4x"
    assert "no-capacity" in row.health[0].error


def test_a_failed_deployment_says_why() -> None:
    found = deployments_of(
        {
            DEPLOYMENT: [problem(404, "Deployment not found")],
            VIDEO_DEPLOYMENT: [answer(payload("deployment-error-capacity.json"))],
        }
    )
    assert found[VIDEO_ONLY].status is Status.ERROR
    assert found[VIDEO_ONLY].health[0].error.startswith("Backend 'AZURE'")
    assert found[VIDEO_ONLY].specifications[0].specification.max_request_concurrency == 1


def test_one_unreadable_deployment_fails_the_reading_with_its_own_error() -> None:
    with pytest.raises(Forbidden, match="deployments"):
        deployments_of(
            {
                DEPLOYMENT: [problem(403, "no")],
                VIDEO_DEPLOYMENT: [answer(payload("deployment-error-capacity.json"))],
            }
        )


GROUPS = "GET /v2/nvcf/clusterGroups"
CLUSTERS = "GET /v1/si/accounts/nca-demo-0001/clusters"
LIMITS = "GET /v2/nvcf/accounts/nca-demo-0001"
QUOTAS = "GET /v2/orgs/demo/ngc/nvcf/gpu/quota/rules"
READINGS: dict[str, list[httpx2.Response]] = {
    GROUPS: [answer(payload("clusterGroups.json"))],
    CLUSTERS: [problem(404, "no such route")],
    LIMITS: [
        answer({"ncaId": "nca-demo-0001", "maxFunctionsAllowed": 50, "currentNumberFunctions": 7})
    ],
    QUOTAS: [answer(payload("gpu-quota-rules.json"))],
    LIST: [answer(payload("functions-list.json"))],
}


def account_of(
    answers: Mapping[str, Sequence[httpx2.Response | Exception]],
    *,
    org: str | None = "demo",
    nca_id: str | None = None,
) -> tuple[Account, Script]:
    script = Script({**READINGS, **answers})

    async def read() -> Account:
        async with client_of(script, org=org, nca_id=nca_id) as client:
            return await NvcfReader(client).account()

    return run(read()), script


def test_the_account_is_read_with_source_and_time_of_each_reading() -> None:
    account, _ = account_of({})
    assert account.identity.nca_id == "nca-demo-0001"
    assert account.identity.endpoint == "http://nvcf.test"
    assert account.version_limit == VersionLimit(limit=50, stored=7)
    assert account.quotas is not None
    assert [(one.gpu, one.names, one.limit) for one in account.quotas] == [
        ("H100", ("AZURE-WESTUS2",), 16),
        ("H100", ("GCP-ASIASE1-A",), 8),
        ("L40S", ("byoc-cluster-1",), 16),
    ]
    assert {one.what: one.source for one in account.taken} == {
        "inventory": GROUPS,
        "version-limit": LIMITS,
        "quota": QUOTAS,
    }
    assert all(one.read_at.year == 2026 for one in account.taken)
    (unread,) = account.unread
    assert (unread.what, unread.source) == ("capacity", CLUSTERS)
    assert "no such route" in unread.reason


def test_a_told_account_needs_no_list_of_functions() -> None:
    _, script = account_of({}, nca_id="nca-demo-0001")
    assert LIST not in script.routes
    assert len(script.sent) == 4


def test_an_account_without_functions_is_learnt_from_the_groups_that_name_it_alone() -> None:
    account, _ = account_of({LIST: [answer({"functions": []})]})
    assert account.identity.nca_id == "nca-demo-0001"
    assert account.version_limit is not None


def test_an_account_that_cannot_be_learnt_says_how_to_name_it() -> None:
    groups = {"clusterGroups": [{"name": "G", "ncaId": "x", "authorizedNcaIds": ["*"]}]}
    account, _ = account_of({LIST: [answer({"functions": []})], GROUPS: [answer(groups)]})
    assert account.identity.nca_id is None
    assert {one.what: one.remedy for one in account.unread} == {
        "capacity": "set NVCF_NCA_ID",
        "version-limit": "set NVCF_NCA_ID",
    }


def test_quota_rules_need_an_organisation() -> None:
    account, script = account_of({}, org=None)
    assert account.quotas is None
    assert QUOTAS not in script.routes
    assert any("NGC_ORG" in one.remedy for one in account.unread)


@pytest.mark.parametrize(
    "broken",
    [
        problem(403, "Access Denied"),
        problem(502, "upstream"),
        httpx2.Response(200, content=b"<html>"),
        answer({"unexpected": 1}),
        answer(["unexpected"]),
        httpx2.ReadTimeout("slow"),
        httpx2.ConnectError("refused"),
    ],
)
def test_no_failure_of_a_reading_fails_the_account(broken: httpx2.Response | Exception) -> None:
    every = {route: [broken] for route in READINGS}
    account, _ = account_of(every, nca_id="nca-demo-0001")
    found = (account.groups, account.clusters, account.quotas, account.version_limit)
    assert found == (None, None, None, None)
    assert [one.what for one in account.unread] == [
        "inventory",
        "capacity",
        "version-limit",
        "quota",
    ]
    assert all(one.reason and one.remedy for one in account.unread)


def test_a_missing_scope_is_named() -> None:
    account, _ = account_of({GROUPS: [problem(403, "Access Denied")]})
    inventory = next(one for one in account.unread if one.what == "inventory")
    assert "list_cluster_groups" in inventory.remedy
    assert account.groups is None


def test_an_account_answer_without_a_limit_is_not_checked() -> None:
    account, _ = account_of({LIMITS: [answer({"ncaId": "nca-demo-0001"})]})
    assert account.version_limit is None
    assert any(one.reason == "the answer names no limit" for one in account.unread)


def test_unreadable_functions_are_an_error_not_an_empty_account() -> None:
    with pytest.raises(RemoteError):
        functions_of(problem(400, "no"))
