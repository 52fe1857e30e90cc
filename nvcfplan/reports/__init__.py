"""What there is to say of a plan or a run, as frozen values: every view draws from these."""

from __future__ import annotations

from nvcfplan.drifting import Finding
from nvcfplan.reports.apply_report import (
    ApplyReport,
    Operation,
    StepFate,
    StepOutcome,
    apply_report,
)
from nvcfplan.reports.capacity_curve import (
    CapacityRow,
    Fit,
    capacity_rows,
)
from nvcfplan.reports.check_report import (
    CheckReport,
    Standing,
    check_report,
)
from nvcfplan.reports.closure import (
    heaviest_closure,
)
from nvcfplan.reports.comment_frame import (
    CommentFrame,
)
from nvcfplan.reports.conflicts import (
    Claim,
    Claims,
    Conflict,
    Want,
    find_claims,
    find_conflicts,
    find_wants,
)
from nvcfplan.reports.drift_report import (
    Circumstances,
    DriftReport,
    LastRun,
    LookOutcome,
    drift_report,
)
from nvcfplan.reports.habits import (
    MOST_KINDS,
    MOST_SECONDS,
    expecting,
    kind_of,
    learnt,
)
from nvcfplan.reports.interruptions import (
    Exposure,
    Interruption,
    find_exposures,
    find_interruptions,
    was_serving,
)
from nvcfplan.reports.plan_report import (
    Counts,
    FunctionEntry,
    Outlook,
    PlanReport,
    ReadingEntry,
    RungEntry,
    StepEntry,
    Undoing,
    count_changes,
    forces_new_version,
    plan_report,
    undoing_of,
)
from nvcfplan.reports.progress import (
    Expecting,
    InFlight,
    Progress,
    follow,
)
from nvcfplan.reports.requests import (
    Board,
    Comment,
    CommitState,
    CommitStatus,
    Deed,
    Forge,
    OpenRequest,
    Posted,
)
from nvcfplan.reports.run_report import (
    RunPart,
    RunReport,
    RunStage,
    RunStep,
    run_report,
)
from nvcfplan.reports.timeline import (
    Curve,
    Lane,
    Level,
    Stretch,
    find_curves,
    find_lanes,
)
from nvcfplan.reports.timing import (
    critical_path,
    find_retaken,
)
from nvcfplan.reports.traffic import (
    Moment,
    Share,
    TrafficShift,
    find_traffic,
)
from nvcfplan.reports.validate_report import (
    Located,
    Snippets,
    ValidateReport,
    failure_diagnostic,
    no_snippets,
    validate_report,
)
from nvcfplan.reports.verify_report import (
    Proof,
    VerifyReport,
    altered_diagnostic,
    verify_report,
)

__all__ = [
    "MOST_KINDS",
    "MOST_SECONDS",
    "ApplyReport",
    "Board",
    "CapacityRow",
    "CheckReport",
    "Circumstances",
    "Claim",
    "Claims",
    "Comment",
    "CommentFrame",
    "CommitState",
    "CommitStatus",
    "Conflict",
    "Counts",
    "Curve",
    "Deed",
    "DriftReport",
    "Expecting",
    "Exposure",
    "Finding",
    "Fit",
    "Forge",
    "FunctionEntry",
    "InFlight",
    "Interruption",
    "Lane",
    "LastRun",
    "Level",
    "Located",
    "LookOutcome",
    "Moment",
    "OpenRequest",
    "Operation",
    "Outlook",
    "PlanReport",
    "Posted",
    "Progress",
    "Proof",
    "ReadingEntry",
    "RunPart",
    "RunReport",
    "RunStage",
    "RunStep",
    "RungEntry",
    "Share",
    "Snippets",
    "Standing",
    "StepEntry",
    "StepFate",
    "StepOutcome",
    "Stretch",
    "TrafficShift",
    "Undoing",
    "ValidateReport",
    "VerifyReport",
    "Want",
    "altered_diagnostic",
    "apply_report",
    "capacity_rows",
    "check_report",
    "count_changes",
    "critical_path",
    "drift_report",
    "expecting",
    "failure_diagnostic",
    "find_claims",
    "find_conflicts",
    "find_curves",
    "find_exposures",
    "find_interruptions",
    "find_lanes",
    "find_retaken",
    "find_traffic",
    "find_wants",
    "follow",
    "forces_new_version",
    "heaviest_closure",
    "kind_of",
    "learnt",
    "no_snippets",
    "plan_report",
    "run_report",
    "undoing_of",
    "validate_report",
    "verify_report",
    "was_serving",
]
