"""Files ready to be copied: as their forges document them, and safe to run on requests.

The published schemas come with a library of the test environment, which keeps them current.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import jsonschema
import pytest
import yaml

from tests.scenarios.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES: Final = ROOT / "examples" / "ci"
ACTION: Final = ROOT / "action.yml"
WORKFLOWS: Final = sorted((EXAMPLES / "github").glob("*.yml"))
GITLAB: Final = sorted((EXAMPLES / "gitlab").glob("*.yml"))
PUBLISHED: Final = "check_jsonschema.builtin_schemas.vendor"
OUTPUTS: Final = frozenset(
    {
        "changes", "to_add", "to_change", "to_destroy", "plan_path", "digest", "exitcode",
        "comment_id", "stale",
    }
)  # fmt: skip
HOOK_KEYS: Final = frozenset(
    {
        "id", "name", "entry", "language", "files", "exclude", "types", "types_or",
        "exclude_types", "always_run", "fail_fast", "verbose", "pass_filenames", "require_serial",
        "description", "language_version", "minimum_pre_commit_version", "args", "stages",
    }
)  # fmt: skip
"""Source: pre-commit.com, "Creating new hooks"."""


class _Plain(yaml.SafeLoader):
    """As YAML 1.2 reads it, and the forges: `on` is a word."""


_Plain.yaml_implicit_resolvers = {
    sign: [one for one in found if one[0] != "tag:yaml.org,2002:bool"]
    for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Plain.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read(path: Path) -> dict[str, object]:
    found = yaml.load(path.read_text(encoding="utf-8"), Loader=_Plain)
    assert isinstance(found, dict)
    return found


def _schema(name: str) -> dict[str, object]:
    text = files(PUBLISHED).joinpath(name).read_text(encoding="utf-8")
    found: dict[str, object] = json.loads(text)
    return found


def _check(document: dict[str, object], name: str) -> None:
    schema = _schema(name)
    plain = json.loads(json.dumps(document))
    jsonschema.validators.validator_for(schema)(schema).validate(plain)


def steps(document: object) -> Iterator[dict[str, object]]:
    """Of a workflow or a composite action."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "steps":
                yield from value
            else:
                yield from steps(value)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda one: one.name)
def test_workflows_are_as_github_documents_them(path: Path) -> None:
    _check(read(path), "github-workflows.json")


def test_the_action_is_as_github_documents_it() -> None:
    _check(read(ACTION), "github-actions.json")


@pytest.mark.parametrize("path", GITLAB, ids=lambda one: one.name)
def test_pipelines_are_as_gitlab_documents_them(path: Path) -> None:
    _check(read(path), "gitlab-ci.json")


def test_what_is_not_as_documented_would_be_found() -> None:
    wrong = read(WORKFLOWS[0]) | {"jobs": {"plan": {"runs-on": 1}}}
    with pytest.raises(jsonschema.ValidationError):
        _check(wrong, "github-workflows.json")


def test_the_hook_is_as_pre_commit_documents_it() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook.keys() <= HOOK_KEYS
    assert {"id", "name", "entry", "language"} <= hook.keys()
    assert hook["language"] == "python"
    assert hook["entry"].split()[0] == "nvcfplan"


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda one: one.name)
def test_nothing_of_anybodys_is_pasted_into_a_script(path: Path) -> None:
    pasted = [one["run"] for one in steps(read(path)) if "${{" in str(one.get("run", ""))]
    assert pasted == []


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda one: one.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    used = [str(one["uses"]) for one in steps(read(path)) if "uses" in one]
    loose = [one for one in used if not re.search(r"@[0-9a-f]{40}$", one) and one[:2] != "./"]
    assert loose == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda one: one.name)
def test_no_checkout_leaves_a_token_behind(path: Path) -> None:
    for one in steps(read(path)):
        if str(one.get("uses", "")).startswith("actions/checkout@"):
            options = one["with"]
            assert isinstance(options, dict)
            assert options["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda one: one.name)
def test_permissions_are_stated_and_are_the_least(path: Path) -> None:
    document = read(path)
    assert "write-all" not in str(document)
    permissions = document["permissions"]
    assert isinstance(permissions, dict)
    writing = {name for name, value in permissions.items() if value == "write"}
    assert writing <= {"pull-requests", "statuses", "issues"}


def test_the_job_that_sees_a_forks_files_has_nothing_worth_stealing() -> None:
    path = EXAMPLES / "github" / "fork-plan.yml"
    document = read(path)
    assert document["permissions"] == {"contents": "read"}
    text = path.read_text(encoding="utf-8")
    for secret in ("secrets.", "github.token", "GITHUB_TOKEN", "API_KEY", "id-token"):
        assert secret not in text
    on = document["on"]
    assert isinstance(on, dict)
    assert on.keys() == {"pull_request"}


def test_the_job_that_may_write_checks_out_nothing_of_the_request() -> None:
    document = read(EXAMPLES / "github" / "fork-comment.yml")
    for one in steps(document):
        if str(one.get("uses", "")).startswith("actions/checkout@"):
            assert "NVCFPLAN_REPOSITORY" in str(one["with"])
    assert "workflow_run.head" not in json.dumps(document)


def test_the_pair_knows_each_other() -> None:
    first, second = (read(EXAMPLES / "github" / f"fork-{one}.yml") for one in ("plan", "comment"))
    on = second["on"]
    assert isinstance(on, dict)
    assert on["workflow_run"]["workflows"] == [first["name"]]


def test_the_action_promises_what_a_step_gives() -> None:
    document = read(ACTION)
    outputs = document["outputs"]
    assert isinstance(outputs, dict)
    assert outputs.keys() == OUTPUTS
    named = {one.get("id") for one in steps(document)}
    for name, one in outputs.items():
        match = re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}", one["value"])
        assert match is not None
        assert match[2] == name
        assert match[1] in named


def test_each_input_of_the_action_reaches_a_step() -> None:
    document = read(ACTION)
    inputs = document["inputs"]
    assert isinstance(inputs, dict)
    text = ACTION.read_text(encoding="utf-8")
    assert {one for one in inputs if f"inputs.{one} }}}}" not in text} == set()
