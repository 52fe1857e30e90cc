"""Every call in every layout of 1.1, and the error body that each layout has (4.1, 9.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

import pytest

from tests.contract.remote import (
    ACCOUNT,
    NOBODY,
    Answer,
    Json,
    Remote,
    Version,
    container,
    deployment,
    h100,
)
from tests.contract.rows import covers

SHORT = "/v2/nvcf"
ORG = "/v2/orgs/demo/nvcf"
TEAM = "/v2/orgs/demo/teams/blue/nvcf"
MIRROR = f"/v2/nvcf/accounts/{ACCOUNT}"
LAYOUTS = (SHORT, ORG, TEAM, MIRROR)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`path`: below a layout's prefix, with room for {f} {v} of an undeployed version, {F} {V} of
    a deployed one, {d} and {s} of its deployment and specification."""

    row: str
    method: str
    path: str
    body: Json | None = None
    status: int = 200
    keys: frozenset[str] = frozenset()


def call(row: str, line: str, body: Json | None = None, *, keys: str = "") -> Call:
    method, path = line.split()
    return Call(
        row=row,
        method=method,
        path=path,
        body=body,
        status=200 if keys else 204,
        keys=frozenset(keys.split()),
    )


SECRETS: Json = {"secrets": [{"name": "A", "value": "1"}]}
CALLS = (
    call("2.1#1", "GET /clusterGroups", keys="clusterGroups"),
    call("2.1#2", "GET /functions?visibility=private", keys="functions"),
    call("2.1#3", "GET /functions/ids", keys="functionIds"),
    call("2.1#4", "POST /functions", container(), keys="function"),
    call("2.1#5", "POST /functions/{f}/versions", container(), keys="function"),
    call("2.1#6", "GET /functions/{f}/versions", keys="functions"),
    call("2.1#7", "GET /functions/{f}/versions/{v}?includeSecrets=true", keys="function"),
    call("2.1#8", "DELETE /functions/{f}/versions/{v}"),
    call("2.1#9", "PUT /functions/{f}/versions/{v}", {"tags": ["a"]}, keys="function"),
    call("2.1#9", "PUT /metadata/functions/{f}/versions/{v}", {"tags": ["a"]}, keys="function"),
    call(
        "2.1#10",
        "POST /deployments/functions/{f}/versions/{v}",
        deployment(h100()),
        keys="deployment",
    ),
    call("2.1#11", "GET /deployments/functions/{F}/versions/{V}", keys="deployment"),
    call(
        "2.1#12",
        "PUT /deployments/functions/{F}/versions/{V}",
        deployment(h100(1, 3)),
        keys="deployment",
    ),
    call("2.1#13", "DELETE /deployments/functions/{F}/versions/{V}", keys="function"),
    call("2.1#13", "DELETE /deployments/functions/{F}/versions/{V}?graceful=true", keys="function"),
    call("2.1#14", "GET /deployments/{d}", keys="deployment"),
    call(
        "2.1#15",
        "PATCH /deployments/{d}/gpu-specifications/{s}",
        {"maxInstances": 3},
        keys="gpuSpecification",
    ),
    call("2.1#16", "PUT /secrets/functions/{f}/versions/{v}", SECRETS),
)


def asked(remote: Remote, one: Call, layout: str) -> Answer:
    fresh, deployed = remote.create(), remote.deployed(h100(1, 2))
    found = remote.deployment(deployed)
    (specification,) = remote.specifications(deployed)
    path = one.path.format(
        f=fresh.function,
        v=fresh.id,
        F=deployed.function,
        V=deployed.id,
        d=found["deploymentId"],
        s=specification["gpuSpecificationId"],
    )
    return remote.call(one.method, layout + path, one.body)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=f"{one.method} {one.path}", marks=covers(one.row)) for one in CALLS],
)
def test_call_is_served_in_every_layout(remote: Remote, one: Call, layout: str) -> None:
    answer = asked(remote, one, layout)
    assert answer.status == one.status, answer.content
    if one.status == 204:
        assert answer.content == b""
    else:
        assert answer.media_type == "application/json"
        assert answer.json.keys() == one.keys


def test_all_layouts_show_the_same_account(remote: Remote) -> None:
    made = remote.call("POST", f"{ORG}/functions", container()).one("function")
    version = Version(str(made["id"]), str(made["versionId"]))
    below = version.path.removeprefix(SHORT)
    answers = [remote.get(layout + below).json for layout in LAYOUTS]
    assert answers == [{"function": made}] * len(LAYOUTS)


@pytest.mark.parametrize("layout", [SHORT, MIRROR])
def test_service_refuses_with_a_problem(remote: Remote, layout: str) -> None:
    path = f"{layout}/functions/{NOBODY}/versions"
    answer = remote.get(path)
    assert (answer.status, answer.media_type) == (404, "application/problem+json")
    assert answer.json == {
        "type": "urn:nv-boot:problem-details:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": f"Function id '{NOBODY}': Not found in account '{ACCOUNT}'",
        "instance": path,
    }


def request_status(answer: Answer) -> tuple[object, object]:
    """Code and words of a refusal of the NGC front, which is nothing else."""
    assert answer.media_type == "application/json"
    assert answer.json.keys() == {"requestStatus"}
    found = cast("Json", answer.json["requestStatus"])
    assert found.keys() == {"statusCode", "statusDescription", "requestId"}
    assert UUID.fullmatch(str(found["requestId"]))
    return found["statusCode"], found["statusDescription"]


@pytest.mark.parametrize("layout", [ORG, TEAM])
def test_front_refuses_with_a_request_status(remote: Remote, layout: str) -> None:
    answer = remote.get(f"{layout}/functions/{NOBODY}/versions")
    assert answer.status == 404
    assert request_status(answer) == (
        "NOT_FOUND",
        f"Function id '{NOBODY}': Not found in account '{ACCOUNT}'",
    )
    answer = remote.call("POST", f"{layout}/functions", container(name="-"))
    assert answer.status == 400
    code, words = request_status(answer)
    assert code == "INVALID_REQUEST"
    assert str(words).startswith("Validation failed: ")


@pytest.mark.world("lab", gateway=True)
def test_front_before_the_short_layout_refuses_with_a_request_status(remote: Remote) -> None:
    answer = remote.get(f"/v2/nvcf/functions/{NOBODY}/versions")
    assert answer.status == 404
    assert request_status(answer)[0] == "NOT_FOUND"


@covers("4.3#16", "6.1#6")
@pytest.mark.world("lab", quotas=[{"gpu": "H100", "names": ["lab"], "limit": 1}])
def test_quota_is_told_by_the_front_as_written(remote: Remote) -> None:
    version = remote.create()
    path = ORG + version.deployment.removeprefix(SHORT)
    answer = remote.call("POST", path, deployment(h100(1, 2)))
    assert answer.status == 400
    assert request_status(answer) == (
        "INVALID_REQUEST",
        "Validation failed - [All allocated GPU instances in use - contact your support team]",
    )


def test_requests_have_ids_of_their_own(remote: Remote) -> None:
    answers = [
        remote.get(f"{ORG}/functions/{NOBODY}/versions/{id_}")
        for id_ in (NOBODY, NOBODY.replace("dead", "beef"))
    ]
    ids = [cast("Json", one.json["requestStatus"])["requestId"] for one in answers]
    assert len(set(map(str, ids))) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/v2/orgs/other/nvcf/functions",
        "/v2/orgs/other/teams/blue/nvcf/functions",
        "/v2/nvcf/accounts/nca-other/functions",
    ],
)
def test_org_or_account_of_others_is_not_shown(remote: Remote, path: str) -> None:
    remote.create()
    answer = remote.get(path)
    assert answer.status in (403, 404)
    assert b"chat" not in answer.content


@pytest.mark.parametrize("path", ["/health", "/v2/nvcf/functions"])
def test_method_that_is_not_served_is_refused(remote: Remote, path: str) -> None:
    for method in ("PATCH", "OPTIONS", "TRACE"):
        assert 400 <= remote.call(method, path).status < 500


@pytest.mark.parametrize(
    "path",
    ["/v2/nvcf/functions/", "/v2//nvcf/functions", "//v2/nvcf/functions", "/V2/NVCF/functions"],
)
def test_path_that_is_nearly_right_is_not_found(remote: Remote, path: str) -> None:
    assert remote.get(path).status == 404
