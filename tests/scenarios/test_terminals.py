"""In a terminal: what is in flight fits it, and Ctrl-C, typed there, leaves it as it should be."""

from __future__ import annotations

import os
import pty
import select
import sys
import termios
import time
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.scenarios.conftest import Workshop, bare_environment, function, stack
from tests.scenarios.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINES = 40
_PATIENCE_SECONDS = 60
Screen = list[str]


class Seat:
    """Somebody before a terminal of so many columns, in which nvcfplan is started."""

    def __init__(self, workshop: Workshop, columns: int, *words: str) -> None:
        self.screen = pyte.Screen(columns, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            self._become(workshop, columns, words)

    def _become(self, workshop: Workshop, columns: int, words: tuple[str, ...]) -> None:
        termios.tcsetwinsize(0, (LINES, columns))
        os.chdir(workshop.directory)
        environment = {**bare_environment(), "TERM": "xterm-256color"}
        del environment["NO_COLOR"]
        os.execve(sys.executable, [sys.executable, "-m", "nvcfplan", *words], environment)

    def sees(self, is_shown: Callable[[Screen], bool]) -> Screen:
        """As soon as it is so."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not is_shown(self.shown):
            assert time.monotonic() < until, self.shown
            assert self._read(), self.shown
        return self.shown

    def types(self, text: bytes) -> None:
        os.write(self._terminal, text)

    def leaves(self) -> int:
        """The exit code, when all that was said has been read."""
        while self._read():
            pass
        _, status = os.waitpid(self._process, 0)
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        os.close(self._terminal)

    @property
    def shown(self) -> Screen:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def _read(self) -> bool:
        poll = select.poll()
        poll.register(self._terminal, select.POLLIN)
        assert poll.poll(_PATIENCE_SECONDS * 1000), self.shown
        try:
            content = os.read(self._terminal, 65536)
        except OSError:  # nobody has the other end open any more
            return False
        self._stream.feed(content)
        return bool(content)


@pytest.fixture
def address(workshop: Workshop) -> Iterator[str]:
    workshop.write("stack.yaml", stack(*(function(f"model-{one}") for one in "abc")))
    with serving(workshop, ".", speed=1) as found:
        yield found


def _is_clean(seat: Seat) -> bool:
    """The cursor is shown, and at the beginning of a line of its own."""
    cursor = seat.screen.cursor
    return not cursor.hidden and cursor.x == 0 and not seat.screen.display[cursor.y].strip()


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_the_table_fits_and_an_interrupt_leaves_only_the_way_on(
    workshop: Workshop, address: str, columns: int
) -> None:
    """In fifty columns, what is cut off at the end of the last row is where `^C` would go."""
    words = ("apply", "-auto-approve", f"-endpoint={address}", "stack.yaml")
    seat = Seat(workshop, columns, *words)
    table = seat.sees(lambda shown: _waiting(shown) == 3 == _reasons(shown))
    rows = table[-(4 if columns == 200 else 7) :]
    assert sorted(row.split()[0] for row in rows if row.startswith("  function")) == [
        f"function.model-{one}@new" for one in "abc"
    ]
    assert _reasons(rows) == 3
    assert rows[-1].startswith("6 of 9 steps done, 3 in flight; ")
    assert max(map(len, rows)) < columns

    seat.types(b"\x03\x03" if columns == 80 else b"\x03")
    assert seat.leaves() == 130
    seat.close()

    after = seat.shown
    stopping = next(index for index, row in enumerate(after) if "Stopping: interrupted" in row)
    assert _waiting(after) == 0
    assert not any("in flight" in row or row == "^C" for row in after)
    hint = f"nvcfplan resume -endpoint {address} stack.yaml"
    assert hint.replace(" ", "") in "".join(after[stopping:]).replace(" ", "")
    assert _is_clean(seat)


def _reasons(shown: Screen) -> int:
    """Once the whole table is drawn."""
    rows = shown if shown and "3 in flight" in shown[-1] else []
    return sum("DEPLOYING, 0 of 1 instances running" in row for row in rows)


def _waiting(shown: Screen) -> int:
    """Rows of the table; lines that scroll begin with the time."""
    return sum(row.startswith("  function") and "waiting for ACTIVE" in row for row in shown)


def test_an_interrupt_at_the_question_begins_nothing_and_leaves_a_clean_line(
    workshop: Workshop, address: str
) -> None:
    seat = Seat(workshop, 80, "apply", f"-endpoint={address}", "stack.yaml")
    seat.sees(lambda shown: bool(shown) and shown[-1].lstrip().startswith("Enter a value:"))
    seat.types(b"\x03")
    assert seat.leaves() == 130
    seat.close()
    assert _is_clean(seat)
    assert workshop.account() == []
