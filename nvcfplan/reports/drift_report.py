"""What a look for drift came to: one frozen value, from which every view is drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.drifting import Drift, Finding, FindingClass, Recollection, Standing, recollect
from nvcfplan.model import LastReading, Memory, Remembered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class LookOutcome(StrEnum):
    """`NOT_CHECKED`: nothing was found, but not all could be looked at; it is never "in step".

    `ACKNOWLEDGED`: there is drift, and somebody has said of each finding that it is known.
    `SKIPPED`: a run of ours is changing the account this moment.
    """

    IN_STEP = "in-step"
    DRIFTED = "drifted"
    ACKNOWLEDGED = "acknowledged"
    NOT_CHECKED = "not-checked"
    SKIPPED = "skipped"


class LastRun(StrEnum):
    """`OPEN`: cut off, with a journal that waits for resume or rollback."""

    SETTLED = "settled"
    OPEN = "open"
    UNDER_WAY = "under-way"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """`drift` None: it was not looked for, because a run is under way. `run_words`: of that run.

    `standing`: each of `drifted` with its story. `previous`: when the look before was, None: none
    is remembered. `unseen`: stood then, and could not be looked at now; `cleared`: stands no more.
    `readings`: when each could be read last. `warnings`: of what this look could not keep, or tell.
    """

    stack: str
    account: str
    outcome: LookOutcome
    last_run: LastRun
    run_words: str
    looked_at: datetime
    has_state: bool
    drift: Drift | None
    standing: tuple[Standing, ...]
    previous: datetime | None
    unseen: tuple[Remembered, ...]
    cleared: tuple[Remembered, ...]
    readings: tuple[LastReading, ...]
    warnings: tuple[Diagnostic, ...] = ()

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
        """Of what counts, which is what nobody has acknowledged; every class named."""
        found = Counter(one.finding.kind for one in self.standing if one.counts)
        return {kind: found[kind] for kind in FindingClass}

    @property
    def acknowledged(self) -> tuple[Standing, ...]:
        return tuple(one for one in self.standing if not one.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    stack: str
    account: str
    last_run: LastRun
    run_words: str
    looked_at: datetime
    has_state: bool


def drift_report(
    found: Drift | None,
    around: Circumstances,
    recalled: Recollection | None = None,
    *,
    warnings: tuple[Diagnostic, ...] = (),
) -> DriftReport:
    """`recalled` None: of a look that knows of none before it."""
    if found is not None and recalled is None:
        recalled = recollect(Memory(), found, around.looked_at)
    return DriftReport(
        stack=around.stack,
        account=around.account,
        outcome=_outcome(found, recalled.standing if recalled else ()),
        last_run=around.last_run,
        run_words=around.run_words,
        looked_at=around.looked_at,
        has_state=around.has_state,
        drift=found,
        standing=recalled.standing if recalled else (),
        previous=recalled.previous if recalled else None,
        unseen=recalled.unseen if recalled else (),
        cleared=recalled.cleared if recalled else (),
        readings=recalled.readings if recalled else (),
        warnings=warnings,
    )


def _outcome(found: Drift | None, standing: Sequence[Standing]) -> LookOutcome:
    if found is None:
        return LookOutcome.SKIPPED
    if any(one.counts for one in standing):
        return LookOutcome.DRIFTED
    if found.unread:
        return LookOutcome.NOT_CHECKED
    return LookOutcome.ACKNOWLEDGED if standing else LookOutcome.IN_STEP
