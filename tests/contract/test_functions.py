"""Functions and versions: rows 2 to 9 and 16 of 2.1, and what creating is refused for (4.2)."""

from __future__ import annotations

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
    problem,
)
from tests.contract.rows import covers

HEALTH = {
    "protocol": "HTTP",
    "uri": "/v1/health/ready",
    "port": 8000,
    "timeout": "PT10S",
    "expectedStatusCode": 200,
}


def shown(version: Version, **fields: object) -> Json:
    """The whole of a container function as it is answered, with what is derived."""
    return {
        "id": version.function,
        "versionId": version.id,
        "ncaId": ACCOUNT,
        "name": "chat",
        "status": "INACTIVE",
        "inferenceUrl": "/v1/chat/completions",
        "ownedByDifferentAccount": False,
        "containerImage": "nvcr.io/acme/chat:1",
        "apiBodyFormat": "CUSTOM",
        "healthUri": "/v2/health/ready",
        "health": {**HEALTH, "uri": "/v2/health/ready"},
        "functionType": "DEFAULT",
        "description": "chat",
        "createdAt": "2026-01-01T00:00:00.000000Z",
        **fields,
    }


@covers("2.1#4", "5#1")
def test_function_is_created_inactive_and_shown_whole(remote: Remote) -> None:
    answer = remote.call("POST", FUNCTIONS, container())
    assert (answer.status, answer.media_type) == (200, "application/json")
    function = answer.one("function")
    version = Version(str(function["id"]), str(function["versionId"]))
    assert answer.json == {"function": shown(version)}


def test_everything_that_was_sent_is_shown_but_secrets(remote: Remote) -> None:
    fields: Json = {
        "inferencePort": 9000,
        "containerArgs": "--max-len '8 192",
        "containerEnvironment": [{"key": "MAX_LEN", "value": "8192"}],
        "models": [{"name": "m", "version": "2", "uri": "/v2/org/acme/models/m/2/files"}],
        "resources": [{"name": "r", "version": "1", "uri": "/v2/org/acme/resources/r/1/files"}],
        "health": {**HEALTH, "port": 9001},
        "apiBodyFormat": "PREDICT_V2",
        "functionType": "STREAMING",
        "tags": ["team:search", "nvcfplan:stack=demo"],
        "description": "Chat completion endpoint",
        "rateLimit": {"rateLimit": "100-S", "exemptedNcaIds": ["nca-x"], "syncCheck": False},
    }
    version = remote.create(container(**fields, secrets=[{"name": "A", "value": "canary"}]))
    expected = shown(version, **fields, healthUri="/v1/health/ready")
    answer = remote.get(version.path)
    assert answer.json == {"function": expected}
    assert b"canary" not in answer.content


def test_health_is_derived_from_the_old_fields(remote: Remote) -> None:
    body = container(inferenceUrl="/grpc", inferencePort=50051, healthUri="/up")
    version = remote.create(body)
    assert remote.get(version.path).one("function")["health"] == {
        "protocol": "gRPC",
        "uri": "/up",
        "port": 50051,
        "timeout": "PT10S",
        "expectedStatusCode": 200,
    }


@covers("2.1#5")
def test_version_of_a_function_shares_its_id_and_is_inactive(remote: Remote) -> None:
    first = remote.create()
    path = f"{FUNCTIONS}/{first.function}/versions"
    answer = remote.call("POST", path, container(containerImage="nvcr.io/acme/chat:2"))
    assert answer.status == 200
    second = Version(first.function, str(answer.one("function")["versionId"]))
    assert second.id != first.id
    assert answer.json == {"function": shown(second, containerImage="nvcr.io/acme/chat:2")}


def test_function_created_twice_is_two_functions_of_one_name(remote: Remote) -> None:
    first, second = remote.create(), remote.create()
    assert first.function != second.function
    assert [one["name"] for one in remote.get(FUNCTIONS).rows("functions")] == ["chat", "chat"]


@covers("2.1#2")
def test_functions_are_listed_one_per_version_without_instances_and_secrets(
    remote: Remote,
) -> None:
    first = remote.deployed(
        h100(), body=container(secrets=[{"name": "A", "value": "1"}], tags=["a"])
    )
    second = remote.create_version(first)
    answer = remote.get(FUNCTIONS)
    assert answer.status == 200
    listed = {str(one["versionId"]): one for one in answer.rows("functions")}
    later = {"createdAt": "2026-01-01T00:10:00.000000Z"}
    assert listed == {
        first.id: shown(first, status="ACTIVE", tags=["a"]),
        second.id: shown(second, **later),
    }
    for own in ("private", "PRIVATE", "authorized,private,public"):
        assert remote.get(f"{FUNCTIONS}?visibility={own}").json == answer.json


@covers("2.1#2")
@pytest.mark.parametrize("path", [FUNCTIONS, f"{FUNCTIONS}/ids"])
def test_unknown_visibility_is_a_bad_request(remote: Remote, path: str) -> None:
    answer = remote.get(f"{path}?visibility=mine")
    assert (answer.status, answer.media_type) == (400, "application/problem+json")


@covers("2.1#3")
def test_function_ids_come_once_each(remote: Remote) -> None:
    first = remote.create()
    remote.create_version(first)
    second = remote.create()
    answer = remote.get(f"{FUNCTIONS}/ids")
    assert answer.status == 200
    assert answer.json.keys() == {"functionIds"}
    ids = answer.json["functionIds"]
    assert isinstance(ids, list)
    assert sorted(ids) == sorted([first.function, second.function])


@covers("2.1#6")
def test_versions_of_a_function_are_listed(remote: Remote) -> None:
    first = remote.create()
    second = remote.create_version(first)
    remote.create()
    answer = remote.get(f"{FUNCTIONS}/{first.function}/versions")
    assert answer.status == 200
    assert {str(one["versionId"]) for one in answer.rows("functions")} == {first.id, second.id}


@covers("2.1#6")
def test_function_without_versions_is_not_found(remote: Remote) -> None:
    path = f"{FUNCTIONS}/{NOBODY}/versions"
    answer = remote.get(path)
    assert answer.status == 404
    assert "Not found" in answer.detail


@covers("2.1#7")
def test_names_of_secrets_are_shown_when_asked_for(remote: Remote) -> None:
    secrets = [{"name": "A", "value": "canary"}, {"name": "B", "value": {"key": "canary"}}]
    version = remote.create(container(secrets=secrets))
    assert remote.get(version.path).json == {"function": shown(version)}
    assert remote.get(f"{version.path}?includeSecrets=false").json == {"function": shown(version)}
    answer = remote.get(f"{version.path}?includeSecrets=true")
    assert answer.json == {"function": shown(version, secrets=["A", "B"])}


@covers("2.1#7")
def test_version_that_is_not_there_is_not_found(remote: Remote) -> None:
    version = remote.create()
    for one in (Version(version.function, NOBODY), Version(NOBODY, version.id)):
        answer = remote.get(one.path)
        assert answer.status == 404
        detail = f"{one.subject}: Not found in account '{ACCOUNT}'"
        assert answer.json == problem(404, "not-found", "Not Found", detail, one.path)


@covers("2.1#8")
def test_deleted_version_is_gone_without_content(remote: Remote) -> None:
    version = remote.create()
    answer = remote.call("DELETE", version.path)
    assert (answer.status, answer.content) == (204, b"")
    assert remote.get(version.path).status == 404
    assert remote.call("DELETE", version.path).status == 404


@covers("2.1#9")
@pytest.mark.parametrize("prefix", ["/v2/nvcf/functions", "/v2/nvcf/metadata/functions"])
def test_metadata_that_is_given_changes_and_the_rest_is_kept(remote: Remote, prefix: str) -> None:
    version = remote.create(container(tags=["a"], rateLimit={"rateLimit": "5-S"}))
    path = f"{prefix}/{version.function}/versions/{version.id}"
    answer = remote.call("PUT", path, {"tags": ["b", "c"]})
    assert answer.status == 200
    expected = shown(version, tags=["b", "c"], rateLimit={"rateLimit": "5-S"})
    assert answer.json == {"function": expected}
    answer = remote.call("PUT", path, {"rateLimit": {"rateLimit": "1-M,9-H"}})
    assert answer.json == {"function": {**expected, "rateLimit": {"rateLimit": "1-M,9-H"}}}


@covers("2.1#9")
def test_metadata_changes_while_deployed(remote: Remote) -> None:
    version = remote.deployed(h100())
    changed = remote.good("PUT", version.path, {"tags": ["x"]}).one("function")
    assert (changed["status"], changed["tags"]) == ("ACTIVE", ["x"])
    unknown = Version(version.function, NOBODY)
    assert remote.call("PUT", unknown.path, {"tags": ["x"]}).status == 404


@covers("2.1#16")
def test_secrets_are_merged_by_name(remote: Remote) -> None:
    version = remote.create(container(secrets=[{"name": "A", "value": "1"}]))
    body = {"secrets": [{"name": "A", "value": "2"}, {"name": "B", "value": {"k": "v"}}]}
    answer = remote.call("PUT", version.secrets, body)
    assert (answer.status, answer.content) == (204, b"")
    shown_ = remote.get(f"{version.path}?includeSecrets=true").one("function")
    assert shown_["secrets"] == ["A", "B"]
    assert remote.call("PUT", Version(version.function, NOBODY).secrets, body).status == 404


@covers("2.1#16")
def test_first_secret_is_added_only_while_inactive(remote: Remote) -> None:
    body = {"secrets": [{"name": "A", "value": "1"}]}
    version = remote.deployed(h100())
    assert remote.call("PUT", version.secrets, body).status == 400
    remote.good("DELETE", version.deployment)
    assert remote.call("PUT", version.secrets, body).status == 204
    remote.deploy(version, h100())
    assert remote.call("PUT", version.secrets, body).status == 204


LONG = "x" * 257


def _accounts(count: int) -> list[str]:
    return [f"nca-{number}" for number in range(count)]


MODEL: Json = {"name": "m", "version": "1", "uri": "/v2/org/acme/models/m/1/files"}
SECRET: Json = {"name": "A", "value": "1"}
LLM: Json = {"functionType": "LLM", "containerImage": None}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"name": None}, "name", marks=covers("4.2#1")),
        pytest.param({"inferenceUrl": None}, "inferenceUrl", marks=covers("4.2#1")),
        ({"inferenceUrl": ""}, "inferenceUrl"),
        ({"name": ""}, "name"),
        ({"name": "-chat"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "n" * 129}, "name"),
        ({"description": LONG}, "description"),
        ({"tags": [f"t{number}" for number in range(65)]}, "tags"),
        ({"tags": ["t" * 129]}, "tags"),
        ({"tags": ["a b"]}, "tags"),
        ({"apiBodyFormat": "XML"}, "apiBodyFormat"),
        ({"functionType": "BATCH"}, "functionType"),
        ({"health": {**HEALTH, "port": 0}}, "health"),
        ({"health": {**HEALTH, "timeout": "10s"}}, "health"),
        ({"health": {"protocol": "HTTP", "uri": "/up"}}, "health"),
        ({"secrets": [{"name": "_A", "value": "1"}]}, "secrets"),
        ({"secrets": [{"name": "s" * 49, "value": "1"}]}, "secrets"),
        ({"secrets": [{"name": "A", "value": ""}]}, "secrets"),
        ({"secrets": [{"name": "A", "value": "v" * 32769}]}, "secrets"),
        ({"telemetries": {}}, "telemetries"),
        ({"rateLimit": {"rateLimit": "1-S", "exemptedNcaIds": _accounts(33)}}, "exemptedNcaIds"),
        pytest.param({"containerImage": None}, "containerImage", marks=covers("4.2#2")),
        pytest.param({"helmChart": "https://c/x.tgz"}, "helmChart", marks=covers("4.2#3")),
        ({"helmChartServiceName": "svc"}, "helmChart"),
        pytest.param(chart(containerImage="x"), "helmChart", marks=covers("4.2#3")),
        (chart(containerImage=None, containerArgs="x"), "helmChart"),
        (
            chart(containerImage=None, containerEnvironment=[{"key": "k", "value": "v"}]),
            "helmChart",
        ),
        pytest.param({"models": [MODEL, MODEL]}, "models", marks=covers("4.2#4")),
        ({"models": [{"name": "m"}]}, "models"),
        ({"models": [{**MODEL, "uri": None}]}, "models"),
        pytest.param({"secrets": [SECRET, SECRET]}, "secrets", marks=covers("4.2#4")),
        pytest.param({"rateLimit": {"rateLimit": "fast"}}, "rateLimit", marks=covers("4.2#5")),
        ({"rateLimit": {"rateLimit": "1-Y"}}, "rateLimit"),
        pytest.param({"rateLimit": {"rateLimit": "1-S,2-S"}}, "rateLimit", marks=covers("4.2#5")),
        ({**LLM, "models": [{"name": "m"}]}, "llmConfig"),
    ],
)
def test_body_out_of_bounds_is_refused_by_validation(
    remote: Remote, fields: Json, field: str
) -> None:
    version = remote.create()
    for path in (FUNCTIONS, f"{FUNCTIONS}/{version.function}/versions"):
        answer = remote.call("POST", path, container(**fields))
        assert answer.status == 400
        assert answer.media_type == "application/problem+json"
        assert answer.json.keys() == {"title", "status", "detail", "instance"}
        assert answer.json["instance"] == path
        assert answer.detail.startswith("Validation failed: [object=createFunctionRequest, field=")
        assert field in answer.detail
    assert len(remote.get(FUNCTIONS).rows("functions")) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "n" * 128, "description": "d" * 256},
        {"tags": [f"{number:0128}" for number in range(64)]},
        {"secrets": [{"name": "s" * 48, "value": "v" * 32768}]},
        {"rateLimit": {"rateLimit": "1-S,2-M,3-H,4-D", "exemptedNcaIds": _accounts(32)}},
        {"containerImage": None, "models": [MODEL]},
        chart(containerImage=None),
        {**LLM, "models": [{"name": "m", "llmConfig": {"uris": ["/v1/chat/completions"]}}]},
    ],
)
def test_body_at_its_bounds_is_taken(remote: Remote, fields: Json) -> None:
    assert remote.call("POST", FUNCTIONS, container(**fields)).status == 200


@covers("4.2#6")
def test_telemetry_that_is_not_there_is_refused(remote: Remote) -> None:
    body = container(telemetries={"logsTelemetryId": NOBODY})
    answer = remote.call("POST", FUNCTIONS, body)
    assert answer.status == 400
    assert NOBODY in answer.detail


@covers("4.2#8", "6.1#7")
@pytest.mark.world("lab", functionLimit=2)
def test_function_limit_counts_versions_and_is_tested_for_new_functions_only(
    remote: Remote,
) -> None:
    first = remote.create()
    remote.create_version(first)
    answer = remote.call("POST", FUNCTIONS, container())
    detail = f"Account '{ACCOUNT}': Reached or exceeded the max limit for the number of functions"
    assert answer.status == 400
    assert answer.json == problem(400, "bad-request", "Bad Request", detail, FUNCTIONS)
    remote.create_version(first)


@covers("4.2#9")
def test_new_version_of_an_unknown_function_is_not_found(remote: Remote) -> None:
    answer = remote.call("POST", f"{FUNCTIONS}/{NOBODY}/versions", container())
    assert answer.status == 404
    assert "Not found in account" in answer.detail


@covers("4.2#11")
@pytest.mark.parametrize("body", [{}, {"tags": None}, {"name": "other"}])
def test_metadata_without_a_change_is_refused(remote: Remote, body: Json) -> None:
    version = remote.create()
    assert remote.call("PUT", version.path, body).status == 400


def test_function_cannot_be_deleted_as_a_whole(remote: Remote) -> None:
    version = remote.create()
    assert remote.call("DELETE", f"{FUNCTIONS}/{version.function}").status in (404, 405)
    assert remote.status(version) == "INACTIVE"


def test_there_is_no_patch_of_a_function(remote: Remote) -> None:
    version = remote.create()
    assert remote.call("PATCH", version.path, {"tags": ["x"]}).status == 405
