"""Tells what a run does while it goes on: a live table, heartbeat lines, or a stream of events.

What is worth telling, and when, is decided once for all three; each only draws it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from nvcfplan.applying import RunBegan, RunFinished, StepStarted, StepWaiting
from nvcfplan.documents import encode_event, encode_log
from nvcfplan.frontends.streaming import stream_quietly
from nvcfplan.reports import Progress, follow
from nvcfplan.views.event_text import event_line, render_event

if TYPE_CHECKING:
    from rich.live import Live

    from nvcfplan.applying import Clock, Event
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.model import StepId
    from nvcfplan.reports import Expecting

HEARTBEAT_SECONDS: Final = 30.0
_REDRAW_SECONDS: Final = 0.1
"""Real ones: so soon after another an event need not be drawn, for a tick will."""
_FELT_SECONDS: Final = 1.0
"""Before that, that it waits has been said when it began."""
_NO_ANSWER: Final = "no answer yet"


class Voice(Protocol):
    """Never raises: a run must not end because nobody can be told of it."""

    def tell(self, event: Event, progress: Progress) -> None: ...

    def redraw(self, progress: Progress, at: float) -> None: ...

    def close(self) -> None: ...


class Narrator:
    """`hear` is a run's listener; `tick` is called now and then while nothing happens.

    A wait is told again when its reason changes, else each half minute of the run's own clock.
    """

    def __init__(self, voice: Voice, clock: Clock, expecting: Expecting) -> None:
        self._voice = voice
        self._clock = clock
        self._expecting = expecting
        self._progress = Progress()
        self._began = 0.0
        self._drawn_at = 0.0
        self._told: dict[StepId, tuple[str, float]] = {}

    def hear(self, event: Event) -> None:
        if isinstance(event, RunBegan):
            self._began = self._clock.monotonic() - event.at
        self._progress = follow(self._progress, event, self._expecting)
        if self._is_worth_telling(event):
            self._voice.tell(event, self._progress)
        if isinstance(event, RunFinished):
            self.close()
        elif time.monotonic() - self._drawn_at >= _REDRAW_SECONDS:
            self._redraw(event.at)

    def tick(self) -> None:
        if not self._progress.in_flight:
            return
        at = self._clock.monotonic() - self._began
        for one in self._progress.in_flight:
            if at - self._told.get(one.step, ("", one.began))[1] >= HEARTBEAT_SECONDS:
                self.hear(
                    StepWaiting(
                        at=at,
                        step=one.step,
                        address=one.address,
                        task=one.task,
                        reason=one.reason or _NO_ANSWER,
                        elapsed_seconds=one.elapsed(at),
                    )
                )
        self._redraw(at)

    def close(self) -> None:
        self._voice.close()

    def _redraw(self, at: float) -> None:
        self._drawn_at = time.monotonic()
        self._voice.redraw(self._progress, at)

    def _is_worth_telling(self, event: Event) -> bool:
        if isinstance(event, StepStarted):
            self._told[event.step] = ("", event.at)
        if not isinstance(event, StepWaiting):
            return True
        reason, at = self._told.get(event.step, ("", event.at))
        if event.reason == reason and event.at < at + HEARTBEAT_SECONDS:
            return False
        self._told[event.step] = (event.reason, event.at)
        return event.elapsed_seconds >= _FELT_SECONDS


def narrator_of(terminal: Terminal, clock: Clock, expecting: Expecting) -> Narrator:
    if terminal.is_stream:
        return Narrator(_Stream(terminal), clock, expecting)
    voice = _Table(terminal) if terminal.is_redrawable else _Lines(terminal)
    return Narrator(voice, clock, expecting)


def narrate(terminal: Terminal, text: str) -> None:
    """One line about what comes, in the form in which the run itself is told."""
    if terminal.is_stream:
        stream_quietly(terminal, partial(encode_log, text))
    else:
        terminal.say(text)


class _Lines(Voice):
    """For pipelines and files: each line stands by itself."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def tell(self, event: Event, progress: Progress) -> None:
        line = _line(event, progress, colour=self._terminal.say_in_colour())
        if line is not None:
            self._terminal.say(line)

    def redraw(self, progress: Progress, at: float) -> None:
        del progress, at

    def close(self) -> None:
        pass


class _Stream(Voice):
    """On standard output, where the report ends it."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        terminal.above = self._log

    def tell(self, event: Event, progress: Progress) -> None:
        ended = event.outcome.value if isinstance(event, RunFinished) else ""
        message = _message(event, progress) or f"Run ended as {ended}."
        stream_quietly(self._terminal, partial(encode_event, event, progress, message))

    def redraw(self, progress: Progress, at: float) -> None:
        del progress, at

    def close(self) -> None:
        self._terminal.above = None

    def _log(self, text: str) -> None:
        narrate(self._terminal, text)


class _Table(Voice):
    """What is in flight is redrawn at the foot; what is over scrolls above it."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._live: Live | None = None

    def tell(self, event: Event, progress: Progress) -> None:
        if isinstance(event, StepStarted | StepWaiting):
            return
        line = _line(event, progress, colour=self._terminal.say_in_colour())
        if line is not None:
            self._terminal.say(line)

    def redraw(self, progress: Progress, at: float) -> None:
        from nvcfplan.views.live_table import draw_live

        with suppress(OSError, ValueError):
            live = self._live or self._opened()
            size = live.console.size
            live.update(draw_live(progress, at, width=size.width, height=size.height), refresh=True)

    def close(self) -> None:
        self._terminal.above = None
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError, ValueError):
                live.stop()

    def _opened(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        terminal = self._terminal
        is_coloured = terminal.say_in_colour()
        console = Console(
            file=terminal.stderr,
            force_terminal=True,
            color_system="standard" if is_coloured else None,
            no_color=not is_coloured,
            highlight=False,
            markup=False,
            emoji=False,
            _environ=terminal.environment,
        )
        self._live = live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        live.start()
        terminal.above = self._print_above
        return live

    def _print_above(self, text: str) -> None:
        from rich.text import Text

        live = self._live
        with suppress(OSError, ValueError):
            if live is not None:
                live.console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)


def _message(event: Event, progress: Progress, *, colour: bool = False) -> str | None:
    """The words of an event, the same wherever they stand."""
    one = progress.of(event.step) if isinstance(event, StepWaiting) else None
    left = None if one is None else one.left(event.at)
    return render_event(event, left_seconds=left, colour=colour)


def _line(event: Event, progress: Progress, *, colour: bool) -> str | None:
    message = _message(event, progress, colour=colour)
    if message is None:
        return None
    return event_line(event.at, progress.done, progress.total, message)
