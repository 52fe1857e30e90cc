"""`simulate`: a saved plan carried out in a copy of the account, and nowhere else."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.scenarios.conftest import EXAMPLES, Workshop, stack
from tests.scenarios.test_tight_rollouts import begun, lab, world

TAGS = {"updates": "tag", "heterogeneous": "chatTag"}


def saved(workshop: Workshop, **more: str) -> None:
    begun(workshop, world(6), lab("chat", 2, **more), lab("rank", 2))
    changed = (lab("chat", 2, image="2.0.0", **more), lab("rank", 2, image="2.0.0"))
    workshop.write("stack.yaml", stack(*changed))
    assert workshop.plan("-out=roll.nvcfplan", ".").code == 2


def rehearse(workshop: Workshop, *inject: str) -> tuple[int, str]:
    """The account must be as it was: every change of it is an event or an entry of the ledger."""
    before = (workshop.account(), workshop.events(), workshop.ledger())
    state = sorted(workshop.state_directory.rglob("*"))
    words = [word for one in inject for word in ("-inject", one)]
    said = workshop.type("simulate", "--emulator", *words, "roll.nvcfplan")
    assert (workshop.account(), workshop.events(), workshop.ledger()) == before
    assert sorted(workshop.state_directory.rglob("*")) == state
    return said.code, said.out + said.err


def test_a_plan_that_would_be_applied_is_applied_in_the_rehearsal_alone(
    workshop: Workshop,
) -> None:
    saved(workshop)
    code, said = rehearse(workshop)
    assert code == 0, said
    assert "Apply complete! Resources: 0 added, 2 changed, 0 destroyed." in said
    assert "That was a rehearsal: nothing was changed in the account." in said
    assert workshop.plan(".").code == 2


@pytest.mark.parametrize("name", sorted(TAGS))
def test_every_example_is_rehearsed_as_it_is_applied(workshop: Workshop, name: str) -> None:
    shutil.copytree(
        EXAMPLES / name, workshop.directory, dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(".nvcfplan"),
    )  # fmt: skip
    workshop.apply(".")
    assert workshop.plan("-var", f"{TAGS[name]}=2.2.0", "-out=roll.nvcfplan", ".").code == 2
    said = workshop.type("simulate", "--emulator", "roll.nvcfplan")
    assert said.code == 0, said.err
    summary = re.search(r"Apply complete! .*", said.out)
    really = workshop.type("apply", "--emulator", "roll.nvcfplan")
    assert summary is not None
    assert summary[0] in really.out


@pytest.mark.parametrize(
    ("inject", "code", "words"),
    [
        ("no-capacity@deploy:function.chat@new", 3, "every part that failed was undone"),
        ("late-capacity@deploy:function.chat@new", 3, "every part that failed was undone"),
        ("stuck@deploy:function.chat@new", 3, "a lack of capacity is suspected"),
        ("unserved@await-active:function.chat@new", 3, "every part that failed was undone"),
        ("grab@deploy:function.chat@new", 3, "every part that failed was undone"),
        ("broken@deploy:function.chat@new", 3, "every part that failed was undone"),
        ("drop-reply@create-version:function.chat@new", 0, "Apply complete!"),
        ("5xx@create-version:function.chat@new", 0, "Apply complete!"),
        ("429@1", 0, "Apply complete!"),
        ("refused@create-version:function.chat@new", 3, "every part that failed was undone"),
    ],
)
def test_troubles_show_what_the_run_would_make_of_them(
    workshop: Workshop, inject: str, code: int, words: str
) -> None:
    saved(workshop)
    found, said = rehearse(workshop, inject)
    assert found == code, said
    assert words in " ".join(said.split())
    assert "nvcfplan resume" not in said


def test_a_rehearsed_trouble_ends_as_the_same_one_in_the_account(workshop: Workshop) -> None:
    saved(workshop)
    code, said = rehearse(workshop, "no-capacity@deploy:function.chat@new")
    fault = ("capacity-sync", "deploy", "-set", "function=chat", "-set", "count=1000")
    assert workshop.type("emulator", "fault", "add", *fault, ".").code == 0
    really = workshop.type("apply", "--emulator", "roll.nvcfplan")
    assert really.code == code
    ending = re.search(r"Apply failed; .*", said)
    assert ending is not None
    assert ending[0] in really.out + really.err


def test_the_ladder_is_climbed_in_the_rehearsal(workshop: Workshop) -> None:
    def chat(image: str) -> str:
        ladder = "onNoCapacity: [{ fallback: { main: { clusters: [lab-2] } } }, rollback]"
        text = lab("chat", 2, image=image)
        return text.replace("      specifications:", f"      {ladder}\n      specifications:")

    begun(workshop, world(), chat("1.0.0"))
    workshop.write("stack.yaml", stack(chat("2.0.0")))
    assert workshop.plan("-out=roll.nvcfplan", ".").code == 2
    code, said = rehearse(workshop, "grab@deploy:function.chat@new")
    assert code == 0, said
    assert "function.chat is satisfied by fallback 1 of 1." in said


def test_no_secret_is_needed_for_a_rehearsal(workshop: Workshop) -> None:
    begun(workshop, world(6), lab("rank", 2))
    wanted = lab("chat", 2).replace(
        "    inferencePort: 8000\n",
        "    inferencePort: 8000\n    secrets: { HF_TOKEN: { fromEnv: HF_TOKEN } }\n",
    )
    workshop.write("stack.yaml", stack(wanted, lab("rank", 2)))
    assert workshop.plan("-out=roll.nvcfplan", ".").code == 2
    assert rehearse(workshop)[0] == 0
    assert workshop.type("apply", "--emulator", "roll.nvcfplan").code == 1


def test_a_plan_that_is_stale_is_stale_in_the_rehearsal_too(workshop: Workshop) -> None:
    saved(workshop)
    workshop.write("stack.yaml", stack(lab("chat", 1), lab("rank", 2)))
    assert workshop.apply(".").code == 0
    assert rehearse(workshop)[0] == 5


@pytest.mark.parametrize(
    "inject", ["sabotage@1", "stuck", "stuck@99", "stuck@create-version:function.chat@new",
               "5xx@await-released:function.chat@old"],
)  # fmt: skip
def test_what_cannot_be_thrown_in_is_told(workshop: Workshop, inject: str) -> None:
    saved(workshop)
    assert rehearse(workshop, inject)[0] == 64
