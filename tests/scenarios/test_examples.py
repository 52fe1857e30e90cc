"""The examples, from files to an applied account, by the command line."""

from __future__ import annotations

import re
import shutil

import pytest

from nvcfplan.emulator.serving import Service
from tests.scenarios.conftest import EXAMPLES, Workshop, codes

GOOD = ("quickstart", "seed", "heterogeneous", "rolling", "updates", "ladder")


def _copied(workshop: Workshop, name: str) -> None:
    shutil.copytree(
        EXAMPLES / name, workshop.directory, dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(".nvcfplan"),
    )  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_example_is_valid(workshop: Workshop, name: str) -> None:
    said = workshop.type("validate", str(EXAMPLES / name))
    assert (said.code, codes(said.err)) == (0, [])


def test_the_broken_example_shows_all_its_faults_at_once(workshop: Workshop) -> None:
    said = workshop.type("validate", str(EXAMPLES / "broken"))
    assert said.code == 1
    assert len(set(codes(said.err))) >= 10
    assert len(re.findall(r"--> \S+stack\.yaml:\d+:\d+", said.err)) >= 10


@pytest.mark.parametrize("name", GOOD)
def test_an_example_applied_is_an_example_without_changes(workshop: Workshop, name: str) -> None:
    _copied(workshop, name)
    assert workshop.plan(".").code == 2
    assert workshop.apply(".").code == 0
    again = workshop.plan(".")
    assert again.code == 0
    assert "No changes." in again.out
    assert {entry.outcome for entry in workshop.ledger()} <= {Service.AT_ONCE}


def test_an_image_bump_in_a_large_stack_replaces_one_version_without_a_gap(
    workshop: Workshop,
) -> None:
    _copied(workshop, "heterogeneous")
    workshop.apply(".")
    before = {one["name"]: one["id"] for one in workshop.account()}
    seen = len(workshop.events())

    assert workshop.plan("-var", "chatTag=2.2.0", ".").code == 2
    assert workshop.apply("-var", "chatTag=2.2.0", ".").code == 0

    happened = [event for event in workshop.events()[seen:] if event.function]
    assert {event.function for event in happened} == {"chat"}
    kinds = [event.kind for event in happened]
    assert kinds.index("active") < kinds.index("undeployed")
    assert {one["name"]: one["id"] for one in workshop.account()} == before


def test_a_tight_pool_is_rolled_one_function_after_the_other(workshop: Workshop) -> None:
    _copied(workshop, "rolling")
    workshop.apply(".")
    said = workshop.apply("-var", "tag=2.2.0", ".")
    assert "0 added, 3 changed, 0 destroyed" in said.out
    assert {entry.outcome for entry in workshop.ledger()} == {Service.AT_ONCE}
    serving = 3
    for event in workshop.events():
        serving += (event.kind == "active") - (event.kind == "undeployed")
    assert serving == 6


def test_each_function_of_a_full_pool_is_replaced_as_it_asks_to_be(workshop: Workshop) -> None:
    _copied(workshop, "updates")
    workshop.apply(".")
    document = workshop.plan("-json", "-out=roll.nvcfplan", "-var", "tag=2.2.0", ".").document
    plan = document["plan"]
    assert isinstance(plan, dict)
    told = {one["code"] for one in plan["diagnostics"]}
    assert told >= {"stepped-replacement", "bounce-placement"}
    assert [one["address"] for one in plan["downtime"]] == ["function.index"]
    assert workshop.type("verify", "roll.nvcfplan").code == 0
    assert workshop.type("apply", "--emulator", "roll.nvcfplan").code == 0
    assert {entry.outcome for entry in workshop.ledger()} == {Service.AT_ONCE}


def test_destroy_leaves_an_empty_account_and_an_empty_state(workshop: Workshop) -> None:
    _copied(workshop, "quickstart")
    workshop.apply(".")
    assert workshop.type("state", "list", "--emulator", ".").out == "function.echo\n"

    said = workshop.type("destroy", "-auto-approve", "--emulator", ".")

    assert said.code == 0
    assert "1 destroyed" in said.out
    assert workshop.account() == []
    assert workshop.type("state", "list", "--emulator", ".").out == ""
