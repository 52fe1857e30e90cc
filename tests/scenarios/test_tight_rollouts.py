"""Rollouts where hardly anything is free, typed into the command line; each plan is then applied.

What is asked of every plan that comes out: it verifies, and the service refuses none of its
requests for GPUs nor keeps one waiting.
"""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
import yaml

from nvcfplan.emulator.serving import Service
from tests.scenarios.conftest import Workshop, codes, function, stack

WHOLE = "update: { minServing: 1, prove: none }"
"""All that runs must serve at every moment, so that nothing is replaced in steps."""
ALLOWED = "update: { downtime: allowed, keepVersions: 0, minServing: 1 }"
NEVER = "update: { keepVersions: 0 }"
Node = Any  # YAML or JSON, walked into by a path


def world(one: int = 4, two: int = 4, *, quota: int = 0, more: str = "") -> str:
    """Two clusters of a group, with so many H100."""
    rule = f"quotas:\n  - {{ gpu: H100, names: [lab], limit: {quota} }}\n" if quota else ""
    clusters = "".join(
        f"  {name}:\n    groups: [lab]\n    region: us-west-2\n    gpus:\n      H100:\n"
        f"        capacity: {capacity}\n"
        "        instanceTypes: { LAB.H100_1x: { gpuCount: 1 } }\n"
        for name, capacity in (("lab-1", one), ("lab-2", two))
    )
    head = "ncaId: nca-lab\norg: lab\nlanding: adversarial\ngroups:\n  lab: {}\n"
    return f"{head}clusters:\n{clusters}{rule}{more}"


def lab(key: str, gpus: int, where: str = "clusters: [lab-1]", **more: str) -> str:
    instances = more.pop("instances", f"{gpus}..{gpus}")
    more.setdefault("more", WHOLE)
    return function(key, gpu="H100", kind="LAB.H100_1x", place=where, instances=instances, **more)


def begun(workshop: Workshop, text: str, *functions: str) -> None:
    """A stack applied in a world of its own."""
    workshop.write("worlds/lab.yaml", text)
    workshop.write("stack.yaml", stack(*functions))
    said = workshop.apply("-world=worlds/lab.yaml", ".")
    assert said.code == 0, said.out + said.err


def planned(workshop: Workshop, *functions: str, words: tuple[str, ...] = ()) -> dict[str, Node]:
    """The plan of the changed stack, verified; the file is `roll.nvcfplan`."""
    workshop.write("stack.yaml", stack(*functions))
    said = workshop.plan("-out=roll.nvcfplan", *words, ".")
    assert said.code == 2, said.out + said.err
    below_the_values = said.out[said.out.index("\nPlan: ") :]
    assert max(map(len, below_the_values.splitlines())) <= 80
    verified = workshop.type("verify", "roll.nvcfplan")
    assert verified.code == 0, verified.out
    plan: Node = workshop.type("show", "-json", "roll.nvcfplan").document["plan"]
    found: dict[str, Node] = plan
    return found


def carried_out(workshop: Workshop) -> None:
    known = len(workshop.ledger())
    said = workshop.type("apply", "--emulator", "roll.nvcfplan")
    assert said.code == 0, said.out + said.err
    assert {one.outcome for one in workshop.ledger()[known:]} <= {Service.AT_ONCE}
    assert workshop.plan(".").code == 0


def row(plan: dict[str, Node], resource: str) -> dict[str, Node]:
    found: dict[str, Node] = next(one for one in plan["resources"] if one["id"] == resource)
    return found


def test_two_functions_swap_full_pools_through_the_one_that_may_be_down(
    workshop: Workshop,
) -> None:
    here, there = "clusters: [lab-1]", "clusters: [lab-2]"
    begun(workshop, world(), lab("chat", 4, here), lab("rank", 4, there))
    plan = planned(workshop, lab("chat", 4, there, more=NEVER), lab("rank", 4, here, more=ALLOWED))
    assert [one["address"] for one in plan["downtime"]] == ["function.rank"]
    assert plan["proved_minimal"]
    for resource in ("pool:lab-1/H100", "pool:lab-2/H100"):
        assert row(plan, resource)["peak"] <= 4
    carried_out(workshop)


def test_two_functions_that_may_not_be_down_are_named_as_waiting_for_each_other(
    workshop: Workshop,
) -> None:
    here, there = "clusters: [lab-1]", "clusters: [lab-2]"
    begun(workshop, world(), lab("chat", 4, here), lab("rank", 4, there))
    workshop.write("stack.yaml", stack(lab("chat", 4, there), lab("rank", 4, here)))
    said = workshop.plan(".")
    assert said.code == 1
    text = " ".join(said.out.split())
    assert "wait for each other's GPUs: function.chat, function.rank" in text
    assert "set functions.chat.update.downtime: allowed (function.chat down" in text


KEYS = tuple(f"f{number}" for number in range(8))


def test_eight_functions_roll_one_by_one_through_room_for_one(workshop: Workshop) -> None:
    begun(workshop, world(9), *(lab(key, 1, more=NEVER) for key in KEYS))
    plan = planned(workshop, *(lab(key, 1, image="2.0.0", more=NEVER) for key in KEYS))
    assert plan["downtime"] == []
    assert (row(plan, "pool:lab-1/H100")["peak"], row(plan, "pool:lab-1/H100")["after"]) == (9, 8)
    assert plan["retaken"] == [{"resource": "pool:lab-1/H100", "units": 7}]
    shares = [one for one in plan["traffic"] if len(one["shares"]) == 2]
    assert [one["address"] for one in shares] == [f"function.{key}" for key in KEYS]
    carried_out(workshop)


def test_a_quota_that_forbids_any_surge_asks_for_more_of_it_or_for_a_gap(
    workshop: Workshop,
) -> None:
    begun(workshop, world(8, 8, quota=4), lab("chat", 4))
    workshop.write("stack.yaml", stack(lab("chat", 4, image="2.0.0")))
    said = workshop.plan(".")
    assert (said.code, codes(said.out)) == (1, ["quota-exceeded"])
    assert "raise quota-min:H100@lab to 8" in said.out
    plan = planned(workshop, lab("chat", 4, image="2.0.0", more=ALLOWED))
    assert [one["address"] for one in plan["downtime"]] == ["function.chat"]
    assert row(plan, "quota-min:H100@lab")["peak"] == 4
    carried_out(workshop)


def test_what_may_land_on_either_of_two_clusters_is_pinned_as_the_plan_says_to_be_proved(
    workshop: Workshop,
) -> None:
    begun(workshop, world(), lab("idle", 0, "clusters: [lab-1]", instances="0..1"))
    both = "clusters: [lab-1, lab-2]"
    wanted = (lab("idle", 0, instances="0..1"), lab("wide", 4, both), lab("chat", 4))
    workshop.write("stack.yaml", stack(*wanted))
    said = workshop.plan("-require=capacity", ".")
    assert (said.code, "capacity-at-risk" in said.out) == (1, True)
    pin = "set functions.wide.deployment.specifications.main.clusters: [lab-2]"
    assert pin in " ".join(said.out.split())
    pinned = (lab("idle", 0, instances="0..1"), lab("wide", 4, "clusters: [lab-2]"), lab("chat", 4))
    plan = planned(workshop, *pinned, words=("-require=capacity",))
    assert {one["verdict"] for one in plan["resources"]} <= {"fits"}
    carried_out(workshop)


def test_what_autoscaling_runs_above_the_minimum_is_counted_and_kept_room_for(
    workshop: Workshop,
) -> None:
    more = "traffic:\n  chat: { running: 3 }\n"
    begun(workshop, world(8, more=more), lab("chat", 1, instances="1..3", more=NEVER))
    plan = planned(workshop, lab("chat", 1, image="2.0.0", instances="1..3", more=NEVER))
    pool = row(plan, "pool:lab-1/H100")
    assert (pool["before"], pool["limit"]) == (3, 8)
    assert 4 <= pool["peak"] <= 6
    carried_out(workshop)


def _set(text: str, path: str, value: Node) -> str:
    """A stack's text with one edit made as the plan words it; None takes the key out."""
    document = yaml.safe_load(text)
    *way, last = path.split(".")
    place: Node = document
    for name in way:
        place = place.setdefault(name, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return yaml.safe_dump(document)


def _printed(text: str) -> list[tuple[list[str], str]]:
    """Each way out as it stands on the terminal: its edits, and who would be down."""
    below = text[text.index("What would make it fit") :].partition("\n\n")[0]
    bullets = " ".join(below.split()).split(" * ")[1:]
    found = [re.fullmatch(r"(.*?)(?: \(([^()]*)\))?", one) for one in bullets]
    return [(one[1].split("; "), one[2] or "") for one in found if one]


def _edited(text: str, edits: list[str]) -> str:
    """To the letter: `set PATH: YAML`, `remove PATH`."""
    for one in edits:
        verb, _, rest = one.partition(" ")
        path, _, value = rest.partition(": ")
        text = _set(text, path, None if verb == "remove" else yaml.safe_load(value))
    return text


def _is_for_the_account(edits: list[str]) -> bool:
    return all(one.startswith("raise ") for one in edits)


CHAT = ("chat", 2)
TIGHT = (lab(*CHAT, image="2.0.0"), lab("rank", 2), lab("tune", 1, "clusters: [lab-2]"))
SWAP = (lab("chat", 4, "clusters: [lab-2]"), lab("rank", 4))
FULL = (lab("chat", 4, image="2.0.0"), lab("rank", 2, "clusters: [lab-2]"))
CASES = {
    "tight": (world(), (lab(*CHAT), *TIGHT[1:]), TIGHT),
    "swap": (
        world(more="  lab-3:\n    groups: [lab]\n    region: eu\n    gpus:\n      H100:\n"
              "        capacity: 4\n        instanceTypes: { LAB.H100_1x: { gpuCount: 1 } }\n"),
        (lab("chat", 4), lab("rank", 4, "clusters: [lab-2]")),
        SWAP,
    ),
    "full": (world(5), (lab("chat", 4), FULL[1]), FULL),
}  # fmt: skip
KINDS = {
    "tight": {"raise-limit", "allow-downtime", "bounce-placement", "place-elsewhere"},
    "swap": {"raise-limit", "allow-downtime", "bounce-placement", "place-elsewhere"},
    "full": {"raise-limit", "allow-downtime", "replace-in-steps", "lower-minimum"},
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_way_out_that_is_printed_is_one_when_done_to_the_letter(
    workshop: Workshop, case: str
) -> None:
    place, live, wanted = CASES[case]
    begun(workshop, place, *live)
    before = workshop.write("stack.yaml", stack(*wanted)).read_text(encoding="utf-8")
    body: Node = workshop.plan("-json", ".").document["plan"]
    assert {one["kind"] for one in body["alternatives"]} >= KINDS[case]
    ways = _printed(workshop.plan(".").out)
    assert len(ways) == len(body["alternatives"])
    for edits, down in ways:
        if _is_for_the_account(edits):
            continue
        workshop.write("stack.yaml", _edited(before, edits))
        said = workshop.plan("-json", ".")
        assert said.code == 2, (edits, said.out)
        plan: Node = said.document["plan"]
        assert all(gap["address"] in down for gap in plan["downtime"]), (edits, down)
        assert bool(plan["downtime"]) is bool(down)


@pytest.mark.parametrize("kind", ["replace-in-steps", "bounce-placement"])
def test_a_way_out_without_downtime_is_also_carried_out(workshop: Workshop, kind: str) -> None:
    place, live, wanted = CASES["full" if kind == "replace-in-steps" else "swap"]
    begun(workshop, place, *live)
    before = workshop.write("stack.yaml", stack(*wanted)).read_text(encoding="utf-8")
    body: Node = workshop.plan("-json", ".").document["plan"]
    (number, *_) = [n for n, o in enumerate(body["alternatives"]) if o["kind"] == kind]
    edits, down = _printed(workshop.plan(".").out)[number]
    workshop.write("stack.yaml", _edited(before, edits))
    assert (workshop.plan("-out=roll.nvcfplan", ".").code, down) == (2, "")
    assert workshop.type("verify", "roll.nvcfplan").code == 0
    carried_out(workshop)


def test_a_limit_raised_as_printed_is_enough_and_one_less_is_not(workshop: Workshop) -> None:
    begun(workshop, world(), *CASES["tight"][1])
    workshop.write("stack.yaml", stack(*TIGHT))
    found = re.search(r"raise pool:lab-1/H100 to (\d+)", workshop.plan(".").out)
    assert found is not None
    enough = int(found[1])
    for capacity, code in ((enough, 2), (enough - 1, 1)):
        workshop.emulator_file.unlink()
        shutil.rmtree(workshop.state_directory)
        begun(workshop, world(capacity), *CASES["tight"][1])
        workshop.write("stack.yaml", stack(*TIGHT))
        assert workshop.plan(".").code == code


@pytest.mark.parametrize("strategy", ["auto", "no-downtime", "no-extra-gpus"])
def test_a_strategy_shows_both_prices_and_plans_by_the_one_asked_for(
    workshop: Workshop, strategy: str
) -> None:
    begun(workshop, world(8), lab("chat", 4, more=ALLOWED))
    changed = lab("chat", 4, image="2.0.0", more=ALLOWED)
    plan = planned(workshop, changed, words=("-strategy", strategy))
    with_gap, pool = strategy == "no-extra-gpus", row(plan, "pool:lab-1/H100")
    assert ([one["address"] for one in plan["downtime"]] == ["function.chat"]) is with_gap
    assert pool["peak"] == (4 if with_gap else 8)
    price = {one["strategy"]: one for one in plan["strategies"]}
    assert price["no-downtime"]["extra"] == [{"resource": "pool:lab-1/H100", "units": 4}]
    assert price["no-downtime"]["unavailable_seconds"] == 0
    assert price["no-extra-gpus"]["extra"] == []
    assert price["no-extra-gpus"]["unavailable_seconds"] > 0
    assert [one["strategy"] for one in plan["strategies"] if one["is_chosen"]] == [strategy]
    carried_out(workshop)


def test_a_strategy_never_goes_against_a_functions_own_policy(workshop: Workshop) -> None:
    begun(workshop, world(8), lab("chat", 4))
    workshop.write("stack.yaml", stack(lab("chat", 4, image="2.0.0")))
    said = workshop.plan("-strategy=no-extra-gpus", ".")
    assert said.code == 1
    assert "no-extra-gpus, chosen: impossible" in said.out
    first = "update: { order: delete-first, downtime: allowed }"
    workshop.write("stack.yaml", stack(lab("chat", 4, image="2.0.0", more=first)))
    said = workshop.plan("-strategy=no-downtime", ".")
    assert (said.code, codes(said.out)) == (1, ["strategy-impossible"])


def test_safe_puts_what_is_given_up_for_nobody_behind_all_the_rest(workshop: Workshop) -> None:
    begun(workshop, world(6), *(lab(key, 1, more=NEVER) for key in ("a", "b", "c")))
    bumped = (lab("a", 1, image="2.0.0", more=NEVER), lab("b", 1, image="2.0.0", more=NEVER))
    plan = planned(workshop, *bumped, words=("-safe",))
    ids = [one["id"] for one in plan["steps"]]
    serving = max(ids.index(f"await-active:function.{key}@new") for key in ("a", "b"))
    undeploys = [ids.index(f"undeploy:function.{key}@old") for key in ("a", "b", "c")]
    assert serving < min(undeploys)
    (point,) = plan["point_of_no_return"]
    assert ids.index(point) > serving
    carried_out(workshop)


def test_safe_keeps_what_somebody_waits_for_where_it_is_needed(workshop: Workshop) -> None:
    begun(workshop, world(3), lab("a", 1, more=NEVER), lab("b", 1, more=NEVER))
    bumped = (lab("a", 1, image="2.0.0", more=NEVER), lab("b", 1, image="2.0.0", more=NEVER))
    plan = planned(workshop, *bumped, words=("-safe",))
    assert row(plan, "pool:lab-1/H100")["peak"] == 3
    carried_out(workshop)
