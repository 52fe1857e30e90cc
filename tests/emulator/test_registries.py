"""Registry credentials and recognized registries: what is taken, listed, changed, kept."""

from __future__ import annotations

import base64

import pytest

from nvcfplan.emulator.rules import RegistryRule
from tests.emulator.account import NOBODY, Account, Answer, Json, rows, world

CREDENTIALS = "/v2/nvcf/registry-credentials"


@pytest.fixture
def account() -> Account:
    return Account.of(world())


def secret(text: str = "$oauthtoken:nvapi-canary", name: str = "ngc") -> Json:
    return {"name": name, "value": base64.b64encode(text.encode()).decode()}


def body(hostname: str = "nvcr.io", **fields: object) -> Json:
    return {
        "registryHostname": hostname,
        "secret": secret() if hostname == "nvcr.io" else secret("user:canary"),
        "artifactTypes": ["CONTAINER"],
        **fields,
    }


def one(answer: Answer) -> Json:
    assert answer.status == 200, answer.body
    found = answer.json["registryCredential"]
    assert isinstance(found, dict)
    return found


def added(account: Account, hostname: str = "nvcr.io", **fields: object) -> str:
    answer = account.call("POST", CREDENTIALS, body(hostname, **fields))
    return str(one(answer)["registryCredentialId"])


def test_added_credential_is_shown_without_its_secret(account: Account) -> None:
    fields: Json = {"tags": ["team:ml"], "description": "images"}
    answer = account.call("POST", CREDENTIALS, {**body(), **fields})
    made = one(answer)
    assert made == {
        "registryCredentialId": made["registryCredentialId"],
        "ncaId": "nca-demo-0001",
        "registryCredentialName": "ngc",
        "registryName": "NGC Private Registry",
        "registryHostname": "nvcr.io",
        "artifactTypes": ["CONTAINER"],
        "provisionedBy": "USER",
        "createdAt": "2026-01-01T00:00:00.000000Z",
        "lastUpdatedAt": "2026-01-01T00:00:00.000000Z",
        **fields,
    }
    assert one(account.get(f"{CREDENTIALS}/{made['registryCredentialId']}")) == made
    assert "canary" not in str(account.emulator.snapshot())


def test_what_was_not_sent_is_not_shown(account: Account) -> None:
    made = one(account.call("POST", CREDENTIALS, body(tags=[], description=None)))
    assert {"tags", "description", "keyType"} & made.keys() == set()


def test_old_keys_of_ngc_are_marked(account: Account) -> None:
    old = one(account.call("POST", CREDENTIALS, body(secret=secret("$oauthtoken:abc"))))
    assert old["keyType"] == "LEGACY"
    other = one(account.call("POST", CREDENTIALS, body("docker.io")))
    assert "keyType" not in other


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"registryHostname": "nvcr"}, "field=registryHostname"),
        ({"registryHostname": "https://nvcr.io"}, "field=registryHostname"),
        ({"registryHostname": None}, "field=registryHostname"),
        ({"artifactTypes": []}, "field=artifactTypes"),
        ({"artifactTypes": ["IMAGE"]}, "field=artifactTypes"),
        ({"secret": None}, "field=secret"),
        ({"secret": secret(name="-")}, "field=secret.name"),
        ({"tags": ["a b"]}, "field=tags"),
        ({"description": "d" * 257}, "field=description"),
        ({"secret": {"name": "a", "value": "canary"}}, "base64 encoded username:password"),
        ({"secret": {"name": "a", "value": {"k": "canary"}}}, "base64 encoded username:password"),
        ({"secret": secret("canary")}, "base64 encoded username:password"),
        ({"secret": secret("a:b:canary")}, "base64 encoded username:password"),
        ({"secret": secret(" :canary")}, "base64 encoded username:password"),
        ({"secret": secret("me:canary")}, "Missing $oauthtoken username"),
        ({"artifactTypes": ["HELM"]}, "HELM registry with hostname nvcr.io is not yet recognized"),
        ({"registryHostname": "harbor.example.com"}, "is not yet recognized"),
    ],
)
def test_credential_that_cannot_be_used_is_refused(
    account: Account, fields: Json, message: str
) -> None:
    answer = account.call("POST", CREDENTIALS, {**body(), **fields})
    assert answer.status == 400
    assert message in answer.detail
    assert b"canary" not in answer.body
    assert account.get(CREDENTIALS).json == {"registryCredentials": []}


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("1234.dkr.ecr.us-east-1.amazonaws.com", "AWS ECR Private Registry"),
        ("team.azurecr.io", "Azure Container Registry"),
        ("team.cr.volces.com", "Volcano Engine Registry"),
        ("docker.io", "Docker Hub Registry"),
    ],
)
def test_hosts_are_recognized_whatever_account_is_in_their_name(
    account: Account, hostname: str, name: str
) -> None:
    made = one(account.call("POST", CREDENTIALS, body(hostname, artifactTypes=["helm"])))
    shown = (made["registryName"], made["registryHostname"], made["artifactTypes"])
    assert shown == (name, hostname, ["HELM"])


def test_host_and_name_together_are_taken_once(account: Account) -> None:
    added(account)
    answer = account.call("POST", CREDENTIALS, body())
    assert answer.status == 409
    assert "unique hostname and credential name" in answer.detail
    added(account, secret=secret(name="other"))


def test_account_has_no_more_than_its_limit() -> None:
    account = Account.of(world(credential_limit=1))
    added(account)
    answer = account.call("POST", CREDENTIALS, body("docker.io"))
    assert answer.status == 400
    assert "maximum allowed registry credentials (1) exceeded" in answer.detail


def test_list_is_filtered_by_type_and_by_who_set_it_up() -> None:
    rule = RegistryRule(
        hostname="helm.example.com", name="Ours", types=("HELM", "MODEL"), has_credential=True
    )
    account = Account.of(world(registries=(rule,)))
    added(account)

    def listed(query: str) -> list[object]:
        found = rows(account.get(f"{CREDENTIALS}{query}").json, "registryCredentials")
        return [one["registryHostname"] for one in found]

    assert listed("") == ["helm.example.com", "nvcr.io"]
    assert listed("?artifactType=CONTAINER,MODEL") == ["helm.example.com", "nvcr.io"]
    assert listed("?artifactType=HELM") == ["helm.example.com"]
    assert listed("?artifactType=RESOURCE") == []
    assert listed("?provisionedBy=user") == ["nvcr.io"]
    assert listed("?provisionedBy=SYSTEM&artifactType=CONTAINER") == []
    assert account.get(f"{CREDENTIALS}?artifactType=IMAGE").status == 400
    assert account.get(f"{CREDENTIALS}?provisionedBy=me").status == 400


def test_secret_and_types_are_changed(account: Account) -> None:
    id_ = added(account, "docker.io")
    account.emulator.advance(60)
    path = f"{CREDENTIALS}/{id_}"
    sent: Json = {"secret": secret("user:canary-2", "new"), "artifactTypeEnums": ["helm"]}
    changed = one(account.call("PATCH", path, sent))
    assert changed["registryCredentialName"] == "new"
    assert changed["artifactTypes"] == ["CONTAINER", "HELM"]
    assert changed["lastUpdatedAt"] == "2026-01-01T00:01:00.000000Z"
    again = one(account.call("PATCH", path, {"artifactTypes": ["HELM"]}))
    assert again["artifactTypes"] == ["CONTAINER", "HELM"]


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({}, 400, "Either secret or artifact types must be specified"),
        ({"artifactTypeEnums": []}, 400, "Either secret or artifact types must be specified"),
        ({"artifactTypeEnums": ["MODEL"]}, 400, "not recognized for artifact type 'MODEL'"),
        ({"artifactTypeEnums": ["X"]}, 400, "field=artifactTypes"),
        ({"secret": {"name": "a", "value": "canary"}}, 400, "base64 encoded username:password"),
        ({"secret": secret("u:canary", "taken")}, 409, "already exists in the account"),
    ],
)
def test_change_that_cannot_be_is_refused(
    account: Account, sent: Json, status: int, message: str
) -> None:
    id_ = added(account, "docker.io")
    added(account, "docker.io", secret=secret("u:p", "taken"))
    before = account.get(f"{CREDENTIALS}/{id_}").json
    answer = account.call("PATCH", f"{CREDENTIALS}/{id_}", sent)
    assert (answer.status, message in answer.detail) == (status, True)
    assert account.get(f"{CREDENTIALS}/{id_}").json == before


def test_credential_is_deleted_only_after_the_functions_that_need_it(account: Account) -> None:
    id_ = added(account)
    made = account.create(containerImage="nvcr.io/acme/chat:1")
    answer = account.call("DELETE", f"{CREDENTIALS}/{id_}")
    assert answer.status == 400
    assert f"in use by Function id '{made.function}', version '{made.version}'" in answer.detail
    account.call("DELETE", made.path)
    assert account.call("DELETE", f"{CREDENTIALS}/{id_}").status == 204
    assert account.get(f"{CREDENTIALS}/{id_}").status == 404


def test_credential_for_other_artifacts_of_the_host_is_not_needed(account: Account) -> None:
    id_ = added(account, "docker.io", artifactTypes=["HELM"])
    account.create(containerImage="docker.io/acme/chat:1")
    assert account.call("DELETE", f"{CREDENTIALS}/{id_}").status == 204


def test_credential_that_the_system_set_up_stays() -> None:
    rule = RegistryRule(hostname="nvcr.io", name="NGC", types=("CONTAINER",), has_credential=True)
    account = Account.of(world(registries=(rule,)))
    (shown,) = rows(account.get(CREDENTIALS).json, "registryCredentials")
    assert shown["provisionedBy"] == "SYSTEM"
    answer = account.call("DELETE", f"{CREDENTIALS}/{shown['registryCredentialId']}")
    assert answer.status == 400
    assert "Cannot delete system provisioned" in answer.detail


@pytest.mark.parametrize(
    ("method", "sent"), [("GET", None), ("DELETE", None), ("PATCH", {"artifactTypes": ["HELM"]})]
)
def test_credential_that_is_not_there_is_not_found(
    account: Account, method: str, sent: Json | None
) -> None:
    answer = account.call(method, f"{CREDENTIALS}/{NOBODY}", sent)
    assert answer.status == 404
    assert "Not found in account 'nca-demo-0001'" in answer.detail


def test_recognized_registries_stand_by_artifact_type() -> None:
    rule = RegistryRule(hostname="harbor.example.com", name="Harbor", types=("HELM",))
    account = Account.of(world(registries=(rule,)))
    found = account.get("/v2/nvcf/recognized-registries").json["recognizedRegistries"]
    assert isinstance(found, dict)
    assert sorted(found) == ["CONTAINER", "HELM", "MODEL", "RESOURCE"]
    assert {"name": "NGC Private Registry", "hostname": "nvcr.io"} in found["CONTAINER"]
    assert {"name": "Harbor", "hostname": "harbor.example.com"} in found["HELM"]
    assert found["MODEL"] == [{"name": "NGC Private Registry", "hostname": "api.ngc.nvidia.com"}]
    assert added(account, "harbor.example.com", artifactTypes=["HELM"])
