"""Logging, for whoever asks for it: `-v`, `-vv`, NVCFPLAN_LOG, NVCFPLAN_LOG_PATH.

One handler, of which every record is one line without a secret: what is known to be one is masked
after the line has been put together, so that no field can hide a part of it.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Final, TextIO

from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.frontends.terminal import Terminal

LEVELS: Final[Mapping[str, int]] = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
VARIABLE: Final = "NVCFPLAN_LOG"
PATH_VARIABLE: Final = "NVCFPLAN_LOG_PATH"
_OURS: Final = "nvcfplan"
_FORM: Final = "%(asctime)sZ %(levelname)s %(name)s: %(message)s"


class Log(logging.Handler):
    """To standard error, or appended to a file that its owner alone may read."""

    def __init__(self, terminal: Terminal, path: str | None) -> None:
        """Raises: OSError."""
        super().__init__()
        self._terminal = terminal
        self._file = None if path is None else _appended(path)
        form = logging.Formatter(_FORM)
        form.converter = time.gmtime
        self.setFormatter(form)

    def emit(self, record: logging.LogRecord) -> None:
        line = safe(self._terminal.known.redaction.apply(self.format(record)))
        if self._file is None:
            self._terminal.say(line)
            return
        try:
            print(line, file=self._file, flush=True)
        except (OSError, ValueError):
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """A full disk must not end a run, and the log cannot say it."""
        del record

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def begin_logging(terminal: Terminal, level: int, path: str | None) -> None:
    """Until `end_logging`. Raises: OSError for a path that cannot be written."""
    logger = logging.getLogger(_OURS)
    terminal.log = Log(terminal, path)
    logger.addHandler(terminal.log)
    logger.setLevel(level)
    logger.propagate = False


def end_logging(terminal: Terminal) -> None:
    """Nothing is left of it, for another command of the same process."""
    handler, terminal.log = terminal.log, None
    if handler is None:
        return
    logger = logging.getLogger(_OURS)
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
    handler.close()


def _appended(path: str) -> TextIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8")
