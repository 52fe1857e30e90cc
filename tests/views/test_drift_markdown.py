"""What has drifted, as an issue shows it; and a notice in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nvcfplan.drifting import FindingClass
from nvcfplan.model import Address, Readable
from nvcfplan.views.drift_markdown import draw_drift
from nvcfplan.views.notice_markdown import draw_notice, drift_marker, notice_title
from tests.documents.drifts import REPORTS
from tests.drifting.findings import acknowledged, finding
from tests.notices.notices import looked, noticed

if TYPE_CHECKING:
    from tests.documents.builders import Golden

WHOLE = 1_000_000


@pytest.mark.parametrize("name", REPORTS)
def test_a_look_reads_as_reviewed(name: str, golden: Golden) -> None:
    golden(f"text/drift-{name}.md", draw_drift(REPORTS[name], budget=WHOLE))


def test_what_is_known_and_what_cannot_be_seen_reads_as_reviewed(golden: Golden) -> None:
    quota = finding("gpus", kind=FindingClass.QUOTA)
    _, memory = looked(quota)
    known = acknowledged(finding("limit"), minutes=0, until=60 * 24)
    report, _ = looked(
        finding("limit"),
        finding(),
        memory=memory,
        minutes=30,
        unread=[Readable.QUOTA],
        acknowledgements=(known,),
    )
    golden("text/drift-known.md", draw_drift(report, budget=WHOLE))


def test_notices_read_as_reviewed(golden: Golden) -> None:
    report, memory = looked(finding(), finding("limit"))
    first, memory = noticed(report, memory)
    reminder, memory = noticed(
        *looked(finding(), finding("limit"), memory=memory, minutes=90),
        remind_every=timedelta(hours=1),
    )
    changed, memory = noticed(*looked(finding(), finding("env"), memory=memory, minutes=120))
    clean, _ = noticed(*looked(memory=memory, minutes=180))
    drawn = [
        f"{notice_title(one)}\n\n{draw_notice(one)}" for one in (first, reminder, changed, clean)
    ]
    golden("text/notices.md", "\n----\n\n".join(drawn))


def test_it_is_the_same_while_things_stand_the_same() -> None:
    first, memory = looked(finding(), finding("limit"))
    later, _ = looked(finding(), finding("limit"), memory=memory, minutes=600)
    assert draw_drift(first, budget=WHOLE) == draw_drift(later, budget=WHOLE)


@pytest.mark.parametrize("budget", [60_000, 8_000, 1_000])
def test_under_a_limit_findings_give_way_and_are_counted(budget: int) -> None:
    known = tuple(acknowledged(finding(f"old-{one}"), minutes=0) for one in range(100))
    report, _ = looked(
        *(finding(f"new-{one:03}") for one in range(400)),
        *(finding(f"old-{one}") for one in range(100)),
        acknowledgements=known,
    )
    drawn = draw_drift(report, budget=budget)
    assert len(drawn.encode("utf-8")) <= budget
    assert "400 findings" in drawn
    assert "Left out for want of room" in drawn


def test_the_mark_tells_stack_environment_and_account_and_not_which() -> None:
    report = REPORTS["drifted"]
    marks = {
        drift_marker(one)
        for one in (
            report,
            replace(report, stack="inference@test"),
            replace(report, stack="other@prod"),
            replace(report, account="https://api.nvcf.example other nca-2"),
        )
    }
    assert len(marks) == 4
    assert all(one.startswith("<!-- nvcfplan:drift:") for one in marks)
    assert not [one for one in marks if "acme" in one or "nca" in one]


def test_a_name_ends_no_mark() -> None:
    report = replace(REPORTS["drifted"], stack="--> @all <!--@--!>")
    assert drift_marker(report).count("--") == 2


def test_a_finding_of_nobody_alone_reads_well() -> None:
    report, _ = looked(replace(finding(), address=Address("")))
    assert "``" not in draw_drift(report, budget=WHOLE).replace("```", "")
