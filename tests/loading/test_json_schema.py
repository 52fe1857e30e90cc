"""The published schema: current, usable by draft-07 readers, and of the same mind as the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft7Validator

from nvcfplan.loading import stack_json_schema
from nvcfplan.located import load_documents
from tests.loading.builders import with_function

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = Path("schemas/stack.schema.json")
EXAMPLES = sorted(path for path in Path("examples/stacks").rglob("*.yaml"))
NOT_IN_DRAFT_07 = {"prefixItems", "unevaluatedProperties", "$dynamicRef", "$defs", "discriminator"}


def plain(text: str) -> object:
    checked = load_documents(text, "f.yaml")
    assert checked.value is not None
    return checked.value[0].to_plain()


def test_the_committed_schema_is_current() -> None:
    """Rewrite it with `nvcfplan schema stack > schemas/stack.schema.json`."""
    assert json.loads(PATH.read_text()) == stack_json_schema()


def test_it_is_a_draft_07_schema() -> None:
    Draft7Validator.check_schema(stack_json_schema())
    assert not NOT_IN_DRAFT_07 & set(_keys(stack_json_schema()))


def _keys(node: object) -> Iterator[str]:
    children: list[object] = []
    if isinstance(node, dict):
        yield from node
        children = list(node.values())
    elif isinstance(node, list):
        children = node
    for child in children:
        yield from _keys(child)


def _properties(node: object) -> Iterator[tuple[str, object]]:
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties.items()
        for child in node.values():
            yield from _properties(child)
    elif isinstance(node, list):
        for child in node:
            yield from _properties(child)


def test_every_key_is_explained() -> None:
    unexplained = [
        name
        for name, one in _properties(stack_json_schema())
        if not (isinstance(one, dict) and one.get("description"))
    ]
    assert unexplained == []


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_it_is_of_one_mind_with_the_loader_about_the_examples(path: Path) -> None:
    if path.parent.name == "broken":
        text = path.read_text().replace("&quick ", "").replace("*quick", "{}")
        text = text.replace("{{ vars.replicas }}", "2").replace("minInstances: 3   ", "x: 3   ")
        assert len(list(Draft7Validator(stack_json_schema()).iter_errors(plain(text)))) > 1
    else:
        Draft7Validator(stack_json_schema()).validate(plain(path.read_text()))


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        ('inferencePort: "{{ vars.port }}"', True),
        ("inferencePort: '8000'", False),
        ("containerEnvironment: {A: x, B: {value: y, sensitive: true}}", True),
        ("containerEnvironment: {A: 3}", False),
        ("health:", True),
        ("colour: red", False),
        ("secrets: {A: {fromEnv: X}}", True),
        ("secrets: {A: {fromEnv: X, fromFile: Y}}", False),
        ("deployment: {specifications: {Bad: {}}}", False),
        ('tags: ["{{ vars.a }}", b]', True),
    ],
)
def test_it_judges_as_the_loader_does(body: str, is_valid: bool) -> None:
    document = plain(with_function(body + "\n"))
    assert Draft7Validator(stack_json_schema()).is_valid(document) is is_valid
