"""Quotas of an account that no reading shows, declared in the stack: in instances of one type."""

from __future__ import annotations

from nvcfplan.emulator.serving import Service
from tests.scenarios.conftest import Workshop, codes, function, stack

WORLD = """
ncaId: nca-lab
org: lab
landing: adversarial
groups: { lab: {} }
clusters:
  lab-1:
    groups: [lab]
    region: us-west-2
    gpus:
      H100:
        capacity: 16
        instanceTypes: { LAB.H100_2x: { gpuCount: 2 } }
quotas:
  - { gpu: H100, names: [lab], limit: 3, unit: instances, instanceType: LAB.H100_2x }
"""
DECLARED = """quotas:
  h100:
    gpu: H100
    instanceType: LAB.H100_2x
    unit: instances
    backends: [lab]
    counts: maxInstances
    limit: 3
"""
ROW = "instances:H100/LAB.H100_2x@lab"


def chat(image: str = "1.0.0", more: str = "update: { minServing: 1, prove: none }") -> str:
    return function(
        "chat",
        gpu="H100",
        kind="LAB.H100_2x",
        place="clusters: [lab-1]",
        instances="2..2",
        image=image,
        more=more,
    )


def begun(workshop: Workshop, head: str) -> None:
    workshop.write("worlds/lab.yaml", WORLD)
    workshop.write("stack.yaml", stack(chat()) + head)
    said = workshop.apply("-world=worlds/lab.yaml", ".")
    assert said.code == 0, said.out + said.err


def test_a_quota_that_nothing_shows_is_met_with_at_apply(workshop: Workshop) -> None:
    begun(workshop, "")
    workshop.write("stack.yaml", stack(chat("2.0.0")))
    assert workshop.plan(".").code == 2
    said = workshop.apply(".")
    assert said.code != 0
    assert "All allocated GPU instances in use" in said.out + said.err


def test_once_declared_the_plan_says_so_in_instances_and_where_it_is_written(
    workshop: Workshop,
) -> None:
    begun(workshop, DECLARED)
    workshop.write("stack.yaml", stack(chat("2.0.0")) + DECLARED)
    said = workshop.plan(".")
    text = " ".join(said.out.split())
    assert (said.code, codes(said.out)) == (1, ["quota-exceeded"])
    assert "needs 1 more H100 instance in quota H100/LAB.H100_2x@lab" in text
    assert "stack.yaml:" in text[text.index("quota-exceeded") :]
    assert "limit: 3" in text


def test_and_a_change_that_keeps_it_is_proved_and_never_refused(workshop: Workshop) -> None:
    begun(workshop, DECLARED)
    lent = "update: { downtime: allowed, minServing: 1, prove: none }"
    workshop.write("stack.yaml", stack(chat("2.0.0", lent)) + DECLARED)
    document = workshop.plan("-json", "-out=roll.nvcfplan", ".").document
    plan = document["plan"]
    assert isinstance(plan, dict)
    (row,) = [one for one in plan["resources"] if one["id"] == ROW]
    assert (row["unit"], row["before"], row["peak"], row["limit"]) == ("instances", 2, 2, 3)
    assert f"{ROW} (instances)" in workshop.type("show", "roll.nvcfplan").out
    assert workshop.type("verify", "roll.nvcfplan").code == 0
    known = len(workshop.ledger())
    said = workshop.type("apply", "--emulator", "roll.nvcfplan")
    assert said.code == 0, said.out + said.err
    assert {one.outcome for one in workshop.ledger()[known:]} <= {Service.AT_ONCE}
