"""`drift` of several stacks: each is told, the account is read once, and the worst decides."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.test_watching import STACK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scenarios.conftest import Workshop

WORLD = "--emulator=world.db"


@pytest.fixture
def stacks(workshop: Workshop) -> Path:
    """Of three stacks the first is applied; `broken.yaml` does not read."""
    for name in ("one", "two", "three"):
        _write(workshop.directory / f"{name}.yaml", STACK.format(name=name))
    _write(workshop.directory / "broken.yaml", "apiVersion: [")
    applied = workshop.type("apply", WORLD, "-auto-approve", "one.yaml")
    assert applied.code == 0, applied.err
    return workshop.directory


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _requests(text: str) -> int:
    found = re.search(r"(\d+) requests?", text)
    assert found, text
    return int(found[1])


@pytest.mark.usefixtures("stacks")
def test_each_is_told_and_the_account_is_read_once(workshop: Workshop) -> None:
    two = workshop.type("drift", WORLD, "one.yaml", "two.yaml")
    three = workshop.type("drift", WORLD, "one.yaml", "two.yaml", "three.yaml")
    assert (two.code, three.code) == (0, 0), three.err
    assert "3 stacks: 3 in step" in three.out
    for name in ("one", "two", "three"):
        assert f"{name}@default" in three.out
    assert _requests(three.out) == _requests(two.out)


@pytest.mark.usefixtures("stacks")
def test_what_does_not_read_is_said_and_the_others_are_looked_at(workshop: Workshop) -> None:
    files = ("one.yaml", "broken.yaml", "two.yaml")
    told = workshop.type("drift", WORLD, "-detailed-exitcode", *files)
    assert told.code == 1
    assert "broken.yaml was not looked at: its files do not read" in told.err
    assert "3 stacks: 2 in step, 1 not looked at" in told.out


@pytest.mark.usefixtures("stacks")
def test_as_json_each_is_a_document_on_a_line(workshop: Workshop) -> None:
    told = workshop.type("drift", WORLD, "-json", "one.yaml", "two.yaml")
    documents = [json.loads(line) for line in told.out.splitlines()]
    assert [one["stack"] for one in documents] == ["one@default", "two@default"]


@pytest.mark.usefixtures("stacks")
def test_a_page_is_of_one_stack(workshop: Workshop) -> None:
    told = workshop.type("drift", WORLD, "-format=html", "one.yaml", "two.yaml")
    assert told.code == 64
    assert "a page of one stack" in told.err


def test_files_of_one_stack_are_still_one(workshop: Workshop, stacks: Path) -> None:
    _write(stacks / "more.yaml", "apiVersion: nvcfplan/v1\nstack: one\nvars: { a: b }\n")
    told = workshop.type("drift", WORLD, "one.yaml", "more.yaml")
    assert told.code == 0, told.err
    assert "stacks:" not in told.out
