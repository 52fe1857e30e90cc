"""An emulator over HTTP, in a process of its own."""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scenarios.conftest import Workshop


@contextmanager
def serving(workshop: Workshop, *words: str, speed: float = 0.001, port: int = 0) -> Iterator[str]:
    """The address; its clock all but stands still. SIGTERM must end it, and with 0."""
    process = workshop.fork("emulator", "serve", f"-port={port}", f"-speed={speed}", *words)
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"on (http://[0-9.:]+) at", line)
    assert found is not None, line
    try:
        yield found[1]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
