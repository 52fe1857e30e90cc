"""What a look for drift came to: one frozen value, from which every view is drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Severity
from nvcfplan.drifting import Drift, Finding, FindingClass

if TYPE_CHECKING:
    from collections.abc import Mapping


class LookOutcome(StrEnum):
    """`NOT_CHECKED`: nothing was found, but not all could be looked at; it is never "in step".

    `SKIPPED`: a run of ours is changing the account this moment.
    """

    IN_STEP = "in-step"
    DRIFTED = "drifted"
    NOT_CHECKED = "not-checked"
    SKIPPED = "skipped"


class LastRun(StrEnum):
    """`OPEN`: cut off, with a journal that waits for resume or rollback."""

    SETTLED = "settled"
    OPEN = "open"
    UNDER_WAY = "under-way"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """`drift` None: it was not looked for, because a run is under way. `run_words`: of that run."""

    stack: str
    account: str
    outcome: LookOutcome
    last_run: LastRun
    run_words: str
    looked_at: datetime
    has_state: bool
    drift: Drift | None

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """Findings that ask for something."""
        found = self.drift.findings if self.drift else ()
        return tuple(one for one in found if one.severity is not Severity.NOTE)

    @property
    def notes(self) -> tuple[Finding, ...]:
        found = self.drift.findings if self.drift else ()
        return tuple(one for one in found if one.severity is Severity.NOTE)

    @property
    def counts(self) -> Mapping[FindingClass, int]:
        """Of `drifted`, every class named."""
        found = Counter(one.kind for one in self.drifted)
        return {kind: found[kind] for kind in FindingClass}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    stack: str
    account: str
    last_run: LastRun
    run_words: str
    looked_at: datetime
    has_state: bool


def drift_report(found: Drift | None, around: Circumstances) -> DriftReport:
    return DriftReport(
        stack=around.stack,
        account=around.account,
        outcome=_outcome(found),
        last_run=around.last_run,
        run_words=around.run_words,
        looked_at=around.looked_at,
        has_state=around.has_state,
        drift=found,
    )


def _outcome(found: Drift | None) -> LookOutcome:
    if found is None:
        return LookOutcome.SKIPPED
    if any(one.severity is not Severity.NOTE for one in found.findings):
        return LookOutcome.DRIFTED
    return LookOutcome.NOT_CHECKED if found.unread else LookOutcome.IN_STEP
