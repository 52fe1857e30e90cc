"""Who may call what, and how those who may not are refused (1.2)."""

from __future__ import annotations

from typing import cast

import pytest

from tests.contract.remote import ACCOUNT, NOBODY, Json, Remote, deployment, example, h100

V = f"functions/{NOBODY}/versions/{NOBODY}"
SCOPES = {
    "list_functions": [
        ("GET", "functions"),
        ("GET", "functions/ids"),
        ("GET", f"functions/{NOBODY}/versions"),
    ],
    "list_functions_details": [("GET", V)],
    "register_function": [("POST", "functions"), ("POST", f"functions/{NOBODY}/versions")],
    "update_function": [("PUT", V), ("PUT", f"metadata/{V}")],
    "delete_function": [("DELETE", V)],
    "deploy_function": [
        ("POST", f"deployments/{V}"),
        ("GET", f"deployments/{V}"),
        ("PUT", f"deployments/{V}"),
        ("DELETE", f"deployments/{V}"),
        ("GET", f"deployments/{NOBODY}"),
        ("PATCH", f"deployments/{NOBODY}/gpu-specifications/{NOBODY}"),
    ],
    "update_secrets": [("PUT", f"secrets/{V}")],
    "list_cluster_groups": [("GET", "clusterGroups")],
}
"""The table of 1.2, by its calls."""

CALLS = [(scope, *call) for scope, calls in SCOPES.items() for call in calls]
FULL = {"key": "key", "kind": "jwt"}
KEYS = [
    FULL,
    *({"key": f"jwt-{scope}", "kind": "jwt", "scopes": [scope]} for scope in SCOPES),
    *({"key": f"nvapi-{scope}", "kind": "api-key", "scopes": [scope]} for scope in SCOPES),
    {"key": "jwt-none", "kind": "jwt", "scopes": ["invoke_function"]},
    {"key": "other", "kind": "other"},
]

pytestmark = pytest.mark.world("lab", apiKeys=KEYS)


def status(remote: Remote, token: str, method: str, path: str) -> int:
    body: object = deployment(h100()) if method in ("POST", "PUT", "PATCH") else None
    headers = {"Authorization": f"Bearer {token}"}
    return remote.call(method, f"/v2/nvcf/{path}", body, headers=headers).status


@pytest.mark.parametrize(("scope", "method", "path"), CALLS)
def test_call_needs_its_scope(remote: Remote, scope: str, method: str, path: str) -> None:
    assert status(remote, f"jwt-{scope}", method, path) not in (401, 403)
    assert status(remote, "jwt-none", method, path) == 403
    for other in SCOPES.keys() - {scope}:
        lists = {"list_functions", "list_functions_details"}
        if not {scope, other} <= lists:
            assert status(remote, f"jwt-{other}", method, path) == 403, other


@pytest.mark.parametrize(("scope", "method", "path"), CALLS)
def test_api_key_may_do_the_same_but_list_cluster_groups(
    remote: Remote, scope: str, method: str, path: str
) -> None:
    is_refused = status(remote, f"nvapi-{scope}", method, path) == 403
    assert is_refused is (scope == "list_cluster_groups")


@pytest.mark.world("lab", apiKeys=KEYS, gateway=True)
def test_front_exchanges_an_api_key_so_that_it_may_list_cluster_groups(remote: Remote) -> None:
    assert status(remote, "nvapi-list_cluster_groups", "GET", "clusterGroups") == 200


def written(case: str) -> Json:
    cases = cast("list[Json]", cast("object", example("error-bodies.json")))
    (found,) = (one for one in cases if one["case"] == case)
    return found


def test_missing_scope_is_refused_as_written(remote: Remote) -> None:
    case = written("scope missing")
    headers = {"Authorization": "Bearer jwt-none"}
    answer = remote.call("GET", "/v2/nvcf/clusterGroups", headers=headers)
    assert (answer.status, answer.json) == (case["httpStatus"], case["body"])
    assert answer.media_type == "application/problem+json"


BAD: list[dict[str, str]] = [
    {},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Basic a2V5"},
    {"Authorization": "key"},
]


@pytest.mark.parametrize("headers", BAD)
def test_service_says_nothing_to_a_bad_token(remote: Remote, headers: dict[str, str]) -> None:
    case = written("bad token at the service domain or self-hosted")
    answer = remote.call("GET", "/v2/nvcf/functions", headers=headers)
    assert (answer.status, answer.content) == (case["httpStatus"], b"")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("headers", BAD)
def test_front_refuses_a_bad_token_as_written(remote: Remote, headers: dict[str, str]) -> None:
    case = written("bad token at the NGC front")
    answer = remote.call("GET", "/v2/orgs/demo/nvcf/functions", headers=headers)
    assert (answer.status, answer.media_type) == (case["httpStatus"], "application/json")
    found = cast("Json", answer.json["requestStatus"])
    expected = cast("Json", cast("Json", case["body"])["requestStatus"])
    assert found.keys() == expected.keys()
    assert {**found, "requestId": ""} == {**expected, "requestId": ""}


def test_unsupported_kind_of_credential_is_unprocessable(remote: Remote) -> None:
    assert status(remote, "other", "GET", "functions") == 422


def test_scheme_is_read_in_any_case(remote: Remote) -> None:
    for scheme in ("bearer", "BEARER", "Bearer"):
        headers = {"Authorization": f"{scheme} key"}
        assert remote.call("GET", "/v2/nvcf/functions", headers=headers).status == 200


def test_super_admin_needs_its_own_scopes(remote: Remote) -> None:
    path = f"/v2/nvcf/accounts/{ACCOUNT}/functions"
    assert remote.get(path).status == 200
    headers = {"Authorization": "Bearer jwt-list_functions"}
    assert remote.call("GET", path, headers=headers).status == 403


def test_refusal_comes_before_the_body_is_looked_at(remote: Remote) -> None:
    for token, expected in (("wrong", 401), ("jwt-none", 403)):
        headers = {"Authorization": f"Bearer {token}"}
        answer = remote.call("POST", "/v2/nvcf/functions", headers=headers, raw=b"{")
        assert answer.status == expected


@pytest.mark.world(
    "lab",
    apiKeys=[FULL, {"key": "mine", "kind": "api-key", "functions": ["mine"]}],
)
def test_api_key_reaches_only_what_it_is_for(remote: Remote) -> None:
    mine = remote.create({"name": "mine", "inferenceUrl": "/", "containerImage": "nvcr.io/a:1"})
    theirs = remote.create()
    headers = {"Authorization": "Bearer mine"}
    assert remote.call("GET", mine.path, headers=headers).status == 200
    assert remote.call("GET", theirs.path, headers=headers).status == 403
    assert remote.call("DELETE", theirs.path, headers=headers).status == 403
    assert remote.status(theirs) == "INACTIVE"
