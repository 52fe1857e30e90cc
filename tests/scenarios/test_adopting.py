"""The state directory is gone: the account's tags are enough to go on from, whenever it went."""

from __future__ import annotations

import shutil
import signal

import pytest

from nvcfplan.emulator.rules import Trouble, When
from nvcfplan.emulator.serving import Fault
from tests.budget import examples
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


POINTS = [
    (route, when)
    for route in ("create-version", "deploy", "undeploy", "delete-version", "create-function")
    for when in (When.BEFORE, When.AFTER)
]


def _killed(workshop: Workshop, route: str, when: When) -> None:
    workshop.emulator().add_fault(Fault(kind=Trouble.KILL, route=route, when=when))
    process = workshop.fork("apply", "-auto-approve", "--emulator", ".")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("route", "when"), POINTS[: max(5, examples(len(POINTS)))])
def test_killed_and_forgotten_in_the_middle_an_apply_converges_without_orphans(
    workshop: Workshop, route: str, when: When
) -> None:
    old = "update: { keepVersions: 0 }"
    workshop.write("stack.yaml", stack(h100("chat", more=old)))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", more=old), function("embed")))
    _killed(workshop, route, when)
    _lose_state(workshop)
    workshop.type("emulator", "advance", "30m", ".")  # what was being deployed has been by now

    assert workshop.type("adopt", "--emulator").code == 0
    assert workshop.plan(".").code in (0, 2)
    said = workshop.apply(".")

    assert said.code == 0, said
    account = workshop.account()
    assert sorted((one["name"], one["status"]) for one in account) == [
        ("chat", "ACTIVE"),
        ("embed", "ACTIVE"),
    ]
    images = {one["name"]: one["containerImage"] for one in account}
    assert images["chat"] == "nvcr.io/acme/chat:2.0.0"
    assert workshop.plan(".").code == 0
