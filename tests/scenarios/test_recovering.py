"""Which run is the last one, whether it still lives, and whether there is anything to undo."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from nvcfplan.emulator.rules import Trouble, When
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Workshop, codes, function, h100, stack

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = "shop@default"


def _killed_behind_an_older_run(workshop: Workshop) -> None:
    """An applied run, then a killed one whose id sorts before it, as within one millisecond."""
    workshop.write("stack.yaml", stack(function("embed")))
    assert workshop.apply(".").code == 0
    (applied,) = (workshop.state_directory / "journal").glob("*.jsonl")
    applied.rename(applied.with_name(f"Z{applied.name[1:]}"))
    _killed(workshop, stack(function("embed"), function("rank")))


def _killed(workshop: Workshop, text: str) -> None:
    workshop.write("stack.yaml", text)
    fault = Fault(kind=Trouble.KILL, route="create-function", when=When.AFTER)
    workshop.emulator().add_fault(fault)
    process = workshop.fork("apply", "-auto-approve", "--emulator", ".")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def _killed_later(workshop: Workshop, *, after: float) -> float:
    """The first list of functions that long from now kills the apply; the time of its beginning."""
    began = workshop.emulator().clock.monotonic()
    fault = Fault(kind=Trouble.KILL, route="list-functions", when=When.BEFORE, since=began + after)
    workshop.emulator().add_fault(fault)
    process = workshop.fork("apply", "-auto-approve", "--emulator", ".")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return began


def _names(workshop: Workshop) -> list[str]:
    return sorted(str(one["name"]) for one in workshop.account())


def test_resume_finds_the_killed_run_whatever_its_id(workshop: Workshop) -> None:
    _killed_behind_an_older_run(workshop)
    said = workshop.type("resume", "--emulator", ".")
    assert said.code == 0, said
    assert "Nothing to resume" not in said.err
    assert _names(workshop) == ["embed", "rank"]
    assert workshop.plan(".").code == 0


def test_rollback_undoes_the_killed_run_and_not_the_older_one(workshop: Workshop) -> None:
    _killed_behind_an_older_run(workshop)
    assert workshop.type("rollback", "--emulator", ".").code == 0
    assert _names(workshop) == ["embed"]


def test_plan_and_apply_see_the_killed_run_whatever_its_id(workshop: Workshop) -> None:
    _killed_behind_an_older_run(workshop)
    planned, applied = workshop.plan("."), workshop.apply(".")
    assert (planned.code, codes(planned.err)) == (2, ["run-open"])
    assert (applied.code, codes(applied.err)) == (1, ["run-open"])


def test_of_two_settled_runs_rollback_undoes_the_later_lease(workshop: Workshop) -> None:
    _killed_behind_an_older_run(workshop)
    assert workshop.type("resume", "--emulator", ".").code == 0
    assert workshop.type("rollback", "-auto-approve", "--emulator", ".").code == 0
    assert _names(workshop) == ["embed"]


def test_a_second_apply_beside_a_living_one_is_locked_out(workshop: Workshop) -> None:
    _killed(workshop, stack(function("embed")))
    with workshop.run_under_way():
        said = workshop.apply(".")
    assert (said.code, codes(said.err)) == (6, ["locked"])
    assert "ada@desk" in said.err
    assert "cut off" not in said.err


def test_plan_says_that_a_run_is_under_way_and_goes_on(workshop: Workshop) -> None:
    _killed(workshop, stack(function("embed")))
    with workshop.run_under_way():
        said = workshop.plan(".")
    assert (said.code, codes(said.err)) == (2, ["locked"])
    assert "a run is under way" in said.err


def test_what_is_rolled_back_is_not_rolled_back_again(workshop: Workshop) -> None:
    _killed(workshop, stack(function("embed")))
    assert workshop.type("rollback", "--emulator", ".").code == 0
    seen = workshop.events()
    said = workshop.type("rollback", "--emulator", ".")
    assert (said.code, workshop.events()) == (0, seen)
    assert "Nothing to roll back: the last run ended as rolled-back" in said.err


def test_a_run_is_not_resumed_where_others_changed_what_it_had_not_begun_with(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", stack(function("chat"), function("embed")))
    workshop.apply(".")
    newer = (function("chat", image="2.0.0"), function("embed", image="2.0.0"))
    workshop.write("stack.yaml", stack(*newer))
    workshop.emulator().add_fault(Fault(kind=Trouble.KILL, route="create-version"))
    process = workshop.fork("apply", "-auto-approve", "-parallelism=1", "--emulator", ".")
    process.communicate(timeout=60)
    (other,) = [one for one in workshop.account() if one["name"] == "embed"]
    path = f"deployments/functions/{other['id']}/versions/{other['versionId']}"
    workshop.ask(path, method="DELETE")

    said = workshop.type("resume", "--emulator", ".")

    assert (said.code, codes(said.err)) == (5, ["stale-plan"])
    assert "function.embed status: the plan saw ACTIVE, now it is INACTIVE" in said.err
    assert "nvcfplan rollback" in said.err
    assert workshop.type("rollback", "--emulator", ".").code == 0
    assert workshop.apply(".").code == 0


def test_a_damaged_journal_of_a_run_that_was_settled_is_in_nobodys_way(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("chat")))
    workshop.apply(".")
    workshop.write("stack.yaml", stack(function("chat", image="2.0.0")))
    workshop.apply(".")
    first, last = sorted((workshop.state_directory / "journal").iterdir())
    _damage(first)
    assert workshop.plan(".").code == 0

    _damage(last)
    workshop.write("stack.yaml", stack(function("chat", image="3.0.0")))
    said = workshop.apply(".")
    assert (said.code, codes(said.err)) == (1, ["journal-corrupt"])


def _damage(journal: Path) -> None:
    """Its first intent."""
    whole = journal.read_bytes()
    assert b'"attempt":1' in whole
    journal.write_bytes(whole.replace(b'"attempt":1', b'"attempt":7', 1))


def test_a_run_that_died_before_it_wrote_the_state_is_nobodys_edit(workshop: Workshop) -> None:
    """It is dead once its end stands in the journal: what the state lacks is read from there."""
    workshop.write("stack.yaml", stack(function("embed")))
    assert workshop.apply(".").code == 0
    stored = workshop.state_directory / "state.json"
    before = stored.read_bytes()
    workshop.write("stack.yaml", stack(function("embed", image="2.0.0")))
    assert workshop.apply(".").code == 0
    stored.write_bytes(before)

    said = workshop.plan(".")
    assert (said.code, "policies-to-remember" in said.out) == (0, False)
    assert workshop.type("drift", "--emulator", ".").code == 0
    assert stored.read_bytes() == before, "whoever only looks writes nothing"
    workshop.write("stack.yaml", stack(function("embed", image="3.0.0")))
    said = workshop.plan("-out=next.nvcfplan", ".")
    assert (said.code, "changed outside" in said.out) == (2, False)
    said = workshop.apply("next.nvcfplan")
    assert said.code == 0, said.out + said.err
    assert workshop.plan(".").code == 0


def test_a_release_that_was_waited_for_is_not_waited_for_anew(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(function("embed", image="2.0.0")))
    began = workshop.emulator().clock.monotonic()
    assert workshop.apply(".").code == 0
    (*_, last) = sorted((workshop.state_directory / "journal").glob("*.jsonl"))
    written = last.read_bytes()
    last.write_bytes(written[: written.index(b"\n\n", written.index(b'"row-gone"')) + 2])
    ended = workshop.emulator().clock.monotonic()
    assert ended - began > 400

    assert workshop.type("resume", "--emulator", ".").code == 0
    assert workshop.emulator().clock.monotonic() - ended < 60
    assert workshop.plan(".").code == 0


def test_a_rung_ends_when_it_would_have_ended_without_the_kill(workshop: Workshop) -> None:
    text = h100("chat") + "      onNoCapacity:\n        - wait: 1h\n        - rollback\n"
    workshop.write("stack.yaml", stack(text))
    workshop.plan(".")
    refusing = Fault(kind=Trouble.CAPACITY_SYNC, route="deploy", every=True)
    workshop.emulator().add_fault(refusing)
    began = _killed_later(workshop, after=1800)

    assert workshop.type("resume", "--emulator", ".").code == 3
    took = workshop.emulator().clock.monotonic() - began
    assert 3599 < took < 4200
