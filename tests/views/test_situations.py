"""Every situation, in every form, as somebody has read it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from nvcfplan.diagnostics import Severity
from nvcfplan.documents import encode_plan
from nvcfplan.reports import (
    Operation,
    PlanReport,
    apply_report,
    no_snippets,
    plan_report,
    validate_report,
)
from nvcfplan.views.faults_markdown import draw_faults
from nvcfplan.views.html import Page, draw_faults_page, draw_page
from nvcfplan.views.markdown import GITHUB_LIMIT, GITLAB_LIMIT, draw_comment
from nvcfplan.views.text import Level, render_plan
from tests.documents import builders
from tests.views import runs
from tests.views.frames import FRAME
from tests.views.situations import SITUATIONS, thousand

if TYPE_CHECKING:
    from nvcfplan.diagnostics import Span
    from nvcfplan.plans import Infeasible, Plan
    from tests.documents.builders import Golden


def line_of(span: Span) -> str:
    return f"{' ' * (span.start.column - 1)}maxInstances: 8"


def in_json(found: Plan | Infeasible) -> str:
    """What of the document tells how it is; all of it is looked at where documents are."""
    body = json.loads(encode_plan(found))["plan"]
    kept = {
        name: body[name]
        for name in ("applyable", "feasible", "complete", "downtime", "exposure", "shortages")
    }
    kept |= {name: body[name] for name in ("resources", "diagnostics", "point_of_no_return")}
    kept["resource_changes"] = body["resource_changes"]
    kept["steps"] = [one["id"] for one in body["steps"]]
    return json.dumps(kept, indent=1, sort_keys=True)


def without_style(page: str) -> str:
    """The style is one file, looked at as pictures."""
    return re.sub(r"<style>.*?</style>", "<style>...</style>", page, flags=re.DOTALL)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_plan_reads_as_reviewed_in_every_form(name: str, golden: Golden) -> None:
    found = SITUATIONS[name]
    report = plan_report(found)
    golden(f"plans/{name}/plan.txt", render_plan(report, line_of, colour=False))
    for level in (Level.SUMMARY, Level.FULL):
        text = render_plan(report, line_of, colour=False, level=level)
        golden(f"plans/{name}/{level}.txt", text)
    golden(f"plans/{name}/plan.json", in_json(found))
    comment = draw_comment(report, FRAME, budget=GITHUB_LIMIT)
    golden(f"plans/{name}/comment.md", comment.rstrip("\n"))
    page = draw_page(Page(report=report, frame=FRAME, snippets=line_of))
    golden(f"plans/{name}/page.html", without_style(page).rstrip("\n"))


def test_a_stack_that_does_not_read_reads_as_reviewed(golden: Golden) -> None:
    fault = builders.infeasible().plan.diagnostics[0]
    found = (fault, replace(fault, severity=Severity.WARNING, code="perhaps"))
    report = validate_report(found, line_of, stack="inference", environment="default")
    comment = draw_faults(report, FRAME, budget=GITHUB_LIMIT)
    golden("plans/unreadable/comment.md", comment.rstrip("\n"))
    page = draw_faults_page(report, FRAME)
    golden("plans/unreadable/page.html", without_style(page).rstrip("\n"))


@pytest.mark.parametrize("name", ["applied", "rolled-back", "incomplete"])
def test_a_run_reads_as_reviewed_on_its_page(name: str, golden: Golden) -> None:
    plan = builders.heterogeneous() if name == "applied" else builders.delete_first()
    events = {
        "applied": runs.slower,
        "rolled-back": runs.rolled_back,
        "incomplete": runs.incomplete,
    }[name](plan)
    run = apply_report(Operation.APPLY, plan, events)
    page = draw_page(Page(report=plan_report(plan), frame=FRAME, snippets=line_of, run=run))
    assert page.count('class="was"') == 1 + page.count("<figure>")
    assert ("Not drawn: what was undone again." in page) is (name == "rolled-back")
    golden(f"plans/run-{name}/page.html", without_style(page).rstrip("\n"))


def test_of_very_many_faults_the_first_are_named_and_the_rest_is_said_to_be_missing() -> None:
    fault = builders.infeasible().plan.diagnostics[0]
    found = [replace(fault, summary=f"fault {number} " + "x" * 500) for number in range(3_000)]
    report = validate_report(found, no_snippets)
    for budget in (GITHUB_LIMIT, 4_000):
        comment = draw_faults(report, FRAME, budget=budget)
        assert len(comment.encode()) <= budget
        assert "3000 errors" in comment
        assert "fault 0" in comment
        assert "**Left out to stay under the size limit:** some errors" in comment


@cache
def a_thousand() -> PlanReport:
    return plan_report(thousand())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_a_thousand_changes_read_as_reviewed_by_their_digests(golden: Golden) -> None:
    """The files would be megabytes; what they must hold is told below."""
    report = a_thousand()
    texts = {
        "plan.txt": render_plan(report, colour=False),
        "comment.md": draw_comment(report, FRAME, budget=GITHUB_LIMIT),
        "plan.json": in_json(thousand()),
        "page.html": without_style(
            draw_page(Page(report=report, frame=FRAME, snippets=no_snippets))
        ),
    }
    lines = [f"{name} {len(text)} {digest(text)}" for name, text in texts.items()]
    golden("plans/thousand/digests.txt", "\n".join(lines))
    summary = render_plan(report, colour=False, level=Level.SUMMARY)
    golden("plans/thousand/summary.txt", summary)


def test_a_thousand_changes_fit_a_comment_with_all_that_must_not_be_missed() -> None:
    report = a_thousand()
    comment = draw_comment(report, FRAME, budget=GITHUB_LIMIT)
    assert len(comment.encode("utf-8")) <= GITHUB_LIMIT
    assert "**Plan: 150 to add, 800 to change, 50 to destroy.**" in comment
    assert "**Destroys: 50 functions lose their ids; there is no undo**" in comment
    for number in range(50):
        assert f"- `function.old-{number:03}`\n" in comment
    assert len(re.findall(r"^\| `(?:pool|limit):", comment, re.MULTILINE)) == len(report.rows) == 3
    assert "**Left out to stay under the size limit:** " in comment
    assert "the steps" in comment
    assert "what differs in some functions" in comment
    assert "All of it: the job summary." in comment


def test_a_comment_uses_the_room_it_is_given() -> None:
    """What could still be shown is not left out: seven eighths of the room are used."""
    report = a_thousand()
    sizes = [len(draw_comment(report, FRAME, budget=most)) for most in (GITHUB_LIMIT, GITLAB_LIMIT)]
    assert sizes[0] > GITHUB_LIMIT * 7 / 8
    assert sizes[1] > GITHUB_LIMIT * 7


def test_every_function_of_a_thousand_is_in_the_page_and_the_text() -> None:
    report = a_thousand()
    page = draw_page(Page(report=report, frame=FRAME, snippets=no_snippets))
    text = render_plan(report, colour=False)
    for entry in report.functions:
        assert f"<code>{entry.change.address}</code>" in page
        assert f"# {entry.change.address} " in text


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", SITUATIONS)
def test_text_keeps_to_the_width_of_the_terminal(name: str, width: int) -> None:
    """But for values, which are there to be copied, and what is wrong, which is one line."""
    text = render_plan(plan_report(SITUATIONS[name]), line_of, colour=False, width=width)
    wide = [line for line in text.split("\n") if len(line) > width]
    spared = re.compile(r'^error\[| "|^ *[+~-] \S+: |^ *\S+$')
    assert [line for line in wide if not spared.search(line)] == []


def test_a_wide_terminal_is_used() -> None:
    report = plan_report(SITUATIONS["delete-first"])
    lengths = [
        len(render_plan(report, colour=False, width=width).split("\n")) for width in (60, 80, 200)
    ]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == 3


def test_the_full_text_names_what_stays_and_how_each_step_is_undone() -> None:
    text = render_plan(plan_report(SITUATIONS["create"]), colour=False, level=Level.FULL)
    assert 'inferenceUrl: "/v1/chat/completions"' in text
    assert "secrets.HF_TOKEN: (sensitive value)" in text
    assert "Unchanged:\n  function.chat" in text
    assert "unchanged attributes hidden" not in text
    undo = "undo: undeploy function.embed@new; wait until released: function.embed@new"
    assert undo in " ".join(text.split())
