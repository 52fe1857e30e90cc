"""No capacity: each rung is climbed from what is there then, and later is no difference."""

from __future__ import annotations

import pytest

from nvcfplan.emulator.rules import Trouble
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Workshop, as_before, codes, h100, stack

POOL = "nvcf-gcp-prod-asiase1-a"
ELSEWHERE = "{ instanceType: AZURE.GPU.H100_2x, backend: AZURE-WESTUS2 }"
FALLBACK = f"fallback: {{ main: {ELSEWHERE} }}"


def climbing(text: str, *rungs: str) -> str:
    """A stack's function with a ladder."""
    ladder = "".join(f"        - {one}\n" for one in rungs)
    return f"{text}      onNoCapacity:\n{ladder}"


def chat(*rungs: str, image: str = "1.0.0", instances: int = 2) -> str:
    return climbing(h100("chat", image=image, instances=instances), *rungs)


def no_capacity(workshop: Workshop, *, times: int = 1, is_silent: bool = False) -> None:
    """The next deployments starve after they were accepted, with a reason or without."""
    workshop.emulator().add_fault(
        Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", count=times, is_silent=is_silent)
    )


def placed(workshop: Workshop) -> list[tuple[str, str, object, object]]:
    """Image, status, backend and type of every version, oldest first."""
    found = []
    for one in workshop.account():
        row = one["deployment"]
        kept = row["deploymentSpecifications"][0] if isinstance(row, dict) else {}
        image = str(one["containerImage"]).rpartition(":")[2]
        found.append((image, str(one["status"]), kept.get("backend"), kept.get("instanceType")))
    return found


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_new_function_without_room_is_satisfied_by_its_fallback(
    workshop: Workshop, is_silent: bool
) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK, "rollback")))
    workshop.plan(".")
    no_capacity(workshop, is_silent=is_silent)

    said = workshop.apply(".")

    assert said.code == 0, said
    assert "function.chat is satisfied by fallback 1 of 1" in said.out
    assert placed(workshop) == [("1.0.0", "ACTIVE", "AZURE-WESTUS2", "AZURE.GPU.H100_2x")]
    again = workshop.plan(".")
    assert (again.code, codes(again.out)) == (0, []), again
    assert "No changes" in again.out
    assert "satisfied by fallback 1 of 1" in again.out


def test_a_bump_without_room_serves_on_until_its_fallback_does(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK)))
    workshop.apply(".")
    workshop.write("stack.yaml", stack(chat(FALLBACK, image="2.0.0")))
    no_capacity(workshop)

    said = workshop.apply(".")

    assert said.code == 0, said
    assert [one for one in placed(workshop) if one[1] == "ACTIVE"] == [
        ("2.0.0", "ACTIVE", "AZURE-WESTUS2", "AZURE.GPU.H100_2x")
    ]
    assert workshop.plan(".").code == 0


def test_an_infeasible_rung_is_said_and_the_next_is_tried(workshop: Workshop) -> None:
    too_much = "fallback: { main: { backend: GCP-ASIASE1-A, minInstances: 9, maxInstances: 9 } }"
    workshop.write("stack.yaml", stack(chat(too_much, "shrink: { main: { minInstances: 1 } }")))
    workshop.plan(".")
    no_capacity(workshop)

    said = workshop.apply(".")

    assert said.code == 0, said
    assert "rung 1 of 2, fallback 1 of 1: not possible" in said.err
    assert "function.chat is satisfied by shrink 1 of 1" in said.out
    assert workshop.plan(".").code == 0


def test_room_that_comes_while_it_is_waited_for_is_taken(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat("wait: 20m")))
    workshop.plan(".")
    no_capacity(workshop)

    said = workshop.apply(".")

    assert said.code == 0, said
    assert "satisfied by" not in said.out
    assert placed(workshop) == [("1.0.0", "ACTIVE", "GCP-ASIASE1-A", "a3-highgpu-8g_2x")]
    assert workshop.plan(".").code == 0


def test_while_it_waits_it_asks_more_and_more_rarely(workshop: Workshop) -> None:
    """The readings say that there is room, and each request is refused all the same."""
    workshop.write("stack.yaml", stack(chat("wait: 1h", "rollback")))
    workshop.plan(".")
    fault = Fault(kind=Trouble.CAPACITY_SYNC, route="deploy", every=True)
    workshop.emulator().add_fault(fault)

    said = workshop.apply(".")

    assert said.code == 3, said
    assert 20 < len(workshop.ledger()) < 100


def test_a_wait_is_given_up_in_the_end(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat("wait: 20m", "rollback")))
    workshop.plan(".")
    grab(workshop)

    said = workshop.apply(".")

    assert said.code == 3, said
    assert workshop.account() == []


def grab(workshop: Workshop) -> None:
    """Another tenant takes all that is free the moment we ask for it."""
    workshop.emulator().add_fault(
        Fault(kind=Trouble.GRAB, route="deploy", function="chat", cluster=POOL, gpu="H100")
    )


def test_after_the_last_rung_all_is_as_before(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK)))
    workshop.apply(".")
    before = workshop.account()
    workshop.write("stack.yaml", stack(chat(FALLBACK, image="2.0.0")))
    no_capacity(workshop, times=2)

    said = workshop.apply(".")

    assert said.code == 3, said
    assert as_before(workshop.account()) == as_before(before)


def test_what_is_to_be_kept_stays_where_it_is_and_can_be_resumed(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK, "keep")))
    workshop.plan(".")
    no_capacity(workshop, times=2)

    said = workshop.apply(".")

    assert said.code == 4, said
    assert placed(workshop)[0][:2] == ("1.0.0", "ERROR")
    again = workshop.type("resume", "--emulator", ".")
    assert again.code == 0, again
    assert "satisfied by fallback 1 of 1" in again.out
    assert workshop.plan(".").code == 0


def test_a_finished_climb_is_undone_as_a_whole(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK)))
    workshop.apply(".")
    before = workshop.account()
    workshop.write("stack.yaml", stack(chat(FALLBACK, image="2.0.0")))
    no_capacity(workshop)
    assert workshop.apply(".").code == 0

    said = workshop.type("rollback", "-auto-approve", "--emulator", ".")

    assert said.code == 0, said
    assert as_before(workshop.account()) == as_before(before)


def test_the_way_back_to_the_base_is_planned_when_it_is_asked_for(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK)))
    workshop.plan(".")
    no_capacity(workshop)
    workshop.apply(".")

    assert workshop.plan("-climb", ".").code == 2
    said = workshop.apply("-climb", ".")

    assert said.code == 0, said
    assert [one for one in placed(workshop) if one[1] == "ACTIVE"] == [
        ("1.0.0", "ACTIVE", "GCP-ASIASE1-A", "a3-highgpu-8g_2x")
    ]
    assert workshop.plan(".").code == 0


def test_a_climb_back_without_room_stays_where_it_was(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(chat(FALLBACK)))
    workshop.plan(".")
    no_capacity(workshop)
    workshop.apply(".")
    no_capacity(workshop)

    said = workshop.apply("-climb", ".")

    assert said.code == 0, said
    assert [one for one in placed(workshop) if one[1] != "INACTIVE"] == [
        ("1.0.0", "ACTIVE", "AZURE-WESTUS2", "AZURE.GPU.H100_2x")
    ]
    assert workshop.plan(".").code == 0
