"""The two workflows for requests of forks, carried out step by step on this machine.

The steps' own scripts run in bash, with the environment that the workflow gives them and nothing
else; what GitHub's actions do (check out, hand an artifact on) is done here by copying.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from nvcfplan.views.markdown import marker
from tests.forges.github_issues import ROOT as GITHUB_ROOT
from tests.forges.kinds import GITHUB
from tests.forges.server import FakeForge, serving
from tests.scenarios.conftest import ROOT, Workshop, function, stack
from tests.scenarios.test_ready_files import ACTION, EXAMPLES, read, steps

HEAD: Final = "a" * 40
SNAPSHOT: Final = ".base/snapshots/shop.snapshot"
TOKEN: Final = "ghs_forkpair"
CREDENTIALS: Final = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


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
        environment = self.standard | {
            name: self._evaluated(str(value)) for name, value in own.items()
        }
        self.saw.append(environment)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", str(step["run"])],
            cwd=self.directory, env=environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        self.said = done.stdout + done.stderr
        return done.returncode

    def _evaluated(self, value: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self.given[found[1]], value)


def _standard(directory: Path, name: str) -> dict[str, str]:
    """What every job of GitHub has, and no more; `nvcfplan` on the PATH is this checkout."""
    tools = directory / "bin"
    tools.mkdir(exist_ok=True)
    shim = tools / "nvcfplan"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nvcfplan "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
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


def _base_and_request(workshop: Workshop, changed: str) -> None:
    """The base with its snapshot, and a fork's request that changes the stack."""
    workshop.write(".base/stacks/shop/stack.yaml", stack(function("embed")))
    (workshop.directory / ".base" / "snapshots").mkdir()
    said = workshop.type("snapshot", "--emulator=world.db", f"-out={SNAPSHOT}", ".base/stacks/shop")
    assert said.code == 0, said
    workshop.write("stacks/shop/stack.yaml", changed)


def _planned(workshop: Workshop) -> Runner:
    event = {"pull_request": {"number": 7, "head": {"sha": HEAD}}}
    runner = Runner(workshop.directory, _standard(workshop.directory, "plan"))
    runner.standard["GITHUB_EVENT_PATH"] = str(workshop.write("e1.json", json.dumps(event)))
    return runner


def _commenting(workshop: Workshop, address: str) -> Runner:
    """In a directory of its own: a fresh machine, with the artifact in it and nothing else."""
    directory = workshop.directory / "second"
    (directory / "untrusted").mkdir(parents=True)
    shutil.copy(workshop.directory / "plan.nvcfplan", directory / "untrusted")
    run = {
        "head_sha": HEAD,
        "head_branch": "change",
        "head_repository": {"full_name": "fork/stacks"},
        "pull_requests": [],
    }
    runner = Runner(directory, _standard(directory, "say"), {"github.token": TOKEN})
    event = workshop.write("e2.json", json.dumps({"workflow_run": run}))
    runner.standard |= {
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_API_URL": address + GITHUB_ROOT,
    }
    return runner


def _forge() -> FakeForge:
    forge = GITHUB.served()
    forge.tokens = {TOKEN: "github-actions[bot]"}
    return forge


PAIR: Final = tuple(read(EXAMPLES / "github" / f"fork-{one}.yml") for one in ("plan", "comment"))


def test_the_pair_says_a_forks_plan_with_no_credential_in_the_first_job(
    workshop: Workshop,
) -> None:
    _base_and_request(workshop, stack(function("embed"), function("rank")))
    first = _planned(workshop)
    assert first.run(PAIR[0]) == [0, 0], first.said
    for environment in first.saw:
        assert [name for name in environment if CREDENTIALS.search(name)] == []
    forge = _forge()
    with serving(forge) as address:
        second = _commenting(workshop, address)
        assert second.run(PAIR[1]) == [0], second.said
        assert second.run(PAIR[1]) == [0], second.said
    assert forge.breaches == []
    (body,) = forge.bodies()
    assert body.splitlines()[0] == marker("shop", "default")
    assert "2 to add, 0 to change, 0 to destroy" in body
    assert "planned against a snapshot" in body
    outputs = (workshop.directory / "second" / "say-output").read_text(encoding="utf-8")
    assert str(forge.notes[0].id) in outputs
    assert TOKEN not in outputs + body + second.said


def test_a_forks_broken_files_fail_the_first_job_and_say_where(workshop: Workshop) -> None:
    _base_and_request(workshop, stack(function("embed")).replace("inferenceUrl", "inferenceURL"))
    first = _planned(workshop)
    assert first.run(PAIR[0]) == [1]
    assert "file=stacks/shop/stack.yaml,line=6,col=5" in first.said


@pytest.mark.parametrize("content", [b"", b"{}", b"#!/bin/sh\ntouch owned\n", b"[" * 100_000])
def test_an_artifact_that_is_no_plan_is_refused_and_never_run(
    workshop: Workshop, content: bytes
) -> None:
    (workshop.directory / "plan.nvcfplan").write_bytes(content)
    forge = _forge()
    with serving(forge) as address:
        second = _commenting(workshop, address)
        assert second.run(PAIR[1]) == [1]
    assert forge.seen == []
    assert not (workshop.directory / "second" / "owned").exists()


def test_the_action_plans_says_and_gives_outputs(workshop: Workshop) -> None:
    """Its scripts, with inputs that would be commands if they were pasted in."""
    _base_and_request(workshop, stack(function("embed"), function("rank")))
    (workshop.directory / "a$(touch owned)").mkdir()
    shutil.copy("stacks/shop/stack.yaml", "a$(touch owned)/stack.yaml")
    forge = _forge()
    with serving(forge) as address:
        runner = _planned(workshop)
        runner.standard |= {"GITHUB_API_URL": address + GITHUB_ROOT}
        document = read(ACTION)
        inputs = document["inputs"]
        assert isinstance(inputs, dict)
        runner.given = {f"inputs.{name}": str(one["default"]) for name, one in inputs.items()}
        runner.given |= {
            "inputs.path": "\na$(touch owned)\n",
            "inputs.offline": SNAPSHOT,
            "inputs.github-token": TOKEN,
            "inputs.apply-with": "merge `$(touch owned)`",
            "steps.plan.outputs.exitcode": "2",
        }
        assert runner.run(document) == [0, 0, 0], runner.said
    assert forge.breaches == []
    (body,) = forge.bodies()
    assert "2 to add" in body
    outputs = (workshop.directory / "plan-output").read_text(encoding="utf-8")
    assert "exitcode=2\n" in outputs
    assert re.search(r"^to_add<<(end-\w+)\n2\n\1$", outputs, re.MULTILINE)
    assert not Path("owned").exists()
