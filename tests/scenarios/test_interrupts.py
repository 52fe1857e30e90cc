"""Ctrl-C and SIGTERM against a served emulator: out in time, journal clean, resumable."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.conftest import Workshop, codes, function, heard, stack

if TYPE_CHECKING:
    import subprocess


def _waiting(workshop: Workshop, address: str) -> subprocess.Popen[str]:
    """An apply that waits for ACTIVE, two virtual minutes away."""
    workshop.write("stack.yaml", stack(function("embed")))
    process = workshop.fork("apply", "-auto-approve", f"-endpoint={address}", ".")
    heard(process, "waiting for ACTIVE")
    return process


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_an_interrupt_leaves_in_time_with_a_clean_journal(
    workshop: Workshop, served: str, number: signal.Signals, code: int
) -> None:
    process = _waiting(workshop, served)
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - begun < 7
    assert process.returncode == code
    assert "Nothing new is started" in err
    assert "nvcfplan resume" in out

    again = workshop.fork("apply", "-auto-approve", f"-endpoint={served}", ".")
    _, refused = again.communicate(timeout=30)
    assert (again.returncode, codes(refused)) == (1, ["run-open"])
    assert "it ended as interrupted" in refused


def test_a_second_interrupt_leaves_at_once(workshop: Workshop, served: str) -> None:
    process = _waiting(workshop, served)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert time.monotonic() - begun < 5
    assert process.returncode == 130


def test_a_call_that_is_never_answered_does_not_hold_an_interrupt_up(
    workshop: Workshop, served: str
) -> None:
    fault = ("fault", "add", "pause", "deploy", "-set", "seconds=3600")
    assert workshop.type("emulator", *fault, ".").code == 0
    workshop.write("stack.yaml", stack(function("embed")))
    process = workshop.fork("apply", "-auto-approve", f"-endpoint={served}", ".")
    heard(process, "deploying...")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert 4 < time.monotonic() - begun < 7
    assert process.returncode == 143
    assert "nvcfplan resume" in out
