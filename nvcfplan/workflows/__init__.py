"""Use cases, each once for all front ends; what they need of the world comes in as ports."""

from __future__ import annotations

from nvcfplan.workflows.accepting import Acceptance, look_for_acceptance
from nvcfplan.workflows.acknowledging import (
    Knowing,
    acknowledge_finding,
    acknowledgements_of,
    take_back,
)
from nvcfplan.workflows.adopting import Adoption, adopt_functions
from nvcfplan.workflows.apply import ApplyRequest, apply_plan, refuse_open_run, remember_plan
from nvcfplan.workflows.check import check_saved_plan
from nvcfplan.workflows.commenting import (
    Commented,
    CommentOrder,
    Drawing,
    ForgePorts,
    Reviewed,
    Statement,
    Unplanned,
    comment_plan,
    find_request,
    mark_outdated,
    review,
)
from nvcfplan.workflows.drift import DriftRequest, look_for_drift
from nvcfplan.workflows.history import Lock, UnreadRun, look_at_lock, read_history, read_run
from nvcfplan.workflows.journals import last_journal
from nvcfplan.workflows.locking import Patience, Pulse, take_pulse
from nvcfplan.workflows.memory import read_memory, revise_memory
from nvcfplan.workflows.offline import make_offline_plan
from nvcfplan.workflows.one_reading import OneReading
from nvcfplan.workflows.plan import PlanRequest, has_changes, is_refused, make_plan, scope_of
from nvcfplan.workflows.ports import Actor, LookPorts, Minted, NoticeChannel, RunPorts
from nvcfplan.workflows.queues import QueuedWork, queued_work
from nvcfplan.workflows.reading import Scope
from nvcfplan.workflows.recover import (
    NothingToDo,
    RecoverRequest,
    last_outcome,
    resume_run,
    roll_back_run,
)
from nvcfplan.workflows.rehearse import Seen, look_at_scene, look_at_snapshot, put_state
from nvcfplan.workflows.repairing import look_for_repair
from nvcfplan.workflows.returning import Return, look_for_return
from nvcfplan.workflows.room import RoomWait, StillWaiting, apply_when_there_is_room
from nvcfplan.workflows.rounds import Look, look_at_each
from nvcfplan.workflows.runs import RunResult, Shell
from nvcfplan.workflows.snapshot import take_snapshot
from nvcfplan.workflows.state_commands import find_function, read_remembered
from nvcfplan.workflows.telling import Delivery, Telling, tell_channels, undelivered_warning
from nvcfplan.workflows.tracking import IssueChannel, IssueDrawing
from nvcfplan.workflows.validate import read_stack_files
from nvcfplan.workflows.verify import verify_document
from nvcfplan.workflows.watching import Post, Tick, Watch, watch

__all__ = [
    "Acceptance",
    "Actor",
    "Adoption",
    "ApplyRequest",
    "CommentOrder",
    "Commented",
    "Delivery",
    "Drawing",
    "DriftRequest",
    "ForgePorts",
    "IssueChannel",
    "IssueDrawing",
    "Knowing",
    "Lock",
    "Look",
    "LookPorts",
    "Minted",
    "NothingToDo",
    "NoticeChannel",
    "OneReading",
    "Patience",
    "PlanRequest",
    "Post",
    "Pulse",
    "QueuedWork",
    "RecoverRequest",
    "Return",
    "Reviewed",
    "RoomWait",
    "RunPorts",
    "RunResult",
    "Scope",
    "Seen",
    "Shell",
    "Statement",
    "StillWaiting",
    "Telling",
    "Tick",
    "Unplanned",
    "UnreadRun",
    "Watch",
    "acknowledge_finding",
    "acknowledgements_of",
    "adopt_functions",
    "apply_plan",
    "apply_when_there_is_room",
    "check_saved_plan",
    "comment_plan",
    "find_function",
    "find_request",
    "has_changes",
    "is_refused",
    "last_journal",
    "last_outcome",
    "look_at_each",
    "look_at_lock",
    "look_at_scene",
    "look_at_snapshot",
    "look_for_acceptance",
    "look_for_drift",
    "look_for_repair",
    "look_for_return",
    "make_offline_plan",
    "make_plan",
    "mark_outdated",
    "put_state",
    "queued_work",
    "read_history",
    "read_memory",
    "read_remembered",
    "read_run",
    "read_stack_files",
    "refuse_open_run",
    "remember_plan",
    "resume_run",
    "review",
    "revise_memory",
    "roll_back_run",
    "scope_of",
    "take_back",
    "take_pulse",
    "take_snapshot",
    "tell_channels",
    "undelivered_warning",
    "verify_document",
    "watch",
]
