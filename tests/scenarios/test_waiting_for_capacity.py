"""`apply -wait-capacity`: a reviewed plan that waits for room, and holds nothing meanwhile."""

from __future__ import annotations

import asyncio
import re
import signal

import pytest

from nvcfplan.emulator.serving import Service
from nvcfplan.model import PoolId
from tests.scenarios.conftest import Workshop, h100, heard, stack
from tests.scenarios.test_tight_rollouts import begun, lab, world
from tests.scenarios.test_two_applies import publishing

SOON = "schedule:\n  - { at: 5000, what: grab, cluster: lab-1, gpu: H100, gpus: 2, for: 9000 }\n"
GRABBED = ("emulator", "grab", "lab-1/H100", "2", "-tenant", "other")


def saved(workshop: Workshop, text: str) -> None:
    """A plan with room, which is then gone."""
    begun(workshop, text, lab("chat", 2))
    workshop.write("stack.yaml", stack(lab("chat", 2, image="2.0.0")))
    assert workshop.plan("-out=roll.nvcfplan", ".").code == 2


def wait(workshop: Workshop, duration: str) -> tuple[int, str]:
    said = workshop.type("apply", "--emulator", f"-wait-capacity={duration}", "roll.nvcfplan")
    return said.code, said.out + said.err


def test_room_that_comes_in_time_is_taken_by_the_plan_that_was_reviewed(
    workshop: Workshop,
) -> None:
    saved(workshop, world(more=SOON))
    assert workshop.type("emulator", "advance", "5000s", ".").code == 0
    assert workshop.type("apply", "--emulator", "roll.nvcfplan").code == 5
    known = len(workshop.ledger())
    code, said = wait(workshop, "6h")
    assert code == 0, said
    looks = re.findall(r"Waiting for capacity \[(\S+) of 6h\]: pool:lab-1/H100: (\d) too few", said)
    assert len(looks) > 3
    assert {short for _, short in looks} == {"2"}
    assert {one.outcome for one in workshop.ledger()[known:]} == {Service.AT_ONCE}
    assert workshop.plan(".").code == 0


def test_room_that_does_not_come_ends_in_no_capacity_with_nothing_sent(workshop: Workshop) -> None:
    saved(workshop, world())
    assert workshop.type(*GRABBED, ".").code == 0
    before, known = workshop.account(), len(workshop.ledger())
    code, said = wait(workshop, "1h")
    assert code == 7, said
    assert "no-room" in said
    assert "pool:lab-1/H100: 2 too few" in said
    assert len(workshop.ledger()) == known
    assert workshop.account() == before


def test_what_somebody_edited_meanwhile_is_stale_at_once(workshop: Workshop) -> None:
    saved(workshop, world())
    assert workshop.type(*GRABBED, ".").code == 0
    workshop.write("stack.yaml", stack(lab("chat", 1)))
    assert workshop.apply(".").code == 0
    code, said = wait(workshop, "6h")
    assert (code, "Waiting for capacity" in said) == (5, False)


def test_room_that_a_running_apply_of_another_stack_will_take_is_waited_for(
    workshop: Workshop,
) -> None:
    saved(workshop, world())
    store, lease = publishing(workshop, gpus=2, pool=PoolId("lab-1", "H100"))
    known = len(workshop.ledger())
    code, said = wait(workshop, "1h")
    assert code == 7, said
    assert "pool:lab-1/H100: 2 too few" in said
    assert len(workshop.ledger()) == known
    asyncio.run(store.release(lease))
    code, said = wait(workshop, "1h")
    assert (code, "Waiting for capacity" in said) == (0, False), said


def test_an_interrupt_while_waiting_leaves_nothing_behind(workshop: Workshop, served: str) -> None:
    there = f"-endpoint={served}"
    workshop.write("stack.yaml", stack(h100("chat")))
    planning = workshop.fork("plan", "-out=roll.nvcfplan", there, ".")
    planning.communicate(timeout=30)
    assert planning.returncode == 0
    grabbed = workshop.type(
        "emulator", "grab", "nvcf-gcp-prod-asiase1-a/H100", "8", "-tenant", "other", "."
    )
    assert grabbed.code == 0, grabbed.err
    known = len(workshop.ledger())
    process = workshop.fork("apply", there, "-wait-capacity=6h", "roll.nvcfplan")
    heard(process, "Waiting for capacity")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert len(workshop.ledger()) == known
    state = workshop.directory / ".nvcfplan" / "state"
    assert [one.name for one in state.rglob("*") if one.name in ("lease.json", "runs")] == []


@pytest.mark.parametrize(
    "words", [("-wait-capacity=soon", "roll.nvcfplan"), ("-wait-capacity=1h", ".")]
)
def test_only_a_saved_plan_and_a_duration_are_taken(
    workshop: Workshop, words: tuple[str, str]
) -> None:
    saved(workshop, world())
    assert workshop.type("apply", "--emulator", *words).code == 64
