"""The state directory is gone: the account's tags are enough to go on from, whenever it went."""

from __future__ import annotations

import os
import re
import shutil
import signal

import pytest

from nvcfplan.emulator.rules import Trouble, When
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Workshop, codes, function, h100, stack

SECRET = "secrets: { HF_TOKEN: { fromEnv: HF_TOKEN } }"
ENVIRONMENT = {"HF_TOKEN": "hf-0123456789abcdef"}
STACKS = {
    "one": stack(function("embed")),
    "undeployed": stack(function("embed").split("    deployment:")[0]),
    "several": stack(h100("chat"), function("embed"), h100("rerank", instances=2)),
    "policies": stack(
        h100("chat", more="lifecycle: { preventDestroy: true }"),
        function("embed", more="update: { keepVersions: 2 }"),
    ),
    "shared": stack(function("embed", more="authorizedParties: [nca-partner-0001]")),
    "dependent": stack(h100("chat", more="dependsOn: [embed]"), function("embed")),
}


def _lose_state(workshop: Workshop) -> None:
    shutil.rmtree(workshop.state_directory)


def _names(workshop: Workshop) -> list[str]:
    return sorted(str(one["name"]) for one in workshop.account())


@pytest.mark.parametrize("kind", STACKS)
def test_after_an_apply_what_is_adopted_needs_no_change(workshop: Workshop, kind: str) -> None:
    workshop.write("stack.yaml", STACKS[kind])
    assert workshop.apply(".").code == 0
    before = workshop.type("show", "-json", "--emulator").document["functions"]
    _lose_state(workshop)

    said = workshop.type("adopt", "--emulator")

    assert said.code == 0, said
    assert workshop.plan(".").code == 0
    assert workshop.type("show", "-json", "--emulator").document["functions"] == before


def test_without_state_a_plan_adopts_in_memory_and_says_so(workshop: Workshop) -> None:
    workshop.write("stack.yaml", STACKS["several"])
    workshop.apply(".")
    _lose_state(workshop)
    said = workshop.plan(".")
    assert said.code == 0
    assert "[adopted-from-tags]" in said.out
    assert not workshop.state_directory.exists()


def test_values_of_secrets_are_not_compared_after_adoption_and_it_is_said(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", stack(function("embed", more=SECRET)))
    words = ("apply", "-auto-approve", "--emulator", ".")
    assert workshop.type(*words, environment=ENVIRONMENT).code == 0
    assert "[secrets-not-compared]" not in workshop.plan(".").out
    _lose_state(workshop)
    assert "[secrets-not-compared]" in workshop.plan(".").out

    said = workshop.type("adopt", "--emulator")

    assert "not compared until they are sent again: function.embed HF_TOKEN" in said.out
    changed = {"HF_TOKEN": "hf-another-0123456789"}
    planned = workshop.type(
        "plan", "-detailed-exitcode", "-with-secrets", "--emulator", ".", environment=changed
    )
    assert planned.code == 0
    assert "secrets are not compared: function.embed HF_TOKEN" in planned.out


def test_what_differs_and_what_the_stack_does_not_name_are_told_apart(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat"), function("embed"), function("old")))
    workshop.apply(".")
    _lose_state(workshop)
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0"), function("embed")))
    found = workshop.type("adopt", "-json", "--emulator").document["functions"]
    assert isinstance(found, list)
    assert {one["address"]: one["standing"] for one in found} == {
        "function.chat": "differs",
        "function.embed": "as-wanted",
        "function.old": "unwanted",
    }
    assert workshop.apply(".").code == 0
    assert set(_names(workshop)) == {"chat", "embed"}
    assert workshop.plan(".").code == 0


def test_kept_versions_are_found_again_and_stay(workshop: Workshop) -> None:
    for tag in ("1.0.0", "2.0.0", "3.0.0"):
        kept = h100("chat", image=tag, more="update: { keepVersions: 2 }")
        workshop.write("stack.yaml", stack(kept))
        assert workshop.apply(".").code == 0
    _lose_state(workshop)
    said = workshop.type("adopt", "--emulator")
    assert "2 other versions of ours" in said.out
    assert workshop.plan(".").code == 0
    assert len(workshop.account()) == 3


def test_a_state_that_is_there_is_kept_and_completed(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    workshop.apply(".")
    before = workshop.type("show", "-json", "--emulator").document
    again = workshop.type("adopt", "--emulator")
    assert (again.code, again.out.startswith("Nothing to adopt")) == (0, True)
    assert workshop.type("show", "-json", "--emulator").document == before
    kept = (workshop.state_directory / "state.json").read_bytes()
    workshop.write("stack.yaml", stack(function("embed"), function("rank")))
    workshop.apply(".")
    (workshop.state_directory / "state.json").write_bytes(kept)
    assert "Adopted 1 function" in workshop.type("adopt", "--emulator").out
    after = workshop.type("show", "-json", "--emulator").document
    assert after["lineage"] == before["lineage"]
    assert workshop.plan(".").code == 0


def test_a_function_that_two_claim_is_adopted_by_nobody(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    workshop.apply(".")
    (ours,) = workshop.account()
    named = ("name", "containerImage", "inferenceUrl", "inferencePort")
    body: dict[str, object] = {name: ours[name] for name in named}
    tags = ours["tags"]
    assert isinstance(tags, list)
    body["tags"] = [tag for tag in tags if not tag.startswith("nvcfplan:op=")]
    workshop.ask("functions", method="POST", body=body)
    _lose_state(workshop)
    said = workshop.type("adopt", "--emulator")
    assert (said.code, codes(said.err)) == (1, ["claimed-twice"])
    assert str(ours["id"]) in said.err


def test_what_another_stack_has_tagged_as_its_own_is_left_to_it(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    workshop.apply(".")
    (ours,) = workshop.account()
    tags = ours["tags"]
    assert isinstance(tags, list)
    taken = [tag.replace("nvcfplan:stack=shop", "nvcfplan:stack=other") for tag in tags]
    path = f"metadata/functions/{ours['id']}/versions/{ours['versionId']}"
    workshop.ask(path, method="PUT", body={"tags": taken})
    for command in ("plan", "adopt"):
        said = workshop.type(command, "--emulator", ".")
        assert (said.code, codes(said.err)) == (1, ["claimed-twice"]), said
        assert "other@default" in said.err


def test_a_run_that_is_not_settled_knows_more_than_the_tags(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    _killed(workshop, "deploy", When.AFTER)
    said = workshop.type("adopt", "--emulator")
    assert (said.code, codes(said.err)) == (1, ["run-open"])


def test_a_state_that_does_not_read_says_how_to_rebuild_it(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    workshop.apply(".")
    path = workshop.state_directory / "state.json"
    path.write_bytes(path.read_bytes()[:-20])
    for command in ("plan", "adopt"):
        said = workshop.type(command, "--emulator", ".")
        assert (said.code, codes(said.err)) == (1, ["state-corrupt"])
        assert "nvcfplan adopt" in said.err
    path.unlink()
    assert workshop.type("adopt", "--emulator").code == 0
    assert workshop.plan(".").code == 0


def _killed(workshop: Workshop, route: str, when: When) -> None:
    workshop.emulator().add_fault(Fault(kind=Trouble.KILL, route=route, when=when))
    assert _applied_until_killed(workshop)


def _applied_until_killed(workshop: Workshop) -> bool:
    """In a child. False: it came to its end."""
    child = os.fork()
    if child == 0:
        os._exit(int(workshop.apply(".").code))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


IS_TORTURE = bool(os.environ.get("NVCFPLAN_TORTURE"))
OLD = "update: { keepVersions: 0 }"
BEFORE = stack(
    h100("chat", more=OLD),
    function("embed", more=OLD),
    function("mover", more=OLD),
    function("old", more=OLD),
    function("plain", more="description: before"),
)
AFTER = stack(
    h100("chat", image="2.0.0", more=OLD),
    function("embed", instances="2..3", more=OLD),
    function("fresh", more=OLD),
    h100("mover", more=OLD).replace("/h100", "/mover"),
    function("plain", more="authorizedParties: [nca-partner-0001]"),
)
"""A new version, a scale-up, a new function, another place, a removal, and who may call."""


def _wanted(workshop: Workshop) -> list[tuple[object, ...]]:
    """What is there, but for ids."""
    return sorted(
        (one["name"], one["status"], one["containerImage"], str(one["tags"]).count("nvcfplan:"))
        for one in workshop.account()
    )


@pytest.mark.parametrize("first", range(1, 9 if IS_TORTURE else 2))
def test_killed_and_forgotten_at_any_request_an_apply_converges_without_orphans(
    workshop: Workshop, first: int
) -> None:
    """Once it is served: with all that was kept gone, only what the account shows counts."""
    workshop.write("stack.yaml", BEFORE)
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", AFTER)
    kept = workshop.directory.with_suffix(".kept")
    shutil.copytree(workshop.directory, kept)

    def again() -> None:
        shutil.rmtree(workshop.directory / ".nvcfplan")
        shutil.copytree(kept / ".nvcfplan", workshop.directory / ".nvcfplan")

    counting = Fault(kind=Trouble.PAUSE, route="any", nth=10_000, seconds=1)
    workshop.emulator().add_fault(counting)
    assert not _applied_until_killed(workshop)
    (counter,) = workshop.emulator().overview().faults
    wanted = _wanted(workshop)
    assert counter.met > 100
    for nth in range(first, counter.met + 1, 8 if IS_TORTURE else counter.met // 6):
        again()
        workshop.emulator().add_fault(Fault(kind=Trouble.KILL, route="any", nth=nth))
        assert _applied_until_killed(workshop), nth
        _lose_state(workshop)
        _converges(workshop, nth)
        assert _wanted(workshop) == wanted, nth


def _converges(workshop: Workshop, point: int) -> None:
    """What was being deployed has to be waited for: nobody knows any more who does it."""
    adopted = workshop.type("adopt", "--emulator")
    assert adopted.code == 0, (point, adopted)
    planned = workshop.plan(".")
    if planned.code == 1:
        errors = re.findall(r"^error\[([a-z-]+)\]", planned.out, re.MULTILINE)
        assert set(errors) == {"deployment-in-progress"}, (point, planned)
        workshop.type("emulator", "advance", "30m", ".")
        planned = workshop.plan(".")
    assert planned.code in (0, 2), (point, planned)
    said = workshop.apply(".")
    assert said.code == 0, (point, said)
    assert workshop.plan(".").code == 0, point
