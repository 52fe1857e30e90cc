"""Functions of other accounts: what is seen of them, and what may not be done to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvcfplan.emulator.rules import SharedFunctionRule, Visibility
from nvcfplan.emulator.worldfile import load_worldfile
from tests.emulator.account import Account, Deployable, Json, container, rows, spec, world

FUNCTIONS = "/v2/nvcf/functions"
PUBLIC = SharedFunctionRule(
    name="base-llm",
    function_id="00000000-0000-0000-0000-0000000000a1",
    version_id="00000000-0000-0000-0000-0000000000a2",
    nca_id="nca-nvidia",
    visibility=Visibility.PUBLIC,
)
SHARED = SharedFunctionRule(
    name="summarize",
    function_id="00000000-0000-0000-0000-0000000000b1",
    version_id="00000000-0000-0000-0000-0000000000b2",
    nca_id="nca-partner",
    tags=("team:x",),
    queue_depth=4,
)
OFF = SharedFunctionRule(
    name="summarize",
    function_id=SHARED.function_id,
    version_id="00000000-0000-0000-0000-0000000000b3",
    nca_id="nca-partner",
    status="INACTIVE",
)


@pytest.fixture
def account() -> Account:
    return Account.of(world(shared_functions=(PUBLIC, SHARED, OFF)))


def place(rule: SharedFunctionRule) -> Deployable:
    return Deployable(rule.function_id, rule.version_id)


def names(account: Account, query: str) -> list[object]:
    return [one["name"] for one in rows(account.get(f"{FUNCTIONS}{query}").json, "functions")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["base-llm", "summarize", "summarize", "own"]),
        ("?visibility=private", ["own"]),
        ("?visibility=public", ["base-llm"]),
        ("?visibility=AUTHORIZED", ["summarize", "summarize"]),
        ("?visibility=public,private", ["base-llm", "own"]),
        ("?visibility=", ["base-llm", "summarize", "summarize", "own"]),
    ],
)
def test_list_shows_the_visibilities_asked_for(
    account: Account, query: str, expected: list[str]
) -> None:
    account.create("own")
    assert names(account, query) == expected


def test_ids_come_once_for_all_versions(account: Account) -> None:
    own = account.create("own")
    answer = account.get(f"{FUNCTIONS}/ids").json
    assert answer == {"functionIds": [PUBLIC.function_id, SHARED.function_id, own.function]}


def test_foreign_function_is_shown_blanked(account: Account) -> None:
    shown = account.get(place(SHARED).path).function
    assert shown == {
        "id": SHARED.function_id,
        "versionId": SHARED.version_id,
        "ncaId": "nca-partner",
        "name": "summarize",
        "status": "ACTIVE",
        "ownedByDifferentAccount": True,
        "apiBodyFormat": "CUSTOM",
        "functionType": "DEFAULT",
        "description": "summarize",
        "health": {
            "protocol": "HTTP",
            "uri": "/v2/health/ready",
            "port": 8000,
            "timeout": "PT10S",
            "expectedStatusCode": 200,
        },
        "healthUri": "/v2/health/ready",
        "createdAt": "2026-01-01T00:00:00.000000Z",
        "tags": ["team:x"],
    }
    listed = rows(account.get(f"{FUNCTIONS}/{SHARED.function_id}/versions").json, "functions")
    assert [one["versionId"] for one in listed] == [SHARED.version_id, OFF.version_id]
    assert listed[0] == shown


def test_foreign_functions_do_not_count_towards_the_limit() -> None:
    account = Account.of(world(shared_functions=(PUBLIC, SHARED), function_limit=1))
    account.create()
    assert account.call("POST", FUNCTIONS, container("more")).status == 400


@pytest.mark.parametrize(
    ("rule", "status"), [(PUBLIC, 400), (SHARED, 403)], ids=["public", "shared"]
)
def test_foreign_function_cannot_be_deployed_versioned_or_deleted(
    account: Account, rule: SharedFunctionRule, status: int
) -> None:
    made = place(rule)
    versions = f"{FUNCTIONS}/{made.function}/versions"
    assert account.post(made, spec()).status == status
    assert account.call("POST", versions, container()).status == status
    assert account.call("DELETE", made.path).status == status


def test_foreign_function_has_nothing_else_that_could_be_changed(account: Account) -> None:
    made = place(SHARED)
    party: Json = {"authorizedParties": [{"ncaId": "nca-x"}]}
    secrets: Json = {"secrets": [{"name": "A", "value": "1"}]}
    calls = [
        account.call("PUT", made.path, {"tags": ["a"]}),
        account.call("PUT", made.secrets, secrets),
        account.get(made.deployment),
        account.call("DELETE", made.deployment),
        account.call("POST", f"/v2/nvcf/authorizations/functions/{made.function}", party),
    ]
    assert [one.status for one in calls] == [404] * 5
    assert all("ot found" in one.detail for one in calls)


def test_queues_are_those_of_active_and_deploying_versions(account: Account) -> None:
    own = account.create()
    path = f"/v2/nvcf/queues/functions/{own.function}"
    none = account.get(path)
    assert none.status == 404
    assert none.detail == (
        f"Function id '{own.function}': Queue not found - Function is likely not deployed"
    )
    account.deploy(own, spec())
    second = account.create_version(own)
    account.call("POST", "/emulator/queue", {"version": own.version, "depth": 7, "perMinute": 0})
    queue: Json = {
        "functionVersionId": own.version,
        "functionName": "chat",
        "functionStatus": "DEPLOYING",
        "queueDepth": 7,
    }
    assert account.get(path).json == {"functionId": own.function, "queues": [queue]}
    account.emulator.advance(600)
    account.deploy(second, spec())
    single = account.get(f"{path}/versions/{own.version}").json
    assert single == {
        "functionId": own.function,
        "queues": [{**queue, "functionStatus": "ACTIVE"}],
    }
    assert len(rows(account.get(path).json, "queues")) == 2


def test_queue_of_a_version_that_failed_is_not_found() -> None:
    account = Account.of(world())
    own = account.create()
    account.deploy(own, spec(9, 9))
    account.emulator.advance(3600)
    assert account.status(own) == "ERROR"
    assert account.get(f"/v2/nvcf/queues/functions/{own.function}").status == 404


def test_queues_of_foreign_functions_are_seen_unless_they_are_public(account: Account) -> None:
    path = "/v2/nvcf/queues/functions"
    shared = account.get(f"{path}/{SHARED.function_id}").json
    assert [one["queueDepth"] for one in rows(shared, "queues")] == [4]
    assert account.get(f"{path}/{SHARED.function_id}/versions/{OFF.version_id}").status == 404
    assert account.get(f"{path}/{PUBLIC.function_id}").status == 400


def test_no_request_of_a_caller_has_a_place_in_a_queue(account: Account) -> None:
    answer = account.get(f"/v2/nvcf/queues/{SHARED.version_id}/position")
    assert (answer.status, "not in pending or in progress" in answer.detail) == (404, True)
    assert account.get("/v2/nvcf/queues/mine/position").status == 400


def test_supported_gpus_are_a_plain_array(account: Account) -> None:
    answer = account.get("/v2/nvcf/supportedGpus")
    assert (answer.status, answer.body) == (200, b'[{"gpu": "H100", "backend": "ON-PREM"}]')


def test_world_file_gives_lasting_ids_to_functions_of_others() -> None:
    path = Path(__file__).parents[2] / "examples" / "worlds" / "account.yaml"
    rules = load_worldfile(path).value
    again = load_worldfile(path).value
    assert rules is not None
    assert rules == again
    assert [(one.name, str(one.visibility), one.status) for one in rules.shared_functions] == [
        ("summarize", "authorized", "ACTIVE"),
        ("base-llm", "public", "ACTIVE"),
        ("speech", "public", "INACTIVE"),
    ]
    assert len({one.function_id for one in rules.shared_functions}) == 3
    assert [text for _, text in rules.refused_charts] == [
        "Helm chart validation error(s) from NVCF ReVal service: Deployment rerank: image is not"
        " set",
        "Internal error during validation. Reval Status 503",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sharedFunctions: [{}]", "world-missing"),
        ("sharedFunctions: [{name: a, functionId: x}]", "world-wrong-type"),
        ("sharedFunctions: [{name: a, visibility: all}]", "world-unknown-word"),
        ("sharedFunctions: [{name: a, functionType: BATCH}]", "world-unknown-word"),
        ("sharedFunctions: [{name: a, gpu: H100}]", "world-unknown-word"),
        ("registries: {a.io: {artifactTypes: [IMAGE]}}", "world-unknown-word"),
        ("registries: {a.io: {credential: 1}}", "world-wrong-type"),
        ("refusedCharts: {a: 1}", "world-wrong-type"),
        ("refusedCharts: {a: ' '}", "world-wrong-type"),
        ("artifactCheck: never", "world-unknown-word"),
    ],
)
def test_faults_of_a_world_file_are_found(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(text, "utf-8")
    checked = load_worldfile(path)
    assert [one.code for one in checked.diagnostics] == [code]
    assert checked.diagnostics[0].span is not None
