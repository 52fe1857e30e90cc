"""Notices and the looks they come of, with everything irrelevant defaulted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.drifting import (
    Drift,
    Notice,
    Whereabouts,
    attempted,
    delivered,
    next_attempt,
    notice_of,
    recollect,
)
from nvcfplan.model import Memory
from nvcfplan.reports import Circumstances, DriftReport, LastRun, drift_report
from tests.drifting.findings import at, drift

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from nvcfplan.drifting import Finding
    from nvcfplan.model import Acknowledgement, Readable

ABOUT = Whereabouts(stack="shop", environment="prod", account="https://nvcf.example acme nca-1")


def looked(
    *findings: Finding,
    minutes: float = 0,
    memory: Memory | None = None,
    unread: Sequence[Readable] = (),
    acknowledgements: tuple[Acknowledgement, ...] = (),
) -> tuple[DriftReport, Memory]:
    known = replace(memory or Memory(), acknowledgements=acknowledgements)
    found = drift(*findings, unread=unread)
    return _reported(found, known, minutes)


def _reported(found: Drift, known: Memory, minutes: float) -> tuple[DriftReport, Memory]:
    recalled = recollect(known, found, at(minutes))
    around = Circumstances(
        stack="shop@prod",
        account=ABOUT.account,
        last_run=LastRun.SETTLED,
        run_words="",
        looked_at=at(minutes),
        has_state=True,
    )
    return drift_report(found, around, recalled), recalled.memory


def noticed(
    report: DriftReport, memory: Memory, *, remind_every: timedelta | None = None
) -> tuple[Notice, Memory]:
    """What a channel that knows what `memory` says is to be told; and then it knows it."""
    attempt = next_attempt(memory, "hook", ABOUT, now=report.looked_at, remind_every=remind_every)
    assert attempt is not None
    memory = attempted(memory, "hook", attempt)
    notice = notice_of(attempt, memory, report.standing, channel="hook", about=ABOUT)
    return notice, delivered(memory, "hook", attempt)
