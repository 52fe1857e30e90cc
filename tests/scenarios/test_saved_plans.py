"""What was reviewed is what runs, or nothing runs: saved plans against an account that moves."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.conftest import Workshop, codes, function, h100, stack

TIGHT = "update: { downtime: never, keepVersions: 1 }"


def _saved(workshop: Workshop) -> None:
    """A bump of a live function, planned and saved as `bump.nvcfplan`."""
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=2)))
    assert workshop.plan("-out=bump.nvcfplan", ".").code == 2


def _apply_saved(workshop: Workshop, *words: str) -> tuple[int, str, str]:
    said = workshop.type("apply", "--emulator", *words, "bump.nvcfplan")
    return said.code, said.out, said.err


def test_a_saved_plan_is_applied_without_a_question(workshop: Workshop) -> None:
    _saved(workshop)
    code, out, _ = _apply_saved(workshop)
    assert code == 0
    assert "0 added, 1 changed, 0 destroyed" in out
    assert workshop.plan(".").code == 0


def test_a_saved_plan_is_shown_as_it_was(workshop: Workshop) -> None:
    _saved(workshop)
    said = workshop.type("show", "bump.nvcfplan")
    assert said.code == 0
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in said.out
    document = workshop.type("show", "-json", "bump.nvcfplan").document
    assert document["format_version"] == "1.0"


def test_a_saved_plan_is_refused_after_a_live_change_and_names_the_field(
    workshop: Workshop,
) -> None:
    _saved(workshop)
    (live,) = workshop.account()
    tags = live["tags"]
    assert isinstance(tags, list)
    path = f"metadata/functions/{live['id']}/versions/{live['versionId']}"
    workshop.ask(path, method="PUT", body={"tags": [*tags, "edited-by-hand"]})
    before = workshop.account()

    code, _, err = _apply_saved(workshop)

    assert (code, codes(err)) == (5, ["stale-plan"])
    assert "function.chat tags" in err
    assert workshop.account() == before


def test_a_saved_plan_is_refused_once_applied(workshop: Workshop) -> None:
    _saved(workshop)
    _apply_saved(workshop)
    code, _, err = _apply_saved(workshop)
    assert (code, codes(err)) == (5, ["stale-plan"])


def test_capacity_that_still_suffices_does_not_make_a_plan_stale(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.apply(".")
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=1)))
    workshop.plan("-out=bump.nvcfplan", ".")
    workshop.emulator().grab("nvcf-gcp-prod-asiase1-a", "H100", 3)
    assert _apply_saved(workshop)[0] == 0


def test_capacity_that_no_longer_proves_makes_it_stale(workshop: Workshop) -> None:
    _saved(workshop)
    workshop.emulator().grab("nvcf-gcp-prod-asiase1-a", "H100", 3)
    code, _, err = _apply_saved(workshop)
    assert (code, codes(err)) == (5, ["stale-plan"])
    assert "3 too few" in err


def test_a_plan_of_another_account_is_refused(workshop: Workshop) -> None:
    _saved(workshop)
    said = workshop.type(
        "apply", "-endpoint", "https://nvcf.invalid", "bump.nvcfplan",
        environment={"NGC_API_KEY": "canary-key-5417"},
    )  # fmt: skip
    assert said.code == 1
    assert codes(said.err) in (["account-mismatch"], ["endpoint-unreachable"])
    assert "canary" not in said.err + said.out


def test_a_plan_that_cannot_be_applied_is_saved_for_review_only(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=3)))
    workshop.apply(".")
    whole = "update: { minServing: 1 }"
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=3, more=whole)))
    assert workshop.plan("-out=bump.nvcfplan", ".").code == 1
    shown = workshop.type("show", "-json", "bump.nvcfplan").document
    assert isinstance(shown["plan"], dict)
    assert shown["plan"]["applyable"] is False
    code, _, err = _apply_saved(workshop)
    assert (code, codes(err)) == (1, ["document"])


@pytest.mark.parametrize(
    "content", [b"", b"not a plan", b"{}", b'{"format_version": "9.0", "plan": {}}', b"\xff\xfe"]
)
def test_a_file_that_is_no_plan_is_refused(workshop: Workshop, content: bytes) -> None:
    (workshop.directory / "bump.nvcfplan").write_bytes(content)
    code, _, err = _apply_saved(workshop)
    assert (code, codes(err)) == (1, ["document"])


def test_an_altered_plan_is_refused(workshop: Workshop) -> None:
    _saved(workshop)
    path = workshop.directory / "bump.nvcfplan"
    path.write_text(path.read_text("utf-8").replace("chat:2.0.0", "chat:6.6.6"), "utf-8")
    code, _, err = _apply_saved(workshop)
    assert (code, codes(err)) == (1, ["document"])


def test_the_plan_is_the_same_bytes_whatever_the_hash_seed_and_the_order_of_files(
    workshop: Workshop,
) -> None:
    parts = {"a.yaml": stack(function("embed"), function("rank")), "b.yaml": stack(h100("chat"))}
    bodies = []
    for seed in range(5):
        folder = f"files{seed}"
        names = [f"{folder}/{letter}.yaml" for letter in ("m", "z")]
        ordered = sorted(parts) if seed % 2 else sorted(parts, reverse=True)
        for name, part in zip(names, ordered, strict=True):
            workshop.write(name, parts[part])
        process = workshop.fork(
            "plan", "-json", "--emulator=world.db", *names[:: 1 if seed < 3 else -1],
            seed=str(seed),
        )  # fmt: skip
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        bodies.append(json.dumps(json.loads(out)["plan"], sort_keys=False))
    assert len(set(bodies)) == 1


def _with_literal(workshop: Workshop) -> None:
    literal = "containerEnvironment: { API_TOKEN: { value: canary-5417, sensitive: true } }"
    workshop.write("stacks/embed.yaml", stack(function("embed", more=literal)))
    workshop.write("stacks/other.yaml", stack(function("rank"), name="other"))
    workshop.plan("-out=bump.nvcfplan", "stacks/embed.yaml")
    assert b"canary" not in (workshop.directory / "bump.nvcfplan").read_bytes()


def test_a_sensitive_literal_is_taken_from_the_files_again(workshop: Workshop) -> None:
    _with_literal(workshop)
    code, _, err = _apply_saved(workshop, "--emulator=stacks/.nvcfplan/emulator.db")
    assert (code, codes(err)) == (1, ["secret-unavailable"])

    said = workshop.type("apply", "--emulator", "bump.nvcfplan", "stacks/embed.yaml")

    assert said.code == 0
    assert "canary" not in said.out + said.err


def test_a_sensitive_literal_of_files_that_have_changed_is_not_taken(workshop: Workshop) -> None:
    _with_literal(workshop)
    path = workshop.directory / "stacks" / "embed.yaml"
    path.write_text(path.read_text("utf-8").replace("1.0.0", "1.0.1"), "utf-8")
    said = workshop.type("apply", "--emulator", "bump.nvcfplan", "stacks/embed.yaml")
    assert (said.code, codes(said.err)) == (1, ["secret-unavailable"])
