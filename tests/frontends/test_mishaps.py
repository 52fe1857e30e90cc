"""What goes wrong around a command: no room, no reader, no directory, options that contradict."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.frontends.cli import run
from nvcfplan.frontends.terminal import Terminal

if TYPE_CHECKING:
    from tests.frontends.conftest import Typing

USAGE = 64


class Full(io.StringIO):
    """A device with no room left."""

    def write(self, text: str) -> int:
        del text
        raise OSError(errno.ENOSPC, "No space left on device")


class Gone(io.StringIO):
    """A pipe whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe", text)


def _run(*words: str, out: io.StringIO, err: io.StringIO) -> int:
    return run(words, Terminal(stdin=io.StringIO(), stdout=out, stderr=err, environment={}))


def _shell(line: str) -> subprocess.CompletedProcess[str]:
    """`line` as typed into a shell, `$1 -m nvcfplan` being the command."""
    return subprocess.run(
        ["/bin/sh", "-c", line, "sh", sys.executable],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_file_in_the_place_of_the_emulators_directory_is_told(typed: Typing) -> None:
    Path(".nvcfplan").touch()
    said = typed("plan", "--emulator", ".")
    assert said.code == 1
    assert "error[settings]" in said.err
    assert ".nvcfplan" in said.err
    assert "--emulator=FILE" in said.err


def test_a_directory_that_cannot_be_made_is_told(typed: Typing) -> None:
    said = typed("plan", "--emulator=/proc/none/emulator.db", ".")
    assert said.code == 1
    assert "the emulator cannot be kept in /proc/none/emulator.db" in said.err


def test_a_report_without_room_is_an_error_that_says_so(typed: Typing) -> None:
    del typed
    err = io.StringIO()
    assert _run("plan", "--emulator", ".", out=Full(), err=err) == 1
    assert "cannot write the report: No space left on device" in err.getvalue()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("plan --emulator -detailed-exitcode .", 2),
        ("plan --emulator .", 0),
        ("validate .", 0),
        ("apply --emulator -auto-approve .", 1),
    ],
)
def test_a_reader_that_leaves_does_not_change_the_exit_code(
    typed: Typing, words: str, code: int
) -> None:
    """A real pipe without a reader: `... | head` must not hide that there are changes."""
    del typed
    reading, writing = os.pipe()
    os.close(reading)
    said = subprocess.run(
        [sys.executable, "-m", "nvcfplan", *words.split()],
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)
    assert said.returncode == code, said.stderr
    assert "Traceback" not in said.stderr


def test_a_plan_nobody_reads_to_its_end_is_not_carried_out(typed: Typing) -> None:
    err = io.StringIO()
    assert _run("apply", "-auto-approve", "--emulator", ".", out=Gone(), err=err) == 1
    assert "nothing was changed" in err.getvalue()
    assert typed("state", "list", "--emulator", ".").out == ""


@pytest.mark.parametrize("words", ["plan --emulator", "--help", "version"])
def test_a_full_device_is_told_once_and_without_a_traceback(typed: Typing, words: str) -> None:
    del typed
    done = _shell(f'"$1" -m nvcfplan {words} >/dev/full')
    assert done.returncode == 1
    assert done.stderr == "error[output]: cannot write the report: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_error(typed: Typing, closed: str) -> None:
    del typed
    done = _shell(f'"$1" -m nvcfplan apply -auto-approve --emulator {closed}')
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert Path(".nvcfplan/emulator.db").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("stream", [Full, Gone])
def test_nobody_to_be_told_of_progress_does_not_stop_a_run(
    typed: Typing, stream: type[io.StringIO]
) -> None:
    out = io.StringIO()
    words = ("apply", "-auto-approve", "--emulator", ".")
    assert _run(*words, out=out, err=stream()) == 0
    assert "Apply complete! Resources: 1 added" in out.getvalue()
    assert typed("state", "list", "--emulator", ".").out == "function.embed\n"


def test_a_terminal_that_hangs_up_stops_a_run_as_sigterm_does(typed: Typing) -> None:
    del typed
    serving = [sys.executable, "-m", "nvcfplan", "emulator", "serve", "-port=0", "-speed=1", "."]
    with subprocess.Popen(serving, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = server.stderr.readline().split(" on ")[1].split()[0].rstrip(".,;")
        words = ["apply", "-auto-approve", f"-endpoint={address}", "."]
        with subprocess.Popen(
            [sys.executable, "-m", "nvcfplan", *words],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"NGC_API_KEY": "key"},
        ) as applying:  # fmt: skip
            assert applying.stderr is not None
            said = ""
            while "waiting for ACTIVE" not in said:
                line = applying.stderr.readline()
                assert line, said
                said += line
            applying.send_signal(signal.SIGHUP)
            out, _ = applying.communicate(timeout=20)
        server.kill()
    assert applying.returncode == 143
    assert "nvcfplan resume" in out


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--emulator", "-endpoint=https://nvcf.example", "."),
        ("state", "list", "-world=stack.yaml", "."),
        ("plan", "-world=stack.yaml", "."),
        ("apply", "--emulator", "-var", "tag=2", "saved"),
        ("apply", "--emulator", "-target=function.embed", "saved"),
        ("apply", "--emulator", "-now", "saved"),
        ("apply", "--emulator", "-require=quota", "saved"),
        ("apply", "--emulator", "-with-secrets", "saved"),
    ],
)
def test_an_option_that_would_be_ignored_is_wrong_usage(
    typed: Typing, words: tuple[str, ...]
) -> None:
    typed("plan", "-out=saved", "--emulator", ".")
    said = typed(*words)
    assert (said.code, said.out) == (USAGE, "")


@pytest.mark.parametrize(
    ("name", "content"),
    [("stack.yaml", None), ("notes", b"milk\n"), ("notes.json", b'{"milk": 1}'), ("b", b"\xff")],
)
def test_a_plan_is_not_saved_over_something_else(
    typed: Typing, name: str, content: bytes | None
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    before = Path(name).read_bytes()
    said = typed("plan", f"-out={name}", "--emulator", ".")
    assert (said.code, Path(name).read_bytes()) == (USAGE, before)
    assert not Path(".nvcfplan").exists()


def test_a_plan_is_saved_over_a_plan_or_an_empty_file(typed: Typing) -> None:
    Path("saved").touch()
    assert typed("plan", "-out=saved", "--emulator", ".").code == 0
    assert typed("plan", "-out=saved", "--emulator", ".").code == 0


@pytest.mark.parametrize("emulator", ["--emulator", "--emulator=e.db"])
def test_the_next_command_leads_to_the_account_of_the_plan(typed: Typing, emulator: str) -> None:
    said = typed("plan", "-out=saved", emulator, "stack.yaml")
    words = said.out.splitlines()[-1].split()
    assert words == ["nvcfplan", "apply", emulator, "saved"]
    assert typed(*words[1:]).code == 0


@pytest.mark.parametrize("command", ["resume", "rollback"])
def test_json_of_nothing_to_do_says_so_in_its_last_line(typed: Typing, command: str) -> None:
    said = typed(command, "-json", "--emulator", ".")
    document = json.loads(said.out.splitlines()[-1])
    assert (said.code, document["outcome"], document["exit_code"]) == (0, "nothing-to-do", 0)


def test_a_world_for_an_emulator_that_has_one_names_the_file_to_remove(typed: Typing) -> None:
    typed("plan", "--emulator", ".")
    said = typed("plan", "--emulator", "-world=stack.yaml", ".")
    assert said.code == 1
    assert "remove the file .nvcfplan/emulator.db first" in said.err
    assert "reset" not in said.err


def test_a_stack_given_as_the_emulator_is_not_to_be_deleted(typed: Typing) -> None:
    before = Path("stack.yaml").read_bytes()
    said = typed("plan", "--emulator=stack.yaml", ".")
    assert said.code == 1
    assert "stack.yaml is not a world of this emulator" in said.err
    assert "name another path" in said.err
    assert "remove" not in said.err
    assert Path("stack.yaml").read_bytes() == before
