"""Where a command reads and writes, and what it was started with: streams and environment.

Reports go to standard output, everything else to standard error. A command never touches the
process' own streams, so tests and the demo run it with streams of theirs.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING, Final, Literal, TextIO

from nvcfplan.adapters.nvcf.words import KnownSecrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import Handler


_NARROWEST: Final = 60
_WIDEST: Final = 200
_USUAL_WIDTH: Final = 80


class ReportUnwritten(Exception):
    """Standard output takes nothing more; not raised for a reader that has left."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"cannot write the report: {cause.strerror or cause}")


class Form(StrEnum):
    """GITHUB: commands that mark lines of a request. GITLAB: counts for its `terraform` report."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"


class Terminal:
    """`form`, `level`, `most_bytes` and `is_plain` are set by options as they are read.

    `is_compact`: warnings are a line each.
    `is_stream`: what is wanted as JSON is a line for each event, and not one document;
    `has_streamed`: the first of these lines is written.
    `above`: while something is redrawn at the foot of the terminal, what is said goes above it.
    `known`: secrets that the command has met; none of them is said, in whatever spelling.
    `is_reader_gone`: standard output was a pipe, and nobody reads it any more.
    """

    def __init__(
        self,
        *,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environment: Mapping[str, str],
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.environment = environment
        self.form = Form.TEXT
        self.level = "default"
        self.is_compact = False
        self.most_bytes = 65_536
        self.is_stream = False
        self.has_streamed = False
        self.above: Callable[[str], None] | None = None
        self.is_plain = False
        self.is_reader_gone = False
        self.known = KnownSecrets()
        self.log: Handler | None = None

    @classmethod
    def of_process(cls) -> Terminal:
        """A stream that was closed before the start reads as empty and drops what it is told.

        In this order, so that each takes the place of the one that is missing: no file that is
        opened later must become standard output.
        """
        stdin = sys.stdin or _nowhere("r")
        stdout = sys.stdout or _nowhere("w")
        stderr = sys.stderr or _nowhere("w")
        return cls(stdin=stdin, stdout=stdout, stderr=stderr, environment=dict(os.environ))

    @property
    def wants_json(self) -> bool:
        return self.form is Form.JSON

    @property
    def is_interactive(self) -> bool:
        return self.stdin.isatty()

    @property
    def is_automation(self) -> bool:
        """True in a pipeline: hints on what to type next are dropped."""
        return bool(self.environment.get("NVCFPLAN_IN_AUTOMATION")) or (
            self.environment.get("CI", "").lower() == "true"
        )

    def report(self, text: str) -> None:
        """A reader that has left (`... | head`) changes nothing: the command keeps its exit code.

        JSON is written as it is: what a mask in it would break is not a secret there.

        Raises: ReportUnwritten for every other failure.
        """
        if not self.wants_json:
            text = self.known.redaction.apply(text)
        self._report(text.rstrip("\n") + "\n")

    def ask(self, question: str) -> str:
        """What was typed. Raises: as `report`."""
        self._report(question)
        return self.stdin.readline().strip()

    def say(self, text: str) -> None:
        """Never fails: a run must not end because nobody can be told of it."""
        text = self.known.redaction.apply(text)
        if self.above is not None:
            self.above(text)
            return
        try:
            print(text.rstrip("\n"), file=self.stderr, flush=True)
        except (OSError, ValueError):
            self.stderr = _silenced(self.stderr)

    def drop_reports(self) -> None:
        """From now on, and what could not be written before."""
        self.stdout = _silenced(self.stdout)

    def _report(self, text: str) -> None:
        try:
            print(text, end="", file=self.stdout, flush=True)
        except BrokenPipeError:
            self.is_reader_gone = True
            self.drop_reports()
        except OSError as error:
            raise ReportUnwritten(error) from error

    @property
    def is_redrawable(self) -> bool:
        """A person looks at it, and lines at its foot can be written anew."""
        is_dumb = self.environment.get("TERM") == "dumb"
        return self.stderr.isatty() and not (is_dumb or self.is_automation or self.wants_json)

    def report_width(self) -> int:
        return self._width(self.stdout)

    def say_width(self) -> int:
        return self._width(self.stderr)

    def _width(self, stream: TextIO) -> int:
        """COLUMNS wins; a pipe is as wide as nobody knows, so that scripts read the same lines."""
        named = self.environment.get("COLUMNS", "")
        columns = int(named) if named.isascii() and named.isdigit() else 0
        if not columns and stream.isatty():
            with suppress(OSError, ValueError):
                columns = os.get_terminal_size(stream.fileno()).columns
        return min(max(columns, _NARROWEST), _WIDEST) if columns else _USUAL_WIDTH

    def report_in_colour(self) -> bool:
        return self._is_coloured(self.stdout)

    def say_in_colour(self) -> bool:
        return self._is_coloured(self.stderr)

    def _is_coloured(self, stream: TextIO) -> bool:
        """NO_COLOR and -no-color win; FORCE_COLOR colours a pipe; a pipe has none otherwise."""
        if self.is_plain or self.form is not Form.TEXT or self.environment.get("NO_COLOR"):
            return False
        forced = self.environment.get("FORCE_COLOR") or self.environment.get("CLICOLOR_FORCE")
        return bool(forced and forced != "0") or (
            stream.isatty() and self.environment.get("TERM") != "dumb"
        )


def _nowhere(mode: Literal["r", "w"]) -> TextIO:
    return open(os.devnull, mode, encoding="utf-8")


def _silenced(stream: TextIO) -> TextIO:
    """A stream that drops everything, in the place of one that failed.

    The process' own is led away at its descriptor too: what waits in its buffer would fail again
    when the interpreter ends.
    """
    if stream not in (sys.stdout, sys.stderr):
        return StringIO()
    with suppress(OSError, ValueError), _nowhere("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
    return stream
