"""`simulate`: a saved plan carried out in a copy of the account, and nowhere else."""

from __future__ import annotations

import re
import shutil

import pytest

from nvcfplan.frontends.commands.simulate import simulate
from nvcfplan.frontends.injections import GRAB, KINDS
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


def test_killed_run_shows_what_going_on_and_going_back_would_make_of_it(
    workshop: Workshop,
) -> None:
    saved(workshop)
    code, said = rehearse(workshop, "kill@deploy:function.chat@new")
    assert code == 0, said
    resumed, undone = said.split("What `nvcfplan rollback` would make of it instead:")
    assert "Killed: that request was served" in resumed
    assert "deployment complete after 0s, found done" in resumed
    assert "Resume complete! Resources: 0 added, 2 changed, 0 destroyed." in said
    assert "Rolling back" in undone
    assert "Rollback complete! The account is as it was before the run." in said


def test_killed_run_meets_its_other_troubles_when_it_is_gone_on_with(workshop: Workshop) -> None:
    saved(workshop)
    code, said = rehearse(
        workshop, "kill@create-version:function.chat@new", "broken@deploy:function.chat@new"
    )
    assert code == 3, said
    assert "restart-loop" in said


def test_kill_that_the_run_does_not_live_to_see_changes_nothing(workshop: Workshop) -> None:
    saved(workshop)
    inject = ("no-capacity@deploy:function.chat@new", "kill@undeploy:function.chat@old")
    code, said = rehearse(workshop, *inject)
    assert code == 3, said
    assert "Killed" not in said


def snapped(workshop: Workshop) -> None:
    saved(workshop)
    said = workshop.type("snapshot", "-out=shop.snapshot", "--emulator", ".")
    assert said.code == 0, said.err


def test_snapshot_is_rehearsed_like_the_account_that_it_is_of(workshop: Workshop) -> None:
    snapped(workshop)
    inject = ("-inject", "no-capacity@deploy:function.chat@new")
    there = workshop.type("simulate", "--emulator", *inject, "roll.nvcfplan")
    workshop.emulator_file.unlink()
    said = workshop.type("simulate", "-offline=shop.snapshot", *inject, "roll.nvcfplan")
    assert (said.code, said.out) == (there.code, there.out)
    assert not workshop.emulator_file.exists()


def test_plan_that_was_made_offline_is_rehearsed_offline(workshop: Workshop) -> None:
    snapped(workshop)
    assert workshop.type("plan", "-offline=shop.snapshot", "-out=off.nvcfplan", ".").code == 0
    said = workshop.type("simulate", "-offline=shop.snapshot", "-inject", "kill@1", "off.nvcfplan")
    assert said.code == 0, said.err
    assert "Resume complete!" in said.out


def test_environment_that_only_the_account_has_is_known_by_its_hash(workshop: Workshop) -> None:
    def chat(word: str) -> str:
        more = f"    inferencePort: 8000\n    containerEnvironment: {{ LOG: {word} }}\n"
        return lab("chat", 2).replace("    inferencePort: 8000\n", more)

    begun(workshop, world(6), chat("info"))
    workshop.write("stack.yaml", stack(chat("debug")))
    assert workshop.plan("-out=roll.nvcfplan", ".").code == 2
    assert workshop.type("snapshot", "-out=shop.snapshot", "--emulator", ".").code == 0
    assert "info" not in (workshop.directory / "shop.snapshot").read_text(encoding="utf-8")
    said = workshop.type("simulate", "-offline=shop.snapshot", "roll.nvcfplan")
    assert said.code == 0, said.err


def test_what_others_run_is_in_the_way_as_the_snapshot_has_it(workshop: Workshop) -> None:
    snapped(workshop)
    workshop.write("other/stack.yaml", stack(lab("other", 1), name="other"))
    there = f"--emulator={workshop.emulator_file}"
    assert workshop.type("apply", "-auto-approve", there, "other").code == 0
    assert workshop.type("snapshot", "-out=full.snapshot", "--emulator", ".").code == 0
    really = workshop.type("simulate", "--emulator", "roll.nvcfplan")
    said = workshop.type("simulate", "-offline=full.snapshot", "roll.nvcfplan")
    assert (said.code, said.out) == (really.code, really.out)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("-offline=shop.snapshot", "--emulator"), 64, "asks nobody but the snapshot"),
        (("-offline=roll.nvcfplan",), 1, "not a snapshot that nvcfplan can read"),
        (("-offline=none.snapshot",), 1, "cannot be read as a snapshot"),
        (("-offline=other.snapshot",), 1, "the snapshot is of other@default"),
    ],
)
def test_snapshot_that_is_of_no_use_is_told(
    workshop: Workshop, words: tuple[str, ...], code: int, why: str
) -> None:
    snapped(workshop)
    workshop.write("other/stack.yaml", stack(lab("other", 1), name="other"))
    assert workshop.type("snapshot", "-out=other.snapshot", "--emulator", "other").code == 0
    said = workshop.type("simulate", *words, "roll.nvcfplan")
    assert said.code == code
    assert why in " ".join(said.err.split())


def test_every_kind_of_trouble_is_in_the_help() -> None:
    said = (simulate.epilog or "").replace(",", "").split()
    assert [kind for kind in (*KINDS, GRAB) if kind not in said] == []
