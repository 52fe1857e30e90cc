"""What anybody can write into a name or an answer does nothing where it is shown, but is shown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import cmarkgfm
import html5lib
import pyte
import pytest
from cmarkgfm.cmark import Options

from nvcfplan.reports import Conflict, plan_report, validate_report
from nvcfplan.views.annotations import render_annotations
from nvcfplan.views.drift_html import draw_drift_page
from nvcfplan.views.drift_markdown import draw_drift
from nvcfplan.views.faults_markdown import draw_faults
from nvcfplan.views.html import Page, draw_faults_page, draw_page
from nvcfplan.views.markdown import draw_comment, marker
from nvcfplan.views.notice_markdown import draw_notice
from nvcfplan.views.text import render_drift, render_plan
from tests.budget import examples
from tests.documents import builders
from tests.documents.drifts import REPORTS
from tests.drifting.findings import acknowledged, finding
from tests.notices.notices import looked, noticed
from tests.views.frames import FRAME
from tests.views.hostile import ATTACKS, HOSTILE, poisoned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from nvcfplan.plans import Infeasible, Plan
    from nvcfplan.reports import CommentFrame, Snippets

CONFLICT: Final = Conflict(resource=builders.H100, others=("#12",), ours=4, theirs=6, free=8)
PLANS: Final[tuple[Plan | Infeasible, ...]] = (
    builders.heterogeneous(),
    builders.infeasible(),
    builders.delete_first(),
)
SHOWN_BY_A_FORGE: Final = frozenset(
    {
        "b", "body", "br", "code", "details", "em", "h3", "head", "html", "li", "ol", "p", "pre",
        "strong", "sub", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
ATTRIBUTES_OF_OURS: Final = frozenset(
    {("details", "open"), ("pre", "lang"), ("td", "align"), ("th", "align")}
)
LIVE_ON_A_FORGE: Final = re.compile(
    r"""@\w | (?<![\w;&])[#!~%$&][A-Za-z0-9] | \bGH-[0-9] | :[a-z]\w*: | https?: | www\. | \w@\w
      | \b[0-9a-f]{7,}\b | \[\[ | \[\^ | \[[ xX]?\]""",
    re.VERBOSE,
)
"""Outside of code a forge makes a link, a mention or a picture of these."""
HIDING: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    r"\u2800\u3164\ufeff]"
)
"""What acts on a terminal, turns the order of letters, or is not seen at all."""


def just(text: str) -> Snippets:
    return lambda _: text


def frame_with(evil: str) -> CommentFrame:
    """But for the address of the full text: that is the forge's own, and meant to be a link."""
    found = poisoned(replace(FRAME, stale="main moved", conflicts=(CONFLICT,)), evil)
    return replace(found, full_url="")


def some_plan(evil: str) -> Plan | Infeasible:
    return poisoned(PLANS[HOSTILE.index(evil) % len(PLANS)], evil)


def comment_with(evil: str) -> str:
    return draw_comment(plan_report(some_plan(evil)), frame_with(evil), budget=10_000_000)


def page_with(evil: str) -> str:
    report = plan_report(some_plan(evil))
    return draw_page(Page(report=report, frame=frame_with(evil), snippets=just(evil)))


def elements(markup: str) -> Iterator[Element]:
    for found in html5lib.parse(markup, namespaceHTMLElements=False).iter():
        if isinstance(found.tag, str):
            yield found


def text_outside_of_code(element: Element) -> Iterator[str]:
    """With a blank where code stands."""
    if element.tag in ("code", "pre"):
        yield " "
    else:
        yield element.text or ""
        for child in element:
            yield from text_outside_of_code(child)
    yield element.tail or ""


def rendered(comment: str) -> str:
    """As GitHub's own parser does, with all HTML let through: what stops it must be ours."""
    return str(cmarkgfm.github_flavored_markdown_to_html(comment, options=Options.CMARK_OPT_UNSAFE))


def test_there_are_three_hundred_of_them_and_more() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 300


@pytest.mark.parametrize("at", range(0, len(HOSTILE), len(ATTACKS) // 4))
def test_in_a_comment_foreign_text_is_inert(at: int) -> None:
    for evil in HOSTILE[at : at + len(ATTACKS) // 4]:
        assert_inert(comment_with(evil), evil)


@pytest.mark.parametrize("at", range(0, len(HOSTILE), len(ATTACKS) // 4))
def test_in_an_issue_and_its_notices_foreign_text_is_inert(at: int) -> None:
    """A finding's words are the service's, and what somebody wrote to acknowledge it."""
    known = acknowledged(finding("limit"), minutes=0)
    report, memory = looked(
        *REPORTS["drifted"].drifted, finding("limit"), acknowledgements=(known,)
    )
    notice, _ = noticed(report, memory)
    for evil in HOSTILE[at : at + len(ATTACKS) // 4]:
        drawn = draw_drift(poisoned(report, evil), budget=10_000_000)
        assert_inert(drawn, evil)
        assert "<!--" not in drawn
        told = draw_notice(poisoned(notice, evil))
        assert_inert(told, evil)
        assert "<!--" not in told


def assert_inert(comment: str, evil: str) -> None:
    found = list(elements(rendered(comment)))
    assert {one.tag for one in found} <= SHOWN_BY_A_FORGE, evil
    assert [one for one in found if one.tag == "a"] == [], evil
    attributes = {(one.tag, name) for one in found for name in one.attrib}
    assert attributes <= ATTRIBUTES_OF_OURS, evil
    live = LIVE_ON_A_FORGE.search("".join(text_outside_of_code(found[0])).replace("#12 ", ""))
    assert live is None, (evil, live)
    assert not HIDING.search(comment), evil
    assert not re.search(r"^\s*/\w", comment, re.MULTILINE), evil


@pytest.mark.parametrize("at", range(0, len(HOSTILE), len(ATTACKS) // 4))
def test_in_a_comment_nobody_else_sets_the_mark(at: int) -> None:
    for evil in HOSTILE[at : at + len(ATTACKS) // 4]:
        comment = comment_with(evil)
        assert comment.count("<!--") == 1, evil
        assert rendered(comment).count("<!--") == 1, evil
        assert re.match(r"<!-- nvcfplan:stack=[\w-]+;env=[\w-]+;v=1 -->\n", comment), evil


@pytest.mark.parametrize("at", range(0, len(HOSTILE), len(ATTACKS)))
def test_what_is_wrong_with_a_stack_is_told_as_inertly(at: int) -> None:
    for evil in HOSTILE[at : at + len(ATTACKS) : 5]:
        found = poisoned(builders.infeasible().plan.diagnostics, evil)
        report = validate_report(found, just(evil))
        comment = draw_faults(report, frame_with(evil), budget=1_000_000)
        elements_found = list(elements(rendered(comment)))
        assert {one.tag for one in elements_found} <= SHOWN_BY_A_FORGE, evil
        text = "".join(text_outside_of_code(elements_found[0]))
        assert LIVE_ON_A_FORGE.search(text) is None, evil
        assert comment.count("<!--") == 1, evil
        assert not HIDING.search(comment), evil
        page = draw_faults_page(report, frame_with(evil))
        assert "<!--" not in page, evil
        for one in elements(page):
            assert one.tag not in ("script", "img", "iframe", "svg", "form", "base", "b"), evil
            assert not [name for name in one.attrib if name.startswith("on") or name == "src"]
            assert one.get("href", "#").startswith("#")
        assert not HIDING.search(page), evil


@pytest.mark.parametrize("at", range(0, len(HOSTILE), len(ATTACKS) // 4))
def test_in_a_page_of_drift_foreign_text_is_inert(at: int) -> None:
    benign = {one.tag for one in elements(draw_drift_page(REPORTS["after-a-while"]))}
    for evil in HOSTILE[at : at + len(ATTACKS) // 4 : 2]:
        report = poisoned(REPORTS["after-a-while"], evil)
        page = draw_drift_page(report)
        found = list(elements(page))
        assert {one.tag for one in found} <= benign, evil
        assert not [name for one in found for name in one.attrib if name.startswith("on")]
        assert "<!--" not in page, evil
        shown = page.replace("\u2026", "") + render_drift(report, colour=False)
        assert not HIDING.search(shown), evil


@pytest.mark.parametrize("evil", ["javascript:alert(1)", "https://a.b/c>d", "//a", "https://a b"])
def test_only_a_plain_address_of_the_web_becomes_a_link(evil: str) -> None:
    report = plan_report(builders.rolling())
    plain = draw_comment(report, replace(FRAME, full_url="https://f.example/1"), budget=10**6)
    assert "[the job summary](<https://f.example/1>)" in plain
    tried = draw_comment(report, replace(FRAME, full_url=evil), budget=10**6)
    assert "All of it as text: the job summary." in tried


def test_marks_of_different_stacks_differ_whatever_they_are_called() -> None:
    names = [*HOSTILE, "a", "a_61_", "a-b", "a--b", "a_2d_b"]
    assert len({marker(name, "default") for name in names}) == len(set(names))


@pytest.mark.parametrize("evil", ["|", "\\|", "`|", "a`` | b", "|\n|"])
def test_a_pipe_makes_no_cell(evil: str) -> None:
    found = list(elements(rendered(draw_comment(
        plan_report(poisoned(builders.heterogeneous(), evil)), frame_with(evil), budget=10**6
    ))))  # fmt: skip
    rows = [len(list(one)) for one in found if one.tag == "tr"]
    assert rows == [7] * 4


@pytest.mark.parametrize("at", range(0, len(HOSTILE), len(ATTACKS) // 4))
def test_in_a_page_foreign_text_is_inert_and_shown(at: int) -> None:
    known = {one.tag for plan in PLANS for one in elements(benign_page(plan))}
    for evil in HOSTILE[at : at + len(ATTACKS) // 4]:
        page = page_with(evil)
        found = list(elements(page))
        assert {one.tag for one in found} <= known, evil
        assert "<!--" not in page, evil
        for one in found:
            assert not [name for name in one.attrib if name.startswith("on") or name == "src"]
            assert one.get("href", "#").startswith("#")
            assert re.fullmatch(r"(\w+:[\d.]+%;?)*", one.get("style", "")), evil
        assert not HIDING.search(page.replace("\u2026", "")), evil


def benign_page(plan: Plan | Infeasible) -> str:
    frame = replace(FRAME, stale="main moved", conflicts=(CONFLICT,))
    return draw_page(Page(report=plan_report(plan), frame=frame, snippets=lambda _: "x"))


def test_a_page_may_load_and_run_nothing() -> None:
    (policy,) = [
        one.get("content", "")
        for one in elements(benign_page(builders.rolling()))
        if one.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")


def text_with(evil: str) -> str:
    return render_plan(plan_report(some_plan(evil)), just(evil), colour=False)


@pytest.mark.parametrize("evil", HOSTILE)
def test_in_a_terminal_nothing_of_foreign_text_acts_or_hides(evil: str) -> None:
    assert not HIDING.search(text_with(evil))


@pytest.mark.parametrize("at", range(8))
def test_in_a_terminal_foreign_text_only_stands_where_it_is_printed(at: int) -> None:
    """Each kind of attack in the small run, all of them in the large one."""
    chosen = HOSTILE[at :: len(HOSTILE) // examples(len(HOSTILE)) * 8]
    for evil in chosen:
        text = text_with(evil)
        lines = text.split("\n")
        screen = pyte.Screen(max(map(len, lines)) + 1, len(lines))
        pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
        assert screen.title == ""
        assert [line.rstrip() for line in screen.display] == [line.rstrip() for line in lines], evil


@pytest.mark.parametrize("at", range(0, len(HOSTILE), len(ATTACKS)))
def test_in_a_workflow_foreign_text_ends_no_command_and_begins_none(at: int) -> None:
    for evil in HOSTILE[at : at + len(ATTACKS)]:
        found = poisoned(builders.infeasible().plan.diagnostics, evil)
        (line,) = render_annotations(found).split("\n")
        assert line.isprintable(), evil
        command, _, _ = line.removeprefix("::").partition("::")
        names = [one.split("=")[0] for one in command.removeprefix("error ").split(",")]
        assert names == ["title", "file", "line", "col", "endLine", "endColumn"], evil
