"""The event stream: its published schema, and that every event of a run fits it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from nvcfplan.applying import Event, Failure, StepFailed
from nvcfplan.documents import (
    encode_event,
    encode_failure,
    encode_log,
    encode_report_line,
    encode_stream_version,
    events_json_schema,
)
from nvcfplan.errors import SettingsError
from nvcfplan.reports import Progress, follow
from tests.views import runs

PATH = Path("schemas/events.schema.json")
NOW = datetime(2026, 3, 1, 10, 15, 30, tzinfo=UTC)
VALIDATOR = jsonschema.Draft7Validator(events_json_schema())


def _lines(events: tuple[Event, ...]) -> list[dict[str, object]]:
    progress, lines = Progress(), []
    for event in events:
        progress = follow(progress, event, lambda _task, _planned: None)
        lines.append(json.loads(encode_event(event, progress, "words", NOW)))
    return lines


def test_the_committed_schema_is_current() -> None:
    """Rewrite it with `nvcfplan schema events > schemas/events.schema.json`."""
    assert json.loads(PATH.read_text("utf-8")) == events_json_schema()


def test_the_schema_is_one_that_draft_7_readers_can_use() -> None:
    jsonschema.Draft7Validator.check_schema(events_json_schema())


def test_the_samples_hold_every_kind_of_event() -> None:
    """So that a kind that is added is one of those that are checked below."""
    assert {type(event) for event in runs.every_event()} == set(get_args(Event))


@pytest.mark.parametrize("index", range(len(runs.every_event())))
def test_every_event_fits_the_schema(index: int) -> None:
    VALIDATOR.validate(_lines(runs.every_event())[index])


@pytest.mark.parametrize(
    "line",
    [
        encode_stream_version(NOW),
        encode_log("waiting for the service", NOW),
        encode_report_line(encode_failure(SettingsError("no endpoint"), exit_code=1), NOW),
    ],
)
def test_the_lines_around_a_run_fit_the_schema(line: bytes) -> None:
    VALIDATOR.validate(json.loads(line))


def test_a_line_of_an_unknown_type_does_not_fit() -> None:
    line = _lines(runs.every_event())[0] | {"type": "something_else"}
    assert not VALIDATOR.is_valid(line)


def test_a_line_is_one_line_of_ascii_whatever_the_service_said() -> None:
    failure = Failure(kind="capacity", message="no\nroom \x1b[2J \u202e \u2028 é")
    sample = next(one for one in runs.every_event() if isinstance(one, StepFailed))
    event = StepFailed(
        at=1.0,
        step=sample.step,
        address=sample.address,
        task=sample.task,
        elapsed_seconds=1.0,
        failure=failure,
    )
    line = encode_event(event, Progress(), failure.message, NOW)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert b"\x1b" not in line


def test_a_failed_step_and_a_failed_report_are_errors() -> None:
    levels = {str(one["type"]): one["@level"] for one in _lines(runs.every_event())}
    assert levels["step_errored"] == "error"
    assert levels["step_start"] == "info"
    report = encode_report_line(encode_failure(SettingsError("x"), exit_code=1), NOW)
    assert json.loads(report)["@level"] == "error"
