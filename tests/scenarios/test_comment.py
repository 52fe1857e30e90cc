"""`comment`: a saved plan, said on its request; tried against forges on this machine."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.documents import decode_claims, encode_plan
from nvcfplan.views.markdown import marker
from tests.documents import builders
from tests.forges.github_issues import ROOT as GITHUB_ROOT
from tests.forges.kinds import GITHUB, GITLAB, KINDS, Kind
from tests.forges.server import FakeForge, Reply, Request, serving
from tests.scenarios.conftest import Said, Workshop, codes, function, h100, stack

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)
HEAD = "a" * 40
MARKER = marker("shop", "default")


@dataclass(slots=True)
class Desk:
    """A job of a forge: request 7 proposes `HEAD`."""

    workshop: Workshop
    kind: Kind
    forge: FakeForge
    environment: dict[str, str]

    def comment(self, *words: str, **changed: str) -> Said:
        named = [] if any(one.startswith("-mark") for one in words) else ["bump.nvcfplan"]
        found = self.workshop.type(
            "comment", f"-{self.kind.name}", *words, *named, environment=self.environment | changed
        )
        assert self.forge.breaches == []
        return found

    @property
    def body(self) -> str:
        (found,) = self.forge.bodies()
        return found

    def outputs(self) -> dict[str, str]:
        text = Path(self.environment["GITHUB_OUTPUT"]).read_text(encoding="utf-8")
        found = re.findall(r"^(\w+)<<(end-[0-9a-f]{32})\n(.*?)\n\2$", text, re.M | re.S)
        return {name: value for name, _, value in found}


@contextmanager
def desk(workshop: Workshop, kind: Kind) -> Iterator[Desk]:
    forge = kind.served()
    with serving(forge) as address:
        made = _github(workshop, address) if kind is GITHUB else _gitlab(address)
        yield Desk(workshop, kind, forge, made)


def _github(workshop: Workshop, address: str) -> dict[str, str]:
    event = {"pull_request": {"number": 7, "head": {"sha": HEAD}}}
    return {
        "GITHUB_API_URL": address + GITHUB_ROOT,
        "GITHUB_REPOSITORY": "acme/stacks",
        "GITHUB_TOKEN": "token-of-bot",
        "GITHUB_SERVER_URL": "https://forge.test",
        "GITHUB_RUN_ID": "4711",
        "GITHUB_EVENT_PATH": str(workshop.write("event.json", json.dumps(event))),
        "GITHUB_OUTPUT": str(workshop.write("output.txt", "")),
        "GITHUB_STEP_SUMMARY": str(workshop.write("summary.md", "")),
    }


def _gitlab(address: str) -> dict[str, str]:
    return {
        "CI_API_V4_URL": f"{address}/api/v4",
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
        "CI_JOB_URL": "https://forge.test/job/1",
        "GITLAB_TOKEN": "token-of-bot",
    }


def planned(workshop: Workshop, *, image: str = "2.0.0") -> None:
    """A bump of a live function in `bump.nvcfplan`."""
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(h100("chat", image=image, instances=2)))
    workshop.plan("-out=bump.nvcfplan", ".")


@KIND
def test_a_plan_is_said_once_and_kept_up_to_date(workshop: Workshop, kind: Kind) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        first, again = at.comment(), at.comment()
        assert (first.code, again.code) == (0, 0)
        assert "created" in first.out
        assert "kept" in again.out
        workshop.write("stack.yaml", stack(h100("chat", image="3.0.0", instances=2)))
        workshop.plan("-out=bump.nvcfplan", ".")
        assert "edited" in at.comment().out
        assert at.body.splitlines()[0] == MARKER
        assert "0 to add, 1 to change, 0 to destroy" in at.body
        assert "nvcr.io/acme/chat:3.0.0" in at.body
        assert HEAD in at.body
        digest = json.loads(Path("bump.nvcfplan").read_bytes())["plan"]["digest"]
        assert digest in at.body


@KIND
def test_nothing_to_do_is_said_by_editing(workshop: Workshop, kind: Kind) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        at.comment()
        workshop.write("stack.yaml", stack(h100("chat", instances=2)))
        workshop.plan("-out=bump.nvcfplan", ".")
        assert at.comment("-silent-on-no-changes").code == 0
        assert "No changes" in at.body


@KIND
def test_where_nothing_was_said_silence_can_be_kept(workshop: Workshop, kind: Kind) -> None:
    planned(workshop, image="1.0.0")
    with desk(workshop, kind) as at:
        assert at.comment("-silent-on-no-changes").code == 0
        assert at.forge.bodies() == []
        at.comment()
        assert "No changes" in at.body


@KIND
def test_of_a_stack_that_does_not_read_the_faults_stand_in_the_plans_place(
    workshop: Workshop, kind: Kind
) -> None:
    planned(workshop)
    good = Path("stack.yaml").read_text(encoding="utf-8")
    with desk(workshop, kind) as at:
        at.comment("-status")
        workshop.write("stack.yaml", good.replace("inferencePort", "inferencePart"))
        faults = workshop.type("validate", "-json", ".").out
        Path("bump.nvcfplan").write_text(faults, encoding="utf-8")
        assert "edited" in at.comment("-status", "-silent-on-no-changes").out
        assert at.body.splitlines()[0] == MARKER
        assert "**The stack does not read: 1 error. Nothing was planned.**" in at.body
        assert "at `stack.yaml:" in at.body
        assert "1 to change" not in at.body
        assert decode_claims(at.body) is None
        assert at.forge.statuses[-1]["description"] == "The stack does not read: 1 error"
        workshop.write("stack.yaml", good)
        Path("bump.nvcfplan").unlink()
        workshop.plan("-out=bump.nvcfplan", ".")
        at.comment()
        assert "1 to change" in at.body


def test_of_a_stack_that_reads_and_could_not_be_planned_that_is_said(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        Path("bump.nvcfplan").write_text(workshop.type("validate", "-json", ".").out, "utf-8")
        assert at.comment().code == 0
        assert "**The stack's files read. Nothing was planned.**" in at.body
        outputs = at.outputs()
        assert (outputs["exitcode"], outputs["changes"], outputs["plan_path"]) == ("1", "false", "")


def test_a_stack_that_does_not_tell_its_name_is_named(workshop: Workshop) -> None:
    workshop.write("stack.yaml", "functions: {}\n")
    faults = workshop.type("validate", "-json", ".").out
    with desk(workshop, GITHUB) as at:
        Path("bump.nvcfplan").write_text(faults, encoding="utf-8")
        said = at.comment()
        assert (said.code, codes(said.err)) == (1, ["document"])
        assert "-stack=" in said.err
        assert at.forge.seen == []
        assert at.comment("-stack=shop").code == 0
        assert at.body.splitlines()[0] == MARKER


def test_in_actions_the_step_gets_outputs_and_a_summary(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        at.comment("-full=full.md")
        (note,) = at.forge.notes
        outputs = at.outputs()
        digest = json.loads(Path("bump.nvcfplan").read_bytes())["plan"]["digest"]
        assert outputs == {
            "changes": "true",
            "to_add": "0",
            "to_change": "1",
            "to_destroy": "0",
            "plan_path": "bump.nvcfplan",
            "digest": digest,
            "exitcode": "2",
            "comment_id": str(note.id),
            "stale": "false",
        }
        summary = Path(at.environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
        full = Path("full.md").read_text(encoding="utf-8")
        for text in (summary, full):
            assert "0 to add, 1 to change, 0 to destroy" in text


def test_a_summary_that_is_nearly_full_is_left_as_it_is(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        path = Path(at.environment["GITHUB_STEP_SUMMARY"])
        path.write_text("x" * (1024 * 1024 - 100), encoding="utf-8")
        assert at.comment().code == 0
        assert path.stat().st_size == 1024 * 1024 - 100


@KIND
def test_the_request_is_the_events_and_never_the_documents(workshop: Workshop, kind: Kind) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        at.forge.open[8] = ("b" * 40, "main")
        at.comment("-request=8", "-commit=" + "b" * 40)
        assert [one.request for one in at.forge.notes] == [8]


def _of_a_fork(at: Desk, *, branch: str = "change") -> str:
    run = {
        "head_sha": HEAD,
        "head_branch": branch,
        "head_repository": {"full_name": "fork/stacks"},
        "pull_requests": [],
    }
    return str(at.workshop.write("event.json", json.dumps({"workflow_run": run})))


def test_of_a_fork_the_request_is_found_by_commit_and_branch(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        at.forge.open[9] = ("c" * 40, "main")
        _of_a_fork(at)
        assert at.comment().code == 0
        assert [one.request for one in at.forge.notes] == [7]


def test_a_request_that_has_moved_on_is_left_alone(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        for branch, head in (("change", "d" * 40), ("another", HEAD)):
            at.forge.open = {7: (head, "main")}
            _of_a_fork(at, branch=branch)
            said = at.comment()
            assert (said.code, at.forge.bodies()) == (0, [])
            assert "no open request proposes" in said.err


@KIND
def test_a_plan_of_an_older_commit_is_said_to_be_stale(workshop: Workshop, kind: Kind) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        at.forge.open[7] = ("e" * 40, "main")
        at.comment()
        assert "**Stale:" in at.body
        assert "e" * 40 in at.body


def test_a_plan_that_the_account_has_moved_under_is_said_to_be_stale(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        at.comment("-check", "-emulator")
        assert "**Stale:" not in at.body
        workshop.emulator().grab("nvcf-gcp-prod-asiase1-a", "H100", 3)
        at.comment("-check", "-emulator")
        assert "**Stale: others have taken the room since" in at.body
        assert at.outputs()["stale"] == "true"


@KIND
def test_when_the_base_moves_every_open_plan_of_it_says_so_once(
    workshop: Workshop, kind: Kind
) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        at.comment()
        fresh = at.body
        at.forge.open[8] = ("b" * 40, "main")
        at.forge.write(kind.other, f"{MARKER}\nforged", request=8)
        said = at.comment("-mark-stale=shop@default", "-commit=" + "f" * 40)
        assert "1 comment." in said.out
        assert at.body.splitlines()[1].startswith("**Stale: what it was planned on has moved")
        assert at.forge.bodies(8) == [f"{MARKER}\nforged"]
        stale = at.body
        at.comment("-mark-stale=shop@default", "-commit=" + "f" * 40)
        assert at.body == stale
        at.comment()
        assert at.body == fresh


@KIND
def test_a_base_that_moves_is_no_matter_to_requests_for_another(
    workshop: Workshop, kind: Kind
) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        at.comment()
        fresh = at.body
        named = {"github": "GITHUB_REF", "gitlab": "CI_COMMIT_BRANCH"}[kind.name]
        for branch in ("release", "main"):
            value = f"refs/heads/{branch}" if kind is GITHUB else branch
            said = at.comment("-mark-stale=shop@default", **{named: value})
            assert said.code == 0
            assert (at.body == fresh) is (branch == "release")


@KIND
def test_a_request_that_is_gone_keeps_no_other_from_being_marked(
    workshop: Workshop, kind: Kind
) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        at.comment()
        at.forge.open = {6: ("b" * 40, "main"), **at.forge.open}

        def meanwhile(request: Request) -> None:
            if "/6/" in request.path:
                at.forge.open.pop(6, None)

        at.forge.before = meanwhile
        assert at.comment("-mark-stale=shop@default").code == 0
        assert "**Stale:" in at.body


def test_a_comment_that_a_browser_has_edited_is_marked_once_and_keeps_its_text(
    workshop: Workshop,
) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        at.comment()
        at.comment("-mark-stale=shop@default", "-commit=" + "e" * 40)
        marked = at.body
        at.forge.notes[0].body = marked.replace("\n", "\r\n")
        at.comment("-mark-stale=shop@default", "-commit=" + "e" * 40)
        assert at.body.replace("\r\n", "\n") == marked


def test_a_comment_at_the_limit_can_still_be_said_to_be_stale(workshop: Workshop) -> None:
    functions = [function(f"fleet-{number:03}") for number in range(120)]
    workshop.write("stack.yaml", stack(*functions))
    workshop.plan("-out=bump.nvcfplan", ".")
    with desk(workshop, GITHUB) as at:
        whole = len(at.comment("-dry-run", "-budget=65536").out.encode())
        assert whole > 20_000
        at.comment("-budget=20000")
        assert 15_000 < len(at.body.encode()) <= 20_000 - 256
        at.comment("-mark-stale=shop@default", "-commit=" + "e" * 64)
        assert "**Stale:" in at.body
        assert len(at.body.encode()) <= 20_000


@KIND
def test_a_status_stands_on_the_commit(workshop: Workshop, kind: Kind) -> None:
    planned(workshop)
    with desk(workshop, kind) as at:
        at.comment("-status")
        (status,) = at.forge.statuses
        assert status["commit"] == HEAD
        assert status["state"] == "success"
        assert status[{"github": "context", "gitlab": "name"}[kind.name]] == "nvcfplan/shop@default"
        assert status["description"] == "Plan: 0 to add, 1 to change, 0 to destroy"


@KIND
def test_plans_of_other_requests_are_added_up(workshop: Workshop, kind: Kind) -> None:
    """Each of the two fits the 8 H100 alone; whoever comes second does not."""
    with desk(workshop, kind) as at:
        at.forge.open[8] = ("b" * 40, "main")
        for name, request, commit in (("shop", 7, HEAD), ("other", 8, "b" * 40)):
            workshop.write("stack.yaml", stack(h100("chat", instances=3), name=name))
            assert workshop.plan("-out=bump.nvcfplan", ".").code == 2
            assert at.comment(f"-request={request}", f"-commit={commit}").code == 0
        (body,) = at.forge.bodies(8)
        reference = {"github": "#7", "gitlab": "!7"}[kind.name]
        assert f"- {reference} and this one want" in body
        assert "6 + 6 > 8 free" in body
        assert "Conflicts" not in at.forge.bodies(7)[0]


def test_what_somebody_else_claims_counts_for_nothing(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        workshop.write("stack.yaml", stack(h100("chat", instances=3), name="other"))
        workshop.plan("-out=bump.nvcfplan", ".")
        at.comment()
        claiming = at.body
        assert decode_claims(claiming) is not None
        at.forge.notes.clear()
        at.forge.open[8] = ("b" * 40, "main")
        at.forge.write(GITHUB.other, claiming, request=8)
        at.forge.write(GITHUB.me, f"look at this:\n{claiming}", request=8)
        at.comment()
        assert "Conflicts" not in at.body


def test_a_comment_stays_below_a_budget_with_its_claims(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        assert at.comment("-budget=12000").code == 0
        assert len(at.body.encode()) <= 12_000
        assert decode_claims(at.body) is not None


def test_several_plans_are_several_comments(workshop: Workshop) -> None:
    planned(workshop)
    workshop.write("stack.yaml", stack(function("embed"), name="other"))
    workshop.plan("-out=other.nvcfplan", ".")
    with desk(workshop, GITHUB) as at:
        assert at.comment("other.nvcfplan").code == 0
        assert len(at.forge.bodies()) == 2
        assert (at.outputs()["to_add"], at.outputs()["to_change"]) == ("1", "1")
        said = at.comment("bump.nvcfplan")
        assert (said.code, codes(said.err)) == (1, ["settings"])


@pytest.mark.parametrize(
    "content", [b"", b"not a plan", b"{}", b"[" * 100_000, b'{"format_version": "9.0", "plan": {}}']
)
def test_a_document_that_is_no_plan_is_not_said(workshop: Workshop, content: bytes) -> None:
    with desk(workshop, GITHUB) as at:
        Path("bump.nvcfplan").write_bytes(content)
        said = at.comment()
        assert (said.code, codes(said.err)) == (1, ["document"])
        assert "bump.nvcfplan" in said.err
        assert at.forge.seen == []


@pytest.mark.parametrize("name", ["s" * 100_000, "a b", "--><b>", "a\x00b", "", "Shop"])
def test_a_plan_whose_stack_has_no_name_of_one_is_not_said(workshop: Workshop, name: str) -> None:
    """A forged document: its digest is right."""
    plan = builders.rolling()
    for desired in (replace(plan.desired, name=name), replace(plan.desired, environment=name)):
        Path("bump.nvcfplan").write_bytes(encode_plan(replace(plan, desired=desired)))
        with desk(workshop, GITHUB) as at:
            said = at.comment()
            assert (said.code, codes(said.err)) == (1, ["document"])
            assert at.forge.seen == []


def test_an_altered_plan_is_not_said(workshop: Workshop) -> None:
    planned(workshop)
    path = Path("bump.nvcfplan")
    path.write_text(path.read_text("utf-8").replace("chat:2.0.0", "chat:6.6.6"), "utf-8")
    with desk(workshop, GITHUB) as at:
        assert codes(at.comment().err) == ["document"]
        assert at.forge.seen == []


def test_without_a_token_it_is_said_which_variable_is_missing(workshop: Workshop) -> None:
    planned(workshop)
    for kind, name in ((GITHUB, "GITHUB_TOKEN"), (GITLAB, "GITLAB_TOKEN")):
        with desk(workshop, kind) as at:
            said = at.comment(**{name: ""})
            assert (said.code, codes(said.err)) == (1, ["settings"])
            assert name in said.err


@pytest.mark.parametrize("name", ["acme", "acme/../x", "acme/..", "a b/c", "acme/x?y=1"])
def test_what_is_no_repository_is_put_into_no_address(workshop: Workshop, name: str) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        said = at.comment(GITHUB_REPOSITORY=name)
        assert (said.code, codes(said.err)) == (1, ["settings"])
        assert at.forge.seen == []


@pytest.mark.parametrize("event", ["", "[]", "{", '{"merge_group": {}}', '{"pull_request": 7}'])
def test_a_job_of_no_request_is_told_so(workshop: Workshop, event: str) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        workshop.write("event.json", event)
        said = at.comment()
        assert (said.code, codes(said.err)) == (1, ["settings"])
        assert "-request" in said.err


def test_a_forge_that_refuses_is_an_error_and_no_traceback(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        at.forge.scripted = [Reply(403, {"message": "Resource not accessible by integration"})]
        said = at.comment()
        assert (said.code, codes(said.err)) == (1, ["forbidden"])
        assert "pull-requests" in said.err
        assert "token-of-bot" not in said.err + said.out


def test_a_dry_run_prints_and_sends_nothing(workshop: Workshop) -> None:
    planned(workshop)
    said = workshop.type("comment", "-github", "-dry-run", "bump.nvcfplan")
    assert said.code == 0
    assert said.out.splitlines()[0] == MARKER


def test_a_dry_run_needs_no_token_and_leaves_outputs_and_summary(workshop: Workshop) -> None:
    planned(workshop)
    with desk(workshop, GITHUB) as at:
        assert at.comment("-dry-run", GITHUB_TOKEN="").code == 0
        assert at.forge.seen == []
        assert (at.outputs()["to_change"], at.outputs()["comment_id"]) == ("1", "")
        assert Path(at.environment["GITHUB_STEP_SUMMARY"]).stat().st_size > 0


@pytest.mark.parametrize(
    "words",
    [
        [], ["bump.nvcfplan"], ["-github"], ["-github", "-gitlab", "bump.nvcfplan"],
        ["-github", "-mark-stale=shop"], ["-github", "-mark-stale=shop@default", "bump.nvcfplan"],
        ["-github", "-commit=../../x", "bump.nvcfplan"],
        ["-github", "-emulator", "bump.nvcfplan"], ["-github", "-request=0", "bump.nvcfplan"],
    ],
)  # fmt: skip
def test_wrong_usage_is_64(workshop: Workshop, words: list[str]) -> None:
    assert workshop.type("comment", *words).code == 64
