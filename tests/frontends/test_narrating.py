"""What a run tells while it goes on: in a table, in lines, in a stream, and the same in each."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyte
import pytest

from nvcfplan.applying import Clock, Event, RunBegan, RunFinished, StepStarted, StepWaiting
from nvcfplan.frontends.narrating import HEARTBEAT_SECONDS, Narrator, narrator_of
from nvcfplan.frontends.terminal import Form, Terminal
from nvcfplan.model import Memory, StepId
from nvcfplan.plans import AwaitActive, Plan, Step
from nvcfplan.reports import expecting
from nvcfplan.views.event_text import event_line
from tests.documents import builders
from tests.views import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLLING = builders.rolling()
GAP = builders.delete_first()
RUNS: dict[str, tuple[Event, ...]] = {
    "applied": runs.applied(builders.heterogeneous()),
    "rolled-back": runs.rolled_back(ROLLING),
    "incomplete": runs.incomplete(GAP),
    "interrupted": runs.interrupted(GAP),
    "everything": runs.every_event(),
}


class Screen(io.StringIO):
    """A terminal of so many columns and lines, with what has scrolled off its top."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(columns, lines, history=2000, ratio=1.0)
        self.screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self.screen)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return super().write(text)

    @property
    def shown(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def scrolled(self) -> list[str]:
        above = [
            "".join(line[column].data for column in range(self.screen.columns)).rstrip()
            for line in self.screen.history.top
        ]
        return [*above, *self.shown]


class Watch(Clock):
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep_until(self, monotonic: float) -> None:
        self.seconds = max(self.seconds, monotonic)


class Watching:
    """A terminal, its narrator, and the clock of the run."""

    def __init__(self, stderr: io.StringIO, *, words: str = "", width: int = 80) -> None:
        self.out, self.err, self.clock = io.StringIO(), stderr, Watch()
        self.terminal = Terminal(
            stdin=io.StringIO(),
            stdout=self.out,
            stderr=stderr,
            environment={"TERM": "xterm", "COLUMNS": str(width), "LINES": "24", "NO_COLOR": "1"},
        )
        self.terminal.is_stream = words == "-json"
        self.terminal.form = Form.JSON if self.terminal.is_stream else Form.TEXT
        self.narrator: Narrator = narrator_of(self.terminal, self.clock, expecting(Memory()))

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            self.narrator.hear(event)

    def pass_time(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.narrator.tick()


def _lines(events: Sequence[Event]) -> list[str]:
    watching = Watching(io.StringIO())
    watching.hear(events)
    return watching.err.getvalue().splitlines()


def _stream(events: Sequence[Event]) -> list[dict[str, object]]:
    watching = Watching(io.StringIO(), words="-json")
    watching.hear(events)
    return [json.loads(line) for line in watching.out.getvalue().splitlines()]


@pytest.mark.parametrize("name", RUNS)
def test_lines_and_stream_tell_the_same(name: str) -> None:
    told = []
    for line in _stream(RUNS[name]):
        stand = line.get("progress")
        if isinstance(stand, dict) and line["type"] != "run_complete":
            at, done, total = stand["at_seconds"], stand["done"], stand["total"]
            told += event_line(at, done, total, str(line["@message"])).splitlines()
    assert told == _lines(RUNS[name])
    assert told


@pytest.mark.parametrize("name", [name for name in RUNS if name != "everything"])
@pytest.mark.parametrize("width", [80, 200])
def test_what_is_over_scrolls_above_the_table_as_the_lines_tell_it(name: str, width: int) -> None:
    screen = Screen(width, 24)
    watching = Watching(screen, width=width)
    watching.hear(RUNS[name])
    over = [
        line
        for event, line in _told(RUNS[name])
        if not isinstance(event, StepStarted | StepWaiting)
    ]
    flat = "".join(screen.scrolled)
    assert flat == "".join(part for line in over for part in _wrapped(line, width))


def _told(events: Sequence[Event]) -> list[tuple[Event, str]]:
    watching, found = Watching(io.StringIO()), []
    for event in events:
        before = len(watching.err.getvalue())
        watching.narrator.hear(event)
        found += [(event, line) for line in watching.err.getvalue()[before:].splitlines()]
    return found


def _wrapped(line: str, width: int) -> list[str]:
    return [line[at : at + width].rstrip() for at in range(0, len(line), width)]


ACTIVE = next(step for step in ROLLING.steps if isinstance(step.task, AwaitActive))


def _started(step: Step, at: float) -> StepStarted:
    return StepStarted(at=at, step=step.id, address=step.address, task=step.task)


def _waiting(step: Step, at: float, reason: str = "DEPLOYING, 0 of 2 instances") -> StepWaiting:
    return StepWaiting(
        at=at,
        step=step.id,
        address=step.address,
        task=step.task,
        reason=reason,
        elapsed_seconds=at,
    )


def _began(plan: Plan = ROLLING) -> RunBegan:
    return runs.began(plan)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_table_fits_the_terminal_and_names_step_time_reason_and_counts(width: int) -> None:
    screen = Screen(width, 24)
    watching = Watching(screen, width=width)
    watching.hear([_began(), _started(ACTIVE, 0.0), _waiting(ACTIVE, 0.0)])
    watching.pass_time(29.0)
    *rows, foot = screen.shown[1:]
    assert "function.chat@new  waiting for ACTIVE, 29s" in rows[0]
    assert "DEPLOYING, 0 of 2 instances" in " ".join(rows)
    assert len(rows) == (1 if width >= 120 else 2)
    assert foot.startswith(f"0 of {len(ROLLING.steps)} steps done, 1 in flight; 29s elapsed")
    assert all(len(row) < width for row in screen.shown)


def test_the_table_is_redrawn_in_place() -> None:
    screen = Screen(80, 24)
    watching = Watching(screen)
    watching.hear([_began(), _started(ACTIVE, 0.0)])
    heights = set()
    for _ in range(20):
        watching.pass_time(1.0)
        watching.narrator.hear(_waiting(ACTIVE, watching.clock.monotonic()))
        heights.add(len(screen.scrolled))
    assert len(heights) == 1


def test_more_steps_than_lines_are_counted() -> None:
    screen = Screen(80, 24)
    watching = Watching(screen)
    many = [replace(ACTIVE, id=StepId(f"await-active:function.chat@{n}")) for n in range(30)]
    watching.hear([_began(), *(_started(step, 0.0) for step in many)])
    watching.pass_time(1.0)
    assert "  and 19 steps more" in screen.shown
    assert screen.shown[-1].startswith("0 of ")


def test_after_the_end_the_table_is_gone_and_the_cursor_is_shown_on_a_clean_line() -> None:
    screen = Screen(120, 24)
    watching = Watching(screen, width=120)
    watching.hear([_began(GAP), _started(GAP.steps[0], 0.0), *runs.interrupted(GAP)[1:]])
    assert not screen.screen.cursor.hidden
    assert screen.screen.cursor.x == 0
    assert screen.shown[-1].endswith("may still be answered.")
    assert watching.terminal.above is None


def test_a_key_echoed_into_the_table_is_wiped_away() -> None:
    screen = Screen(80, 24)
    watching = Watching(screen)
    watching.hear([_began(GAP), _started(GAP.steps[0], 0.0)])
    screen.write("^C")
    watching.hear(runs.interrupted(GAP)[2:])
    assert not any("^C" in line for line in screen.scrolled)


def test_what_the_client_says_goes_above_the_table() -> None:
    screen = Screen(80, 24)
    watching = Watching(screen)
    watching.hear([_began(), _started(ACTIVE, 0.0)])
    watching.terminal.say("waiting for the service: GET /functions: 503; asking again in 8 s")
    watching.pass_time(1.0)
    assert screen.shown[1].startswith("waiting for the service")
    assert screen.shown[-1].startswith("0 of ")


def test_in_a_stream_what_the_client_says_is_a_log_line() -> None:
    watching = Watching(io.StringIO(), words="-json")
    watching.narrator.hear(_began())
    watching.terminal.say("waiting for the service")
    last = json.loads(watching.out.getvalue().splitlines()[-1])
    assert (last["type"], last["@message"]) == ("log", "waiting for the service")
    assert watching.err.getvalue() == ""


def test_a_wait_is_told_each_half_minute_though_nothing_comes() -> None:
    watching = Watching(io.StringIO())
    watching.hear([_began(), _started(ACTIVE, 0.0)])
    for _ in range(95):
        watching.pass_time(1.0)
    beats = [line for line in watching.err.getvalue().splitlines() if "still" in line]
    assert [line[:8] for line in beats] == ["00:00:30", "00:01:00", "00:01:30"]
    assert all("no answer yet" in line for line in beats)


def test_a_wait_is_told_at_once_when_its_reason_changes_and_not_when_it_does_not() -> None:
    watching = Watching(io.StringIO())
    watching.hear([_began(), _started(ACTIVE, 0.0), _waiting(ACTIVE, 0.0)])
    watching.hear([_waiting(ACTIVE, 5.0), _waiting(ACTIVE, 10.0, "DEPLOYING, 1 of 2 instances")])
    watching.hear([_waiting(ACTIVE, 15.0, "DEPLOYING, 1 of 2 instances")])
    beats = [line for line in watching.err.getvalue().splitlines() if "still" in line]
    assert [line[:8] for line in beats] == ["00:00:10"]
    assert HEARTBEAT_SECONDS > 15.0


def test_every_line_of_a_pipeline_stands_by_itself() -> None:
    for line in _lines(runs.every_event()):
        assert line[2] == line[5] == ":"
        assert line.isprintable()


@pytest.mark.parametrize(
    "environment", [{"TERM": "dumb"}, {"CI": "true"}, {"NVCFPLAN_IN_AUTOMATION": "1"}]
)
def test_where_nobody_watches_there_is_no_table(environment: dict[str, str]) -> None:
    screen = Screen(80, 24)
    terminal = Terminal(
        stdin=io.StringIO(), stdout=io.StringIO(), stderr=screen, environment=environment
    )
    assert not terminal.is_redrawable


class Broken(Screen):
    def write(self, text: str) -> int:
        del text
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("words", ["", "-json"])
def test_a_run_goes_on_though_nobody_can_be_told_of_it(words: str) -> None:
    watching = Watching(Broken(80, 24), words=words)
    watching.terminal.stdout = Broken(80, 24)
    watching.hear(runs.applied(ROLLING))
    watching.pass_time(60.0)
    assert isinstance(runs.applied(ROLLING)[-1], RunFinished)
