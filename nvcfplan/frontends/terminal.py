"""Where a command reads and writes, and what it was started with: streams and environment.

Reports go to standard output, everything else to standard error. A command never touches the
process' own streams, so tests and the demo run it with streams of theirs.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping


class Terminal:
    """`wants_json` and `is_plain` are set by `-json` and `-no-color` as they are read."""

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
        self.wants_json = False
        self.is_plain = False

    @classmethod
    def of_process(cls) -> Terminal:
        return cls(
            stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, environment=dict(os.environ)
        )

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
        print(text.rstrip("\n"), file=self.stdout, flush=True)

    def say(self, text: str) -> None:
        print(text.rstrip("\n"), file=self.stderr, flush=True)

    def report_in_colour(self) -> bool:
        return self._is_coloured(self.stdout)

    def say_in_colour(self) -> bool:
        return self._is_coloured(self.stderr)

    def _is_coloured(self, stream: TextIO) -> bool:
        """NO_COLOR and -no-color win; FORCE_COLOR colours a pipe; a pipe has none otherwise."""
        if self.is_plain or self.wants_json or self.environment.get("NO_COLOR"):
            return False
        forced = self.environment.get("FORCE_COLOR") or self.environment.get("CLICOLOR_FORCE")
        return bool(forced and forced != "0") or (
            stream.isatty() and self.environment.get("TERM") != "dumb"
        )
