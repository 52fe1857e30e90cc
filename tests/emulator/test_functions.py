"""Functions and versions: bodies, defaults, refusals, listing, metadata, secrets, deletion."""

from __future__ import annotations

import json

import pytest

from tests.emulator.account import (
    NOBODY,
    Account,
    Deployable,
    Json,
    chart,
    container,
    rows,
    spec,
    world,
)

FUNCTIONS = "/v2/nvcf/functions"


@pytest.fixture
def account() -> Account:
    return Account.of(world())


def refusal(account: Account, body: Json) -> str:
    answer = account.call("POST", FUNCTIONS, body)
    assert answer.status == 400
    assert answer.media_type == "application/problem+json"
    return answer.detail


def test_created_version_is_inactive_with_the_defaults_filled_in(account: Account) -> None:
    made = account.call("POST", FUNCTIONS, container("chat")).function
    assert made["status"] == "INACTIVE"
    assert made["apiBodyFormat"] == "CUSTOM"
    assert made["functionType"] == "DEFAULT"
    assert made["description"] == "chat"
    assert made["ncaId"] == "nca-demo-0001"
    assert made["ownedByDifferentAccount"] is False
    assert made["healthUri"] == "/v2/health/ready"
    assert made["health"] == {
        "protocol": "HTTP",
        "uri": "/v2/health/ready",
        "port": 8000,
        "timeout": "PT10S",
        "expectedStatusCode": 200,
    }
    assert "tags" not in made
    assert "secrets" not in made


def test_derived_health_follows_port_uri_and_grpc(account: Account) -> None:
    fields: Json = {"inferenceUrl": "/grpc", "inferencePort": "9000", "healthUri": "/ok"}
    made = account.call("POST", FUNCTIONS, container(**fields)).function
    assert made["inferencePort"] == 9000
    assert made["health"] == {
        "protocol": "gRPC",
        "uri": "/ok",
        "port": 9000,
        "timeout": "PT10S",
        "expectedStatusCode": 200,
    }


def test_enums_are_read_in_any_case_and_shown_in_their_own(account: Account) -> None:
    health: Json = {
        "protocol": "GRPC",
        "uri": "/h",
        "port": 1,
        "timeout": "PT1M",
        "expectedStatusCode": 200,
    }
    body = container(functionType="streaming", apiBodyFormat="predict_v2", health=health)
    made = account.call("POST", FUNCTIONS, body).function
    assert made["functionType"] == "STREAMING"
    assert made["apiBodyFormat"] == "PREDICT_V2"
    assert made["health"] == {**health, "protocol": "gRPC"}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("PT60S", "PT1M"),
        ("P1DT90M", "PT25H30M"),
        ("pt0.5s", "PT0.5S"),
        ("PT0S", "PT0S"),
        ("PT4725414770H", "PT4725414770H"),
        ("PT12345678.123456789S", "PT3429H21M18.123456789S"),
    ],
)
def test_durations_come_back_as_the_service_writes_them(
    account: Account, sent: str, shown: str
) -> None:
    made = account.call("POST", FUNCTIONS, container(health={**HEALTH, "timeout": sent})).function
    assert made["health"] == {**HEALTH, "timeout": shown}


def test_duration_longer_than_the_service_can_hold_is_refused(account: Account) -> None:
    health = {**HEALTH, "timeout": "PT99999999999999999999H"}
    assert account.call("POST", FUNCTIONS, container(health=health)).status == 400


def test_unknown_and_null_fields_are_ignored(account: Account) -> None:
    body = container(futureField={"a": 1}, containerArgs=None, tags=None)
    made = account.call("POST", FUNCTIONS, body).function
    assert {"futureField", "containerArgs", "tags"} & made.keys() == set()


HEALTH: Json = {
    "protocol": "HTTP",
    "uri": "/",
    "port": 80,
    "timeout": "PT1S",
    "expectedStatusCode": 200,
}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "-chat"}, "name"),
        ({"name": "n" * 129}, "name"),
        ({"name": "chat\n"}, "name"),
        ({"inferenceUrl": None}, "inferenceUrl"),
        ({"inferenceUrl": " "}, "inferenceUrl"),
        ({"containerImage": None}, "containerImage"),
        ({"inferencePort": "many"}, "inferencePort"),
        ({"helmChart": "https://x"}, "helmChart"),
        ({"helmChartServiceName": "svc"}, "helmChart"),
        ({"helmChart": "https://x", "helmChartServiceName": "svc"}, "helmChart"),
        ({"models": [{"name": "m"}]}, "models"),
        ({"models": [{"name": "m", "version": "1", "uri": "/m"}] * 2}, "models"),
        ({"health": {**HEALTH, "port": 0}}, "health.port"),
        ({"health": {**HEALTH, "timeout": "10s"}}, "health.timeout"),
        ({"health": {**HEALTH, "uri": " "}}, "health.uri"),
        ({"health": {**HEALTH, "port": None}}, "health.port"),
        ({"containerEnvironment": [{"key": "A"}]}, "containerEnvironment.0.value"),
        ({"containerEnvironment": [{"key": "A", "value": None}]}, "containerEnvironment.0.value"),
        ({"resources": [{"name": "r", "uri": "/r"}]}, "resources.0.version"),
        ({"secrets": [{"name": "A", "value": "  "}]}, "secrets.value"),
        ({"health": {**HEALTH, "timeout": "PT"}}, "health.timeout"),
        ({"health": {**HEALTH, "protocol": "TCP"}}, "health.protocol"),
        ({"health": {"protocol": "HTTP"}}, "health.uri"),
        ({"apiBodyFormat": "XML"}, "apiBodyFormat"),
        ({"functionType": "BATCH"}, "functionType"),
        ({"functionType": "LLM"}, "models"),
        ({"tags": ["a b"]}, "tags"),
        ({"tags": ["t" * 129]}, "tags"),
        ({"tags": [f"t{index}" for index in range(65)]}, "tags"),
        ({"description": "d" * 257}, "description"),
        ({"secrets": [{"name": "A", "value": "x"}] * 2}, "secrets"),
        ({"secrets": [{"name": "_A", "value": "x"}]}, "secrets.name"),
        ({"secrets": [{"name": "A", "value": ""}]}, "secrets.value"),
        ({"secrets": [{"name": "A", "value": "x" * 32769}]}, "secrets.value"),
        ({"rateLimit": {"rateLimit": "100-X"}}, "rateLimit"),
        ({"rateLimit": {"rateLimit": "1-S,2-S"}}, "rateLimit"),
        ({"telemetries": {}}, "telemetries"),
        ({"containerEnvironment": {"A": "b"}}, "containerEnvironment"),
    ],
)
def test_body_that_breaks_a_bound_names_the_field(
    account: Account, fields: Json, field: str
) -> None:
    detail = refusal(account, container(**fields))
    assert detail.startswith("Validation failed: ")
    assert f"[object=createFunctionRequest, field={field}, rejected=[" in detail


def test_what_is_sent_empty_is_as_if_it_was_not_sent(account: Account) -> None:
    empty: Json = {
        "containerArgs": "",
        "containerEnvironment": [],
        "models": [],
        "resources": [],
        "helmChart": "",
        "helmChartServiceName": "",
        "healthUri": "",
        "description": "",
        "tags": [],
        "secrets": [],
        "health": None,
        "rateLimit": None,
        "telemetries": None,
    }
    plain = account.call("POST", FUNCTIONS, container()).function
    made = account.call("POST", FUNCTIONS, container(**empty)).function
    assert made.keys() == plain.keys()
    assert [] not in made.values()
    assert made["healthUri"] == "/v2/health/ready"


def test_deeply_nested_values_are_kept(account: Account) -> None:
    deep = b'{"a":' * 150 + b"1" + b"}" * 150
    head = b'{"name": "a", "inferenceUrl": "/", "containerImage": "x", "secrets": '
    raw = head + b'[{"name": "A", "value": ' + deep + b"}]}"
    assert account.call("POST", FUNCTIONS, raw=raw).status == 200


def test_all_faults_of_a_body_come_at_once(account: Account) -> None:
    detail = refusal(account, container(name="-", tags=["a b"], functionType="x"))
    assert [name in detail for name in ("field=name", "field=tags", "field=functionType")] == [
        True,
        True,
        True,
    ]


def test_validation_problem_has_no_type(account: Account) -> None:
    answer = account.call("POST", FUNCTIONS, container(name="-"))
    assert answer.json.keys() == {"title", "status", "detail", "instance"}
    assert answer.json["instance"] == FUNCTIONS


def test_telemetry_that_does_not_exist_is_refused(account: Account) -> None:
    detail = refusal(account, container(telemetries={"logsTelemetryId": NOBODY}))
    assert f"Telemetry '{NOBODY}': Not found" in detail


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"name": NaN}',
        b"[" * 100_000,
        b'{"inferencePort": ' + b"9" * 5000 + b"}",
        b'{"name": ' + b"[" * 250 + b"]" * 250 + b"}",
        b'{"inferencePort": 1e999}',
    ],
)
def test_body_that_is_no_json_object_is_refused(account: Account, raw: bytes) -> None:
    answer = account.call("POST", FUNCTIONS, raw=raw)
    assert answer.status == 400
    assert answer.detail.startswith("Failed to read request")


def test_key_given_twice_is_refused(account: Account) -> None:
    answer = account.call("POST", FUNCTIONS, raw=b'{"name": "a", "name": "b"}')
    assert answer.status == 400
    assert "Duplicate field 'name'" in answer.detail


def test_body_of_more_than_six_mebibytes_is_refused(account: Account) -> None:
    body = json.dumps(container(containerArgs="x" * (6 * 1024 * 1024))).encode()
    assert account.call("POST", FUNCTIONS, raw=body).status == 413


def test_refusal_never_repeats_a_secret(account: Account) -> None:
    secret = "canary-" + "s" * 40000
    for value in (secret, {"deep": secret}, [secret], 7):
        body = container(secrets=[{"name": "A", "value": value}])
        assert b"canary" not in account.call("POST", FUNCTIONS, body).body


def test_function_limit_counts_versions_and_is_tested_for_functions_only() -> None:
    account = Account.of(world(function_limit=2))
    first = account.create()
    account.create_version(first)
    detail = refusal(account, container("other"))
    assert "Reached or exceeded the max limit for the number of functions" in detail
    account.create_version(first)


def test_versions_of_a_function_share_its_id(account: Account) -> None:
    first = account.create()
    second = account.create_version(first, containerImage="nvcr.io/acme/chat:2")
    assert second.function == first.function
    assert second.version != first.version
    listed = rows(account.get(f"{FUNCTIONS}/{first.function}/versions").json, "functions")
    assert [one["versionId"] for one in listed] == [first.version, second.version]


def test_version_of_an_unknown_function_is_not_found(account: Account) -> None:
    path = f"{FUNCTIONS}/{NOBODY}/versions"
    assert account.get(path).status == 404
    answer = account.call("POST", path, container())
    assert answer.status == 404
    assert "Not found in account 'nca-demo-0001'" in answer.detail


def test_llm_and_other_versions_do_not_mix(account: Account) -> None:
    plain = account.create()
    body = container(functionType="LLM", models=[{"name": "m"}])
    answer = account.call("POST", f"{FUNCTIONS}/{plain.function}/versions", body)
    assert answer.status == 400


@pytest.mark.parametrize(
    ("visibility", "count"),
    [
        ("", 1),
        ("?visibility=private", 1),
        ("?visibility=PUBLIC,Private", 1),
        ("?visibility=public", 0),
        ("?visibility=authorized,public", 0),
    ],
)
def test_listing_shows_own_versions_as_private(
    account: Account, visibility: str, count: int
) -> None:
    made = account.create()
    listed = rows(account.get(f"{FUNCTIONS}{visibility}").json, "functions")
    assert len(listed) == count
    ids = account.get(f"{FUNCTIONS}/ids{visibility}").json["functionIds"]
    assert ids == [made.function] * count


def test_listing_with_an_unknown_visibility_is_refused(account: Account) -> None:
    assert account.get(f"{FUNCTIONS}?visibility=mine").status == 400


def test_list_has_neither_instances_nor_secrets(account: Account) -> None:
    made = account.create(secrets=[{"name": "HF_TOKEN", "value": "canary"}])
    account.deploy(made, spec())
    (listed,) = rows(account.get(FUNCTIONS).json, "functions")
    assert {"activeInstances", "secrets"} & listed.keys() == set()


def test_secret_names_are_shown_only_when_asked_for_and_values_never(account: Account) -> None:
    secrets = [{"name": "B", "value": "canary-b"}, {"name": "A", "value": {"k": "canary-a"}}]
    made = account.create(secrets=secrets)
    assert "secrets" not in account.get(made.path).function
    assert account.get(f"{made.path}?includeSecrets=true").function["secrets"] == ["A", "B"]
    assert account.get(f"{made.path}?includeSecrets=maybe").status == 400
    everything = repr(account.emulator.snapshot()) + repr(account.emulator.events())
    assert "canary" not in everything


def test_version_that_is_not_there_is_not_found(account: Account) -> None:
    made = account.create()
    for function, version in ((made.function, NOBODY), (NOBODY, made.version)):
        target = Deployable(function, version)
        for path in (target.path, target.deployment):
            answer = account.get(path)
            assert answer.status == 404
            assert f"Function id '{function}', version '{version}'" in answer.detail
            assert "Not found in account 'nca-demo-0001'" in answer.detail


def test_id_that_is_no_uuid_is_a_bad_request(account: Account) -> None:
    assert account.get(f"{FUNCTIONS}/chat/versions/1").status == 400


@pytest.mark.parametrize("prefix", ["/v2/nvcf/functions", "/v2/nvcf/metadata/functions"])
def test_metadata_changes_what_is_given_and_keeps_the_rest(account: Account, prefix: str) -> None:
    made = account.create(tags=["a"], rateLimit={"rateLimit": "5-S"})
    path = f"{prefix}/{made.function}/versions/{made.version}"
    changed = account.call("PUT", path, {"tags": ["b", "c", "b"]}).function
    assert changed["tags"] == ["b", "c"]
    assert changed["rateLimit"] == {"rateLimit": "5-S"}
    changed = account.call("PUT", path, {"rateLimit": {"rateLimit": "1-M,9-H"}}).function
    assert changed["tags"] == ["b", "c"]
    assert account.get(made.path).function["rateLimit"] == {"rateLimit": "1-M,9-H"}


def test_metadata_without_anything_to_change_is_refused(account: Account) -> None:
    made = account.create()
    assert account.call("PUT", made.path, {}).status == 400
    assert account.call("PUT", made.path, {"name": "other"}).status == 400
    assert account.call("PUT", made.path, {"tags": ["a b"]}).status == 400


def test_metadata_changes_in_any_status(account: Account) -> None:
    made = account.deployed(spec())
    assert account.call("PUT", made.path, {"tags": ["a"]}).function["tags"] == ["a"]
    assert "tags" not in account.call("PUT", made.path, {"tags": []}).function
    assert account.status(made) == "ACTIVE"


def test_secrets_are_merged_by_name(account: Account) -> None:
    made = account.create(secrets=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}])
    before = stored_secrets(account, made)
    put = {"secrets": [{"name": "B", "value": "2"}, {"name": "C", "value": "2"}]}
    answer = account.call("PUT", made.secrets, put)
    assert (answer.status, answer.body) == (204, b"")
    after = stored_secrets(account, made)
    assert sorted(after) == ["A", "B", "C"]
    assert after["A"] == before["A"]
    assert after["B"] != before["B"]


def stored_secrets(account: Account, made: Deployable) -> dict[str, str]:
    versions = account.emulator.snapshot()["versions"]
    return dict(versions[made.version]["secrets"])  # type: ignore[index] # JSON


def test_first_secret_is_taken_only_while_inactive(account: Account) -> None:
    put = {"secrets": [{"name": "A", "value": "1"}]}
    made = account.deployed(spec())
    assert account.call("PUT", made.secrets, put).status == 400
    account.call("DELETE", made.deployment)
    assert account.call("PUT", made.secrets, put).status == 204
    account.deploy(made, spec())
    assert account.call("PUT", made.secrets, put).status == 204


def test_secrets_of_a_bad_shape_are_refused(account: Account) -> None:
    made = account.create()
    assert account.call("PUT", made.secrets, {"secrets": []}).status == 400
    assert account.call("PUT", made.secrets, {}).status == 400


def test_deleted_version_is_gone_with_no_content(account: Account) -> None:
    made = account.create()
    answer = account.call("DELETE", made.path)
    assert (answer.status, answer.body) == (204, b"")
    assert account.get(made.path).status == 404
    assert account.get(f"{FUNCTIONS}/{made.function}/versions").status == 404
    assert account.call("DELETE", made.path).status == 404


def test_deleting_a_deployed_version_undeploys_it_without_a_word(account: Account) -> None:
    made = account.deployed(spec(2, 2))
    assert account.call("DELETE", made.path).status == 204
    assert account.free() == 6
    account.emulator.advance(300)
    assert account.free() == 8
    assert account.kinds()[-3:] == ["undeployed", "deleted", "released"]


def test_helm_function_shows_its_chart(account: Account) -> None:
    made = account.call("POST", FUNCTIONS, chart()).function
    assert made["helmChartServiceName"] == "rerank-svc"
    assert "containerImage" not in made


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nvcf/nothing", 404),
        ("GET", "/", 404),
        ("DELETE", FUNCTIONS, 405),
        ("DELETE", f"{FUNCTIONS}/{NOBODY}", 404),
        ("PATCH", f"{FUNCTIONS}/{NOBODY}/versions/{NOBODY}", 405),
    ],
)
def test_route_that_the_service_does_not_have(
    account: Account, method: str, path: str, status: int
) -> None:
    answer = account.call(method, path)
    assert answer.status == status
    assert answer.media_type == "application/problem+json"
