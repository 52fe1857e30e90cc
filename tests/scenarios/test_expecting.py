"""How long an apply is expected to take: from the account's own history, once there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.scenarios.conftest import Workshop, function, stack

if TYPE_CHECKING:
    from pathlib import Path


def _waits(workshop: Workshop, image: str) -> list[float]:
    workshop.write("stack.yaml", stack(function("chat", image=image)))
    said = workshop.apply("-json", ".")
    assert said.code == 0, said.err
    found = []
    for line in said.stream:
        step = line.get("step")
        if line["type"] == "step_start" and isinstance(step, dict):
            expected = line["expected_seconds"]
            assert isinstance(expected, float)
            if step["action"] == "await-active":
                found.append(expected)
    return found


def test_what_the_last_apply_took_is_expected_of_the_next(workshop: Workshop) -> None:
    (first,) = _waits(workshop, "1.0.0")
    (second,) = _waits(workshop, "2.0.0")
    assert first == 600.0
    assert second < 300.0


def test_durations_raise_no_serial_and_make_no_plan_stale(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("chat")))
    workshop.apply(".")
    assert (workshop.state_directory / "memory.json").is_file()
    workshop.write("stack.yaml", stack(function("chat", image="2.0.0")))
    workshop.type("plan", "-out=saved", "--emulator", ".")
    (workshop.state_directory / "memory.json").unlink()
    assert workshop.type("apply", "--emulator", "saved").code == 0


def test_a_memory_that_cannot_be_written_or_read_fails_no_run(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("chat")))
    workshop.apply(".")
    place: Path = workshop.state_directory / "memory.json"
    place.unlink()
    place.mkdir()
    (again,) = _waits(workshop, "2.0.0")
    assert again == 600.0
    place.rmdir()
    place.write_bytes(b"\x00 not a document")
    assert _waits(workshop, "3.0.0") == [600.0]
    assert _waits(workshop, "4.0.0") != [600.0]
