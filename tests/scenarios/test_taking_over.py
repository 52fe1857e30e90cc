"""All that may differ of a function is taken into files as people write them, in its own lines."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.storage.stackfiles import rewrite_files
from nvcfplan.errors import StoreError
from tests.scenarios.hands import Hands
from tests.scenarios.plants import SECRETS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scenarios.conftest import Said, Workshop

HEAD = "# whose shop it is\napiVersion: nvcfplan/v1\nstack: shop\nvars:\n  tag: 1.0.0  # of chat\n"
TEXT = """\
apiVersion: nvcfplan/v1
functions:
  chat:  # talks
    name: chat
    description: 'it''s chat'
    containerImage: "nvcr.io/acme/chat:{{ vars.tag }}"
    containerArgs: --port 8000  # as before
    inferenceUrl: /run
    inferencePort: 8000
    containerEnvironment:
      LOG_LEVEL: info
      # how many
      WORKERS: "4"
      MODE: { value: fast, sensitive: false }
    models:
      - name: llama
        version: "1"
        uri: /v2/org/demo/models/llama
      - { name: bert, version: "1", uri: /v2/org/demo/models/bert }
    resources: []
    health:
      protocol: HTTP
      uri: /health
      port: 8000
      timeout: 90s  # a minute and a half
      expectedStatusCode: 200
    apiBodyFormat: CUSTOM
    functionType: DEFAULT
    tags:
      - team-a
      - blue  # sea
    deployment:
      specifications:
        main: {gpu: H100, instanceType: a3-highgpu-8g_2x, minInstances: 1, maxInstances: 2}
"""
ARTIFACTS = [{"name": "bert", "version": "2", "uri": "/v2/org/demo/models/bert"}]
EDITS: dict[str, dict[str, object]] = {
    '"nvcr.io/acme/chat:{{': {"containerImage": "nvcr.io/acme/chat:2.0.0"},
    "containerArgs": {"containerArgs": "--port 9000"},
    "description": {"description": "it's another"},
    "name": {"name": "chat-2"},
    "inferenceUrl": {"inferenceUrl": "/v2"},
    "inferencePort": {"inferencePort": 9000},
    "apiBodyFormat": {"apiBodyFormat": "PREDICT_V2"},
    "functionType": {"functionType": "STREAMING"},
    "LOG_LEVEL": {"containerEnvironment": [
        {"key": "LOG_LEVEL", "value": "debug"}, {"key": "WORKERS", "value": "4"},
        {"key": "MODE", "value": "fast"},
    ]},
    "MODE": {"containerEnvironment": [
        {"key": "LOG_LEVEL", "value": "info"}, {"key": "WORKERS", "value": "4"},
        {"key": "MODE", "value": "slow: not fast"},
    ]},
    "WORKERS": {"containerEnvironment": [
        {"key": "LOG_LEVEL", "value": "info"}, {"key": "MODE", "value": "fast"},
        {"key": "EXTRA", "value": "{"},
    ]},
    "models": {"models": ARTIFACTS},
    "resources": {"resources": [{"name": "r", "version": "1", "uri": "/v2/org/demo/resources/r"}]},
    "health": {"health": {
        "protocol": "HTTP", "uri": "/ready", "port": 8000, "timeout": "PT1M30S",
        "expectedStatusCode": 204,
    }},
    "tags": {"tags": ["team-a", "green"]},
}  # fmt: skip


@pytest.fixture
def left(workshop: Workshop) -> Workshop:
    """As an apply left it, in files of two people: one of them uses Windows."""
    (workshop.directory / "a.yaml").write_bytes(("\ufeff" + HEAD).encode())
    (workshop.directory / "b.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode())
    said = workshop.type("apply", "-auto-approve", "--emulator", ".", environment=SECRETS)
    assert said.code == 0, said.err + said.out
    return workshop


@pytest.mark.parametrize("word", EDITS, ids=lambda one: one.strip('"').partition(":")[0])
def test_another_configuration_in_place_of_ours_is_taken_over(left: Workshop, word: str) -> None:
    _replace(left, EDITS[word])
    before = _lines(left)
    said = _accept(left, "-auto-approve")
    assert (said.code, said.err) == (0, "")
    assert left.plan(".").code == 0
    after = _lines(left)
    changed = [one for one in difflib.ndiff(before, after) if one[0] in "+-"]
    assert changed
    assert _comments(before) - _comments(after) <= {"sea"}
    assert len(changed) <= 8, changed
    assert (left.directory / "a.yaml").read_bytes().startswith(b"\xef\xbb\xbf# whose")
    assert b"\n" not in (left.directory / "b.yaml").read_bytes().replace(b"\r\n", b"")


def _comments(lines: list[str]) -> set[str]:
    return {line.partition("# ")[2] for line in lines if "# " in line}


def _replace(workshop: Workshop, fields: dict[str, object]) -> None:
    """Somebody makes a version with our tags, and lets it take the calls."""
    hands = Hands(workshop)
    version = hands.version()
    kept = (
        *("name", "description", "containerImage", "containerArgs", "inferenceUrl"),
        *("inferencePort", "containerEnvironment", "models", "health", "apiBodyFormat"),
        *("functionType", "tags"),
    )
    body = {key: version[key] for key in kept if version.get(key)} | fields
    ours = [one for one in hands.tags() if one.startswith("nvcfplan:") and ":op=" not in one]
    tags = body["tags"]
    assert isinstance(tags, list)
    body["tags"] = [*ours, *(one for one in tags if not one.startswith("nvcfplan:"))]
    old = hands.path("deployments/functions")
    workshop.ask(old, method="DELETE")
    workshop.emulator().advance(1200)
    made = workshop.ask(f"functions/{version['id']}/versions", method="POST", body=body)["function"]
    assert isinstance(made, dict)
    entry = {
        "gpu": "H100", "instanceType": "a3-highgpu-8g_2x", "minInstances": 1, "maxInstances": 2,
    }  # fmt: skip
    place = f"deployments/functions/{version['id']}/versions/{made['versionId']}"
    workshop.ask(place, method="POST", body={"deploymentSpecifications": [entry]})
    workshop.emulator().advance(900)


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_bytes(b"1")
    two.write_bytes(b"somebody's")
    before = {str(one): b"1", str(two): b"2"}
    with pytest.raises(StoreError, match="has changed since it was read"):
        rewrite_files(before, {str(one): b"11", str(two): b"22"})
    assert (one.read_bytes(), two.read_bytes()) == (b"1", b"somebody's")


def test_a_file_keeps_its_mode_and_stays_behind_its_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    file.write_bytes(b"1")
    file.chmod(0o640)
    link.symlink_to(file)
    rewrite_files({str(link): b"1"}, {str(link): b"2"})
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"2", 0o640)
    assert link.is_symlink()


def _accept(workshop: Workshop, *words: str) -> Said:
    return workshop.type("drift", "-accept", *words, "--emulator", ".")


def _lines(workshop: Workshop) -> list[str]:
    names = ("a.yaml", "b.yaml")
    return [
        line
        for name in names
        for line in (workshop.directory / name).read_text(encoding="utf-8-sig").splitlines()
    ]
