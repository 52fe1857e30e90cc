"""Telemetries of an account: their bodies, limits, secrets, and the functions that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.rules import RegistryRule
from nvcfplan.emulator.serving import Emulator
from tests.emulator.account import NOBODY, Account, Answer, Json, container, rows, spec, world

if TYPE_CHECKING:
    from pathlib import Path

TELEMETRIES = "/v2/nvcf/telemetries"
FUNCTIONS = "/v2/nvcf/functions"


@pytest.fixture
def account() -> Account:
    return Account.of(world())


def body(name: str = "grafana", **fields: object) -> Json:
    return {
        "endpoint": "https://otlp.example.com",
        "protocol": "HTTP",
        "provider": "GRAFANA_CLOUD",
        "types": ["LOGS", "METRICS"],
        "secret": {"name": name, "value": {"instanceId": "1", "apiKey": "canary-key"}},
        **fields,
    }


def one(answer: Answer) -> Json:
    assert answer.status == 200, answer.body
    found = answer.json["telemetry"]
    assert isinstance(found, dict)
    return found


def created(account: Account, **fields: object) -> str:
    return str(one(account.call("POST", TELEMETRIES, body(**fields)))["telemetryId"])  # type: ignore[arg-type] # a name


def test_created_telemetry_is_shown_without_its_secret(account: Account) -> None:
    answer = account.call("POST", TELEMETRIES, body())
    made = one(answer)
    assert b"canary" not in answer.body
    assert made == {
        "telemetryId": made["telemetryId"],
        "name": "grafana",
        "endpoint": "https://otlp.example.com",
        "protocol": "HTTP",
        "provider": "GRAFANA_CLOUD",
        "types": ["LOGS", "METRICS"],
        "createdAt": "2026-01-01T00:00:00.000000Z",
    }
    path = f"{TELEMETRIES}/{made['telemetryId']}"
    assert one(account.get(path)) == made
    assert rows(account.get(TELEMETRIES).json, "telemetries") == [made]
    assert "canary" not in str(account.emulator.snapshot())


def test_enums_are_read_in_any_case(account: Account) -> None:
    fields: Json = {"protocol": "grpc", "provider": "otel_collector", "types": ["traces", "TRACES"]}
    made = one(account.call("POST", TELEMETRIES, body(**fields)))  # type: ignore[arg-type] # fields
    shown = (made["protocol"], made["provider"], made["types"])
    assert shown == ("GRPC", "OTEL_COLLECTOR", ["TRACES"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"endpoint": " "}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"protocol": "TCP"}, "protocol"),
        ({"provider": "NAGIOS"}, "provider"),
        ({"types": []}, "types"),
        ({"types": ["EVENTS"]}, "types"),
        ({"types": None}, "types"),
        ({"secret": None}, "secret"),
        ({"secret": {"name": "-x", "value": "v"}}, "secret.name"),
        ({"secret": {"name": "x", "value": " "}}, "secret.value"),
        ({"secret": {"name": "x"}}, "secret.value"),
    ],
)
def test_telemetry_out_of_bounds_is_refused(account: Account, fields: Json, field: str) -> None:
    answer = account.call("POST", TELEMETRIES, {**body(), **fields})
    assert answer.status == 400
    assert answer.detail.startswith("Validation failed: ")
    assert f"field={field}, rejected=[" in answer.detail


def test_name_is_taken_once(account: Account) -> None:
    created(account)
    answer = account.call("POST", TELEMETRIES, body())
    assert answer.status == 400
    assert "already exists in the account" in answer.detail


def test_account_has_no_more_than_its_limit() -> None:
    account = Account.of(world(telemetry_limit=2))
    created(account)
    first = created(account, name="second")
    answer = account.call("POST", TELEMETRIES, body("third"))
    assert answer.status == 400
    assert "maximum allowed telemetries (2) exceeded. Current count: 2" in answer.detail
    assert account.call("DELETE", f"{TELEMETRIES}/{first}").status == 204
    created(account, name="third")


def test_telemetries_and_credentials_are_there_after_a_restart(tmp_path: Path) -> None:
    rules = world(
        registries=(RegistryRule(hostname="a.io", name="A", types=(), has_credential=True),)
    )
    path = tmp_path / "world.db"
    first = Account(Emulator.open(path, rules))
    id_ = created(first)
    first.create(telemetries={"logsTelemetryId": id_})
    before = first.emulator.snapshot()
    first.emulator.close()
    again = Account(Emulator.open(path, None))
    assert again.emulator.snapshot() == before
    assert one(again.get(f"{TELEMETRIES}/{id_}"))["name"] == "grafana"
    again.emulator.reset()
    assert again.get(TELEMETRIES).json == {"telemetries": []}
    assert len(again.emulator.snapshot()["credentials"]) == 1  # type: ignore[arg-type] # JSON
    again.emulator.close()


def test_secret_is_replaced_and_nothing_else(account: Account) -> None:
    id_ = created(account)
    before, kept = one(account.get(f"{TELEMETRIES}/{id_}")), stored(account, id_)
    secret: Json = {"secret": {"name": "grafana", "value": "canary-two"}}
    answer = account.call("PUT", f"/v2/nvcf/secrets/telemetries/{id_}", secret)
    assert (answer.status, answer.body) == (204, b"")
    assert stored(account, id_) != kept
    assert one(account.get(f"{TELEMETRIES}/{id_}")) == before
    bad: Json = {"secret": {"name": "grafana", "value": ""}}
    assert account.call("PUT", f"/v2/nvcf/secrets/telemetries/{id_}", bad).status == 400
    assert account.call("PUT", f"/v2/nvcf/secrets/telemetries/{NOBODY}", secret).status == 404


def stored(account: Account, id_: str) -> object:
    return account.emulator.snapshot()["telemetries"][id_]["secret"]  # type: ignore[index] # JSON


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_telemetry_that_is_not_there_is_not_found(account: Account, method: str) -> None:
    answer = account.call(method, f"{TELEMETRIES}/{NOBODY}")
    assert answer.status == 404
    assert answer.detail == f"Account 'nca-demo-0001' Telemetry '{NOBODY}': Not found"


def test_function_names_telemetries_that_are_there_and_for_that(account: Account) -> None:
    id_ = created(account)
    sent = {"logsTelemetryId": id_.upper(), "metricsTelemetryId": id_}
    made = account.call("POST", FUNCTIONS, container(telemetries=sent)).function
    assert made["telemetries"] == {"logsTelemetryId": id_, "metricsTelemetryId": id_}
    wrong = account.call("POST", FUNCTIONS, container(telemetries={"tracesTelemetryId": id_}))
    assert (wrong.status, "is not for TRACES" in wrong.detail) == (400, True)


def test_telemetry_in_use_is_deleted_only_after_its_function(account: Account) -> None:
    id_ = created(account)
    made = account.create(telemetries={"metricsTelemetryId": id_})
    account.deploy(made, spec())
    answer = account.call("DELETE", f"{TELEMETRIES}/{id_}")
    assert answer.status == 400
    assert f"in use by Function id '{made.function}', version '{made.version}'" in answer.detail
    account.call("DELETE", made.path)
    assert account.call("DELETE", f"{TELEMETRIES}/{id_}").status == 204
    assert account.get(TELEMETRIES).json == {"telemetries": []}
