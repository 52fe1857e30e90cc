"""A saved plan is checked from its file alone, and drawn: `verify` and `graph`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nvcfplan.model import canonical_json, digest_of
from tests.scenarios.conftest import Workshop, codes, h100, stack

if TYPE_CHECKING:
    from collections.abc import Callable

Body = dict[str, Any]  # JSON, bent at will
DOWN = "update: { order: delete-first, downtime: allowed }"


def _saved(workshop: Workshop) -> None:
    """Two bumps in a pool with room for one: the second waits for what the first gives back."""
    workshop.write("stack.yaml", stack(h100("chat"), h100("rank"), h100("tune", more=DOWN)))
    assert workshop.apply(".").code == 0
    bumped = (h100(key, image="2.0.0", more=DOWN if key == "tune" else "") for key in KEYS)
    workshop.write("stack.yaml", stack(*bumped))
    assert workshop.plan("-out=bump.nvcfplan", ".").code == 2


KEYS = ("chat", "rank", "tune")


def _bend(workshop: Workshop, bend: Callable[[Body], None], *, signed: bool = True) -> None:
    path = workshop.directory / "bump.nvcfplan"
    document = json.loads(path.read_text(encoding="utf-8"))
    body = document["plan"]
    bend(body)
    if signed:
        del body["digest"]
        body["digest"] = digest_of(canonical_json(body))
    path.write_text(json.dumps(document), encoding="utf-8")


def _step(body: Body, name: str) -> Body:
    found: Body = next(one for one in body["steps"] if one["id"] == name)
    return found


def test_a_plan_as_it_was_made_is_proved_without_an_account(workshop: Workshop) -> None:
    _saved(workshop)
    workshop.emulator_file.unlink()
    said = workshop.type("verify", "bump.nvcfplan")
    assert said.code == 0, said.out + said.err
    assert said.out.startswith("Proved: ")
    assert "pool:nvcf-gcp-prod-asiase1-a/H100" in said.out
    document = workshop.type("verify", "-json", "bump.nvcfplan").document
    assert (document["outcome"], document["exit_code"]) == ("proved", 0)


def _takes_more(body: Body) -> None:
    _step(body, "deploy:function.rank@new")["acquire"][0]["units"] += 1


def _loses_an_edge(body: Body) -> None:
    step = _step(body, "undeploy:function.chat@old")
    step["depends_on"] = [
        one for one in step["depends_on"] if one["step"] != "await-active:function.chat@new"
    ]


def _loses_a_step(body: Body) -> None:
    lost = "await-active:function.rank@new"
    body["steps"] = [one for one in body["steps"] if one["id"] != lost]
    for step in body["steps"]:
        step["depends_on"] = [one for one in step["depends_on"] if one["step"] != lost]


def _draws_twice(body: Body) -> None:
    grant = next(one for one in body["funding"] if one["source"] is None)
    grant["units"] += 4


def _names_no_return(body: Body) -> None:
    body["point_of_no_return"] = []


def _hides_downtime(body: Body) -> None:
    assert body["downtime"]
    body["downtime"] = []


def _flatters_the_peak(body: Body) -> None:
    row = next(one for one in body["resources"] if one["id"].startswith("pool:"))
    row["peak"] -= 1


@pytest.mark.parametrize(
    ("bend", "named"),
    [
        (_takes_more, ["deploy:function.rank@new", "H100"]),
        (_loses_an_edge, ["undeploy:function.chat@old"]),
        (_loses_a_step, ["function.rank"]),
        (_draws_twice, ["H100"]),
        (_names_no_return, ["await-released:function.tune@old"]),
        (_hides_downtime, ["downtime"]),
        (_flatters_the_peak, ["pool:nvcf-gcp-prod-asiase1-a/H100", "peak"]),
    ],
)
def test_a_plan_that_was_bent_and_signed_again_is_refused(
    workshop: Workshop, bend: Callable[[Body], None], named: list[str]
) -> None:
    _saved(workshop)
    _bend(workshop, bend)
    said = workshop.type("verify", "bump.nvcfplan")
    assert said.code == 1, said.out
    assert set(codes(said.out)) <= {"plan-not-proved", "plan-altered"}
    for word in named:
        assert word in said.out
    assert workshop.type("verify", "-json", "bump.nvcfplan").document["outcome"] == "refused"


def test_a_plan_that_was_edited_is_refused_for_its_digest_and_for_what_it_breaks(
    workshop: Workshop,
) -> None:
    _saved(workshop)
    _bend(workshop, _loses_an_edge, signed=False)
    said = workshop.type("verify", "bump.nvcfplan")
    assert said.code == 1
    assert {"plan-altered", "plan-not-proved"} == set(codes(said.out))


def test_a_plan_that_cannot_be_carried_out_has_nothing_to_prove(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=9)))
    assert workshop.plan("-out=big.nvcfplan", ".").code == 1
    said = workshop.type("verify", "big.nvcfplan")
    assert (said.code, codes(said.out)) == (1, ["plan-not-proved"])


def test_a_saved_plan_and_a_stack_are_drawn_alike(workshop: Workshop) -> None:
    _saved(workshop)
    saved = workshop.type("graph", "bump.nvcfplan")
    assert saved.code == 0
    assert saved.out.startswith("flowchart TD\n")
    assert workshop.type("graph", "--emulator", ".").out == saved.out
    document = workshop.type("graph", "-json", "bump.nvcfplan").document
    assert document == workshop.type("graph", "-format=json", "bump.nvcfplan").document
    assert workshop.type("graph", "-format=dot", "bump.nvcfplan").out.startswith("digraph ")


@pytest.mark.parametrize("word", ["-strategy=no-downtime", "-safe", "-target=function.chat"])
def test_a_saved_plan_is_not_drawn_or_applied_by_options_that_would_be_ignored(
    workshop: Workshop, word: str
) -> None:
    for command in ("graph", "apply"):
        said = workshop.type(command, word, "bump.nvcfplan")
        assert said.code == 64
        assert word.partition("=")[0] in said.err
