from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.reports import Conflict, plan_report
from nvcfplan.views.markdown import GITHUB_LIMIT, draw_comment, marker
from tests.documents import builders
from tests.documents.test_plan_document import SAMPLES
from tests.views.frames import FRAME

if TYPE_CHECKING:
    from nvcfplan.plans import Infeasible, Plan
    from nvcfplan.reports import CommentFrame


def comment_of(
    plan: Plan | Infeasible, frame: CommentFrame = FRAME, *, budget: int = GITHUB_LIMIT
) -> str:
    return draw_comment(plan_report(plan), frame, budget=budget)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_comment_begins_with_the_mark_it_is_found_by(name: str) -> None:
    assert comment_of(SAMPLES[name]).split("\n")[0] == marker("inference", "default")


def test_a_stale_plan_says_so_first_and_not_how_to_apply_it() -> None:
    text = comment_of(builders.rolling(), replace(FRAME, stale="main has moved on to 0f1e2d3c."))
    assert text.index("**Stale: main has moved on to `0f1e2d3c`.**") < text.index("Plan: 0 to add")
    assert "To apply" not in text


def test_a_conflict_is_told_with_its_arithmetic() -> None:
    conflict = Conflict(resource=builders.H100, others=("#123", "#7"), ours=4, theirs=6, free=8)
    text = comment_of(builders.rolling(), replace(FRAME, conflicts=(conflict,)))
    assert f"- #123, #7 and this one want `{builders.H100}`: 6 + 4 > 8 free" in text


def test_under_a_limit_details_go_before_verdict_destroys_and_capacity() -> None:
    plan = builders.heterogeneous()
    whole = comment_of(plan)
    for budget in range(len(whole), 1_700, -100):
        text = comment_of(plan, budget=budget)
        assert len(text.encode()) <= budget
        assert "1 to add, 1 to change, 1 to destroy" in text
        assert "- `function.old-chat`" in text
        assert "`pool:byoc-cluster-1/L40S` | 15 | **17**" in text
        if len(text) < len(whole):
            assert "**Left out to stay under the size limit:**" in text
            assert "All of it: the job summary." in text
