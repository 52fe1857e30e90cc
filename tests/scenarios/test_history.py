"""`history`, `show` and `unlock` through the command line: who did what, and who is in the way."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.applying import Errand, Lease
from nvcfplan.emulator.rules import Trouble, When
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Said, Workshop, codes, function, h100, stack

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = "shop@default"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _runs(said: Said) -> list[dict[str, object]]:
    found = said.document["runs"]
    assert isinstance(found, list)
    return found


def _applied_twice(workshop: Workshop) -> None:
    """From a repository; the second time it is rolled back."""
    workshop.write(".git/HEAD", COMMIT)
    workshop.write("stack.yaml", stack(h100("chat")))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0")))
    workshop.emulator().add_fault(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy"))
    assert workshop.apply(".").code == 3


def _killed(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    fault = Fault(kind=Trouble.KILL, route="create-function", when=When.AFTER)
    workshop.emulator().add_fault(fault)
    process = workshop.fork("apply", "-auto-approve", "--emulator", ".")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def _lease_path(workshop: Workshop) -> Path:
    return workshop.state_directory / "lease.json"


def _held_elsewhere(workshop: Workshop, *, ttl_seconds: int) -> Lease:
    """By a process of another machine, of which nothing can be known."""
    store = LocalStore(workshop.state_directory.parents[2])
    errand = Errand(operation="apply", link="https://ci.example/7")
    lease = asyncio.run(store.acquire(SCOPE, "ada@desk", ttl_seconds, errand))
    path = _lease_path(workshop)
    fields = json.loads(path.read_text())
    fields["process"]["machine"] = "elsewhere"
    path.write_text(json.dumps(fields))
    return lease


def test_history_tells_who_applied_what_from_which_commit_newest_first(workshop: Workshop) -> None:
    _applied_twice(workshop)
    newer, older = _runs(workshop.type("history", "-json", "--emulator", "."))
    assert (newer["outcome"], older["outcome"]) == ("rolled-back", "applied")
    assert {newer["commit"], older["commit"]} == {COMMIT}
    assert "@" in str(older["actor"])
    assert newer["changes"] == {"imported": 0, "added": 0, "changed": 0, "destroyed": 0}
    cause = newer["cause"]
    assert isinstance(cause, dict)
    assert cause["id"] == "deploy:function.chat@new"
    assert cause["failure"]["kind"] == "capacity"


def test_history_in_text_leads_to_a_run_that_can_be_shown(workshop: Workshop) -> None:
    _applied_twice(workshop)
    said = workshop.type("history", "-limit", "1", "--emulator", ".")
    run = said.out.split()[0]
    shown = workshop.type("show", "--emulator", run, ".")
    assert shown.code == 0, shown
    assert "result:    rolled-back" in shown.out
    assert "x deploy:function.chat@new: failed" in shown.out
    assert "undo:delete-version:function.chat@new: done" in shown.out
    plans = workshop.type("show", "-json", "--emulator", run).document["plans"]
    assert isinstance(plans, list)
    assert len(plans) == 2


def test_a_killed_run_is_told_as_one_without_an_end(workshop: Workshop) -> None:
    _killed(workshop)
    (run,) = _runs(workshop.type("history", "-json", "--emulator", "."))
    assert (run["outcome"], run["resumable"]) == (None, True)
    assert workshop.type("resume", "--emulator", ".").code == 0
    (run,) = _runs(workshop.type("history", "-json", "--emulator", "."))
    assert run["outcome"] == "applied"
    parts = run["parts"]
    assert isinstance(parts, list)
    assert len(parts) == 2, "begun, and taken up again"


def test_of_nothing_there_is_no_history(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    said = workshop.type("history", "--emulator", ".")
    assert (said.code, said.out) == (0, "")
    assert "nothing has been applied" in said.err
    missing = workshop.type("show", "--emulator", "01JZX0M5T4Q8V2H7K3N9P6R1SA", ".")
    assert (missing.code, codes(missing.err)) == (1, ["settings"])


def test_a_journal_that_does_not_read_hides_no_other(workshop: Workshop) -> None:
    _applied_twice(workshop)
    older, newer = sorted((workshop.state_directory / "journal").glob("*.jsonl"))
    newer.write_bytes(newer.read_bytes().replace(b"version", b"vorsien", 1))
    said = workshop.type("history", "-json", "--emulator", ".")
    assert (said.code, codes(said.err)) == (1, ["journal-corrupt"])
    assert [one["run"] for one in _runs(said)] == [older.stem]
    assert said.document["unreadable"] == [newer.stem]


def test_show_without_a_plan_shows_what_is_remembered(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat"), function("embed")))
    assert "nothing is remembered" in workshop.type("show", "--emulator").err
    workshop.apply(".")
    said = workshop.type("show", "--emulator")
    assert said.out.startswith("# function.chat:")
    assert "# function.embed:" in said.out
    assert len(str(workshop.type("show", "-json", "--emulator").document["lineage"])) == 32


def test_unlock_of_a_stack_that_nobody_holds_has_nothing_to_do(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    said = workshop.type("unlock", "--emulator", ".")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Nothing to unlock.")


def test_the_lock_of_a_killed_run_is_taken_away_without_a_question(workshop: Workshop) -> None:
    _killed(workshop)
    said = workshop.type("unlock", "--emulator", ".")
    assert said.code == 0, said
    assert "its process has ended" in said.out
    assert "in flight: create-function:function.embed@new" in said.out
    assert not _lease_path(workshop).exists()
    assert workshop.type("resume", "--emulator", ".").code == 0
    assert [one["name"] for one in workshop.account()] == ["embed"]


def test_who_cannot_be_watched_to_its_end_keeps_the_lock_unless_forced(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    _held_elsewhere(workshop, ttl_seconds=0)
    asked = workshop.type("unlock", "--emulator", ".")
    assert (asked.code, codes(asked.err)) == (1, ["settings"])
    assert "-force" in asked.err
    assert _lease_path(workshop).exists()
    said = workshop.type("unlock", "-force", "-json", "--emulator", ".")
    assert (said.code, said.document["outcome"]) == (0, "unlocked")
    lock = said.document["lock"]
    assert isinstance(lock, dict)
    assert lock["link"] == "https://ci.example/7"
    assert workshop.apply(".").code == 0


def test_apply_waits_for_a_lock_as_long_as_it_is_told(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    _held_elsewhere(workshop, ttl_seconds=60)
    refused = workshop.apply("-lock-timeout=PT0.05S", ".")
    assert (refused.code, codes(refused.err)) == (6, ["locked"])
    assert "waiting for the lock, held by ada@desk" in refused.err
    assert "nvcfplan unlock" in refused.err
    asyncio.run(_given_up(workshop))
    _held_elsewhere(workshop, ttl_seconds=0)
    assert workshop.apply("-lock-timeout=PT0.1S", ".").code == 0, "nobody renewed it"


async def _given_up(workshop: Workshop) -> None:
    store = LocalStore(workshop.state_directory.parents[2])
    seen = await store.lease(SCOPE)
    assert seen is not None
    await store.break_lease(SCOPE, seen, "me")


@pytest.mark.parametrize("duration", ["soon", "-1s", "5"])
def test_a_lock_timeout_that_is_no_duration_is_wrong_usage(
    workshop: Workshop, duration: str
) -> None:
    assert workshop.apply(f"-lock-timeout={duration}", ".").code == 64


def test_a_state_directory_is_shared_by_stacks_of_several_directories(workshop: Workshop) -> None:
    workshop.write("one/stack.yaml", stack(function("embed"), name="one"))
    workshop.write("two/stack.yaml", stack(function("rank"), name="two"))
    shared = workshop.directory / "shared"
    for name in ("one", "two"):
        store = LocalStore(shared)
        lease = asyncio.run(store.acquire(f"{name}@default", "ada@desk", 60))
        said = workshop.type("unlock", "-force", name, environment={"NVCFPLAN_STATE_DIR": "shared"})
        assert (said.code, "ada@desk" in said.out) == (0, True), (said, lease)
    assert sorted(one.name for one in (shared / ".nvcfplan" / "state").iterdir()) == [
        "one@default",
        "two@default",
    ]
    wrong = workshop.type("plan", "--emulator", "-state-dir", "shared", "one")
    assert wrong.code == 64
