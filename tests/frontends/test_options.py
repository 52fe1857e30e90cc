"""What is typed and how it is read; what is mistyped and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.frontends.options import leading_back

if TYPE_CHECKING:
    from tests.frontends.conftest import Typing

USAGE = 64


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("paln",), "'plan'"),
        (("emulator", "legder"), "'ledger'"),
        (("plan", "-otu=x"), "'-out'"),
        (("plan", "--detailed-exitcod"), "'--detailed-exitcode'"),
        (("plan", "-jsno"), "'-json'"),
    ],
)
def test_a_misspelling_is_answered_with_the_nearest_word(
    typed: Typing, words: tuple[str, ...], hint: str
) -> None:
    said = typed(*words)
    assert said.code == USAGE
    assert f"Did you mean {hint}" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "-out"),
        ("plan", "-var", "tag"),
        ("plan", "-var", "=2"),
        ("plan", "-env=Prod!"),
        ("plan", "-require=weather"),
        ("apply", "-parallelism=0"),
        ("apply", "-parallelism=many"),
        ("verify",),
        ("show", "a", "b"),
        ("schema", "poem"),
        ("emulator", "advance", "soon"),
        ("emulator", "grab", "L40S", "4"),
        ("emulator", "fault", "add", "grab", "deploy", "-set", "cluster"),
        ("plan", "-world=missing.yaml"),
    ],
)
def test_wrong_usage_is_64_and_says_where_help_is(typed: Typing, words: tuple[str, ...]) -> None:
    said = typed(*words)
    assert said.code == USAGE
    assert said.out == ""
    assert "--help`" in said.err


@pytest.mark.parametrize("dash", ["-", "--"])
def test_long_options_take_one_dash_or_two(typed: Typing, dash: str) -> None:
    said = typed("plan", f"{dash}detailed-exitcode", f"{dash}emulator", f"{dash}out", "p", ".")
    assert said.code == 2
    assert "Saved the plan to: p" in said.out


def test_an_emulator_without_a_file_does_not_take_the_stack_for_one(typed: Typing) -> None:
    assert typed("plan", "--emulator", "stack.yaml").code == 0


def test_an_option_after_a_value_is_an_option(typed: Typing) -> None:
    assert typed("plan", "-target", "function.embed", "--emulator", ".").code == 0


def test_a_target_that_is_not_there_names_those_that_are(typed: Typing) -> None:
    said = typed("plan", "-target=function.chat", "--emulator", ".")
    assert said.code == 1
    assert "function.embed" in said.err


def test_an_unknown_variable_is_an_error_of_the_stack(typed: Typing) -> None:
    said = typed("validate", "-var", "tag=2", ".")
    assert said.code == 1
    assert "error[unknown-variable]" in said.err


def test_the_environment_names_variables_and_the_option_wins(typed: Typing) -> None:
    environment = {"NVCFPLAN_VAR_tag": "2"}
    assert "error[unknown-variable]" in typed("validate", ".", environment=environment).err


def test_the_environment_of_the_stack_is_taken_from_option_then_variable(typed: Typing) -> None:
    typed("apply", "-auto-approve", "--emulator", ".", environment={"NVCFPLAN_ENV": "staging"})
    listed = typed("state", "list", "-env=staging", "--emulator", ".")
    assert listed.out == "function.embed\n"
    assert typed("state", "list", "--emulator", ".").out == ""


def test_a_plan_without_out_says_that_it_was_not_saved(typed: Typing) -> None:
    assert "The plan was not saved" in typed("plan", "--emulator", ".").out


@pytest.mark.parametrize(
    ("environment", "words", "is_coloured"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1"}, ("-no-color",), False),
        ({"CLICOLOR_FORCE": "1"}, ("-json",), False),
    ],
)
def test_colour_is_for_terminals_and_for_those_who_ask(
    typed: Typing, environment: dict[str, str], words: tuple[str, ...], is_coloured: bool
) -> None:
    said = typed("validate", *words, ".", environment=environment)
    assert ("\x1b[" in said.out) is is_coloured


@dataclass(frozen=True)
class Typed:
    paths: tuple[Path, ...] = (Path(),)
    environment: str = "default"
    endpoint: str | None = None
    emulator: str | None = None
    state_dir: Path | None = None


@pytest.mark.parametrize(
    ("typed_before", "words"),
    [
        (Typed(), ""),
        (Typed(paths=(Path("my stacks"),)), " 'my stacks'"),
        (Typed(emulator="", environment="prod"), " -env prod --emulator"),
        (Typed(emulator="e.db", paths=(Path("a.yaml"), Path("b.yaml"))),
         " --emulator=e.db a.yaml b.yaml"),
        (Typed(endpoint="https://nvcf.example"), " -endpoint https://nvcf.example"),
        (Typed(state_dir=Path("/srv/nvcf")), " -state-dir /srv/nvcf"),
        (Typed(state_dir=Path("/srv/nvcf"), emulator=""), " --emulator"),
    ],
)  # fmt: skip
def test_what_to_type_next_leads_back_to_the_same_run(typed_before: Typed, words: str) -> None:
    assert leading_back(typed_before) == words
