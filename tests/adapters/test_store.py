"""State, lease and journal on disk: nothing lost, nothing shared by accident, faults have paths."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.storage.local import KEPT, LocalStore
from nvcfplan.adapters.storage.planfile import read_plan, write_plan
from nvcfplan.applying import Document, Errand, Lease, LeaseSeen
from nvcfplan.errors import (
    DocumentError,
    JournalCorrupt,
    LeaseLostError,
    LockHeld,
    StateConflict,
    StateCorrupt,
    StoreError,
)
from nvcfplan.model import RunId, Token
from tests.adapters.fakes import run

if TYPE_CHECKING:
    from collections.abc import Sequence

STACK = "demo@default"
STATE = Document.STATE
RUN = RunId("01RUN")
ROOT = Path(__file__).parents[2]


def store_in(path: Path) -> LocalStore:
    return LocalStore(path, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))


def home(path: Path) -> Path:
    return path / ".nvcfplan" / "state" / STACK


def written(
    store: LocalStore, content: bytes, expected: Token | None, lease: Lease | None = None
) -> Token:
    return run(store.write(STACK, STATE, content, expected=expected, lease=lease))


def content_of(store: LocalStore) -> bytes | None:
    found = run(store.read(STACK, STATE))
    return None if found is None else found.content


def acquired(store: LocalStore) -> Lease:
    return run(store.acquire(STACK, "me@here", 60))


def appended(store: LocalStore, lease: Lease, *records: bytes, start: int = 0) -> None:
    for sequence, record in enumerate(records, start):
        run(store.append(lease, RUN, sequence, record))


def records_of(store: LocalStore) -> Sequence[bytes]:
    return run(store.records(STACK, RUN))


# -- documents ------------------------------------------------------------------------------------


def test_what_is_written_is_read_and_nothing_is_not_empty(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    assert content_of(store) is None
    assert not (tmp_path / ".nvcfplan").exists()
    token = written(store, b"{}", None)
    stored = run(store.read(STACK, STATE))
    assert stored is not None
    assert (stored.content, stored.token) == (b"{}", token)


def test_documents_and_stacks_do_not_mix(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    written(store, b"{}", None)
    assert run(store.read(STACK, Document.MEMORY)) is None
    assert run(store.read("other@default", STATE)) is None


def test_a_write_over_something_that_was_not_seen_is_refused(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    first = written(store, b"1", None)
    second = written(store, b"2", first)
    for stale in (None, first):
        with pytest.raises(StateConflict, match="written by somebody else"):
            written(store, b"3", stale)
    assert content_of(store) == b"2"
    assert written(store, b"3", second) != second


def test_the_same_content_written_again_is_another_write(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    first = written(store, b"a", None)
    second = written(store, b"b", first)
    third = written(store, b"a", second)
    assert len({first, second, third}) == 3
    with pytest.raises(StateConflict):
        written(store, b"c", first)


def test_what_was_replaced_stays_in_a_bounded_history(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    token = None
    for number in range(KEPT[STATE] + 5):
        token = written(store, b"%d" % number, token)
    kept = sorted((home(tmp_path) / "history").iterdir())
    assert len(kept) == KEPT[STATE]
    assert kept[-1].read_bytes() == b"%d" % (KEPT[STATE] + 3)


def test_files_are_the_owners_alone_and_kept_out_of_git(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lease = acquired(store)
    token = written(store, b"1", None, lease)
    written(store, b"2", token, lease)
    appended(store, lease, b"{}")
    store.close()
    for path in (tmp_path / ".nvcfplan").rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
    assert (tmp_path / ".nvcfplan" / ".gitignore").read_text().endswith("\n*\n")


def test_a_directory_that_anybody_may_write_is_not_trusted(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    written(store, b"1", None)
    home(tmp_path).chmod(0o777)
    with pytest.raises(StoreError, match="written by everybody"):
        written(store, b"2", None)


def test_a_symbolic_link_in_place_of_the_state_is_not_followed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    written(store, b"1", None)
    (home(tmp_path) / "state.json").unlink()
    (home(tmp_path) / "state.json").symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match="cannot read"):
        run(store.read(STACK, STATE))


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b" \n"])
def test_an_emptied_state_is_told_with_its_path_and_a_way_out(
    tmp_path: Path, content: bytes
) -> None:
    store = store_in(tmp_path)
    written(store, b"1", None)
    (home(tmp_path) / "state.json").write_bytes(content)
    with pytest.raises(StateCorrupt) as caught:
        run(store.read(STACK, STATE))
    assert str(home(tmp_path) / "state.json") in caught.value.summary
    assert "history" in caught.value.remedy


def test_a_directory_in_place_of_the_state_is_told(tmp_path: Path) -> None:
    (home(tmp_path) / "state.json").mkdir(parents=True)
    with pytest.raises(StoreError, match="not a regular file"):
        run(store_in(tmp_path).read(STACK, STATE))


def test_a_file_where_the_directory_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / ".nvcfplan").write_text("")
    with pytest.raises(StoreError, match=r"\.nvcfplan"):
        written(store_in(tmp_path), b"1", None)


def test_a_file_where_replaced_documents_should_be_is_told(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    written(store, b"1", None)
    (home(tmp_path) / "history").write_text("")
    with pytest.raises(StoreError, match=r"cannot read .*history"):
        run(store.read(STACK, STATE))


@pytest.mark.parametrize("stack", ["../x@default", "demo", "demo@", "a/b@c", "A@b", ""])
def test_a_stack_that_is_no_name_reaches_no_file(tmp_path: Path, stack: str) -> None:
    with pytest.raises(StoreError, match="NAME@ENVIRONMENT"):
        run(store_in(tmp_path).read(stack, STATE))
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_cannot_be_finished_leaves_the_old_state(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    token = written(store, b"old", None)
    blocked = home(tmp_path) / f".state.json.{os.getpid()}.new"
    blocked.mkdir()
    with pytest.raises(StoreError, match="cannot write"):
        written(store, b"new", token)
    assert content_of(store) == b"old"


# -- leases ---------------------------------------------------------------------------------------


def test_a_lease_excludes_others_and_says_who_holds_it(tmp_path: Path) -> None:
    lease = acquired(store_in(tmp_path))
    assert lease.epoch == 1
    with pytest.raises(LockHeld) as caught:
        acquired(store_in(tmp_path))
    assert caught.value.holder == f"me@here (process {os.getpid()})"
    assert caught.value.since == "2026-01-01T00:00:00+00:00"
    assert caught.value.epoch == 1
    assert "nvcfplan unlock" in caught.value.remedy


def test_each_acquisition_raises_the_epoch_even_after_a_removal_by_hand(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    run(store.release(acquired(store)))
    second = acquired(store)
    assert second.epoch == 2
    (home(tmp_path) / "lease.json").unlink()
    assert acquired(store).epoch == 3


def test_a_lease_that_was_lost_can_neither_renew_nor_write_nor_append(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lost = acquired(store)
    (home(tmp_path) / "lease.json").unlink()
    ours = acquired(store)
    for attempt in (
        store.renew(lost),
        store.write(STACK, STATE, b"1", expected=None, lease=lost),
        store.append(lost, RUN, 0, b"{}"),
    ):
        with pytest.raises(LeaseLostError, match="no longer ours"):
            run(attempt)
    assert run(store.renew(ours)) == ours
    assert content_of(store) is None


def seen_in(store: LocalStore) -> LeaseSeen:
    found = run(store.lease(STACK))
    assert found is not None
    return found


def test_a_broken_lease_is_lost_to_its_holder_who_is_told_by_whom(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lost = acquired(store)
    run(store.break_lease(STACK, seen_in(store), "ada@desk"))
    for attempt in (
        store.renew(lost),
        store.write(STACK, STATE, b"1", expected=None, lease=lost),
        store.append(lost, RUN, 0, b"{}"),
    ):
        with pytest.raises(LeaseLostError, match="broken by ada@desk at 2026-01-01"):
            run(attempt)
    assert acquired(store).epoch == lost.epoch + 2, "the breaking has an epoch of its own"


def test_breaking_a_lease_twice_ends_well_and_deletes_no_journal(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lease = acquired(store)
    appended(store, lease, b"0")
    seen = seen_in(store)
    run(store.break_lease(STACK, seen, "ada@desk"))
    run(store.break_lease(STACK, seen, "ada@desk"))
    assert run(store.lease(STACK)) is None
    assert records_of(store) == (b"0",)
    store.close()


def test_a_lease_taken_since_it_was_looked_at_is_not_broken(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    first = acquired(store)
    seen = seen_in(store)
    run(store.release(first))
    second = acquired(store)
    with pytest.raises(LockHeld):
        run(store.break_lease(STACK, seen, "ada@desk"))
    assert run(store.renew(second)) == second


def test_a_lease_written_before_there_were_errands_reads(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    acquired(store)
    path = home(tmp_path) / "lease.json"
    fields = json.loads(path.read_text())
    del fields["errand"]
    path.write_text(json.dumps(fields))
    assert seen_in(store).errand == Errand()


def test_releasing_a_lost_lease_leaves_the_new_one_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lost = acquired(store)
    (home(tmp_path) / "lease.json").unlink()
    acquired(store)
    run(store.release(lost))
    with pytest.raises(LockHeld):
        acquired(store)


def test_renewing_counts_heartbeats(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lease = acquired(store)
    run(store.renew(lease))
    run(store.renew(lease))
    assert json.loads((home(tmp_path) / "lease.json").read_text())["heartbeat"] == 2


def test_state_is_not_written_beside_a_lease_of_somebody_else(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    acquired(store)
    with pytest.raises(LockHeld):
        written(store, b"1", None)
    run(store.write(STACK, Document.MEMORY, b"1", expected=None, lease=None))


CHILD = """
import asyncio, sys
from pathlib import Path
from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.model import RunId

async def hold():
    store = LocalStore(Path(sys.argv[1]))
    lease = await store.acquire("demo@default", "child", 60)
    await store.append(lease, RunId("01RUN"), 0, b'{"n":0}')
    print("held", flush=True)
    await asyncio.Event().wait()

asyncio.run(hold())
"""


def test_a_lease_of_a_killed_process_is_taken_over_and_one_of_a_living_is_not(
    tmp_path: Path,
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        store = store_in(tmp_path)
        with pytest.raises(LockHeld, match="held by another run") as caught:
            acquired(store)
        assert str(child.pid) in caught.value.holder
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()
    lease = acquired(store)
    assert lease.epoch == 2
    appended(store, lease, b'{"n":1}', start=1)
    store.close()
    assert records_of(store) == (b'{"n":0}', b'{"n":1}')


def test_a_lease_from_another_machine_is_never_judged_dead(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    acquired(store)
    path = home(tmp_path) / "lease.json"
    fields = json.loads(path.read_text())
    fields["process"] |= {"machine": "elsewhere", "pid": 2**22 + 1}
    path.write_text(json.dumps(fields))
    with pytest.raises(LockHeld):
        acquired(store)


def test_a_reused_process_id_does_not_keep_a_dead_lease_alive(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    acquired(store)
    path = home(tmp_path) / "lease.json"
    fields = json.loads(path.read_text())
    fields["process"]["started"] = "1"
    path.write_text(json.dumps(fields))
    assert acquired(store).epoch == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"epoch": 1}', b'{"process": {}}', b'"x"', b"[" * 5000]
)
def test_a_lease_that_does_not_read_gives_the_stack_to_nobody(
    tmp_path: Path, content: bytes
) -> None:
    store = store_in(tmp_path)
    written(store, b"1", None)
    (home(tmp_path) / "lease.json").write_bytes(content)
    with pytest.raises(StoreError, match="does not read") as caught:
        acquired(store)
    assert "lease.json" in caught.value.remedy


def test_only_one_of_many_gets_the_lease(tmp_path: Path) -> None:
    async def race() -> list[Lease | BaseException]:
        tries = (store_in(tmp_path).acquire(STACK, f"n{one}", 60) for one in range(8))
        return await asyncio.gather(*tries, return_exceptions=True)

    found = run(race())
    assert sum(isinstance(one, Lease) for one in found) == 1
    assert sum(isinstance(one, LockHeld) for one in found) == 7


# -- journal --------------------------------------------------------------------------------------


def test_records_come_back_in_order_and_runs_newest_first(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lease = acquired(store)
    appended(store, lease, b'{"n":0}', b'{"text":"line\\nend"}', b"\xff\n raw")
    run(store.append(lease, RunId("02RUN"), 0, b"{}"))
    assert records_of(store) == (b'{"n":0}', b'{"text":"line\\nend"}', b"\xff\n raw")
    assert run(store.runs(STACK)) == ("02RUN", "01RUN")
    assert run(store.records(STACK, RunId("03RUN"))) == ()
    assert run(store.runs("other@default")) == ()
    store.close()


def test_a_record_that_does_not_follow_is_refused(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lease = acquired(store)
    appended(store, lease, b"0")
    for sequence in (0, 2):
        with pytest.raises(StoreError, match="does not follow"):
            run(store.append(lease, RUN, sequence, b"x"))
    assert records_of(store) == (b"0",)
    store.close()


def test_a_torn_tail_is_dropped_and_written_over(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lease = acquired(store)
    appended(store, lease, b"first", b"second")
    store.close()
    path = home(tmp_path) / "journal" / "01RUN.jsonl"
    path.write_bytes(path.read_bytes()[:-4])
    assert records_of(store) == (b"first",)
    appended(store, lease, b"again", start=1)
    store.close()
    assert records_of(store) == (b"first", b"again")


def test_damage_in_the_middle_stops_with_path_and_line(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    lease = acquired(store)
    appended(store, lease, b"first", b"second", b"third")
    store.close()
    path = home(tmp_path) / "journal" / "01RUN.jsonl"
    path.write_bytes(path.read_bytes().replace(b"second", b"secund"))
    with pytest.raises(JournalCorrupt) as caught:
        records_of(store)
    assert f"{path}:2" in caught.value.summary
    assert caught.value.remedy
    with pytest.raises(JournalCorrupt):
        run(store.append(lease, RUN, 3, b"x"))
    run(store.release(lease))


def test_a_run_that_is_no_name_reaches_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not the id of a run"):
        run(store_in(tmp_path).records(STACK, RunId("../../etc/passwd")))


def test_locks_are_probed_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    run(store_in(tmp_path).probe())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


# -- saved plans ----------------------------------------------------------------------------------


def test_a_plan_is_written_whole_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "out.nvcfplan"
    write_plan(path, b"{}")
    write_plan(path, b'{"a":1}')
    assert read_plan(path) == b'{"a":1}'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_a_plan_is_told_by_path(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    for name in ("missing", "empty", "pipe", "huge", ".", "nul\0"):
        with pytest.raises(DocumentError) as caught:
            read_plan(tmp_path / name)
        assert "plan -out=FILE" in caught.value.remedy


def test_a_plan_is_not_written_over_something_else(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a regular file"):
        write_plan(tmp_path, b"{}")
    with pytest.raises(StoreError, match="cannot write"):
        write_plan(tmp_path / "no" / "such" / "plan", b"{}")
