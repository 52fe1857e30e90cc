"""What earlier looks found, and what somebody has said of it, through the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.conftest import Workshop, stack
from tests.scenarios.hands import Hands

if TYPE_CHECKING:
    from tests.scenarios.conftest import Said

ECHO = """\
  echo:
    containerImage: "nvcr.io/acme/echo:1.0.0"
    inferenceUrl: /run
    inferencePort: 8000
    tags: [team-a, blue]
    deployment:
      specifications:
        main:
          gpu: L40S
          instanceType: ON-PREM.GPU.L40S_1x
          clusters: [byoc-cluster-1]
          minInstances: 1
          maxInstances: 2
"""
PLACE = ("--emulator", "shop.yaml")


@pytest.fixture
def left(workshop: Workshop) -> Workshop:
    workshop.write("shop.yaml", stack(ECHO))
    assert workshop.type("apply", "-auto-approve", *PLACE).code == 0
    return workshop


def look(workshop: Workshop, *words: str) -> Said:
    return workshop.type("drift", "-detailed-exitcode", "-json", *words, *PLACE)


def stories(said: Said) -> list[tuple[object, object]]:
    found = said.document["findings"]
    assert isinstance(found, list)
    return [(one["subject"], one["status"]) for one in found]


def print_of_tags(workshop: Workshop) -> str:
    found = look(workshop).document["findings"]
    assert isinstance(found, list)
    (one,) = (one for one in found if one["subject"] == "tags")
    return str(one["fingerprint"])


def test_a_finding_is_new_then_known_for_so_long_then_cleared_then_new(left: Workshop) -> None:
    look(left)
    hands = Hands(left, "echo")
    hands.tag("green")
    assert stories(look(left)) == [("tags", "new")]
    left.emulator().advance(3 * 3600)
    known = look(left)
    assert stories(known) == [("tags", "known")]
    found = known.document["findings"]
    assert isinstance(found, list)
    assert found[0]["standing_seconds"] >= 3 * 3600
    assert "stands for 3 h" in left.type("drift", *PLACE).out
    hands.untag("green")
    cleared = look(left).document["cleared"]
    assert isinstance(cleared, list)
    assert [one["subject"] for one in cleared] == ["tags"]
    hands.tag("green")
    assert stories(look(left)) == [("tags", "new")]


def test_without_memory_nothing_is_read_of_it_and_nothing_written(left: Workshop) -> None:
    Hands(left, "echo").tag("green")
    for _ in range(2):
        said = look(left, "-no-memory")
        assert (stories(said), said.document["previous_look"]) == ([("tags", "new")], None)


def test_what_is_acknowledged_is_shown_and_no_reason_for_exit_code_2_until_its_date(
    left: Workshop,
) -> None:
    Hands(left, "echo").tag("green")
    name = print_of_tags(left).removeprefix("sha256:")[:6]
    said = left.type("drift", "ack", name, "-why", "see #42", "-until", "2h", *PLACE)
    assert (said.code, "see #42" in said.out) == (0, True)
    known = look(left)
    assert (known.code, known.document["outcome"]) == (0, "acknowledged")
    assert stories(known) == [("tags", "acknowledged")]
    assert "see #42" in left.type("drift", *PLACE).out
    assert "see #42" in left.type("drift", "ack", "-list", *PLACE).out
    left.emulator().advance(2 * 3600)
    again = look(left)
    assert (again.code, stories(again)) == (2, [("tags", "known")])
    assert "nothing is acknowledged" in left.type("drift", "ack", "-list", *PLACE).err


def test_what_is_not_acknowledged_beside_it_counts(left: Workshop) -> None:
    hands = Hands(left, "echo")
    hands.tag("green")
    left.type("drift", "ack", print_of_tags(left), "-why", "known", *PLACE)
    hands.patch(maxInstances=3)
    said = look(left)
    assert said.code == 2
    assert sorted(stories(said)) == [
        ("deployment.specifications.main.maxInstances", "new"),
        ("tags", "acknowledged"),
    ]
    assert said.document["acknowledged"] == 1


def test_an_acknowledgement_is_taken_back(left: Workshop) -> None:
    Hands(left, "echo").tag("green")
    name = print_of_tags(left)
    left.type("drift", "ack", name, "-why", "known", *PLACE)
    assert left.type("drift", "unack", name, *PLACE).code == 0
    assert look(left).code == 2
    assert left.type("drift", "unack", name, *PLACE).code == 1


@pytest.mark.parametrize(
    ("words", "code", "taught"),
    [
        (("1f0c",), 64, "at least 6"),
        (("shop.yaml",), 64, "is no fingerprint"),
        (("1f0c3b", "-why", " "), 64, "-why"),
        (("1f0c3b", "-why", "x", "-until", "soon"), 64, "2026-12-01"),
        (("1f0c3b", "-why", "x", "-until", "2020-01-01"), 64, "has passed"),
        (("-list", "-why", "x"), 64, "-list only shows"),
        (("1f0c3b", "-why", "x"), 1, "no look for drift"),
    ],
)
def test_a_mistake_is_answered(
    left: Workshop, words: tuple[str, ...], code: int, taught: str
) -> None:
    said = left.type("drift", "ack", *words, *PLACE)
    assert (said.code, taught in said.err) == (code, True), said.err


def test_a_fingerprint_that_nothing_has_is_answered_with_what_stands(left: Workshop) -> None:
    Hands(left, "echo").tag("green")
    name = print_of_tags(left).removeprefix("sha256:")
    said = left.type("drift", "ack", "000000000000", "-why", "x", *PLACE)
    assert (said.code, name[:12] in said.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "taught"),
    [
        (("-no-memory", "-webhook"), "what a channel was told is remembered"),
        (("-fix", "-format=html"), "forms are those of apply"),
        (("-format=html", "-max-bytes=9000"), "-max-bytes is for -format=markdown"),
    ],
)
def test_options_that_would_not_be_heeded_are_refused(
    left: Workshop, words: tuple[str, ...], taught: str
) -> None:
    said = left.type("drift", *words, *PLACE)
    assert (said.code, taught in said.err) == (64, True), said.err


@pytest.mark.parametrize(
    ("form", "begins"), [("markdown", "**Drift of"), ("html", "<!DOCTYPE html>"), ("json", "{")]
)
def test_it_is_drawn_in_the_form_that_is_asked_for(left: Workshop, form: str, begins: str) -> None:
    Hands(left, "echo").tag("green")
    said = left.type("drift", f"-format={form}", *PLACE)
    assert (said.code, said.out.startswith(begins), "tags" in said.out) == (0, True, True)


def test_a_command_of_drift_comes_first_and_a_path_of_its_name_is_reached(
    left: Workshop,
) -> None:
    said = left.type("drift", "--emulator", "ack")
    assert (said.code, "comes first" in said.err) == (64, True)
    left.write("ack/shop.yaml", stack(ECHO))
    said = left.type("drift", "--emulator", "./ack")
    assert "quick" not in said.err
    assert said.code == 0


def test_a_memory_that_cannot_be_written_is_a_warning_and_no_more(left: Workshop) -> None:
    Hands(left, "echo").tag("green")
    lock = left.state_directory / "lock"
    lock.unlink()
    lock.mkdir()
    said = left.type("drift", "-detailed-exitcode", *PLACE)
    assert (said.code, "memory-unwritten" in said.err) == (2, True), said
    document = look(left).document
    warnings = document["warnings"]
    assert isinstance(warnings, list)
    assert [one["code"] for one in warnings] == ["memory-unwritten"]
