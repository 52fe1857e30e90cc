"""A merge queue asks whether the plan that was reviewed still holds: `plan -check FILE`."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.conftest import Said, Workshop, codes, function, h100, stack


def _saved(workshop: Workshop, *, instances: int = 2) -> None:
    """A bump of a live function, planned and saved as `bump.nvcfplan`."""
    workshop.write("stack.yaml", stack(h100("chat", instances=instances)))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=instances)))
    assert workshop.plan("-out=bump.nvcfplan", ".").code == 2


def _check(workshop: Workshop, *words: str) -> Said:
    return workshop.type("plan", "--emulator", "-check=bump.nvcfplan", *words)


def test_a_plan_that_nothing_has_moved_under_still_holds(workshop: Workshop) -> None:
    _saved(workshop)
    said = _check(workshop)
    assert (said.code, said.err) == (0, "")
    assert "Saved plan still holds" in said.out
    digest = json.loads((workshop.directory / "bump.nvcfplan").read_bytes())["plan"]["digest"]
    assert digest in said.out


def test_a_check_changes_nothing_and_writes_nothing(workshop: Workshop) -> None:
    _saved(workshop)
    before, state = workshop.account(), sorted(workshop.state_directory.rglob("*"))
    _check(workshop)
    assert (workshop.account(), sorted(workshop.state_directory.rglob("*"))) == (before, state)


def test_a_plan_that_was_applied_is_stale(workshop: Workshop) -> None:
    _saved(workshop)
    assert workshop.type("apply", "--emulator", "bump.nvcfplan").code == 0
    said = _check(workshop)
    assert said.code == 5
    assert "Saved plan is stale" in said.out
    assert "function.chat" in said.out


def test_a_live_edit_makes_it_stale_and_the_field_is_named(workshop: Workshop) -> None:
    _saved(workshop)
    (live,) = workshop.account()
    tags = live["tags"]
    assert isinstance(tags, list)
    path = f"metadata/functions/{live['id']}/versions/{live['versionId']}"
    workshop.ask(path, method="PUT", body={"tags": [*tags, "edited-by-hand"]})
    said = _check(workshop, "-json")
    document = said.document
    assert (said.code, document["outcome"], document["exit_code"]) == (5, "stale", 5)
    moved = document["moved"]
    assert isinstance(moved, list)
    assert [(one["address"], one["field"]) for one in moved] == [("function.chat", "tags")]


def test_numbers_that_moved_but_suffice_leave_it_valid(workshop: Workshop) -> None:
    _saved(workshop, instances=1)
    workshop.emulator().grab("nvcf-gcp-prod-asiase1-a", "H100", 3)
    assert _check(workshop).code == 0


def test_room_that_others_have_taken_is_told_apart_from_an_edit(workshop: Workshop) -> None:
    _saved(workshop)
    workshop.emulator().grab("nvcf-gcp-prod-asiase1-a", "H100", 3)
    said = _check(workshop)
    assert said.code == 7
    assert "3 H100 of nvcf-gcp-prod-asiase1-a too few" in said.out
    assert _check(workshop, "-json").document["outcome"] == "no-capacity"


def test_another_stacks_apply_leaves_it_valid(workshop: Workshop) -> None:
    """What the queue merges in between is mostly somebody else's."""
    _saved(workshop)
    workshop.write("other/stack.yaml", stack(function("embed"), name="other"))
    place = f"--emulator={workshop.emulator_file}"
    assert workshop.type("apply", "-auto-approve", place, "other").code == 0
    assert _check(workshop).code == 0


def test_a_plan_of_another_account_is_refused(workshop: Workshop) -> None:
    _saved(workshop)
    clusters = "clusters: { lab-1: { gpus: { L40S: { capacity: 1 } } } }"
    other = workshop.write("other.yaml", f"ncaId: nca-else-0002\n{clusters}\n")
    said = workshop.type("plan", "--emulator=other.db", f"-world={other}", "-check=bump.nvcfplan")
    assert (said.code, codes(said.err)) == (1, ["account-mismatch"])


@pytest.mark.parametrize(
    "words",
    [
        ["."], ["-out=other"], ["-destroy"], ["-env=prod"], ["-var=a=b"], ["-target=chat"],
        ["-now"], ["-require=quota"], ["-with-secrets"], ["-strategy=auto"], ["-safe"],
        ["-detailed-exitcode"],
    ],
)  # fmt: skip
def test_what_only_the_making_of_a_plan_could_heed_is_refused(
    workshop: Workshop, words: list[str]
) -> None:
    _saved(workshop)
    said = _check(workshop, *words)
    assert said.code == 64
    assert "takes a saved plan as it is" in said.err


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format_version": "9.0"}'])
def test_a_file_that_is_no_plan_is_an_error(workshop: Workshop, content: bytes) -> None:
    (workshop.directory / "bump.nvcfplan").write_bytes(content)
    said = _check(workshop)
    assert (said.code, codes(said.err)) == (1, ["document"])
