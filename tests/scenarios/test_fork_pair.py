"""The two workflows for requests of forks, and the action, carried out step by step here."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from nvcfplan.views.markdown import marker
from tests.forges.github_issues import ROOT as GITHUB_ROOT
from tests.forges.kinds import GITHUB
from tests.forges.server import FakeForge, serving
from tests.scenarios.conftest import Workshop, function, stack
from tests.scenarios.runner import Runner, standard
from tests.scenarios.test_ready_files import ACTION, EXAMPLES, read

HEAD: Final = "a" * 40
SNAPSHOT: Final = ".base/snapshots/shop.snapshot"
TOKEN: Final = "ghs_forkpair"
CREDENTIALS: Final = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


def _base_and_request(workshop: Workshop, changed: str) -> None:
    """The base with its snapshot, and a fork's request that changes the stack."""
    workshop.write(".base/stacks/shop/stack.yaml", stack(function("embed")))
    (workshop.directory / ".base" / "snapshots").mkdir()
    said = workshop.type("snapshot", "--emulator=world.db", f"-out={SNAPSHOT}", ".base/stacks/shop")
    assert said.code == 0, said
    workshop.write("stacks/shop/stack.yaml", changed)


def _planned(workshop: Workshop) -> Runner:
    event = {"pull_request": {"number": 7, "head": {"sha": HEAD}}}
    runner = Runner(workshop.directory, standard(workshop.directory, "plan"))
    runner.standard["GITHUB_EVENT_PATH"] = str(workshop.write("e1.json", json.dumps(event)))
    return runner


def _commenting(workshop: Workshop, address: str) -> Runner:
    """In a directory of its own: a fresh machine, with the artifact in it and nothing else."""
    directory = workshop.directory / "second"
    (directory / "untrusted").mkdir(parents=True)
    for name in ("plan.nvcfplan", "faults.json"):
        if (workshop.directory / name).exists():
            shutil.copy(workshop.directory / name, directory / "untrusted")
    run = {
        "head_sha": HEAD,
        "head_branch": "change",
        "head_repository": {"full_name": "fork/stacks"},
        "pull_requests": [],
    }
    runner = Runner(directory, standard(directory, "say"), {"github.token": TOKEN})
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


def test_a_forks_broken_files_fail_the_first_job_and_are_said_in_the_plans_place(
    workshop: Workshop,
) -> None:
    _base_and_request(workshop, stack(function("embed"), function("rank")))
    forge = _forge()
    with serving(forge) as address:
        assert _planned(workshop).run(PAIR[0]) == [0, 0]
        assert _commenting(workshop, address).run(PAIR[1]) == [0]
        shutil.rmtree(workshop.directory / "second")
        broken = stack(function("embed")).replace("inferenceUrl", "inferenceURL")
        workshop.write("stacks/shop/stack.yaml", broken)
        first = _planned(workshop)
        assert first.run(PAIR[0]) == [1]
        assert "file=stacks/shop/stack.yaml,line=6,col=5" in first.said
        assert _commenting(workshop, address).run(PAIR[1]) == [0]
    assert forge.breaches == []
    (body,) = forge.bodies()
    assert "**The stack does not read: 1 error. Nothing was planned.**" in body
    assert "at `stacks/shop/stack.yaml:6:5`" in body
    assert "to add" not in body


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


def test_of_a_broken_stack_the_action_says_what_is_wrong_and_never_a_plan_that_lies_there(
    workshop: Workshop,
) -> None:
    """A request may bring a file of that name with it."""
    _base_and_request(workshop, stack(function("embed"), function("rank")))
    first = _planned(workshop)
    assert first.run(PAIR[0]) == [0, 0]
    assert Path("plan.nvcfplan").exists()
    workshop.write("stacks/shop/stack.yaml", "stack: shop\nfunctions: [\n")
    forge = _forge()
    with serving(forge) as address:
        runner = _planned(workshop)
        runner.standard |= {"GITHUB_API_URL": address + GITHUB_ROOT}
        document = read(ACTION)
        inputs = document["inputs"]
        assert isinstance(inputs, dict)
        runner.given = {f"inputs.{name}": str(one["default"]) for name, one in inputs.items()}
        runner.given |= {
            "inputs.path": "stacks/shop",
            "inputs.offline": SNAPSHOT,
            "inputs.github-token": TOKEN,
            "inputs.status": "true",
            "steps.plan.outputs.exitcode": "1",
        }
        assert runner.run(document) == [0, 0, 1], runner.said
    assert forge.breaches == []
    (body,) = forge.bodies()
    assert "**The stack does not read: 1 error. Nothing was planned.**" in body
    assert "at `stacks/shop/stack.yaml:3:1`" in body
    (status,) = forge.statuses
    assert (status["state"], status["description"]) == (
        "failure", "The stack does not read: 1 error",
    )  # fmt: skip
    outputs = (workshop.directory / "plan-output").read_text(encoding="utf-8")
    assert "exitcode=1\n" in outputs
    assert re.search(r"^plan_path<<(end-\w+)\n\n\1$", outputs, re.MULTILINE)
