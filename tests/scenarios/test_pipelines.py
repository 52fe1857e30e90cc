"""Merge queue, apply on merge and GitLab's pipeline, carried out step by step on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.views.markdown import marker
from tests.forges.github_issues import ROOT as GITHUB_ROOT
from tests.forges.kinds import GITHUB, GITLAB
from tests.forges.server import serving
from tests.scenarios.conftest import Workshop, h100, stack
from tests.scenarios.runner import TOOL, Runner, put_tool, standard
from tests.scenarios.test_ready_files import EXAMPLES, read

if TYPE_CHECKING:
    from tests.forges.server import FakeForge

HEAD: Final = "a" * 40
ACCOUNT: Final = {
    "secrets.NGC_API_KEY": "key-of-the-account",
    "vars.NGC_ENDPOINT": "https://account.test",
    "secrets.HF_TOKEN": "hf",
    "github.token": "token-of-bot",
}
QUEUE: Final = read(EXAMPLES / "github" / "merge-queue.yml")
MERGE: Final = read(EXAMPLES / "github" / "apply-on-merge.yml")
PIPELINE: Final = read(EXAMPLES / "gitlab" / "nvcfplan.gitlab-ci.yml")
GH: Final = f"""\
#!/bin/sh
set -e
[ -n "$GH_TOKEN" ]
case "$*" in
  "pr view 7 --json headRefOid --jq .headRefOid") echo {HEAD} ;;
  "run list --workflow plan-on-request.yml --commit {HEAD} --status success "*) cat runs ;;
  "run download 4711 --name plan --dir reviewed") mkdir -p reviewed; cp plan.nvcfplan reviewed/ ;;
  *) echo "gh $* is not as documented" >&2; exit 9 ;;
esac
"""


def _bump(workshop: Workshop, *, image: str = "2.0.0") -> None:
    workshop.write("stacks/shop/stack.yaml", stack(h100("chat", image=image, instances=2)))


def _live(workshop: Workshop) -> None:
    _bump(workshop, image="1.0.0")
    said = workshop.type("apply", "-auto-approve", "--emulator=world.db", "stacks/shop")
    assert said.code == 0, said
    workshop.emulator_file = workshop.directory / "world.db"


def _queued(workshop: Workshop, *, runs: str = "4711\n") -> Runner:
    """Request 7 was planned for its own run, and is in the queue now."""
    _live(workshop)
    _bump(workshop)
    words = ("-out=plan.nvcfplan", "--emulator=world.db", "stacks/shop")
    assert workshop.type("plan", *words).code == 0
    workshop.write("runs", runs)
    runner = Runner(workshop.directory, standard(workshop.directory, "queue"), dict(ACCOUNT))
    put_tool(workshop.directory / "bin", "gh", GH)
    queued = f"refs/heads/gh-readonly-queue/release/pr-1/pr-7-{HEAD}"
    runner.given["github.event.merge_group.head_ref"] = queued
    return runner


def test_a_plan_that_still_holds_lets_its_request_through_the_queue(workshop: Workshop) -> None:
    runner = _queued(workshop)
    before = workshop.account()
    assert runner.run(QUEUE) == [0, 0], runner.said
    assert "Saved plan still holds" in runner.said
    assert workshop.account() == before


def test_the_queue_is_stopped_where_others_have_taken_the_room(workshop: Workshop) -> None:
    runner = _queued(workshop)
    workshop.emulator().grab("nvcf-gcp-prod-asiase1-a", "H100", 3)
    assert runner.run(QUEUE) == [0, 7]
    assert "3 H100 of nvcf-gcp-prod-asiase1-a too few" in runner.said


def test_the_queue_is_stopped_where_nothing_was_planned(workshop: Workshop) -> None:
    runner = _queued(workshop, runs="")
    assert runner.run(QUEUE) == [1]
    assert f"no plan was made for {HEAD}" in runner.said


def _commented(forge: FakeForge, author: str) -> str:
    """Another request, with a plan that was made before."""
    forge.open = {9: ("b" * 40, "main"), 8: ("c" * 40, "release")}
    body = f"{marker('shop', 'default')}\n### Plan\n"
    for number in forge.open:
        forge.write(author, body, request=number)
    return body


def test_what_is_merged_is_applied_and_open_requests_are_told(workshop: Workshop) -> None:
    _live(workshop)
    _bump(workshop)
    forge = GITHUB.served()
    body = _commented(forge, GITHUB.me)
    with serving(forge) as address:
        runner = Runner(workshop.directory, standard(workshop.directory, "merge"), dict(ACCOUNT))
        runner.standard |= {
            "GITHUB_API_URL": address + GITHUB_ROOT,
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_SHA": HEAD,
        }
        assert runner.run(MERGE) == [0, 0, 0], runner.said
    assert forge.breaches == []
    images = [one["containerImage"] for one in workshop.account() if one["status"] == "ACTIVE"]
    assert images == ["nvcr.io/acme/chat:2.0.0"]
    assert "**Stale:" in forge.bodies(9)[0]
    assert HEAD in forge.bodies(9)[0]
    assert forge.bodies(8) == [body]
    told = [one for one in runner.saw if "GITHUB_TOKEN" in one]
    assert len(told) == 1
    assert not [one for one in told if "NGC_API_KEY" in one]


def _gitlab(workshop: Workshop, address: str) -> Runner:
    runner = Runner(workshop.directory, standard(workshop.directory, "gitlab"))
    variables = PIPELINE["variables"]
    assert isinstance(variables, dict)
    runner.standard = {
        **{name: runner.standard[name] for name in ("PATH", "PYTHONPATH", "HOME", "CI")},
        **{name: str(value) for name, value in variables.items()},
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{address}/api/v4",
        "CI_PROJECT_ID": "42",
        "CI_JOB_URL": "https://forge.test/job/1",
        "GITLAB_TOKEN": "token-of-bot",
        "NGC_ENDPOINT": "https://account.test",
        "NGC_API_KEY": "key-of-the-account",
    }
    put_tool(workshop.directory / ".venv-nvcfplan" / "bin", "nvcfplan", TOOL)
    return runner


def _job(runner: Runner, name: str, part: str = "script") -> int:
    job = PIPELINE[name]
    assert isinstance(job, dict)
    return runner.bash("\n".join(job[part]), {})


REQUEST: Final = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD}


def test_gitlab_plans_a_request_and_says_it_with_counts_for_its_widget(workshop: Workshop) -> None:
    _live(workshop)
    _bump(workshop)
    forge = GITLAB.served()
    with serving(forge) as address:
        runner = _gitlab(workshop, address)
        runner.standard |= REQUEST
        assert _job(runner, "nvcfplan:plan") == 2, runner.said
        (body,) = forge.bodies()
        assert "0 to add, 1 to change, 0 to destroy" in body
        counts = json.loads(Path("terraform.json").read_bytes())
        assert counts == {"create": 0, "update": 1, "delete": 0}
        workshop.write("stacks/shop/stack.yaml", "stack: shop\nfunctions: [\n")
        assert _job(runner, "nvcfplan:plan") == 1
    assert forge.breaches == []
    (body,) = forge.bodies()
    assert "**The stack does not read: 1 error." in body
    assert not Path("terraform.json").exists()


def test_gitlab_applies_the_default_branch_and_tells_open_requests(workshop: Workshop) -> None:
    _live(workshop)
    _bump(workshop)
    forge = GITLAB.served()
    body = _commented(forge, GITLAB.me)
    with serving(forge) as address:
        runner = _gitlab(workshop, address)
        runner.standard |= {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": HEAD}
        assert _job(runner, "nvcfplan:apply") == 0, runner.said
        assert _job(runner, "nvcfplan:apply", "after_script") == 0, runner.said
    assert forge.breaches == []
    images = [one["containerImage"] for one in workshop.account() if one["status"] == "ACTIVE"]
    assert images == ["nvcr.io/acme/chat:2.0.0"]
    assert "**Stale:" in forge.bodies(9)[0]
    assert forge.bodies(8) == [body]
