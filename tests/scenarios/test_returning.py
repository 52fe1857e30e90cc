"""`rollback ADDRESS -to VERSION`: a kept version serves again; what to edit is told."""

from __future__ import annotations

import json

import pytest

from nvcfplan.emulator.rules import Fault, Trouble
from tests.scenarios.conftest import Workshop, as_before, codes, h100, stack
from tests.scenarios.test_keeping_failed import fail_new_version, kept, serving
from tests.scenarios.test_tight_rollouts import begun, lab, world

TWO = "update: { keepVersions: 2 }"


def rolled(workshop: Workshop, *images: str, more: str = "", instances: int = 1) -> list[str]:
    """Ids of the versions, oldest first; the last one serves."""
    for image in images:
        text = stack(h100("chat", image=image, more=more, instances=instances))
        workshop.write("stack.yaml", text)
        assert workshop.apply(".").code == 0
    return [str(one["versionId"]) for one in workshop.account()]


def goes_back(workshop: Workshop, version: str, *more: str) -> tuple[int, str, str]:
    words = ("rollback", "function.chat", "-to", version, "-auto-approve", "--emulator", *more)
    said = workshop.type(*words, ".")
    return said.code, said.out, said.err


def test_kept_version_serves_again_and_no_version_is_made(workshop: Workshop) -> None:
    old, new = rolled(workshop, "1.0.0", "2.0.0")

    code, out, err = goes_back(workshop, old)

    assert code == 0, out + err
    assert "Apply complete! Resources: 0 added, 1 changed, 0 destroyed." in out
    assert serving(workshop) == ["nvcr.io/acme/chat:1.0.0"]
    assert [one["versionId"] for one in workshop.account()] == [old, new]


def test_edit_that_is_printed_makes_the_next_plan_empty(workshop: Workshop) -> None:
    old, _ = rolled(workshop, "1.0.0", "2.0.0")
    edit = 'containerImage: "nvcr.io/acme/chat:2.0.0" -> "nvcr.io/acme/chat:1.0.0"'

    _, out, err = goes_back(workshop, old)

    assert "stack-to-edit" in out
    assert edit in err
    assert workshop.plan(".").code == 2
    workshop.write("stack.yaml", stack(h100("chat")))
    said = workshop.plan(".")
    assert (said.code, "policies-to-remember" in said.out) == (0, False)


def test_plan_serves_all_along_and_nothing_is_done_without_approval(workshop: Workshop) -> None:
    old, _ = rolled(workshop, "1.0.0", "2.0.0")

    text = workshop.type("rollback", "function.chat", "-to", old, "--emulator", ".")

    assert text.code == 1
    assert "Downtime" not in text.out
    assert "deploy function.chat@old" in text.out
    assert serving(workshop) == ["nvcr.io/acme/chat:2.0.0"]


@pytest.mark.parametrize("length", [8, 36])
def test_version_may_be_named_by_how_its_id_begins(workshop: Workshop, length: int) -> None:
    old, middle, _ = rolled(workshop, "1.0.0", "2.0.0", "3.0.0", more=TWO)

    assert goes_back(workshop, middle[:length])[0] == 0

    assert serving(workshop) == ["nvcr.io/acme/chat:2.0.0"]
    assert old in [one["versionId"] for one in workshop.account()]


def test_several_instances_and_a_way_forward_again(workshop: Workshop) -> None:
    old, new = rolled(workshop, "1.0.0", "2.0.0", instances=2)

    assert goes_back(workshop, old)[0] == 0
    assert goes_back(workshop, new)[0] == 0

    assert serving(workshop) == ["nvcr.io/acme/chat:2.0.0"]
    assert workshop.plan(".").code == 0


@pytest.mark.parametrize(("capacity", "begins"), [(8, 3), (4, 1)])
def test_as_many_instances_come_back_as_run_now_where_they_fit(
    workshop: Workshop, capacity: int, begins: int
) -> None:
    more = "traffic:\n  chat: { running: 3 }\n"

    def chat(image: str) -> str:
        return lab("chat", 1, image=image, instances="1..3", more="update: { keepVersions: 1 }")

    begun(workshop, world(capacity, more=more), chat("1.0.0"))
    workshop.write("stack.yaml", stack(chat("2.0.0")))
    assert workshop.apply(".").code == 0
    old = str(workshop.account()[0]["versionId"])

    code, out, err = goes_back(workshop, old)

    assert code == 0, out + err
    first = next(line for line in out.splitlines() if "deploy function.chat@old" in line)
    assert f"{begins} to 3 x" in first or (begins == 3 and ": 3 x" in first)
    workshop.write("stack.yaml", stack(chat("1.0.0")))
    assert workshop.plan(".").code == 0


def test_return_that_fails_is_undone(workshop: Workshop) -> None:
    old, _ = rolled(workshop, "1.0.0", "2.0.0")
    before = as_before(workshop.account())
    workshop.emulator().add_fault(Fault(kind=Trouble.BREAK, route="deploy", function="chat"))

    code, out, _ = goes_back(workshop, old)

    assert code == 3
    assert "The account is as it was before." in out
    assert as_before(workshop.account()) == before
    assert workshop.plan(".").code == 0


def test_return_that_was_applied_can_be_rolled_back(workshop: Workshop) -> None:
    old, _ = rolled(workshop, "1.0.0", "2.0.0")
    assert goes_back(workshop, old)[0] == 0

    assert workshop.type("rollback", "-auto-approve", "--emulator", ".").code == 0

    assert serving(workshop) == ["nvcr.io/acme/chat:2.0.0"]
    assert workshop.plan(".").code == 0


def test_return_ends_as_json_like_an_apply(workshop: Workshop) -> None:
    old, _ = rolled(workshop, "1.0.0", "2.0.0")

    code, out, _ = goes_back(workshop, old, "-json")

    document = json.loads(out.splitlines()[-1])
    assert (code, document["operation"], document["outcome"]) == (0, "apply", "applied")
    assert document["changes"]["change"] == 1


def test_version_that_cannot_return_is_refused_with_those_that_can(workshop: Workshop) -> None:
    old, new = rolled(workshop, "1.0.0", "2.0.0")
    for wanted, why in (
        (new, "serves already"),
        ("1", "has no version 1"),
        ("0" * 8, "has no version"),
    ):
        code, out, err = goes_back(workshop, wanted)
        assert (code, codes(err)) == (1, ["settings"]), out
        assert why in " ".join(err.split())
        assert old in err


def test_version_that_failed_does_not_return(workshop: Workshop) -> None:
    fail_new_version(workshop)
    (failed,) = kept(workshop)

    code, _, err = goes_back(workshop, str(failed["versionId"]))

    assert code == 1
    assert "kept only to be looked at" in " ".join(err.split())


def test_version_that_others_made_does_not_return(workshop: Workshop) -> None:
    rolled(workshop, "1.0.0")
    (ours,) = workshop.account()
    body = {"name": "chat", "inferenceUrl": "/run", "containerImage": "nvcr.io/acme/chat:9"}
    made = workshop.ask(f"functions/{ours['id']}/versions", method="POST", body=body)["function"]
    assert isinstance(made, dict)

    code, _, err = goes_back(workshop, str(made["versionId"]))

    assert code == 1
    assert "is not ours" in " ".join(err.split())


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("function.rank", "-to", "12345678"), 1, "the stack has no function.rank"),
        ((".", "-to", "12345678"), 64, "one function's address"),
        (("function.chat",), 64, "name it with -to VERSION"),
    ],
)
def test_words_that_mean_no_version_are_told(
    workshop: Workshop, words: tuple[str, ...], code: int, why: str
) -> None:
    rolled(workshop, "1.0.0")

    said = workshop.type("rollback", *words, "--emulator")

    assert said.code == code
    assert why in " ".join((said.err + said.out).split())
