"""Who may do what: scopes, kinds of credentials, keys for some functions, and how it is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.catalogue import ROUTES, scopes
from nvcfplan.emulator.keys import KeyKind, KeyRule
from nvcfplan.emulator.layouts import UUIDS, Layout, Route, templates
from nvcfplan.emulator.worldfile import digest_of
from tests.emulator.account import NOBODY, Account, rows, spec, world

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import WorldFile

DENIED = {
    "type": "urn:nv-boot:problem-details:forbidden",
    "title": "Forbidden",
    "status": 403,
    "detail": "Access Denied",
}


def key(
    token: str,
    *scopes: str,
    kind: KeyKind = KeyKind.JWT,
    functions: tuple[str, ...] = ("*",),
) -> KeyRule:
    return KeyRule(digest=digest_of(token), kind=kind, scopes=scopes or None, functions=functions)


def keyed(*keys: KeyRule, **knobs: object) -> WorldFile:
    return world(api_keys=(KeyRule(digest=digest_of("all")), *keys), **knobs)


def place(template: str) -> str:
    named = dict.fromkeys(re.findall(r"\{(.*?)\}", template), NOBODY)
    known = {"account": "nca-demo-0001", "org": "demo", "team": "blue", "job": "j"}
    assert set(named) <= UUIDS | set(known)
    return template.format(**named | known)


PLACES = [(route, place(one)) for route in ROUTES if not route.is_open for one in templates(route)]


@pytest.mark.parametrize(("route", "path"), PLACES, ids=lambda one: getattr(one, "method", one))
def test_each_route_is_open_to_its_scope_and_to_no_other(route: Route, path: str) -> None:
    is_mirror = route.layout is Layout.SERVICE and "/accounts/" in path
    needed = tuple(f"admin:{one}" if is_mirror else one for one in route.scopes)
    others = tuple(set(scopes()).difference(needed))
    account = Account.of(keyed(key("one", *needed[:1]), key("others", *others)))
    body: object = {} if route.request else None
    assert account.by("one").call(route.method, path, body).status not in (401, 403)
    status = account.by("others").call(route.method, path, body).status
    assert (status == 403) is bool(route.scopes)


def test_refusal_for_want_of_a_scope_is_a_problem() -> None:
    account = Account.of(keyed(key("deployer", "deploy_function"))).by("deployer")
    answer = account.get("/v2/nvcf/clusterGroups")
    assert answer.json == DENIED | {"instance": "/v2/nvcf/clusterGroups"}


def test_api_key_may_not_list_cluster_groups_but_through_the_gateway() -> None:
    service = Account.of(keyed(key("nvapi", kind=KeyKind.API_KEY))).by("nvapi")
    assert service.get("/v2/nvcf/clusterGroups").status == 403
    assert service.get("/v2/orgs/demo/nvcf/clusterGroups").status == 200
    assert service.get("/v2/nvcf/functions").status == 200
    gateway = Account.of(keyed(key("nvapi", kind=KeyKind.API_KEY), gateway=True)).by("nvapi")
    assert gateway.get("/v2/nvcf/clusterGroups").status == 200


def test_api_key_is_never_the_super_admins() -> None:
    admin = key("nvapi", "admin:list_functions", kind=KeyKind.API_KEY)
    account = Account.of(keyed(admin, key("jwt", "admin:list_functions"), gateway=True))
    path = "/v2/nvcf/accounts/nca-demo-0001/functions"
    assert account.by("nvapi").get(path).status == 403
    assert account.by("jwt").get(path).status == 200


def test_credential_of_another_kind_is_unprocessable() -> None:
    answer = Account.of(keyed(key("x", kind=KeyKind.OTHER))).by("x").get("/v2/nvcf/functions")
    assert (answer.status, answer.json["type"]) == (
        422,
        "urn:nv-boot:problem-details:unprocessable-entity",
    )


@pytest.mark.parametrize("named", ["name", "function", "version"])
def test_key_for_a_function_reaches_that_one_alone(named: str) -> None:
    ours = Account.of(world()).create("mine")
    words = {"name": "mine", "function": ours.function, "version": ours.version}
    some = key("some", kind=KeyKind.API_KEY, functions=(words[named],))
    account = Account.of(keyed(some)).by("all")
    target, other = account.create("mine"), account.create("other")
    assert target == ours, "ids follow from the seed"
    by_key = account.by("some")
    assert by_key.get(target.path).status == 200
    assert by_key.get(other.path).status == 403
    assert by_key.post(target, spec()).status == 200
    assert by_key.post(other, spec()).status == 403
    deployment = account.get(target.deployment).deployment["deploymentId"]
    assert by_key.get(f"/v2/nvcf/deployments/{deployment}").status == 200
    assert by_key.get(f"/v2/nvcf/deployments/{NOBODY}").status == 403
    listed = rows(by_key.get("/v2/nvcf/functions").json, "functions")
    assert [one["versionId"] for one in listed] == [target.version]
    ids = by_key.get("/v2/nvcf/functions/ids").json
    assert ids == {"functionIds": [target.function]}


def test_key_for_a_function_creates_none() -> None:
    some = key("some", kind=KeyKind.API_KEY, functions=("mine",))
    account = Account.of(keyed(some)).by("some")
    assert account.call("POST", "/v2/nvcf/functions", {"name": "mine"}).status == 403


@pytest.mark.parametrize(
    ("path", "body", "media_type"),
    [
        ("/v2/nvcf/functions", None, ""),
        ("/v2/nvcf/nothing", None, ""),
        ("/v2/orgs/demo/nvcf/functions", "requestStatus", "application/json"),
        ("/v1/si/accounts/nca-demo-0001/clusters", "error", "application/json"),
    ],
)
def test_unknown_token_is_refused_in_the_style_of_the_path(
    path: str, body: str | None, media_type: str
) -> None:
    for token in ("bad", ""):
        answer = Account.of(keyed()).by(token).get(path)
        assert answer.status == 401
        assert answer.headers == (("WWW-Authenticate", "Bearer"),)
        if body is None:
            assert answer.body == b""
        else:
            assert (set(answer.json), answer.media_type) == ({body}, media_type)


def test_gateway_answers_401_with_a_body_in_the_short_layout_too() -> None:
    answer = Account.of(keyed(gateway=True)).by("bad").get("/v2/nvcf/functions")
    status = answer.json["requestStatus"]
    assert isinstance(status, dict)
    assert (status["statusCode"], status["statusDescription"]) == (
        "UNAUTHORIZED",
        "Invalid credentials",
    )


def test_only_a_key_without_limits_moves_the_emulator_itself() -> None:
    limited = (key("jwt", "deploy_function"), key("nvapi", kind=KeyKind.API_KEY))
    account = Account.of(keyed(*limited))
    for token, status in (("all", 200), ("jwt", 403), ("nvapi", 403), ("bad", 401)):
        assert account.by(token).call("POST", "/emulator/advance", {"seconds": 1}).status == status
        assert account.by(token).get("/emulator/snapshot").status == status


def test_keys_are_kept_as_digests_alone() -> None:
    account = Account.of(keyed(key("canary-token", kind=KeyKind.API_KEY)))
    shown = json.dumps(account.emulator.snapshot()) + repr(account.emulator.worldfile)
    assert "canary-token" not in shown
    assert digest_of("canary-token") in shown


def test_instances_and_secrets_are_shown_to_those_who_may_see_details() -> None:
    keys = (key("lister", "list_functions"), key("reader", "list_functions_details"))
    account = Account.of(keyed(*keys)).by("all")
    target = account.create(secrets=[{"name": "A", "value": "1"}])
    account.deploy(target, spec())
    account.emulator.advance(600)
    shown = {
        name: {"activeInstances", "secrets"}
        & account.by(name).get(f"{target.path}?includeSecrets=true").function.keys()
        for name in ("lister", "reader", "all")
    }
    details = {"activeInstances", "secrets"}
    assert shown == {"lister": set(), "reader": details, "all": details}
