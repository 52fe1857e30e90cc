"""Runs, locks and adoptions as `-json` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.documents.records import shape_of
from nvcfplan.documents.report import REPORT_FORMAT_VERSION, encode_failed, pretty
from nvcfplan.model import function_address
from nvcfplan.reports import Counts, RunPart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nvcfplan.applying import Adopted, LeaseSeen
    from nvcfplan.model import State
    from nvcfplan.reports import RunReport, RunStage, RunStep

_PARTS = shape_of(tuple[RunPart, ...])
_COUNTS = shape_of(Counts)


def encode_history(stack: str, runs: Sequence[RunReport], *, unread: Sequence[str]) -> bytes:
    """`unread`: runs whose journal does not read. Newest first."""
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "stack": stack,
            "runs": [_summary(one) for one in runs],
            "unreadable": list(unread),
        }
    )


def encode_run(run: RunReport) -> bytes:
    stages = [_stage(one) for one in run.stages]
    return pretty({"format_version": REPORT_FORMAT_VERSION, **_summary(run), "plans": stages})


def encode_lock(
    stack: str, lease: LeaseSeen | None, run: RunReport | None, *, outcome: str, exit_code: int
) -> bytes:
    """`outcome`: unlocked, not-locked, or refused."""
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "stack": stack,
            "outcome": outcome,
            "exit_code": exit_code,
            "lock": None if lease is None else _lease(lease),
            "open_run": None if run is None else _summary(run),
        }
    )


def encode_adoption(stack: str, adopted: Sequence[Adopted], state: State | None) -> bytes:
    return pretty(
        {
            "format_version": REPORT_FORMAT_VERSION,
            "stack": stack,
            "outcome": "adopted" if adopted else "nothing-to-do",
            "exit_code": 0,
            "lineage": state.lineage if state else None,
            "serial": state.serial if state else None,
            "functions": [
                {
                    "address": function_address(one.entry.key),
                    "functionId": one.entry.function_id,
                    "versionId": one.entry.version_id,
                    "status": one.status.value,
                    "standing": one.likeness.value,
                    "kept_versions": one.kept,
                    "foreign_versions": one.foreign,
                    "secrets_not_compared": list(one.uncompared),
                }
                for one in adopted
            ],
        }
    )


def _summary(run: RunReport) -> dict[str, object]:
    return {
        "run": run.run,
        "stack": run.stack,
        "outcome": None if run.outcome is None else run.outcome.value,
        "resumable": run.is_open,
        "digest": run.digest,
        "actor": run.actor or None,
        "commit": run.commit or None,
        "link": run.link or None,
        "tool_version": run.tool_version or None,
        "began_at": _time(run.began_at),
        "ended_at": _time(run.ended_at),
        "seconds": run.seconds,
        "parts": _PARTS.encode(run.parts),
        "changes": _COUNTS.encode(run.counts),
        "took_up": [one.why for one in run.stages],
        "cause": None if run.cause is None else _step(run.cause),
    }


def _stage(stage: RunStage) -> dict[str, object]:
    return {
        "why": stage.why,
        "digest": stage.digest,
        "taken_at": _time(stage.taken_at),
        "steps": [_step(one) for one in stage.steps],
    }


def _step(step: RunStep) -> dict[str, object]:
    return {
        "id": step.step,
        "address": step.address,
        "status": step.fate.value,
        "attempts": step.attempts,
        "began_at": _time(step.began_at),
        "seconds": step.seconds,
        "failure": None if step.failure is None else encode_failed(step.failure),
    }


def _lease(lease: LeaseSeen) -> dict[str, object]:
    return {
        "holder": lease.holder,
        "operation": lease.errand.operation or None,
        "link": lease.errand.link or None,
        "tool_version": lease.errand.tool_version or None,
        "since": lease.since,
        "epoch": lease.epoch,
        "heartbeat": lease.heartbeat,
        "ended": lease.is_dead,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
