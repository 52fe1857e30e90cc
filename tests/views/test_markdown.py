from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.model import Json, ResourceId, StepId, function_address
from nvcfplan.plans import After, Charge, Means, Order
from nvcfplan.reports import Conflict, plan_report
from nvcfplan.views.markdown import GITHUB_LIMIT, draw_comment, marker
from tests.documents import builders
from tests.documents.test_plan_document import SAMPLES
from tests.views.frames import FRAME
from tests.views.situations import SITUATIONS

if TYPE_CHECKING:
    from nvcfplan.plans import Infeasible, Plan, Step
    from nvcfplan.reports import CommentFrame, PlanReport


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


POOLS = tuple(ResourceId(f"pool:cluster-{number:03}-asiase1-a/H100") for number in range(1_000))
LONG = "\u6f22" * 25_000


def _fault(text: str) -> Diagnostic:
    return Diagnostic(
        code="too-much",
        severity=Severity.ERROR,
        summary=text,
        detail=text,
        remedy=f"`{text}`",
        subject=Subject(function_address("embed"), "deployment"),
    )


@cache
def _overflowing() -> dict[str, tuple[PlanReport, CommentFrame]]:
    """Each far more than a comment may have, in a part that must never be missing."""
    plain, short = plan_report(SITUATIONS["create"]), plan_report(builders.infeasible())
    entry = plain.functions[0]
    edited = tuple(
        replace(
            builders.attribute(f"containerEnvironment.V{number}", "a", "b", Means.NEW_VERSION),
            live=Json('"c"'),
        )
        for number in range(1_000)
    )
    conflicts = tuple(
        Conflict(resource=pool, others=(f"#{other}",), ours=3, theirs=4, free=5)
        for pool in POOLS
        for other in range(1, 4)
    )
    users = tuple((f"function.user-{number}", 3) for number in range(5_000))
    return {
        "conflicts": (plain, replace(FRAME, conflicts=conflicts)),
        "exposure": (
            replace(plain, retaken=tuple(Charge(resource=one, units=4) for one in POOLS * 2)),
            FRAME,
        ),
        "edits": (
            replace(
                plain,
                functions=(replace(entry, change=replace(entry.change, attributes=edited)),) * 30,
            ),
            FRAME,
        ),
        "users": (
            replace(short, shortages=(replace(short.shortages[0], users=users),) * 120),
            FRAME,
        ),
        "faults": (
            replace(plain, faults=tuple(_fault(f"fault {one}") for one in range(3_000))),
            FRAME,
        ),
        "texts": (replace(plain, faults=(_fault(LONG),)), FRAME),
        "rows": (
            replace(
                plain,
                rows=tuple(
                    replace(plain.rows[0], resource=replace(plain.rows[0].resource, id=one))
                    for one in POOLS
                ),
            ),
            FRAME,
        ),
    }


@pytest.mark.parametrize("budget", [GITHUB_LIMIT, 9_000])
@pytest.mark.parametrize("name", _overflowing())
def test_whatever_a_plan_holds_its_comment_keeps_below_the_limit(name: str, budget: int) -> None:
    report, frame = _overflowing()[name]
    text = draw_comment(report, frame, budget=budget)
    assert len(text.encode()) <= budget
    assert "to add" in text
    assert "| resource | before | peak |" in text
    assert "**Left out to stay under the size limit:**" in text


def test_a_graph_that_its_drawer_would_refuse_is_left_out() -> None:
    """49 steps, each after every other before it: 1,176 edges."""
    plan = builders.rolling()
    steps: list[Step] = []
    for number in range(49):
        waits = tuple(After(one.id, Order.DEPENDS_ON) for one in steps)
        made = replace(plan.steps[0], id=StepId(f"step-{number}"), depends_on=waits)
        steps.append(made)
    dense = comment_of(replace(plan, steps=tuple(steps), funding=(), point_of_no_return=()))
    sparse = comment_of(
        replace(
            plan,
            steps=tuple(replace(one, depends_on=one.depends_on[-9:]) for one in steps),
            funding=(),
            point_of_no_return=(),
        )
    )
    assert ("```mermaid" in dense, "```mermaid" in sparse) == (False, True)
    assert "49 steps" in dense
