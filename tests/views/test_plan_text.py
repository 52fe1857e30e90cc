from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.diagnostics import Subject
from nvcfplan.model import Json, function_address
from nvcfplan.plans import Action, Infeasible, Means, Plan
from nvcfplan.reports import Outlook, plan_report
from nvcfplan.views.ink import WIDTH
from nvcfplan.views.plan_text import render_footer, render_plan
from nvcfplan.views.sentences import NO_CHANGES
from tests.documents import builders
from tests.documents.test_plan_document import SAMPLES

if TYPE_CHECKING:
    from nvcfplan.diagnostics import Span
    from tests.documents.builders import Golden


def line_of(span: Span) -> str:
    return f"{' ' * (span.start.column - 1)}maxInstances: 8"


def text_of(plan: Plan | Infeasible, *, colour: bool = False) -> str:
    return render_plan(plan_report(plan), line_of, colour=colour)


@pytest.mark.parametrize("name", SAMPLES)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    coloured = text_of(SAMPLES[name], colour=True)
    assert coloured != text_of(SAMPLES[name])
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text_of(SAMPLES[name])


@pytest.mark.parametrize("name", ["rolling", "delete-first", "heterogeneous"])
def test_a_plan_fits_the_one_width(name: str) -> None:
    assert max(map(len, text_of(SAMPLES[name]).splitlines())) <= WIDTH


def test_gaps_in_service_and_lost_ids_stand_before_everything_else() -> None:
    assert text_of(builders.delete_first()).startswith("Downtime: 1 function")
    assert text_of(builders.heterogeneous()).startswith("Destroys: 1 function")


def test_nothing_to_do_is_said_in_terraforms_words() -> None:
    assert text_of(builders.nothing_to_do()) == NO_CHANGES


def test_the_summary_counts_functions_in_terraforms_line() -> None:
    assert "Plan: 1 to add, 1 to change, 1 to destroy." in text_of(builders.heterogeneous())
    plan = builders.rolling()
    imported = replace(plan.changes[0], action=Action.IMPORT)
    text = text_of(replace(plan, changes=(imported, plan.changes[1])))
    assert "Plan: 1 to import, 0 to add, 1 to change, 0 to destroy." in text


def test_a_sensitive_value_is_shown_by_neither_side() -> None:
    plan = builders.heterogeneous()
    created = plan.changes[0]
    both = replace(
        builders.attribute("containerEnvironment.KEY", "one", "two", Means.NEW_VERSION),
        is_sensitive=True,
    )
    text = text_of(replace(plan, changes=(replace(created, attributes=(both,)),)))
    assert "containerEnvironment.KEY: (sensitive value) # another value" in text
    assert '"one"' not in text
    assert '"two"' not in text


def test_an_edit_made_outside_is_marked() -> None:
    plan = builders.rolling()
    edited = replace(plan.changes[0].attributes[0], live=Json('"other"'))
    change = replace(plan.changes[0], attributes=(edited,))
    assert "changed outside nvcfplan" in text_of(replace(plan, changes=(change,)))


def test_an_escape_in_a_configured_value_does_not_reach_the_terminal() -> None:
    plan = builders.rolling()
    evil = builders.update(
        "chat", builders.attribute("description", "a", "b\x1b[2J\u202e\x9b", Means.METADATA)
    )
    text = text_of(replace(plan, changes=(evil,)))
    assert not set("\x1b\x9b\u202e") & set(text)
    assert "\\u001b[2J\\u202e\\u009b" in text


def test_errors_that_stand_in_the_way_are_drawn_with_the_plan() -> None:
    fault = builders.infeasible().plan.diagnostics[0]
    plan = replace(builders.rolling(), diagnostics=(fault,), steps=())
    report = plan_report(plan)
    assert report.outlook is Outlook.REFUSED
    text = text_of(plan)
    assert text.startswith("error[capacity-exceeded]")
    assert "cannot be applied" in text
    assert "will perform" not in text


def test_a_forgotten_function_is_not_counted_as_destroyed() -> None:
    plan = builders.heterogeneous()
    forgotten = replace(plan.changes[1], action=Action.FORGET)
    text = text_of(replace(plan, changes=(forgotten,), steps=(), point_of_no_return=()))
    assert "nothing is deleted" in text
    assert "0 to destroy" in text
    assert "Destroys" not in text


def test_a_risk_that_several_functions_share_is_said_once_with_all_of_them() -> None:
    plan = builders.heterogeneous()
    risk = plan.diagnostics[0]
    other = replace(risk, subject=Subject(function_address("rerank")))
    text = text_of(replace(plan, diagnostics=(risk, other)))
    assert "At risk (1):" in text
    assert "in: function.embed deployment.specifications.h100, function.rerank" in text


def test_the_footer_says_whether_the_plan_was_kept(golden: Golden) -> None:
    golden("text/footer-saved.txt", render_footer("out/prod.nvcfplan"))
    golden("text/footer-not-saved.txt", render_footer(None))
