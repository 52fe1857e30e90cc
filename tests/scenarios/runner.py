"""A machine on which the scripts of a pipeline run, in bash, as they stand in its file.

They get the environment that the pipeline gives them and nothing else; what a forge's own actions
do (check out, hand an artifact on) is done by the tests, by copying.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.scenarios.conftest import ROOT
from tests.scenarios.test_ready_files import steps

TOOL: Final = f"""\
#!/bin/bash
# Whoever has an address and a key asks the account, which is an emulator here.
command="$1"; shift
account=()
case "$command $*" in
  *-offline=*) ;;
  plan*|apply*) [ -z "$NGC_ENDPOINT" ] || [ -z "$NGC_API_KEY" ] || account=(--emulator=world.db) ;;
esac
exec "{sys.executable}" -m nvcfplan "$command" "${{account[@]}}" "$@"
"""


def put_tool(directory: Path, name: str, script: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)


@dataclass(slots=True)
class Runner:
    """One job. `given`: what GitHub would put in the place of an expression."""

    directory: Path
    standard: dict[str, str]
    given: dict[str, str] = field(default_factory=dict)
    saw: list[dict[str, str]] = field(default_factory=list)
    said: str = ""

    def run(self, document: object, *, may_fail: bool = False) -> list[int]:
        """The codes of the steps that are scripts; the tool is on the PATH already."""
        codes = []
        for step in steps(document):
            if "run" in step and step.get("name") != "Install nvcfplan":
                codes.append(self._script(step))
                if codes[-1] and not may_fail:
                    break
        return codes

    def _script(self, step: dict[str, object]) -> int:
        own = step.get("env", {})
        assert isinstance(own, dict)
        return self.bash(
            str(step["run"]), {name: self._evaluated(str(value)) for name, value in own.items()}
        )

    def bash(self, script: str, own: dict[str, str]) -> int:
        environment = self.standard | own
        self.saw.append(environment)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.directory, env=environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        self.said = done.stdout + done.stderr
        return done.returncode

    def _evaluated(self, value: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self.given[found[1]], value)


def standard(directory: Path, name: str) -> dict[str, str]:
    """What every job of GitHub has, and no more."""
    tools = directory / "bin"
    put_tool(tools, "nvcfplan", TOOL)
    for one in ("output", "summary"):
        (directory / f"{name}-{one}").touch()
    return {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(directory),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "acme/stacks",
        "GITHUB_SERVER_URL": "https://forge.test",
        "GITHUB_RUN_ID": "4711",
        "GITHUB_OUTPUT": str(directory / f"{name}-output"),
        "GITHUB_STEP_SUMMARY": str(directory / f"{name}-summary"),
    }
