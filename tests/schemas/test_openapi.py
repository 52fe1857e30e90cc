"""The published document: current, well formed, served, and of one mind with the emulator."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from jsonschema import Draft202012Validator

from nvcfplan.emulator.openapi import document
from tests.emulator.account import Account, container, spec, world

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, object]
PATH = Path("schemas/emulator.openapi.json")
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> list[tuple[str, str, Json]]:
    paths = cast("dict[str, dict[str, Json]]", document()["paths"])
    return [
        (method, path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def schemas() -> dict[str, Json]:
    return cast("dict[str, Json]", cast("Json", document()["components"])["schemas"])


def test_the_committed_document_is_current() -> None:
    """Rewrite it with `nvcfplan schema emulator > schemas/emulator.openapi.json`."""
    assert json.loads(PATH.read_text(encoding="utf-8")) == document()


def test_it_is_served_to_anyone() -> None:
    account = Account.of(world())
    answer = account.get("/v3/openapi")
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json == document()


def test_its_operations_have_known_methods_and_names_of_their_own() -> None:
    assert document()["openapi"] == "3.1.0"
    assert {method for method, _, _ in operations()} <= METHODS
    names = [str(operation["operationId"]) for _, _, operation in operations()]
    assert len(set(names)) == len(names)


def test_every_reference_leads_somewhere() -> None:
    missing = [one for one in _references(document()) if _found(one) is None]
    assert missing == []


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _found(reference: str) -> object:
    node: object = document()
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def test_every_schema_is_one() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


def test_links_lead_to_operations_and_name_their_parameters() -> None:
    parameters = {
        str(operation["operationId"]): _path_parameters(operation)
        for _, _, operation in operations()
    }
    links = [link for _, _, operation in operations() for link in _links(operation)]
    assert links
    for link in links:
        assert parameters[str(link["operationId"])] == cast("Json", link["parameters"]).keys()


def _path_parameters(operation: Json) -> set[str]:
    given = cast("list[Json]", operation["parameters"])
    return {str(one["name"]) for one in given if one["in"] == "path"}


def _links(operation: Json) -> Iterator[Json]:
    for response in cast("dict[str, Json]", operation["responses"]).values():
        yield from cast("dict[str, Json]", response.get("links", {})).values()


def test_every_path_parameter_is_declared() -> None:
    for _, path, operation in operations():
        assert set(re.findall(r"\{(\w+)\}", path)) == _path_parameters(operation)


def test_scopes_are_told() -> None:
    paths = cast("dict[str, dict[str, Json]]", document()["paths"])
    assert paths["/v2/nvcf/functions"]["post"]["security"] == [{"bearer": ["register_function"]}]
    mirrored = paths["/v2/nvcf/accounts/{account}/functions"]["post"]
    assert mirrored["security"] == [{"bearer": ["admin:register_function"]}]
    assert paths["/health"]["get"]["security"] == []


def validated(name: str, content: object) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    found = Draft202012Validator(schema).iter_errors(content)
    return [error.message for error in found]


def test_answers_fit_their_schemas_and_are_told_from_others() -> None:
    account = Account.of(world())
    made = account.deployed(spec())
    function, deployment = account.get(made.path).json, account.get(made.deployment).json
    assert validated("OneFunction", function) == []
    assert validated("OneDeployment", deployment) == []
    assert validated("OneFunction", deployment) != []
    wrong = json.loads(json.dumps(deployment))
    wrong["deployment"]["functionStatus"] = "PARTIALLY_ACTIVE"
    assert validated("OneDeployment", wrong) != []
    assert validated("OneFunction", {"function": {**account.get(made.path).function, "tags": None}})


BOUNDS: list[tuple[str, object, object]] = [
    ("name", "n" * 128, "n" * 129),
    ("name", "A-_9", "-a"),
    ("inferenceUrl", "/", " "),
    ("description", "d" * 256, "d" * 257),
    ("tags", [f"t{number}" for number in range(64)], [f"t{number}" for number in range(65)]),
    ("tags", ["a:b=c_d-e"], ["a b"]),
    ("tags", ["t" * 128], ["t" * 129]),
    ("apiBodyFormat", "PREDICT_V2", "XML"),
    ("functionType", "STREAMING", "BATCH"),
    ("containerImage", "nvcr.io/acme/chat:1", None),
    ("secrets", [{"name": "s" * 48, "value": "x"}], [{"name": "s" * 49, "value": "x"}]),
    ("rateLimit", {"rateLimit": "1-S"}, {"rateLimit": "1-Y"}),
]


@pytest.mark.parametrize(("field", "good", "bad"), BOUNDS)
def test_it_judges_a_function_as_the_emulator_does(field: str, good: object, bad: object) -> None:
    for value, is_good in ((good, True), (bad, False)):
        fields = container(**{field: value}).items()
        body = {key: one for key, one in fields if one is not None}
        assert (validated("CreateFunctionRequest", body) == []) is is_good
        status = Account.of(world()).call("POST", "/v2/nvcf/functions", body).status
        assert status == (200 if is_good else 400)


SPECIFICATION_BOUNDS: list[tuple[str, object, object]] = [
    ("gpu", "H100", ""),
    ("instanceType", "LAB.H100_1x", " "),
    ("minInstances", 0, -1),
    ("maxInstances", 1, 0),
    ("maxInstances", 2**31 - 1, 2**31),
    ("maxRequestConcurrency", 16384, 16385),
    ("maxRequestConcurrency", 1, 0),
    ("preferredOrder", 99, 100),
    ("preferredOrder", 1, 0),
]


@pytest.mark.parametrize(("field", "good", "bad"), SPECIFICATION_BOUNDS)
def test_it_judges_a_specification_as_the_emulator_does(
    field: str, good: object, bad: object
) -> None:
    for value, is_good in ((good, True), (bad, False)):
        account = Account.of(world())
        body = {"deploymentSpecifications": [{**spec(0, 1), field: value}]}
        assert (validated("DeployRequest", body) == []) is is_good
        status = account.call("POST", account.create().deployment, body).status
        assert status == (200 if is_good else 400)
