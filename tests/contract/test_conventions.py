"""What holds for all JSON (1.3) and for all error bodies of the service (4.1)."""

from __future__ import annotations

import json
import re

import pytest

from tests.contract.remote import FUNCTIONS, NOBODY, Json, Remote, Version, container, h100

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_unknown_fields_are_ignored(remote: Remote) -> None:
    answer = remote.call("POST", FUNCTIONS, container(colour="blue"))
    assert answer.status == 200
    assert "colour" not in answer.one("function")
    version = Version(str(answer.one("function")["id"]), str(answer.one("function")["versionId"]))
    assert remote.post(version, h100(colour="blue")).status == 200


def test_key_given_twice_is_refused(remote: Remote) -> None:
    raw = json.dumps(container())[:-1].encode() + b', "name": "other"}'
    answer = remote.call("POST", FUNCTIONS, raw=raw)
    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    assert remote.get(FUNCTIONS).rows("functions") == []


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"text"', b"7", b"\xff\xfe", b'{"name": NaN}'])
def test_body_that_is_no_json_object_is_refused(remote: Remote, raw: bytes) -> None:
    answer = remote.call("POST", FUNCTIONS, raw=raw)
    assert (answer.status, answer.media_type) == (400, "application/problem+json")


def test_words_are_read_in_any_case_and_written_in_theirs(remote: Remote) -> None:
    health = {
        "protocol": "http",
        "uri": "/up",
        "port": 8000,
        "timeout": "PT1S",
        "expectedStatusCode": 200,
    }
    body = container(apiBodyFormat="predict_v2", functionType="streaming", health=health)
    function = remote.call("POST", FUNCTIONS, body).one("function")
    assert (function["apiBodyFormat"], function["functionType"]) == ("PREDICT_V2", "STREAMING")
    assert function["health"] == {**health, "protocol": "HTTP"}


def test_numbers_may_be_sent_as_text(remote: Remote) -> None:
    version = remote.create(container(inferencePort="9000"))
    assert remote.get(version.path).one("function")["inferencePort"] == 9000
    remote.deploy(version, h100("1", "2", maxRequestConcurrency="8"))
    (found,) = remote.specifications(version)
    counts = [found[one] for one in ("minInstances", "maxInstances", "maxRequestConcurrency")]
    assert counts == [1, 2, 8]


def test_nulls_are_as_absent(remote: Remote) -> None:
    nulls = dict.fromkeys(
        [
            "containerArgs",
            "containerEnvironment",
            "models",
            "tags",
            "secrets",
            "health",
            "helmChart",
        ]
    )
    version = remote.create(container(**nulls))
    function = remote.get(version.path).one("function")
    assert not {"containerArgs", "containerEnvironment", "models", "tags", "helmChart"} & set(
        function
    )
    assert None not in function.values()


def test_instants_and_ids_have_their_form(remote: Remote) -> None:
    version = remote.deployed(h100())
    function = remote.get(version.path).one("function")
    found = remote.deployment(version)
    (instance,) = remote.instances(version)
    instants = [function["createdAt"], found["createdAt"], found["lastUpdatedAt"]]
    instants += [instance["instanceCreatedAt"], instance["instanceUpdatedAt"]]
    assert [one for one in instants if not INSTANT.fullmatch(str(one))] == []
    ids = [function["id"], function["versionId"], found["deploymentId"]]
    ids += [one["gpuSpecificationId"] for one in remote.specifications(version)]
    assert [one for one in ids if not UUID.fullmatch(str(one))] == []


def test_ids_are_found_in_any_case(remote: Remote) -> None:
    version = remote.create()
    shouted = Version(version.function.upper(), version.id.upper())
    assert remote.get(shouted.path).json == remote.get(version.path).json


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nvcf/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/v2/nvcf", 404),
        ("GET", f"{FUNCTIONS}/first/versions", 400),
        ("GET", f"{FUNCTIONS}/{NOBODY}/versions/first", 400),
        ("DELETE", FUNCTIONS, 405),
        ("PUT", FUNCTIONS, 405),
        ("POST", f"{FUNCTIONS}/{NOBODY}/versions/{NOBODY}", 405),
        ("POST", f"/v2/nvcf/deployments/{NOBODY}", 405),
        ("GET", f"/v2/nvcf/deployments/{NOBODY}/gpu-specifications/{NOBODY}", 405),
    ],
)
def test_refusal_says_what_it_is(remote: Remote, method: str, path: str, status: int) -> None:
    answer = remote.call(method, path)
    assert (answer.status, answer.media_type) == (status, "application/problem+json")
    assert answer.json.keys() == {"type", "title", "status", "detail", "instance"}
    assert answer.json["status"] == status
    assert answer.json["instance"] == path
    assert str(answer.json["type"]).startswith("urn:nv-boot:problem-details:")


def test_there_is_no_page_and_no_limit(remote: Remote) -> None:
    for _ in range(20):
        remote.create()
    for query in ("", "?limit=5", "?page=2&pageSize=5", "?cursor=x"):
        answer = remote.get(f"{FUNCTIONS}{query}")
        assert len(answer.rows("functions")) == 20
        assert answer.json.keys() == {"functions"}


def test_refusal_of_validation_never_repeats_a_secret(remote: Remote) -> None:
    secrets: list[Json] = [{"name": "A", "value": "canary" * 6000}]
    answer = remote.call("POST", FUNCTIONS, container(name="-", secrets=secrets))
    assert answer.status == 400
    assert b"canary" not in answer.content
