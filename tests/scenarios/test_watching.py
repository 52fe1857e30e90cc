"""`drift watch` as a process: what it says, what it answers, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STACK = """\
apiVersion: nvcfplan/v1
stack: {name}
functions:
  chat:
    containerImage: nvcr.io/acme/chat:1
    inferenceUrl: /v1/chat/completions
    deployment:
      specifications:
        h100:
          gpu: H100
          instanceType: a3-highgpu-8g_1x
          backend: GCP-ASIASE1-A
          minInstances: 1
          maxInstances: 1
"""


@contextmanager
def watching(directory: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "nvcfplan", "drift", "watch", "--emulator=world.db", *words],
        cwd=directory,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "NO_COLOR": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _line(process: subprocess.Popen[str], *, of_errors: bool = False) -> str:
    stream = process.stderr if of_errors else process.stdout
    assert stream is not None
    return stream.readline().rstrip("\n")


def _get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(STACK.format(name=name), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("apiVersion: [", encoding="utf-8")
    return tmp_path


def test_all_stacks_are_looked_at_in_one_look_and_a_broken_one_stops_no_other(
    stacks: Path,
) -> None:
    with watching(stacks, "-every=10s", "one.yaml", "broken.yaml", "two.yaml") as process:
        first = _line(process)
        said = _line(process)
    assert re.search(r"3 stacks: 2 in step, 1 not looked at; \d requests", first), first
    assert "broken.yaml: its files do not read" in said
    assert "nvcfplan validate broken.yaml" in said


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_it_ends_at_once_when_told_to(stacks: Path, number: int, code: int) -> None:
    with watching(stacks, "one.yaml") as process:
        assert _line(process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in errors


def test_it_answers_whether_it_is_well_and_what_it_found(stacks: Path) -> None:
    with watching(stacks, "-listen=127.0.0.1:0", "one.yaml", "two.yaml") as process:
        found = re.search(r"on 127\.0\.0\.1:(\d+)", _line(process, of_errors=True))
        assert found
        assert _line(process)
        where = f"http://127.0.0.1:{found[1]}"
        assert _get(f"{where}/healthz") == (200, "ok\n")
        status, metrics = _get(f"{where}/metrics")
        assert status == 200
        assert metrics.endswith("# EOF\n")
        for name in ("one", "two"):
            assert f'stack="{name}"' in metrics
        assert _get(f"{where}/elsewhere")[0] == 404
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 143


def test_with_json_each_look_is_a_line(stacks: Path) -> None:
    with watching(stacks, "-json", "one.yaml", "broken.yaml") as process:
        look = json.loads(_line(process))
    assert (look["type"], [one["stack"] for one in look["stacks"]]) == ("look", ["one@default"])
    assert look["failed"][0]["stack"] == "broken.yaml"
    assert look["requests"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-every=2s", "one.yaml"), "no duration of 10s or more"),
        (("-listen=9464", "one.yaml"), "no HOST:PORT"),
        (("-max-requests=1", "one.yaml"), "max-requests"),
        (("-remind-every=1h", "one.yaml"), "nobody to remind"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_right(
    stacks: Path, words: tuple[str, ...], said: str
) -> None:
    with watching(stacks, *words) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 64
    assert said in errors


def test_what_is_not_there_is_said(stacks: Path) -> None:
    with watching(stacks, "nowhere.yaml") as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "there is no nowhere.yaml" in errors
