"""A plan drawn for others than a person at a terminal, typed as a pipeline types it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import html5lib
import pytest
from jsonschema import Draft4Validator

from tests.scenarios.conftest import EXAMPLES, stack

if TYPE_CHECKING:
    from tests.scenarios.conftest import Workshop

SCHEMAS = Path(__file__).parents[1] / "schemas-of-others"
NO_IMAGE = stack("  chat: {}\n")


@pytest.fixture
def shop(workshop: Workshop) -> Workshop:
    for file in (EXAMPLES / "rolling").glob("*.yaml"):
        workshop.write(f"shop/{file.name}", file.read_text(encoding="utf-8"))
    return workshop


def test_a_saved_plan_is_shown_in_the_form_in_which_it_was_drawn(shop: Workshop) -> None:
    shop.plan("-out=roll.nvcfplan", "shop")
    for form in ("text", "json", "markdown", "html", "gitlab"):
        planned = shop.plan(f"-format={form}", "shop")
        shown = shop.type("show", f"-format={form}", "roll.nvcfplan")
        assert (planned.code, shown.code) == (2, 0)
        assert shown.err == ""
        assert shown.out.startswith(planned.out[:12]), form


def test_a_comment_on_a_saved_plan_says_how_to_apply_it(shop: Workshop) -> None:
    planned = shop.plan("-out=roll out.nvcfplan", "-format=markdown", "shop")
    shown = shop.type("show", "-format=markdown", "roll out.nvcfplan")
    assert "**To apply:** run `nvcfplan apply 'roll out.nvcfplan'`.\n" in planned.out
    assert "**To apply:** run `nvcfplan apply 'roll out.nvcfplan'`.\n" in shown.out
    assert "To apply" not in shop.plan("-format=markdown", "shop").out


def test_the_counts_for_a_merge_request_are_all_there_is(shop: Workshop) -> None:
    said = shop.plan("-format=gitlab", "shop")
    assert said.document == {"create": 3, "update": 0, "delete": 0}


def test_a_page_is_html_and_nothing_else(shop: Workshop) -> None:
    said = shop.plan("-format=html", "shop")
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(said.out)


def test_a_comment_stays_below_the_limit_that_is_given(shop: Workshop) -> None:
    said = shop.plan("-format=markdown", "-max-bytes=4096", "shop")
    assert len(said.out.encode("utf-8")) <= 4_096
    assert "3 to add, 0 to change, 0 to destroy" in said.out
    assert "Left out to stay under the size limit" in said.out


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_faults_of_files_are_told_in_the_form_for_programs(
    command: str, workshop: Workshop
) -> None:
    workshop.write("stack.yaml", NO_IMAGE)
    where = ("--emulator",) if command == "plan" else ()
    sarif = workshop.type(command, "-format=sarif", *where, "stack.yaml")
    schema = json.loads((SCHEMAS / "sarif" / "sarif-schema-2.1.0.json").read_text("utf-8"))
    Draft4Validator(schema).validate(sarif.document)
    lines = workshop.type(command, "-format=github", *where, "stack.yaml")
    assert (sarif.code, lines.code) == (1, 1)
    assert lines.out.startswith("::error title=missing-key,file=stack.yaml,line=4,")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("-json", "-format=html"), "-json and -format=html are two forms"),
        (("-format=html", "-json"), "-json and -format=html are two forms"),
        (("-summary", "-full"), "-summary and -full are two levels"),
        (("-format=html", "-full"), "-full is a level of text"),
        (("-summary", "-format=json"), "-summary is a level of text"),
        (("-json", "-full"), "-full is a level of text"),
        (("-max-bytes=5000",), "-max-bytes is for -format=markdown"),
        (("-max-bytes=5000", "-format=html"), "-max-bytes is for -format=markdown"),
        (("-format=html", "-max-bytes=5000"), "-max-bytes is for -format=markdown"),
        (("-format=pdf",), "'pdf' is not one of"),
    ],
)
def test_what_a_form_cannot_heed_is_refused(
    words: tuple[str, ...], why: str, workshop: Workshop
) -> None:
    said = workshop.type("show", *words, "any.nvcfplan")
    assert said.code == 64
    assert why in said.err


@pytest.mark.parametrize("option", ["-format=html", "-full"])
@pytest.mark.parametrize("what", ["shop", "01HV000000000000000000000X"])
def test_runs_and_state_have_no_form_of_plans(what: str, option: str, shop: Workshop) -> None:
    said = shop.type("show", "--emulator", option, what)
    assert said.code == 64
    assert f"{option} is for a saved plan" in said.err


def test_a_run_is_told_as_a_page_for_its_owner_alone(shop: Workshop) -> None:
    assert shop.apply("-report=run.html", "shop").code == 0
    page = shop.directory / "run.html"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = page.read_text(encoding="utf-8")
    assert "Apply complete! Resources: 3 added, 0 changed, 0 destroyed." in text
    assert text.count('class="actual') == text.count('<li class="lane') == 9


def test_a_page_that_cannot_be_written_does_not_change_how_the_run_ended(shop: Workshop) -> None:
    said = shop.apply("-report=nowhere/run.html", "shop")
    assert said.code == 0
    assert "error[store]: cannot write nowhere/run.html" in said.err
    assert "Apply complete!" in said.out
