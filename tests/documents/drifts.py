"""Looks for drift that came to something, for every rendering of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from nvcfplan.diagnostics import Severity
from nvcfplan.drifting import (
    Drift,
    Finding,
    FindingClass,
    Oversubscription,
    acknowledge,
    recollect,
)
from nvcfplan.model import Acknowledgement, Address, Json, Memory, Readable, Unread
from nvcfplan.reports import Circumstances, DriftReport, LastRun, drift_report

CHAT: Final = Address("function.chat")
_AROUND: Final = Circumstances(
    stack="inference@prod",
    account="https://api.nvcf.example acme nca-1",
    last_run=LastRun.SETTLED,
    run_words="",
    looked_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    has_state=True,
)
_EDITED: Final = Finding(
    kind=FindingClass.CONFIGURATION,
    code="edited",
    severity=Severity.WARNING,
    address=CHAT,
    subject="deployment.specifications.h100.maxInstances",
    before=Json("4"),
    after=Json("9"),
    summary="function.chat: deployment.specifications.h100.maxInstances was changed outside",
    evidence=("version 6f1c2c1e-0000-4000-8000-000000000001",),
    remedy="`nvcfplan apply` puts it back; to keep it, write it into the stack",
)
_SECRET: Final = replace(
    _EDITED,
    subject="containerEnvironment.API_TOKEN",
    before=Json('"canary-1"'),
    after=Json('"canary-2"'),
    summary="function.chat: containerEnvironment.API_TOKEN was changed outside",
    is_sensitive=True,
)
_FAILED: Final = Finding(
    kind=FindingClass.HEALTH,
    code="error",
    severity=Severity.ERROR,
    address=CHAT,
    subject="deployment",
    before=Json('"ACTIVE"'),
    after=Json('"ERROR"'),
    summary="function.chat has failed and does not serve",
    evidence=("Container crashed\x1b[2J with exit code 137",),
    remedy="`nvcfplan apply` undeploys and deploys it again",
)
_OVER: Final = Finding(
    kind=FindingClass.CAPACITY,
    code="oversubscribed",
    severity=Severity.NOTE,
    address=Address(""),
    subject="gcp-1/H100",
    before=Json("8"),
    after=Json("12"),
    summary="gcp-1/H100: at their maxima our functions want 12 GPUs of its 8",
    remedy="lower maxInstances, or accept that not all can scale out at once",
)
_UNREAD: Final = Unread(
    what=Readable.QUOTA,
    source="GET /v2/quota/rules",
    reason="403 Forbidden",
    remedy="give the key the scope `allocator:read`",
)
_NOTHING: Final = Drift(findings=(), unread=(), pending=(), pools=())

_FIRST_LOOK: Final = _AROUND.looked_at - timedelta(hours=27)
_BEFORE: Final = Drift(
    findings=(
        _EDITED,
        _SECRET,
        replace(_EDITED, subject="tags", summary="function.chat: tags was changed outside"),
        replace(_OVER, kind=FindingClass.QUOTA, severity=Severity.WARNING, code="quota-below-max"),
    ),
    unread=(),
    pending=(),
    pools=(),
)
_ACKNOWLEDGED: Final = Acknowledgement(
    fingerprint=_SECRET.fingerprint,
    summary=_SECRET.summary,
    why="rotated by hand, see #42",
    by="ada@desk",
    at=_FIRST_LOOK,
    until=_AROUND.looked_at + timedelta(days=5),
)


def _after_a_while() -> DriftReport:
    """One is known, one is new, one acknowledged, one has cleared, one could not be looked at."""
    now = replace(_NOTHING, findings=(_FAILED, _EDITED, _SECRET), unread=(_UNREAD,))
    memory = recollect(Memory(), _BEFORE, _FIRST_LOOK).memory
    memory = acknowledge(memory, _ACKNOWLEDGED)
    return drift_report(now, _AROUND, recollect(memory, now, _AROUND.looked_at))


def _all_known() -> DriftReport:
    now = replace(_NOTHING, findings=(_SECRET,))
    memory = recollect(Memory(), now, _FIRST_LOOK).memory
    said = replace(_ACKNOWLEDGED, until=None)
    recalled = recollect(acknowledge(memory, said), now, _AROUND.looked_at)
    return drift_report(now, _AROUND, recalled)


def many(number: int) -> DriftReport:
    """Whose text is in several alphabets."""
    found = tuple(
        replace(_EDITED, address=Address(f"function.f{at:04}"), summary=f"f{at}: 🚀 変更")
        for at in range(number)
    )
    return drift_report(replace(_NOTHING, findings=found, unread=(_UNREAD,)), _AROUND)


REPORTS: Final[dict[str, DriftReport]] = {
    "in-step": drift_report(replace(_NOTHING, findings=(_OVER,)), _AROUND),
    "drifted": drift_report(
        Drift(
            findings=(_FAILED, _EDITED, _SECRET, _OVER),
            unread=(_UNREAD,),
            pending=(Address("function.rerank"),),
            pools=(Oversubscription(pool="gcp-1/H100", promised=12, limit=8),),
        ),
        _AROUND,
    ),
    "after-a-while": _after_a_while(),
    "all-known": _all_known(),
    "not-checked": drift_report(replace(_NOTHING, unread=(_UNREAD,)), _AROUND),
    "after-a-cut": drift_report(
        _NOTHING,
        replace(
            _AROUND,
            last_run=LastRun.OPEN,
            run_words="run 01J000 of inference@prod has not been settled",
        ),
    ),
    "skipped": drift_report(
        None,
        replace(
            _AROUND, last_run=LastRun.UNDER_WAY, run_words="a run is under way: ada@desk holds it"
        ),
    ),
}
