"""What an account has beside functions: rows 16 to 22 of 2.1, sections 2.4 to 2.8."""

from __future__ import annotations

import base64
from typing import cast

import pytest

from tests.contract.remote import (
    ACCOUNT,
    FUNCTIONS,
    NOBODY,
    Json,
    Remote,
    Version,
    chart,
    container,
    h100,
)
from tests.contract.rows import covers

AUTHORIZATIONS = "/v2/nvcf/authorizations/functions"
TELEMETRIES = "/v2/nvcf/telemetries"
CREDENTIALS = "/v2/nvcf/registry-credentials"
QUEUES = "/v2/nvcf/queues/functions"


def parties(*names: str) -> Json:
    return {"authorizedParties": [{"ncaId": name} for name in names]}


def party(name: str) -> Json:
    return {"authorizedParty": {"ncaId": name}}


def shared(version: Version, *names: str, of_version: bool = False) -> Json:
    content: Json = {"id": version.function, "ncaId": ACCOUNT, **parties(*names)}
    return {"function": content | ({"versionId": version.id} if of_version else {})}


@covers("2.1#18")
def test_sharing_of_a_function_is_replaced_read_changed_and_cleared(remote: Remote) -> None:
    version = remote.create()
    path = f"{AUTHORIZATIONS}/{version.function}"
    answer = remote.call("POST", path, parties("nca-a", "nca-b"))
    assert (answer.status, answer.json) == (200, shared(version, "nca-a", "nca-b"))
    answer = remote.call("POST", path, parties("nca-c"))
    assert (answer.status, answer.json) == (200, shared(version, "nca-c"))
    answer = remote.call("PATCH", f"{path}/add", party("acme-d"))
    assert (answer.status, answer.json) == (200, shared(version, "nca-c", "acme-d"))
    answer = remote.call("PATCH", f"{path}/remove", party("nca-c"))
    assert (answer.status, answer.json) == (200, shared(version, "acme-d"))
    assert b"acme-d" in remote.good("GET", path).content
    assert remote.call("DELETE", path).status == 200
    assert b"acme-d" not in remote.good("GET", path).content


@covers("2.1#18")
def test_sharing_of_a_version_is_apart_from_its_functions(remote: Remote) -> None:
    version = remote.create()
    path = f"{AUTHORIZATIONS}/{version.function}/versions/{version.id}"
    answer = remote.call("POST", path, parties("nca-a"))
    assert (answer.status, answer.json) == (200, shared(version, "nca-a", of_version=True))
    answer = remote.call("PATCH", f"{path}/add", party("nca-b"))
    assert answer.json == shared(version, "nca-a", "nca-b", of_version=True)
    assert remote.get(path).json == answer.json
    other = remote.create_version(version)
    found = remote.good("GET", f"{AUTHORIZATIONS}/{other.function}/versions/{other.id}")
    assert b"nca-a" not in found.content


def test_new_version_copies_the_functions_list(remote: Remote) -> None:
    first = remote.create()
    remote.good("POST", f"{AUTHORIZATIONS}/{first.function}", parties("nca-a"))
    second = remote.create_version(first)
    path = f"{AUTHORIZATIONS}/{second.function}/versions/{second.id}"
    assert remote.get(path).json == shared(second, "nca-a", of_version=True)


@covers("2.1#18")
def test_sharing_refuses_a_party_twice_an_unknown_one_and_a_star_in_company(
    remote: Remote,
) -> None:
    version = remote.create()
    path = f"{AUTHORIZATIONS}/{version.function}"
    remote.good("POST", path, parties("nca-a"))
    assert remote.call("PATCH", f"{path}/add", party("nca-a")).status == 409
    assert remote.call("PATCH", f"{path}/remove", party("nca-z")).status == 404
    assert remote.call("POST", path, parties("*", "nca-a")).status == 400
    assert remote.call("POST", path, parties()).status == 400
    assert remote.get(path).status == 200
    unknown = f"{AUTHORIZATIONS}/{NOBODY}"
    for method, body in (("GET", None), ("POST", parties("nca-a")), ("DELETE", None)):
        assert remote.call(method, unknown, body).status == 404


TELEMETRY: Json = {
    "endpoint": "https://logs.example.com",
    "protocol": "HTTP",
    "provider": "SPLUNK",
    "types": ["LOGS", "METRICS"],
    "secret": {"name": "splunk", "value": "canary"},
}


def telemetry(remote: Remote, **fields: object) -> str:
    answer = remote.good("POST", TELEMETRIES, {**TELEMETRY, **fields})
    return str(answer.one("telemetry")["telemetryId"])


@covers("2.1#19")
def test_telemetry_is_created_listed_read_and_deleted(remote: Remote) -> None:
    answer = remote.call("POST", TELEMETRIES, TELEMETRY)
    assert answer.status == 200
    found = answer.one("telemetry")
    assert found == {
        "telemetryId": found["telemetryId"],
        "name": "splunk",
        "endpoint": "https://logs.example.com",
        "protocol": "HTTP",
        "provider": "SPLUNK",
        "types": ["LOGS", "METRICS"],
        "createdAt": "2026-01-01T00:00:00.000000Z",
    }
    assert b"canary" not in answer.content
    path = f"{TELEMETRIES}/{found['telemetryId']}"
    assert remote.get(path).json == {"telemetry": found}
    assert remote.get(TELEMETRIES).json == {"telemetries": [found]}
    gone = remote.call("DELETE", path)
    assert (gone.status, gone.content) == (204, b"")
    assert [remote.get(path).status, remote.call("DELETE", path).status] == [404, 404]
    assert remote.get(TELEMETRIES).json == {"telemetries": []}


@covers("2.1#19")
def test_telemetry_in_use_is_not_deleted(remote: Remote) -> None:
    id_ = telemetry(remote)
    version = remote.create(container(telemetries={"logsTelemetryId": id_}))
    assert remote.call("DELETE", f"{TELEMETRIES}/{id_}").status == 400
    remote.good("DELETE", version.path)
    assert remote.call("DELETE", f"{TELEMETRIES}/{id_}").status == 204


@covers("2.1#17")
def test_secret_of_a_telemetry_is_changed(remote: Remote) -> None:
    id_ = telemetry(remote)
    body = {"secret": {"name": "splunk", "value": "other"}}
    answer = remote.call("PUT", f"/v2/nvcf/secrets/telemetries/{id_}", body)
    assert (answer.status, answer.content) == (204, b"")
    assert remote.call("PUT", f"/v2/nvcf/secrets/telemetries/{NOBODY}", body).status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"protocol": "UDP"},
        {"provider": "HOMEMADE"},
        {"types": ["NOISE"]},
        {"types": []},
        {"endpoint": None},
        {"secret": None},
    ],
)
def test_telemetry_out_of_bounds_is_refused(remote: Remote, fields: Json) -> None:
    answer = remote.call("POST", TELEMETRIES, {**TELEMETRY, **fields})
    assert answer.status == 400
    assert answer.detail.startswith("Validation failed: ")


@covers("6.1#7")
@pytest.mark.world("lab", telemetryLimit=1)
def test_telemetries_are_limited(remote: Remote) -> None:
    telemetry(remote)
    body = {**TELEMETRY, "secret": {"name": "second", "value": "x"}}
    assert remote.call("POST", TELEMETRIES, body).status == 400


@covers("4.2#6")
def test_telemetry_of_another_type_is_refused(remote: Remote) -> None:
    id_ = telemetry(remote, types=["METRICS"])
    body = container(telemetries={"logsTelemetryId": id_})
    assert remote.call("POST", FUNCTIONS, body).status == 400
    body = container(telemetries={"metricsTelemetryId": id_})
    version = remote.create(body)
    shown = remote.get(version.path).one("function")["telemetries"]
    assert shown == {"metricsTelemetryId": id_}


def credential(host: str = "nvcr.io", **fields: object) -> Json:
    key = base64.b64encode(b"$oauthtoken:nvapi-canary").decode()
    return {
        "registryHostname": host,
        "secret": {"name": "ngc", "value": key},
        "artifactTypes": ["CONTAINER"],
        "tags": ["a"],
        "description": "ours",
        **fields,
    }


@covers("2.1#20")
def test_registry_credential_is_added_listed_changed_and_deleted(remote: Remote) -> None:
    answer = remote.call("POST", CREDENTIALS, credential())
    assert answer.status == 200
    found = answer.one("registryCredential")
    path = f"{CREDENTIALS}/{found['registryCredentialId']}"
    given = ("registryHostname", "artifactTypes", "tags", "description")
    assert {key: found[key] for key in given} == {key: credential()[key] for key in given}
    assert b"canary" not in answer.content
    assert remote.get(path).json == answer.json
    assert remote.get(CREDENTIALS).json == {"registryCredentials": [found]}
    for query, count in (
        ("?artifactType=CONTAINER", 1),
        ("?artifactType=HELM", 0),
        ("?provisionedBy=USER", 1),
        ("?provisionedBy=SYSTEM", 0),
    ):
        assert len(remote.get(f"{CREDENTIALS}{query}").rows("registryCredentials")) == count
    assert remote.call("POST", CREDENTIALS, credential()).status == 409
    answer = remote.call("PATCH", path, {"secret": credential()["secret"]})
    assert answer.status == 200
    gone = remote.call("DELETE", path)
    assert (gone.status, gone.content) == (204, b"")
    assert [remote.get(path).status, remote.call("DELETE", path).status] == [404, 404]


@covers("2.1#20")
def test_artifact_types_are_added_to_a_credential(remote: Remote) -> None:
    body = credential("docker.io", secret={"name": "hub", "value": "dXNlcjpwYXNz"})
    found = remote.good("POST", CREDENTIALS, body).one("registryCredential")
    path = f"{CREDENTIALS}/{found['registryCredentialId']}"
    answer = remote.good("PATCH", path, {"artifactTypes": ["HELM"]})
    assert answer.one("registryCredential")["artifactTypes"] == ["CONTAINER", "HELM"]


@covers("6.1#7")
@pytest.mark.world("lab", credentialLimit=1)
def test_registry_credentials_are_limited(remote: Remote) -> None:
    remote.good("POST", CREDENTIALS, credential())
    other = credential("helm.ngc.nvidia.com", artifactTypes=["HELM"])
    assert remote.call("POST", CREDENTIALS, other).status == 400


@covers("2.1#20")
def test_recognized_registries_are_listed_by_artifact_type(remote: Remote) -> None:
    answer = remote.get("/v2/nvcf/recognized-registries")
    assert answer.status == 200
    found = cast("dict[str, list[Json]]", answer.one("recognizedRegistries"))
    assert found.keys() == {"CONTAINER", "HELM", "MODEL", "RESOURCE"}
    assert "nvcr.io" in [one["hostname"] for one in found["CONTAINER"]]


@covers("2.1#21")
def test_queues_are_shown_of_what_is_deployed(remote: Remote) -> None:
    version = remote.create()
    path = f"{QUEUES}/{version.function}"
    assert remote.get(path).status == 404
    remote.deploy(version, h100())
    remote.emulate("queue", version=version.id, depth=7, perMinute=0)
    for place in (path, f"{path}/versions/{version.id}"):
        answer = remote.get(place)
        assert answer.status == 200
        assert answer.json == {
            "functionId": version.function,
            "queues": [
                {
                    "functionVersionId": version.id,
                    "functionName": "chat",
                    "functionStatus": "DEPLOYING",
                    "queueDepth": 7,
                }
            ],
        }
    remote.good("DELETE", version.deployment)
    assert remote.get(path).status == 404


@covers("2.1#22")
def test_supported_gpus_are_still_answered(remote: Remote) -> None:
    answer = remote.get("/v2/nvcf/supportedGpus")
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert b"H100" in answer.content


def test_account_tells_its_limits_to_the_super_admin(remote: Remote) -> None:
    version = remote.create()
    remote.create_version(version)
    answer = remote.get(f"/v2/nvcf/accounts/{ACCOUNT}")
    assert answer.status == 200
    content = cast("Json", answer.json.get("account", answer.json))
    assert content["ncaId"] == ACCOUNT
    assert (content["maxFunctionsAllowed"], content["currentNumberFunctions"]) == (50, 2)


SHARED = [
    {"name": "theirs", "visibility": "authorized"},
    {"name": "everyones", "visibility": "public"},
]
FOREIGN = pytest.mark.world("lab", sharedFunctions=SHARED)


def foreign(remote: Remote, name: str) -> Version:
    (found,) = (one for one in remote.get(FUNCTIONS).rows("functions") if one["name"] == name)
    return Version(str(found["id"]), str(found["versionId"]))


@FOREIGN
def test_functions_of_others_are_listed_as_such(remote: Remote) -> None:
    remote.create()
    for query, names in (
        ("", {"chat", "theirs", "everyones"}),
        ("?visibility=private", {"chat"}),
        ("?visibility=authorized", {"theirs"}),
        ("?visibility=public", {"everyones"}),
        ("?visibility=private,public", {"chat", "everyones"}),
    ):
        listed = remote.get(f"{FUNCTIONS}{query}").rows("functions")
        assert {str(one["name"]) for one in listed} == names
        for one in listed:
            assert one["ownedByDifferentAccount"] is (one["name"] != "chat")
            if one["name"] != "chat":
                assert one["ncaId"] != ACCOUNT
                assert not {"containerImage", "containerEnvironment", "secrets"} & one.keys()


@FOREIGN
@covers("4.2#10", "4.3#2", "4.3#3", "4.4#5")
@pytest.mark.parametrize(("name", "status"), [("everyones", 400), ("theirs", 403)])
def test_functions_of_others_are_not_changed(remote: Remote, name: str, status: int) -> None:
    version = foreign(remote, name)
    versions = f"{FUNCTIONS}/{version.function}/versions"
    assert remote.call("POST", versions, container()).status == status
    assert remote.post(version, h100()).status == status
    assert remote.call("DELETE", version.path).status == status
    assert foreign(remote, name) == version


@covers("4.2#7", "6.3#6")
@pytest.mark.world("lab", artifactCheck="throw", missingArtifacts=["nvcr.io/acme/chat:none"])
def test_artifact_without_a_credential_or_missing_is_refused(remote: Remote) -> None:
    answer = remote.call("POST", FUNCTIONS, container(containerImage="docker.io/acme/chat:1"))
    assert answer.status == 400
    assert "Missing CONTAINER registry credential for hostname 'docker.io'" in answer.detail
    remote.good("POST", CREDENTIALS, credential())
    remote.create()
    answer = remote.call("POST", FUNCTIONS, container(containerImage="nvcr.io/acme/chat:none"))
    assert answer.status == 400
    assert "'nvcr.io/acme/chat:none' not found" in answer.detail


@covers("4.3#15")
@pytest.mark.world(
    "lab", artifactCheck="throw", vanishingArtifacts={"nvcr.io/acme/chat:1": {"at": "1h"}}
)
def test_artifact_that_has_vanished_is_not_deployed(remote: Remote) -> None:
    remote.good("POST", CREDENTIALS, credential())
    version = remote.create()
    remote.advance(3600)
    answer = remote.post(version, h100())
    assert answer.status == 400
    assert version.subject in answer.detail
    assert "'nvcr.io/acme/chat:1' not found" in answer.detail
    assert remote.status(version) == "INACTIVE"


@pytest.mark.world("lab", artifactCheck="log", missingArtifacts=["nvcr.io/acme/chat:1"])
def test_self_hosted_service_may_only_note_what_is_missing(remote: Remote) -> None:
    remote.deploy(remote.create(), h100())


CHART = str(chart()["helmChart"])


@covers("4.3#14", "6.3#7")
@pytest.mark.world("lab", refusedCharts={CHART: "ClusterRole is not allowed"})
def test_chart_that_does_not_render_is_refused(remote: Remote) -> None:
    version = remote.create(chart())
    answer = remote.post(version, h100())
    assert answer.status == 400
    assert "Helm chart validation error(s) from NVCF ReVal service" in answer.detail
    assert "ClusterRole is not allowed" in answer.detail
    assert remote.status(version) == "INACTIVE"
