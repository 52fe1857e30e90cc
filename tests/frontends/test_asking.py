"""Nothing is changed without a yes; and what is said ends with the outcome and its code."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import RunOutcome
from nvcfplan.errors import LockHeld, NvcfplanError, StalePlan
from nvcfplan.frontends.cli import run
from nvcfplan.frontends.exits import Exit, exit_of_error, exit_of_outcome
from nvcfplan.frontends.terminal import Terminal

if TYPE_CHECKING:
    from tests.frontends.conftest import Typing

WORLD = Path(__file__).parents[2] / "examples" / "worlds" / "demo.yaml"


def test_yes_applies(typed: Typing) -> None:
    said = typed("apply", "--emulator", ".", answer="yes\n")
    assert said.code == 0
    assert "Only 'yes' will be accepted to approve." in said.out
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in said.out


@pytest.mark.parametrize("answer", ["y\n", "YES\n", "no\n", "\n", ""])
def test_anything_else_cancels(typed: Typing, answer: str) -> None:
    said = typed("apply", "--emulator", ".", answer=answer)
    assert said.code == 1
    assert said.err.endswith("Apply cancelled.\n")
    assert typed("state", "list", "--emulator", ".").out == ""


def test_without_a_terminal_approval_must_be_given_before(typed: Typing) -> None:
    said = typed("apply", "--emulator", ".")
    assert said.code == 1
    assert "-auto-approve" in said.err


def test_json_never_asks(typed: Typing) -> None:
    said = typed("apply", "-json", "--emulator", ".", answer="yes\n")
    assert said.code == 1
    assert json.loads(said.out.splitlines()[-1])["exit_code"] == 1


def test_destroy_asks_in_its_own_words(typed: Typing) -> None:
    typed("apply", "-auto-approve", "--emulator", ".")
    said = typed("destroy", "--emulator", ".", answer="yes\n")
    assert said.code == 0
    assert "There is no undo. Only 'yes' will be accepted to confirm." in said.out
    assert "Destroy complete! Resources: 1 destroyed." in said.out


def test_nothing_to_do_is_applied_without_a_question(typed: Typing) -> None:
    typed("apply", "-auto-approve", "--emulator", ".")
    said = typed("apply", "--emulator", ".")
    assert said.code == 0
    assert "Resources: 0 added, 0 changed, 0 destroyed." in said.out


def test_json_of_an_apply_ends_in_a_document_with_outcome_and_code(typed: Typing) -> None:
    said = typed("apply", "-json", "-auto-approve", "--emulator", ".")
    document = json.loads(said.out.splitlines()[-1])
    assert (document["outcome"], document["exit_code"]) == ("applied", 0)
    assert document["changes"] == {
        "import": 0, "add": 1, "change": 0, "remove": 0, "operation": "apply",
    }  # fmt: skip


def test_json_of_a_plan_is_the_plan_document(typed: Typing) -> None:
    typed("plan", "-out=saved", "--emulator", ".")
    shown = json.loads(typed("plan", "-json", "--emulator", ".").out)
    with open("saved", encoding="utf-8") as file:
        assert shown["plan"] == json.load(file)["plan"]


def test_json_of_a_stack_with_faults_is_one_document(typed: Typing) -> None:
    said = typed("plan", "-json", "-var", "tag=1", "--emulator", ".")
    document = json.loads(said.out)
    assert (said.code, document["valid"], document["error_count"]) == (1, False, 1)


def test_a_requirement_turns_doubt_into_refusal(typed: Typing) -> None:
    world = WORLD.read_text("utf-8") + "\nunreadable: { quota: 403 }\n"
    Path("world.yml").write_text(world, "utf-8")
    words = ("plan", "-detailed-exitcode", "--emulator=other.db", "stack.yaml")
    doubted = typed(*words, "-world=world.yml")
    required = typed(*words, "-require=quota")
    assert (doubted.code, required.code) == (2, 1)
    assert "quota-not-checked" in doubted.out


class Gone(io.StringIO):
    """A pipe whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe", text)


def test_a_reader_that_leaves_is_no_error() -> None:
    terminal = Terminal(stdin=io.StringIO(), stdout=Gone(), stderr=io.StringIO(), environment={})
    assert run(["version"], terminal) == 0


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (RunOutcome.APPLIED, 0),
        (RunOutcome.FAILED, 1),
        (RunOutcome.ROLLED_BACK, 3),
        (RunOutcome.INCOMPLETE, 4),
        (RunOutcome.NO_CAPACITY, 7),
        (RunOutcome.INTERRUPTED, 130),
    ],
)
def test_each_outcome_has_its_exit_code(outcome: RunOutcome, code: int) -> None:
    assert exit_of_outcome(outcome) == code


def test_no_outcome_is_without_an_exit_code() -> None:
    assert {exit_of_outcome(outcome) for outcome in RunOutcome} == {0, 1, 3, 4, 7, 130}
    assert exit_of_outcome(RunOutcome.INTERRUPTED, is_terminated=True) == 143


def test_only_a_stale_plan_and_a_held_lock_have_codes_of_their_own() -> None:
    stale = StalePlan("moved", moved=(), remedy="")
    held = LockHeld("held", holder="a", since="", epoch=1, remedy="")
    assert exit_of_error(stale) is Exit.STALE
    assert exit_of_error(held) is Exit.LOCKED
    assert exit_of_error(NvcfplanError("other")) is Exit.ERROR
