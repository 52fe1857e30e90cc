"""What the stack says of a function's life holds from the next apply on, whatever else changes."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import Workshop, codes, function, h100, stack

PROTECTED = "lifecycle: { preventDestroy: true }"
KEPT = "lifecycle: { onRemove: undeploy }"
OTHER = function("other")


def _applied(workshop: Workshop, *functions: str) -> str:
    workshop.write("stack.yaml", stack(*functions))
    said = workshop.apply(".")
    assert said.code == 0, said
    return said.err


def _statuses(workshop: Workshop) -> dict[object, object]:
    return {one["name"]: one["status"] for one in workshop.account()}


def test_a_function_that_is_kept_undeployed_is_not_deleted_by_the_next_apply(
    workshop: Workshop,
) -> None:
    _applied(workshop, OTHER, h100("chat", more=KEPT))
    _applied(workshop, OTHER)
    assert _statuses(workshop) == {"chat": "INACTIVE", "other": "ACTIVE"}

    assert workshop.plan(".").code == 0
    _applied(workshop, function("other", image="2.0.0"))
    assert _statuses(workshop)["chat"] == "INACTIVE"


@pytest.mark.parametrize("image", ["1.0.0", "2.0.0"], ids=["nothing else", "with a run"])
def test_protection_that_is_added_later_protects(workshop: Workshop, image: str) -> None:
    _applied(workshop, OTHER, h100("chat"))
    _applied(workshop, function("other", image=image), h100("chat", more=PROTECTED))

    workshop.write("stack.yaml", stack(OTHER))
    said = workshop.apply(".")

    assert (said.code, codes(said.out)) == (1, ["prevent-destroy"])
    assert _statuses(workshop)["chat"] == "ACTIVE"


def test_changed_policies_alone_are_no_change_but_are_told_and_remembered(
    workshop: Workshop,
) -> None:
    _applied(workshop, h100("chat"))
    seen = workshop.events()
    workshop.write("stack.yaml", stack(h100("chat", more=PROTECTED)))

    planned = workshop.plan(".")
    assert planned.code == 0
    assert "No changes." in planned.out
    assert "apply` remembers it" in " ".join(planned.out.split())
    applied = workshop.apply(".")
    assert applied.code == 0
    assert "State updated: function.chat." in applied.err
    assert workshop.events() == seen

    assert "apply` remembers it" not in " ".join(workshop.plan(".").out.split())
    assert "State updated" not in workshop.apply(".").err


def test_a_saved_plan_with_nothing_to_do_remembers_too(workshop: Workshop) -> None:
    _applied(workshop, h100("chat"))
    workshop.write("stack.yaml", stack(h100("chat", more=PROTECTED)))
    workshop.plan("-out=policies.nvcfplan", ".")
    assert "State updated" in workshop.type("apply", "--emulator", "policies.nvcfplan").err

    workshop.write("stack.yaml", stack(OTHER))
    assert codes(workshop.plan(".").out) == ["prevent-destroy"]


def test_a_state_that_was_lost_is_written_again_though_nothing_is_to_be_done(
    workshop: Workshop,
) -> None:
    _applied(workshop, h100("chat"))
    (state,) = workshop.directory.rglob("state.json")
    state.unlink()

    assert "State updated: function.chat." in workshop.apply(".").err
    assert workshop.type("state", "list", "--emulator", ".").out == "function.chat\n"
    assert "State updated" not in workshop.apply(".").err


def test_an_open_run_comes_first(workshop: Workshop) -> None:
    _applied(workshop, h100("chat"))
    (state,) = workshop.directory.rglob("state.json")
    (journal,) = workshop.directory.rglob("*.jsonl")
    state.unlink()
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))

    assert codes(workshop.apply(".").err) == ["run-open"]
    assert not state.exists()


@pytest.mark.parametrize("is_known", [True, False], ids=["remembered", "only in the files"])
def test_destroy_heeds_what_the_files_say_now(workshop: Workshop, is_known: bool) -> None:
    _applied(workshop, OTHER, h100("chat", more=PROTECTED if is_known else ""))
    workshop.write("stack.yaml", stack(OTHER, h100("chat", more=PROTECTED)))

    said = workshop.type("destroy", "-auto-approve", "--emulator", ".")

    assert (said.code, codes(said.out)) == (1, ["prevent-destroy"])
    assert _statuses(workshop) == {"chat": "ACTIVE", "other": "ACTIVE"}


def test_a_function_that_left_the_stack_can_be_the_target_of_its_own_removal(
    workshop: Workshop,
) -> None:
    _applied(workshop, OTHER, h100("chat"))
    workshop.write("stack.yaml", stack(function("other", image="2.0.0")))

    assert workshop.apply("-target=function.chat", ".").code == 0

    (left,) = workshop.account()
    assert left["containerImage"] == "nvcr.io/acme/other:1.0.0"
    gone = workshop.plan("-target=function.chat", ".")
    assert gone.code == 1
    assert "function.other" in gone.err


def test_the_state_that_could_not_be_written_after_a_run_is_written_by_resume(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", stack(h100("chat")))
    # What a write replaces is kept here; the first write of a state replaces nothing.
    history = workshop.state_directory / "history"
    history.mkdir(parents=True)
    history.chmod(0o777)

    said = workshop.apply(".")

    assert said.code == 4
    assert "Apply complete!" in said.out
    assert "`nvcfplan resume` writes it" in said.err
    assert _statuses(workshop) == {"chat": "ACTIVE"}
    assert workshop.type("state", "list", "--emulator", ".").out == ""

    history.chmod(0o700)
    seen = workshop.events()
    assert workshop.type("resume", "--emulator", ".").code == 0
    assert workshop.type("state", "list", "--emulator", ".").out == "function.chat\n"
    assert workshop.events() == seen
    assert "State updated" not in workshop.apply(".").err


def test_what_the_emulator_says_is_not_masked_by_its_key(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("emulator", place="clusters: [emulator-1]")))
    said = workshop.plan(".")
    assert "emulator-1" in said.out
    workshop.write("stack.yaml", stack(function("emulator", image="emulator")))
    fault = ("emulator", "fault", "add", "answer", "create-function", "-set", "status=400")
    workshop.type(*fault, "-set", "text=the emulator does not like it", ".")
    said = workshop.apply(".")
    assert said.code == 1
    assert "the emulator does not like it" in " ".join(said.out.split())


@pytest.mark.parametrize(
    "scaling",
    [
        "{ factor: 2, threshold: 70, stickiness: { size: 30m, threshold: PT90S } }",
        "{ factor: 1.5, threshold: 0, stickiness: { size: PT60M, threshold: 59m59s } }",
    ],
)
def test_autoscaling_is_applied_once_however_its_durations_are_written(
    workshop: Workshop, scaling: str
) -> None:
    rules = f"autoscalingConfiguration: {{ scaleUpDetails: {scaling} }}"
    place = f"clusters: [byoc-cluster-1]\n          {rules}"
    _applied(workshop, function("chat", place=place))
    assert workshop.plan("-detailed-exitcode", ".").code == 0
