"""Which route a request is: layouts, aliases, ids, and paths and methods that nobody serves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.catalogue import ROUTES, words
from nvcfplan.emulator.faults import ROUTES as WORDS_OF_FAULTS
from nvcfplan.emulator.layouts import PREFIXES, UUIDS, templates
from nvcfplan.emulator.refusals import Refusal
from nvcfplan.emulator.routes import HANDLERS
from nvcfplan.emulator.serving import Emulator
from nvcfplan.emulator.targets import resolve
from tests.emulator.account import NOBODY, Account, container, rows, spec, world

if TYPE_CHECKING:
    from pathlib import Path

LAYOUTS = (
    "/v2/nvcf",
    "/v2/orgs/demo/nvcf",
    "/v2/orgs/demo/teams/blue/nvcf",
    "/v2/nvcf/accounts/nca-demo-0001",
)
ID = "0a1b2c3d-0000-4000-8000-00000000000f"


def test_every_route_has_a_handler_and_every_handler_a_route() -> None:
    assert set(HANDLERS) == {route.name for route in ROUTES}
    assert ("any", *words()) == WORDS_OF_FAULTS


def test_no_two_routes_stand_at_one_place() -> None:
    places = [
        (route.method, re.sub(r"\{.*?\}", "{}", template))
        for route in ROUTES
        for template in templates(route)
    ]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("route", ROUTES, ids=lambda one: f"{one.method} {one.path}")
def test_route_is_found_at_each_of_its_places(route: object) -> None:
    (meant,) = (one for one in ROUTES if one is route)
    for template in templates(meant):
        named = {name: ID if name in UUIDS else f"a-{name}" for name in _parameters(template)}
        target = resolve(meant.method, template.format(**named))
        assert (target.route, target.named) == (meant, named)


def _parameters(template: str) -> list[str]:
    return re.findall(r"\{(.*?)\}", template)


def test_layouts_of_the_table_are_the_contracts() -> None:
    filled = [one.format(org="demo", team="blue", account="nca-demo-0001") for one in PREFIXES]
    assert tuple(filled) == LAYOUTS


@pytest.mark.parametrize("prefix", LAYOUTS)
def test_one_account_is_reached_by_every_layout(prefix: str) -> None:
    account = Account.of(world())
    made = account.call("POST", f"{prefix}/functions", container()).function
    version = f"functions/{made['id']}/versions/{made['versionId']}"
    body = {"deploymentSpecifications": [spec()]}
    assert account.call("POST", f"{prefix}/deployments/{version}", body).status == 200
    assert account.call("PUT", f"{prefix}/{version}", {"tags": ["a"]}).function["tags"] == ["a"]
    alias = account.call("PUT", f"{prefix}/metadata/{version}", {"tags": ["b"]})
    assert alias.function["tags"] == ["b"]
    (shown,) = rows(account.get("/v2/nvcf/functions").json, "functions")
    assert (shown["versionId"], shown["status"]) == (made["versionId"], "DEPLOYING")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/orgs/other/nvcf/functions",
        "/v2/orgs/other/teams/blue/nvcf/functions",
        "/v2/nvcf/accounts/nca-other/functions",
        "/v2/orgs/DEMO/nvcf/functions",
    ],
)
def test_another_org_or_account_is_not_found(path: str) -> None:
    assert Account.of(world()).get(path).status == 404


def test_ids_are_read_in_either_case() -> None:
    account = Account.of(world())
    target = account.create()
    shown = account.get(target.path.upper().replace("/V2/NVCF/FUNCTIONS", "/v2/nvcf/functions"))
    assert shown.status == 404
    path = f"/v2/nvcf/functions/{target.function.upper()}/versions/{target.version.upper()}"
    assert account.get(path).function["versionId"] == target.version


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v2",
        "/v2/nvcf",
        "/v2/nvcf/",
        "/v2/nvcf/functions/",
        "/v2/nvcf//functions",
        "//v2/nvcf/functions",
        "/v2/NVCF/functions",
        "/v2/nvcf/Functions",
        "/v2/nvcf/functions/../functions",
        "/v2/nvcf/accounts//functions",
        "/v2/orgs//nvcf/functions",
        "/v2/orgs/demo/teams//nvcf/functions",
        "/v2/nvcf/functions\x00",
        "/v2/nvcf/functions\ud800",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_path_that_nobody_serves_is_not_found(method: str, path: str) -> None:
    assert Account.of(world()).call(method, path).status == 404


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "OPTIONS", "TRACE", "get", "\u00e9"])
def test_method_that_is_not_served_is_told_those_that_are(method: str) -> None:
    assert Account.of(world()).call(method, "/v2/nvcf/functions").status == 405
    with pytest.raises(Refusal) as caught:
        resolve(method, "/v2/nvcf/functions")
    assert caught.value.headers == (("Allow", "GET, POST"),)


@pytest.mark.parametrize(
    "id_", ["x", "1-1-1-1-1", f"{{{NOBODY}}}", NOBODY.replace("-", ""), f" {NOBODY}", "\u0660" * 36]
)
def test_id_that_is_no_uuid_is_refused(id_: str) -> None:
    account = Account.of(world())
    for path in (
        f"/v2/nvcf/functions/{id_}/versions",
        f"/v2/nvcf/functions/{NOBODY}/versions/{id_}",
        f"/v2/nvcf/deployments/{id_}",
    ):
        answer = account.get(path)
        assert (answer.status, "to a UUID" in answer.detail) == (400, True)


def test_body_of_another_media_type_is_refused() -> None:
    from nvcfplan.emulator.messages import Incoming

    emulator = Account.of(world()).emulator
    for media_type, status in (
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json", 200),
        ("application/merge-patch+json", 200),
        (None, 200),
    ):
        asked = Incoming(
            method="POST",
            path="/v2/nvcf/functions",
            authorization="Bearer any",
            media_type=media_type,
            body=b'{"name":"chat","inferenceUrl":"/x","containerImage":"nvcr.io/a/b:1"}',
        )
        assert emulator.exchange(asked).reply.status == status


def test_value_given_twice_counts_as_a_list() -> None:
    from nvcfplan.emulator.messages import incoming

    asked = incoming(
        "GET",
        "/v2/nvcf/functions",
        query=[("visibility", "public"), ("a", ""), ("visibility", "private")],
        headers={"content-type": "Application/JSON; charset=utf-8", "accept": "*/*"},
        body=b"",
    )
    assert asked.query == {"visibility": "public,private", "a": ""}
    assert (asked.media_type, asked.accept) == ("application/json", "*/*")


def test_half_a_surrogate_pair_does_no_harm(tmp_path: Path) -> None:
    account = Account(Emulator.open(tmp_path / "world.db", world()))
    raw = rb'{"name":"chat","inferenceUrl":"/x","containerImage":"a/b:1","description":"\ud800"}'
    made = account.call("POST", "/v2/nvcf/functions", raw=raw)
    assert (made.status, made.function["description"]) == (200, "?")
    assert account.call("POST", "/v2/nvcf/functions", raw=rb'{"name":"\udfff"}').status == 400


def test_answers_are_what_the_table_says_they_are() -> None:
    """Of everything that can be read on an account where something runs."""
    account = Account.of(world())
    target = account.deployed(spec(2, 2))
    deployment = str(account.get(target.deployment).deployment["deploymentId"])
    named = {
        "function": target.function,
        "version": target.version,
        "deployment": deployment,
        "account": "nca-demo-0001",
        "org": "demo",
        "team": "blue",
        "job": "j",
    }
    read: set[str] = set()
    for route in ROUTES:
        for template in templates(route):
            if route.method != "GET" or not named.keys() >= set(_parameters(template)):
                continue
            answer = account.get(template.format(**named))
            assert answer.status == 200, template
            assert route.answer is not None
            route.answer.model_validate_json(answer.body)
            read.add(route.name)
    assert len(read) >= 30
