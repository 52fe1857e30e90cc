"""A plan without an account: from a snapshot, it says what the account's own plan would say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.scenarios.conftest import EXAMPLES, Said, Workshop, codes, function, h100, stack

ENVIRONMENT = (
    "containerEnvironment: {{ LOG_LEVEL: {0}, API_TOKEN: {{ value: {1}, sensitive: true }} }}"
)


def _taken(workshop: Workshop, *words: str) -> Said:
    said = workshop.type("snapshot", "--emulator", "-out=shop.snapshot", *words)
    assert said.code == 0, said
    return said


def _offline(workshop: Workshop, *words: str) -> Said:
    """Nothing is in the environment: no key, no address, no secret."""
    return workshop.type("plan", "-detailed-exitcode", "-offline=shop.snapshot", *words)


def _same(online: dict[str, object], offline: dict[str, object]) -> None:
    one, other = online["plan"], offline["plan"]
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    compared = ["resource_changes", "steps", "funding", "downtime", "applyable"]
    if one["steps"]:  # else the account is not asked for numbers, which the snapshot has
        compared.append("resources")
    for name in compared:
        assert other[name] == one[name], name


def test_offline_the_plan_is_the_same(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=2), function("embed")))
    assert workshop.apply(".").code == 0
    _taken(workshop, ".")
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=2), function("rank")))
    online = workshop.plan("-json", ".")
    offline = _offline(workshop, "-json", ".")
    assert (online.code, offline.code) == (2, 2)
    _same(online.document, offline.document)


@pytest.mark.parametrize("name", ["rolling", "heterogeneous", "quickstart"])
def test_offline_the_examples_plan_as_they_do_online(workshop: Workshop, name: str) -> None:
    shutil.copytree(EXAMPLES / name, workshop.directory / "files")
    place = f"--emulator={workshop.emulator_file}"
    assert workshop.type("apply", "-auto-approve", place, "files").code == 0
    said = workshop.type("snapshot", place, "-out=shop.snapshot", "files")
    assert said.code == 0, said
    words = ["-var", "tag=9.9.9"] if name == "rolling" else []
    online = workshop.type("plan", place, "-json", *words, "files")
    _same(online.document, _offline(workshop, "-json", *words, "files").document)


def test_nothing_to_do_is_nothing_to_do_offline(workshop: Workshop) -> None:
    more = ENVIRONMENT.format("info", "canary-5417")
    workshop.write("stack.yaml", stack(function("embed", more=more)))
    assert workshop.apply(".").code == 0
    _taken(workshop, ".")
    said = _offline(workshop, ".")
    assert said.code == 0
    assert "No changes." in said.out


@pytest.mark.parametrize(
    ("level", "token", "path"),
    [("debug", "canary-5417", "LOG_LEVEL"), ("info", "canary-9921", "API_TOKEN")],
)
def test_a_changed_environment_value_is_a_difference_offline_too(
    workshop: Workshop, level: str, token: str, path: str
) -> None:
    first = ENVIRONMENT.format("info", "canary-5417")
    workshop.write("stack.yaml", stack(function("embed", more=first)))
    assert workshop.apply(".").code == 0
    _taken(workshop, ".")
    workshop.write("stack.yaml", stack(function("embed", more=ENVIRONMENT.format(level, token))))
    said = _offline(workshop, ".")
    assert said.code == 2
    assert f"containerEnvironment.{path}" in said.out
    assert "canary" not in said.out + said.err


def test_a_snapshot_holds_no_environment_value_and_no_key(workshop: Workshop) -> None:
    more = ENVIRONMENT.format("canary-level", "canary-5417")
    workshop.write("stack.yaml", stack(function("embed", more=more)))
    assert workshop.apply(".").code == 0
    said = _taken(workshop, ".")
    text = (workshop.directory / "shop.snapshot").read_text(encoding="utf-8")
    state = json.loads((workshop.state_directory / "state.json").read_text(encoding="utf-8"))
    assert "canary" not in text + said.out
    assert state["state"]["secret_key"] not in text


def test_of_functions_of_others_only_where_they_stand_is_kept(workshop: Workshop) -> None:
    more = "containerEnvironment: { LOG_LEVEL: canary }"
    workshop.write("other/stack.yaml", stack(function("embed", more=more), name="other"))
    place = f"--emulator={workshop.emulator_file}"
    assert workshop.type("apply", "-auto-approve", place, "other").code == 0
    workshop.write("stack.yaml", stack(function("rank")))
    _taken(workshop, ".")
    text = (workshop.directory / "shop.snapshot").read_text(encoding="utf-8")
    assert "nvcr.io/acme/embed" not in text
    assert "LOG_LEVEL" not in text
    assert _offline(workshop, ".").code == 2


def test_an_offline_plan_is_never_applied(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    _taken(workshop, ".")
    assert _offline(workshop, "-out=embed.nvcfplan", ".").code == 2
    before = workshop.account()
    for words in (["apply", "-auto-approve", "--emulator", "embed.nvcfplan"],
                  ["plan", "--emulator", "-check=embed.nvcfplan"]):  # fmt: skip
        said = workshop.type(*words)
        assert (said.code, codes(said.err)) == (1, ["account-mismatch"])
        assert "offline" in said.err
    assert workshop.account() == before


def test_a_snapshot_of_another_stack_is_refused(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    _taken(workshop, ".")
    workshop.write("stack.yaml", stack(function("embed"), name="other"))
    said = _offline(workshop, ".")
    assert (said.code, codes(said.err)) == (1, ["settings"])
    said = _offline(workshop, "-env=prod", ".")
    assert (said.code, codes(said.err)) == (1, ["settings"])


def test_a_secret_that_only_apply_resolves_is_no_matter_offline(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed", more="secrets: { T: { fromEnv: T } }")))
    _taken(workshop, ".")
    assert _offline(workshop, ".").code == 2


def test_an_altered_snapshot_is_refused(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    _taken(workshop, ".")
    path = workshop.directory / "shop.snapshot"
    path.write_text(path.read_text("utf-8").replace('"capacity":16', '"capacity":99'), "utf-8")
    said = _offline(workshop, ".")
    assert (said.code, codes(said.err)) == (1, ["document"])


@pytest.mark.parametrize("option", ["-emulator", "-endpoint=https://x.test", "-with-secrets"])
def test_offline_nobody_can_be_named_to_ask(workshop: Workshop, option: str) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    assert _offline(workshop, option, ".").code == 64


def test_a_snapshot_overwrites_nothing_but_a_snapshot(workshop: Workshop) -> None:
    path = workshop.write("stack.yaml", stack(function("embed")))
    notes = workshop.write("notes.txt", "mine")
    for name in (path.name, notes.name):
        assert workshop.type("snapshot", "--emulator", f"-out={name}", ".").code == 64
    _taken(workshop, ".")
    _taken(workshop, ".")
    assert Path("notes.txt").read_text(encoding="utf-8") == "mine"
