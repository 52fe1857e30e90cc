"""Looks for drift that came to something, for every rendering of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from nvcfplan.diagnostics import Severity
from nvcfplan.drifting import Drift, Finding, FindingClass, Oversubscription
from nvcfplan.model import Address, Json, Readable, Unread
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
