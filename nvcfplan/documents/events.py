"""The event stream of a run: one JSON object a line, in Terraform's manner, with its schema.

Every line has `@level`, `@message` (what a person is told), `@module`, `@timestamp` and `type`. The
first line is `version`, the last is `report`. A minor version adds; readers ignore what they do not
know, and show `@message` of a type that they do not know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, assert_never

from nvcfplan import __version__
from nvcfplan.applying import (
    Blocked,
    Cause,
    Event,
    Failure,
    RepairBegan,
    RollbackBegan,
    RunBegan,
    RunFinished,
    RungRefused,
    RungTaken,
    RungWaiting,
    RunStopping,
    StepFailed,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepWaiting,
    remedy_of,
)
from nvcfplan.documents.event_lines import (
    TYPES,
    BlockedLine,
    CauseLine,
    FailureLine,
    Line,
    LogLine,
    RepairStart,
    RollbackStart,
    RunComplete,
    RungProgress,
    RungRefusal,
    RungStart,
    RunLine,
    RunStart,
    RunStop,
    Stand,
    StepComplete,
    StepErrored,
    StepName,
    StepProgress,
    StepRetry,
    StepStart,
    VersionLine,
)
from nvcfplan.documents.records import record_of
from nvcfplan.plans import VERBS, Probe

if TYPE_CHECKING:
    from datetime import datetime

    from nvcfplan.documents.shapes import Definitions, Record
    from nvcfplan.model import Address, StepId
    from nvcfplan.plans import Task
    from nvcfplan.reports import Progress

UI_VERSION: Final = "1.0"


REPORT: Final = "report"
_LEVELS: Final[dict[type[Line], str]] = {
    StepRetry: "warn",
    RollbackStart: "warn",
    RungStart: "warn",
    RungRefusal: "warn",
    RunStop: "warn",
    StepErrored: "error",
}


def encode_event(event: Event, progress: Progress, message: str, time: datetime) -> bytes:
    """`progress`: where the run stands after it. `message`: what a person is told of it."""
    line = _line_of(event, progress)
    stand = Stand(
        at_seconds=round(event.at, 3),
        done=progress.done,
        total=progress.total,
        undone=progress.aside_done,
        in_flight=len(progress.in_flight),
        left_seconds=_rounded(progress.left(event.at)),
    )
    kind: type[Line] = type(line)
    encoded = _record(kind).encode(line) | {"progress": _record(Stand).encode(stand)}
    return _written(TYPES[kind], _LEVELS.get(kind, "info"), encoded, message, time)


def encode_stream_version(time: datetime) -> bytes:
    """The first line."""
    line = VersionLine(ui=UI_VERSION, nvcfplan=__version__)
    encoded = _record(VersionLine).encode(line)
    return _written(TYPES[VersionLine], "info", encoded, f"nvcfplan {__version__}", time)


def encode_log(message: str, time: datetime) -> bytes:
    return _written(TYPES[LogLine], "info", {}, message, time)


def encode_report_line(report: bytes, time: datetime) -> bytes:
    """The last line: the document in which the command says how it ended."""
    document = json.loads(report)
    assert isinstance(document, dict), type(document)
    is_good = document.get("exit_code", 0) == 0 and document.get("valid", True)
    message = str(document.get("outcome", "valid" if is_good else "invalid"))
    return _written(REPORT, "info" if is_good else "error", document, message, time)


def events_json_schema() -> dict[str, object]:
    """Draft-07, of one line; as published in `schemas/events.schema.json`."""
    definitions: Definitions = {}
    lines = [_line_schema(kind, name, definitions) for kind, name in TYPES.items()]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nvcfplan event stream, one line",
        "description": "What `apply -json`, `destroy -json`, `resume -json` and `rollback -json`"
        " write, a line at a time. A minor version of `ui` adds keys and types.",
        "oneOf": [*lines, _object(_stated(REPORT) | {"outcome": {"type": "string"}}, _stated(""))],
        "definitions": dict(sorted(definitions.items())),
    }


def _record(kind: type) -> Record:
    return record_of(kind)


def _line_schema(kind: type[Line], name: str, definitions: Definitions) -> dict[str, object]:
    own = _record(kind).properties(definitions)
    if kind not in (VersionLine, LogLine):
        own["progress"] = _record(Stand).schema(definitions)
    properties = _stated(name) | own
    return _object(properties, properties)


def _object(properties: dict[str, object], required: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": sorted(required)}


def _stated(name: str) -> dict[str, object]:
    return {
        "@level": {"enum": ["info", "warn", "error"]},
        "@message": {"type": "string"},
        "@module": {"const": "nvcfplan"},
        "@timestamp": {"type": "string", "format": "date-time"},
        "type": {"const": name},
    }


def _written(
    name: str, level: str, encoded: dict[str, object], message: str, time: datetime
) -> bytes:
    """In ASCII: no character of a foreign text acts on the terminal it is printed to."""
    line = {
        "@level": level,
        "@message": message,
        "@module": "nvcfplan",
        "@timestamp": time.isoformat().removesuffix("+00:00") + "Z",
        "type": name,
        **encoded,
    }
    return json.dumps(line, sort_keys=True, allow_nan=False).encode("ascii") + b"\n"


def _line_of(event: Event, progress: Progress) -> RunLine:
    match event:
        case RunBegan():
            return RunStart(run=event.run, is_resumed=event.is_resumed)
        case RollbackBegan():
            cause = None if event.cause is None else _cause(event.cause)
            return RollbackStart(cause=cause, steps=event.steps)
        case RepairBegan():
            return RepairStart(step=event.step, steps=event.steps, reason=event.reason)
        case RungTaken(rung=rung, planned=planned):
            steps = tuple(step.id for step in planned)
            return RungStart(rung=rung, cause=_cause(event.cause), steps=steps)
        case RungRefused(rung=rung, reason=reason):
            return RungRefusal(rung=rung, reason=reason)
        case RungWaiting(rung=rung, reason=reason, left_seconds=left):
            return RungProgress(rung=rung, reason=reason, left_seconds=round(left, 3))
        case RunStopping():
            return RunStop(reason=event.reason, in_flight=event.in_flight)
        case RunFinished():
            return RunComplete(
                outcome=event.outcome,
                causes=tuple(_cause(one) for one in event.causes),
                blocked=None if event.blocked is None else _blocked(event.blocked),
                satisfied=event.satisfied,
            )
        case _:
            return _step_line(event, progress)


def _step_line(
    event: StepStarted | StepWaiting | StepRetried | StepSucceeded | StepFailed, progress: Progress
) -> RunLine:
    step, one = _named(event.step, event.address, event.task), progress.of(event.step)
    match event:
        case StepStarted():
            expected = None if one is None else one.expected_seconds
            return StepStart(step=step, expected_seconds=_rounded(expected))
        case StepWaiting(reason=reason):
            left = None if one is None else one.left(event.at)
            elapsed = round(event.elapsed_seconds, 3)
            return StepProgress(
                step=step, reason=reason, elapsed_seconds=elapsed, left_seconds=_rounded(left)
            )
        case StepRetried(attempt=attempt, reason=reason, pause_seconds=pause):
            return StepRetry(step=step, attempt=attempt, reason=reason, pause_seconds=pause)
        case StepSucceeded(elapsed_seconds=elapsed, is_adopted=is_adopted):
            return StepComplete(step=step, elapsed_seconds=round(elapsed, 3), is_adopted=is_adopted)
        case StepFailed(elapsed_seconds=elapsed, failure=failure):
            return StepErrored(
                step=step, elapsed_seconds=round(elapsed, 3), failure=_failure(failure)
            )
        case _:
            assert_never(event)


def _named(step: StepId, address: Address, task: Task) -> StepName:
    version = None if isinstance(task, Probe) else str(task.version)
    return StepName(id=step, address=address, action=VERBS[type(task)], version=version)


def _cause(cause: Cause) -> CauseLine:
    return CauseLine(
        step=_named(cause.step, cause.address, cause.task), failure=_failure(cause.failure)
    )


def _blocked(blocked: Blocked) -> BlockedLine:
    return BlockedLine(
        step=blocked.step,
        failure=_failure(blocked.failure),
        missing=blocked.missing,
        remaining=blocked.remaining,
    )


def _failure(failure: Failure) -> FailureLine:
    return FailureLine(
        kind=str(failure.kind),
        message=failure.message,
        remedy=remedy_of(failure) or None,
        status=failure.status,
        request_id=failure.request_id,
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
