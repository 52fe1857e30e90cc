"""Whatever somebody does to what we left is found, and called what it is."""

from __future__ import annotations

import shutil
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.rules import Fault, Trouble, When
from tests.scenarios.conftest import Workshop, stack
from tests.scenarios.hands import Hands, reorganise
from tests.scenarios.plants import CHAT, ECHO, PLANTS, SECRETS, SPEC, Plant

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def left(workshop: Workshop) -> Workshop:
    """As an apply left it."""
    workshop.write("shop.yaml", stack(CHAT, ECHO))
    said = workshop.type("apply", "-auto-approve", "--emulator", "shop.yaml", environment=SECRETS)
    assert said.code == 0, said.err
    return workshop


def look(workshop: Workshop, *words: str) -> tuple[int, dict[str, object]]:
    said = workshop.type("drift", "-detailed-exitcode", "-json", *words, "--emulator", "shop.yaml")
    assert said.err == ""
    return said.code, said.document


def test_what_was_left_alone_has_not_drifted(left: Workshop) -> None:
    code, document = look(left)
    assert (code, document["outcome"], document["findings"]) == (0, "in-step", [])


@pytest.mark.parametrize("plant", PLANTS, ids=lambda one: one.name.replace(" ", "-"))
def test_what_somebody_did_is_called_what_it_is(left: Workshop, plant: Plant) -> None:
    plant.act(Hands(left))
    code, document = look(left)
    assert (code, document["outcome"]) == (2, "drifted"), document
    findings = document["findings"]
    assert isinstance(findings, list)
    found = [(one["class"], one["code"], one["subject"]) for one in findings]
    meant = [
        one
        for one in found
        if one[:2] == (plant.kind, plant.code) and plant.subject in ("", one[2])
    ]
    assert meant, found
    others = sorted(code for kind, code, subject in found if (kind, code, subject) != meant[0])
    assert others == sorted(plant.also), found


def test_no_state_is_no_hindrance(left: Workshop) -> None:
    shutil.rmtree(left.state_directory)
    code, document = look(left)
    assert (code, document["outcome"], document["has_state"]) == (0, "in-step", False)
    Hands(left).patch(minInstances=2)
    code, document = look(left)
    (finding,) = findings_of(document)
    assert (code, finding["subject"]) == (2, f"{SPEC}.minInstances")
    assert "may be a change of the stack" in str(finding["evidence"])


def test_a_change_of_the_stack_that_nobody_applied_is_pending_and_no_drift(
    left: Workshop,
) -> None:
    left.write("shop.yaml", stack(CHAT.replace("maxInstances: 2", "maxInstances: 3"), ECHO))
    code, document = look(left)
    assert (code, document["outcome"], document["pending"]) == (0, "in-step", ["function.chat"])


def test_an_edit_beside_a_pending_change_is_told_apart(left: Workshop) -> None:
    left.write("shop.yaml", stack(CHAT.replace("maxInstances: 2", "maxInstances: 3"), ECHO))
    Hands(left).tag("green")
    _, document = look(left)
    assert [one["subject"] for one in findings_of(document)] == ["tags"]


def test_an_edit_that_the_stack_has_taken_up_is_no_drift(left: Workshop) -> None:
    Hands(left).patch(maxInstances=3)
    left.write("shop.yaml", stack(CHAT.replace("maxInstances: 2", "maxInstances: 3"), ECHO))
    code, document = look(left)
    assert (code, document["findings"]) == (0, [])


def test_what_cannot_be_read_is_named_and_never_no_drift(left: Workshop) -> None:
    reorganise(left, lambda world: replace(world, unreadable=(("capacity", 403),)))
    code, document = look(left)
    assert (code, document["outcome"]) == (0, "not-checked")
    unread = document["not_checked"]
    assert isinstance(unread, list)
    assert "capacity" in [one["what"] for one in unread]


def test_a_run_that_was_cut_off_is_told_of_and_does_not_stop_it(left: Workshop) -> None:
    left.write("shop.yaml", stack(CHAT.replace("chat:1.0.0", "chat:2.0.0"), ECHO))
    left.emulator().add_fault(Fault(kind=Trouble.KILL, route="create-version", when=When.AFTER))
    running = left.fork("apply", "-auto-approve", "--emulator", "shop.yaml", more=SECRETS)
    running.communicate()
    assert running.returncode == -signal.SIGKILL
    _, document = look(left)
    assert document["last_run"] == "open"
    said = left.type("drift", "--emulator", "shop.yaml")
    assert "may be its doing, half done" in said.out


def test_while_a_run_of_ours_is_at_work_nothing_is_looked_for(left: Workshop) -> None:
    with left.run_under_way():
        Hands(left).patch(minInstances=2)
        code, document = look(left)
    assert (code, document["outcome"], document["findings"]) == (0, "skipped", [])


def test_it_changes_nothing_in_the_account_and_nothing_beside_the_stack_but_its_memory(
    left: Workshop,
) -> None:
    Hands(left).patch(minInstances=2)
    before = (left.account(), files(left.state_directory))
    look(left)
    assert (left.account(), files(left.state_directory)) == before


def test_a_sensitive_value_is_shown_by_neither_side(left: Workshop) -> None:
    Hands(left).secret("EXTRA", "canary-of-a-secret")
    said = left.type("drift", "--emulator", "shop.yaml")
    assert "secrets.EXTRA" in said.out
    assert "canary-of-a-secret" not in said.out + said.err
    assert SECRETS["HF_TOKEN"] not in said.out + said.err


@pytest.mark.parametrize("is_own", [False, True], ids=["version", "function"])
def test_what_arrived_late_of_ours_is_noted_as_such(left: Workshop, is_own: bool) -> None:
    """Served twice: both carry the operation of the one call."""
    hands = Hands(left)
    body = {"name": "chat", "inferenceUrl": "/run", "containerImage": "nvcr.io/acme/chat:1.0.0"}
    path = "functions" if is_own else f"functions/{hands.version()['id']}/versions"
    left.ask(path, method="POST", body=body | {"tags": hands.tags()})
    code, document = look(left)
    assert (code, document["findings"]) == (0, [])
    notes = document["notes"]
    assert isinstance(notes, list)
    (note,) = (one for one in notes if one["class"] == "orphan")
    assert (note["code"], note["address"]) == ("late-arrival", "function.chat")


def findings_of(document: dict[str, object]) -> list[dict[str, object]]:
    found = document["findings"]
    assert isinstance(found, list)
    return found


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(directory)): one.read_bytes()
        for one in sorted(directory.rglob("*"))
        if one.is_file() and not one.name.startswith("memory")
    }
