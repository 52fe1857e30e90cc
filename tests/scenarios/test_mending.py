"""What drifted can be put back, or taken into the files; nothing else is touched by either."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.budget import examples
from tests.scenarios.conftest import Workshop, as_before, stack
from tests.scenarios.hands import Hands
from tests.scenarios.plants import CHAT, ECHO, PLANTS, SECRETS, SPEC, Plant
from tests.scenarios.test_drift import findings_of, look

if TYPE_CHECKING:
    from tests.scenarios.conftest import Said

FIXABLE = {
    "edited", "error", "function-deleted", "old-version-serving", "ownership-tags-gone",
    "undeployed",
}  # fmt: skip
PUT_BACK = tuple(one for one in PLANTS if one.code in FIXABLE and {*one.also} <= FIXABLE)
STEP = 1 if examples(1_000) == 1_000 else 3
"""Of the plants, every third by default."""
TRIED = PUT_BACK[::STEP]
ACCEPTABLE = tuple(one for one in PLANTS if one.code == "edited" and {*one.also} <= {"edited"})
TAKEN = ACCEPTABLE[1::STEP] if STEP > 1 else ACCEPTABLE
MORE = CHAT.replace("maxInstances: 2", "maxInstances: 3")


@pytest.fixture
def left(workshop: Workshop) -> Workshop:
    """As an apply left it."""
    workshop.write("shop.yaml", stack(CHAT, ECHO))
    said = workshop.type("apply", "-auto-approve", "--emulator", "shop.yaml", environment=SECRETS)
    assert said.code == 0, said.err
    return workshop


def fix(workshop: Workshop, *words: str) -> Said:
    return workshop.type(
        "drift", "-fix", "-auto-approve", *words, "--emulator", "shop.yaml", environment=SECRETS
    )


@pytest.mark.parametrize("plant", TRIED, ids=lambda one: one.name.replace(" ", "-"))
def test_what_was_put_back_is_as_it_was_left(left: Workshop, plant: Plant) -> None:
    before = serving(left)
    plant.act(Hands(left))
    said = fix(left)
    assert said.code == 0, said.err + said.out
    assert as_of(serving(left), before) == before
    code, document = look(left)
    assert (code, document["findings"], document["pending"]) == (0, [], [])
    assert left.plan("shop.yaml").code == 0


def test_what_the_stack_asks_for_and_nobody_has_applied_stays_unapplied(left: Workshop) -> None:
    left.write("shop.yaml", stack(MORE.replace("chat:1.0.0", "chat:2.0.0"), ECHO))
    Hands(left).tag("green")
    Hands(left).patch(minInstances=2)
    said = fix(left)
    assert said.code == 0, said.err + said.out
    version = Hands(left).version()
    assert version["containerImage"] == "nvcr.io/acme/chat:1.0.0"
    bounds = Hands(left).specification()
    assert (bounds["minInstances"], bounds["maxInstances"]) == (1, 2)
    code, document = look(left)
    assert (code, document["findings"], document["pending"]) == (0, [], ["function.chat"])


def test_an_edit_that_the_stack_has_taken_up_stands(left: Workshop) -> None:
    Hands(left).patch(maxInstances=3)
    Hands(left).tag("green")
    left.write("shop.yaml", stack(MORE, ECHO))
    assert fix(left).code == 0
    assert Hands(left).specification()["maxInstances"] == 3
    assert "green" not in Hands(left).tags()
    assert left.plan("shop.yaml").code == 0


def test_a_function_that_did_not_drift_is_not_touched(left: Workshop) -> None:
    left.write("shop.yaml", stack(CHAT, ECHO.replace("echo:1.0.0", "echo:2.0.0")))
    Hands(left).tag("green")
    echo = Hands(left, "echo").version()
    assert fix(left).code == 0
    assert Hands(left, "echo").version() == echo


def test_without_a_state_the_files_say_what_is_put_back(left: Workshop) -> None:
    shutil.rmtree(left.state_directory)
    Hands(left).patch(minInstances=2)
    said = fix(left)
    assert (said.code, "restored-from-files" in said.err) == (0, True), said.err
    assert Hands(left).specification()["minInstances"] == 1


def test_what_no_plan_puts_right_is_named_and_left(left: Workshop) -> None:
    Hands(left).publish()
    before = left.account()
    said = fix(left)
    assert said.code == 0
    assert "foreign-version-serving" in said.err
    assert "what we did not make is never touched" in said.err
    assert "Nothing to put back" in said.out
    assert left.account() == before


def test_a_function_of_which_something_is_acknowledged_is_left_and_named(left: Workshop) -> None:
    Hands(left).tag("green")
    Hands(left).patch(minInstances=2)
    _, document = look(left)
    green = next(one for one in findings_of(document) if "tags" in str(one["subject"]))
    words = ("-why", "meant", "--emulator", "shop.yaml")
    known = left.type("drift", "ack", str(green["fingerprint"]), *words)
    assert known.code == 0, known.err
    said = fix(left)
    assert said.code == 0, said.err + said.out
    assert "drift unack" in said.out + said.err
    assert "green" in Hands(left).tags()
    assert Hands(left).specification()["minInstances"] == 2
    back = left.type("drift", "unack", str(green["fingerprint"]), *words[2:])
    assert back.code == 0, back.err
    assert fix(left).code == 0
    assert "green" not in Hands(left).tags()
    assert Hands(left).specification()["minInstances"] == 1


def test_a_repair_that_nobody_approves_changes_nothing(left: Workshop) -> None:
    Hands(left).tag("green")
    before = left.account()
    said = left.type("drift", "-fix", "--emulator", "shop.yaml", environment=SECRETS)
    assert (said.code, "needs approval" in said.err) == (1, True)
    assert left.account() == before


def test_a_repair_is_saved_and_applied_like_any_plan(left: Workshop) -> None:
    Hands(left).tag("green")
    said = left.type("drift", "-fix", "-out=fix.nvcfplan", "--emulator", "shop.yaml")
    assert said.code == 0, said.err
    assert "green" in Hands(left).tags()
    assert left.type("apply", "--emulator", "fix.nvcfplan", environment=SECRETS).code == 0
    assert "green" not in Hands(left).tags()


def test_a_repair_says_what_it_does_as_a_stream_of_events(left: Workshop) -> None:
    Hands(left).tag("green")
    lines = fix(left, "-json").stream
    assert (lines[0]["type"], lines[-1]["outcome"]) == ("version", "applied")


@pytest.mark.parametrize(
    "words", [("-out=x",), ("-auto-approve",), ("-fix", "-with-secrets"), ("-parallelism=2",)]
)
def test_an_option_that_nothing_would_heed_is_refused(
    left: Workshop, words: tuple[str, ...]
) -> None:
    assert left.type("drift", *words, "--emulator", "shop.yaml").code == 64


def accept(workshop: Workshop, *words: str) -> Said:
    return workshop.type("drift", "-accept", *words, "--emulator", "shop.yaml")


@pytest.mark.parametrize("plant", TAKEN, ids=lambda one: one.name.replace(" ", "-"))
def test_what_was_taken_over_is_what_the_next_plan_wants(left: Workshop, plant: Plant) -> None:
    before = (left.directory / "shop.yaml").read_text(encoding="utf-8").splitlines()
    plant.act(Hands(left))
    account = left.account()
    drifted = {str(one["subject"]) for one in findings_of(look(left)[1])}
    said = accept(left, "-auto-approve")
    assert said.code == 0, said.err + said.out
    after = (left.directory / "shop.yaml").read_text(encoding="utf-8").splitlines()
    assert len(after) == len(before)
    words = {_last_word(one) for one in drifted}
    changed = {_key_of(new) for old, new in zip(before, after, strict=True) if old != new}
    assert changed == words
    assert left.plan("shop.yaml").code == 0
    code, document = look(left)
    assert (code, document["findings"], document["pending"]) == (0, [], [])
    assert left.account() == account


def _last_word(subject: str) -> str:
    """Of a path, the key that stands first in its line of the file."""
    return subject.rpartition(".")[2] if subject.startswith(SPEC) else subject.partition(".")[0]


def _key_of(line: str) -> str:
    return line.strip().partition(":")[0]


def test_without_approval_no_file_is_changed(left: Workshop) -> None:
    Hands(left).tag("green")
    before = (left.directory / "shop.yaml").read_bytes()
    said = accept(left)
    assert (said.code, "look at it with -dry-run" in said.err) == (1, True)
    shown = accept(left, "-dry-run")
    assert (shown.code, "+    tags: [team-a, blue, green]" in shown.out) == (0, True)
    assert (left.directory / "shop.yaml").read_bytes() == before


def test_what_was_taken_over_is_said_as_a_document(left: Workshop) -> None:
    Hands(left).tag("green")
    Hands(left).publish()
    kinds = {str(one["code"]): one["fingerprint"] for one in findings_of(look(left)[1])}
    said = accept(left, "-json", "-auto-approve")
    assert said.code == 0
    assert said.document["outcome"] == "accepted"
    assert said.document["accepted"] == [kinds["edited"]]
    assert said.document["not_accepted"] == [kinds["foreign-version-serving"]]
    assert accept(left, "-json").document["outcome"] == "nothing-to-accept"


def test_a_change_that_waits_for_its_apply_goes_on_waiting(left: Workshop) -> None:
    left.write("shop.yaml", stack(MORE, ECHO))
    Hands(left).tag("green")
    assert accept(left, "-auto-approve").code == 0
    text = (left.directory / "shop.yaml").read_text(encoding="utf-8")
    assert text == stack(MORE.replace("blue]", "blue, green]"), ECHO)
    assert look(left)[1]["pending"] == ["function.chat"]


def test_a_variable_that_nothing_else_rests_on_is_changed_where_it_stands(left: Workshop) -> None:
    text = stack(CHAT.replace("maxInstances: 2", 'maxInstances: "{{ vars.most }}"'), ECHO)
    text = text.replace("functions:", "vars: { most: 2 }  # by night\nfunctions:")
    left.write("shop.yaml", text)
    Hands(left).patch(maxInstances=4)
    assert accept(left, "-auto-approve").code == 0
    found = (left.directory / "shop.yaml").read_text(encoding="utf-8")
    assert found == text.replace("most: 2", "most: 4")
    assert left.plan("shop.yaml").code == 0


@pytest.mark.parametrize("words", [(), ("-var", "most=2")], ids=["shared", "given"])
def test_a_variable_that_others_rest_on_is_left_with_its_place(
    left: Workshop, words: tuple[str, ...]
) -> None:
    echo = ECHO if words else ECHO.replace("maxInstances: 2", 'maxInstances: "{{ vars.most }}"')
    text = stack(CHAT.replace("maxInstances: 2", 'maxInstances: "{{ vars.most }}"'), echo)
    left.write("shop.yaml", text.replace("functions:", "vars: { most: 2 }\nfunctions:"))
    Hands(left).patch(maxInstances=4)
    Hands(left).tag("green")
    said = accept(left, "-auto-approve", *words)
    assert said.code == 0
    assert "shop.yaml:20:25" in said.err
    found = (left.directory / "shop.yaml").read_text(encoding="utf-8")
    assert found.count("vars.most") == text.count("vars.most")
    assert "green" in found


def test_secret_values_are_neither_written_nor_shown(left: Workshop) -> None:
    secret = CHAT.replace(
        "    tags:", "    containerEnvironment: { API_TOKEN: canary-one }\n    tags:"
    )
    left.write("shop.yaml", stack(secret, ECHO))
    said = left.type("apply", "-auto-approve", "--emulator", "shop.yaml", environment=SECRETS)
    assert said.code == 0, said.err
    hands = Hands(left)
    hands.tag("green")
    said = accept(left, "-auto-approve")
    assert said.code == 0
    assert "canary" not in said.out + said.err
    assert "API_TOKEN: **********" in said.out
    assert "canary-one" in (left.directory / "shop.yaml").read_text(encoding="utf-8")


def serving(workshop: Workshop) -> list[dict[str, object]]:
    """Every version that is deployed, but for which it is and which call of ours made it."""
    found = as_before([one for one in workshop.account() if one["status"] != "INACTIVE"])
    for one in found:
        tags = one["tags"]
        assert isinstance(tags, list)
        one["tags"] = sorted(tag for tag in tags if not tag.startswith("nvcfplan:op="))
        one["activeInstances"] = ()
    return [_anonymous(one) for one in sorted(found, key=lambda one: str(one["name"]))]


def _anonymous(row: dict[str, object]) -> dict[str, object]:
    minted = {"id", "versionId", "createdAt", "functionId", "functionVersionId"}
    return {
        key: _anonymous(value) if isinstance(value, dict) else value
        for key, value in row.items()
        if key not in minted
    }


def as_of(
    found: list[dict[str, object]], before: list[dict[str, object]]
) -> list[dict[str, object]]:
    """A new version states what the service had filled in: of that nothing is said here."""
    return [
        {key: value for key, value in one.items() if key in old}
        for one, old in zip(found, before, strict=True)
    ]
