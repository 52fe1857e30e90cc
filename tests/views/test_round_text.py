"""A look at an account: a line for the whole, and one for each thing that is news."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nvcfplan.drifting import Drift, recollect
from nvcfplan.errors import Unreachable
from nvcfplan.model import Memory, Readable
from nvcfplan.reports import (
    Circumstances,
    DriftReport,
    LastRun,
    RoundReport,
    drift_report,
    not_looked,
)
from nvcfplan.views.round_text import render_round, round_json
from tests.drifting.findings import at, drift, finding

if TYPE_CHECKING:
    from nvcfplan.drifting import Recollection

TAGS = finding("tags")
NOW = datetime(2026, 3, 1, 12, 15, tzinfo=UTC)


def look(found: Drift, memory: Memory, stack: str = "shop@prod") -> tuple[DriftReport, Memory]:
    recalled: Recollection = recollect(memory, found, at(0))
    around = Circumstances(
        stack=stack,
        account="acme",
        last_run=LastRun.SETTLED,
        run_words="",
        looked_at=at(0),
        has_state=True,
    )
    return drift_report(found, around, recalled), recalled.memory


def drawn(*looks: DriftReport) -> list[str]:
    down = not_looked("c", Unreachable("nobody answers", route="GET /x", remedy="look at it"))
    report = RoundReport(began=at(0), looks=looks, failed=(down,), requests=5)
    return render_round(report, account="acme", at=NOW, seconds=1.25).splitlines()


def test_what_is_new_what_has_gone_and_what_failed_have_a_line_each() -> None:
    first, memory = look(drift(TAGS), Memory())
    second, _ = look(drift(), memory, "other@prod")
    assert drawn(first, second) == [
        "2026-03-01T12:15:00Z  acme: 3 stacks: 1 in step, 1 drifted, 1 not looked at;"
        " 5 requests, 1.2 s",
        "  c: nobody answers [endpoint-unreachable]; look at it",
        "  shop@prod: new: function.chat: tags was changed outside [edited]",
        "  other@prod: gone: function.chat: tags was changed outside [edited]",
    ]


def test_what_stood_before_is_counted_and_not_told_again() -> None:
    _, memory = look(drift(TAGS), Memory())
    again, _ = look(drift(TAGS), memory)
    assert "1 drifted" in drawn(again)[0]
    assert len(drawn(again)) == 2


def test_what_could_not_be_read_is_said_once_with_its_reason() -> None:
    one, _ = look(drift(unread=[Readable.QUOTA]), Memory())
    two, _ = look(drift(unread=[Readable.QUOTA]), Memory(), "other@prod")
    assert drawn(one, two)[2:] == ["  not read: quota: 403"]


def test_as_json_it_is_all_there() -> None:
    found, _ = look(drift(TAGS), Memory())
    report = RoundReport(began=at(0), looks=(found,), failed=(), requests=5)
    document = round_json(report, account="acme", at=NOW, seconds=1.25)
    assert document["requests"] == 5
    stacks = document["stacks"]
    assert isinstance(stacks, list)
    assert [one["outcome"] for one in stacks] == ["drifted"]
    assert [one["is_new"] for one in stacks[0]["standing"]] == [True]
