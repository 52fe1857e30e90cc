"""A world in a file: kept between runs, shared, and whole after a kill at any point."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from nvcfplan.emulator.allocation import terminate
from nvcfplan.emulator.persistence import FileStore
from nvcfplan.emulator.rules import Fault, QuotaRule, Trouble, When, WorldFile
from nvcfplan.emulator.serving import Emulator, EmulatorError, Service
from tests.emulator.account import Account, rows, spec, world

ROOT = Path(__file__).parents[2]


def opened(path: Path, rules: WorldFile | None = None) -> Account:
    return Account(Emulator.open(path, rules))


def worker(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.emulator.worker", str(path), name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def names(account: Account) -> list[str]:
    return [str(one["name"]) for one in rows(account.get("/v2/nvcf/functions").json, "functions")]


def test_world_is_kept_and_wins_over_a_world_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "world.db"
    first = opened(path, world(batch_size=1))
    target = first.create(secrets=[{"name": "A", "value": "canary"}], tags=["t"])
    first.deploy(target, spec(9, 9), spec(0, 1, regions=["us-west-2"]))
    first.call("POST", "/emulator/cordon", {"cluster": "lab-1"})
    first.emulator.advance(300)
    first.call("POST", "/emulator/queue", {"version": target.version, "depth": 4})
    first.emulator.add_fault(Fault(kind=Trouble.ANSWER, route="deploy", nth=9))
    kept = (first.emulator.snapshot(), first.emulator.events(), first.emulator.ledger())
    first.emulator.close()
    second = opened(path, replace(world(), nca_id="nca-other"))
    assert second.emulator.nca_id == "nca-demo-0001"
    assert second.emulator.worldfile == world(batch_size=1)
    again = (second.emulator.snapshot(), second.emulator.events(), second.emulator.ledger())
    assert again == kept
    second.emulator.close()
    assert b"canary" not in path.read_bytes()


def test_life_goes_on_in_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    first = opened(path, world())
    target = first.create()
    first.deploy(target, spec(9, 9))
    first.emulator.close()
    second = opened(path)
    second.emulator.advance(3600)
    assert second.status(target) == "ERROR"
    assert [one.outcome for one in second.emulator.ledger()] == [Service.EXPIRED]
    second.emulator.close()


def test_instance_that_was_booting_runs_in_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    first = opened(path, world())
    target = first.create()
    first.deploy(target, spec(1, 1))
    first.emulator.close()
    second = opened(path)
    for _ in range(20):
        second.emulator.advance(10)
    assert second.status(target) == "ACTIVE"
    second.emulator.close()


def test_everything_can_be_found_again_in_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    quotas = (QuotaRule(gpu="H100", names=("lab",), limit=8),)
    first = opened(path, world(quotas=quotas))
    target = first.deployed(spec(1, 4))
    first.emulator.close()
    second = opened(path)
    assert second.patch(target, "LAB.H100_1x", minInstances=2).status == 200
    assert second.post(second.create(), spec(1, 5)).status == 400
    assert second.post(second.create(), spec(1, 4)).status == 200
    second.emulator.advance(600)
    assert len(second.instances(target)) == 2
    second.emulator.close()


def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    opened(tmp_path / "world.db").emulator.close()
    assert (tmp_path / "world.db").stat().st_mode & 0o777 == 0o600


def test_two_emulators_at_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    one, two = opened(path, world()), opened(path)
    target = one.create()
    two.deploy(target, spec())
    one.emulator.advance(600)
    assert two.status(target) == "ACTIVE"
    assert two.emulator.clock.monotonic() == 600
    assert one.kinds() == two.kinds()
    assert len(one.emulator.ledger()) == 1
    two.emulator.reset()
    assert names(one) == []
    assert one.emulator.events() == ()
    for account in (one, two):
        account.emulator.close()


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(20):
        path, start = tmp_path / f"{number}.db", Barrier(4)

        def opens(path: Path = path, start: Barrier = start) -> None:
            start.wait()
            opened(path, world()).emulator.close()

        with ThreadPoolExecutor(4) as pool:
            for one in [pool.submit(opens) for _ in range(4)]:
                one.result()


def test_two_processes_may_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    workers = [worker(path, name, 16) for name in ("a", "b", "c")]
    told = [line for one in workers for line in one.communicate()[0].split()]
    assert [one.returncode for one in workers] == [0, 0, 0]
    account = opened(path)
    listed = rows(account.get("/v2/nvcf/functions").json, "functions")
    assert sorted(names(account)) == sorted(f"{one}-{i}" for one in "abc" for i in range(16))
    assert sorted(told) == sorted(str(one["versionId"]) for one in listed)
    account.emulator.close()


@pytest.mark.parametrize("after", [0, 1, 7, 23])
def test_killed_process_leaves_every_answered_request_and_at_most_one_more(
    tmp_path: Path, after: int
) -> None:
    path = tmp_path / "world.db"
    opened(path, replace(world(), function_limit=10_000)).emulator.close()
    process = worker(path, "a", 5000)
    assert process.stdout is not None
    answered = [process.stdout.readline().strip() for _ in range(after)]
    process.kill()
    answered += process.communicate()[0].split()
    assert process.returncode == -signal.SIGKILL
    account = opened(path)
    listed = rows(account.get("/v2/nvcf/functions").json, "functions")
    stored = [str(one["versionId"]) for one in listed]
    assert stored[: len(answered)] == answered
    assert len(stored) <= len(answered) + 1
    assert account.kinds() == ["created"] * len(stored)
    account.create("afterwards")
    account.emulator.close()


def cramped() -> None:
    """A disk on which files cannot grow: what a full one does, for one process."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


def test_disk_without_room_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    opened(path, replace(world(), function_limit=10_000)).emulator.close()
    command = [sys.executable, "-m", "tests.emulator.worker", str(path), "a", "5000"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, preexec_fn=cramped, check=False
    )
    answered = done.stdout.split()
    assert done.returncode == 1
    assert answered
    assert f"the emulator's world {path} cannot be used" in done.stderr
    account = opened(path)
    listed = rows(account.get("/v2/nvcf/functions").json, "functions")
    assert [str(one["versionId"]) for one in listed] == answered
    account.create("afterwards")
    account.emulator.close()


def test_process_killed_among_others_takes_nothing_of_theirs_with_it(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    opened(path, replace(world(), function_limit=10_000)).emulator.close()
    doomed, first, second = (worker(path, name, 5000) for name in ("x", "a", "b"))
    told: list[str] = []
    for one in (doomed, first, second):
        assert one.stdout is not None
        told += [one.stdout.readline().strip() for _ in range(20)]
    doomed.kill()
    for one in (first, second):
        assert one.stdout is not None
        told += [one.stdout.readline().strip() for _ in range(20)]
        one.kill()
    told += [line for one in (doomed, first, second) for line in one.communicate()[0].split()]
    account = opened(path)
    listed = rows(account.get("/v2/nvcf/functions").json, "functions")
    stored = {str(one["versionId"]) for one in listed}
    assert set(told) <= stored
    assert len(stored) <= len(told) + 3
    account.emulator.close()


@pytest.mark.parametrize(("when", "made"), [(When.BEFORE, ["a-0"]), (When.AFTER, ["a-0", "a-1"])])
def test_kill_fault_ends_the_process_once(tmp_path: Path, when: When, made: list[str]) -> None:
    path = tmp_path / "world.db"
    fault = Fault(kind=Trouble.KILL, route="create-function", nth=2, when=when)
    opened(path, world(faults=(fault,))).emulator.close()
    process = worker(path, "a", 3)
    told = process.communicate()[0].split()
    assert (process.returncode, len(told)) == (-signal.SIGKILL, 1)
    account = opened(path)
    assert names(account) == made
    account.create("b")
    account.emulator.close()


def test_file_that_is_no_world_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not a database, and longer than a header of one would be" * 40)
    foreign = tmp_path / "foreign"
    database = sqlite3.connect(foreign)
    database.execute("CREATE TABLE theirs (x)")
    database.close()
    for path in (text, foreign):
        before = path.read_bytes()
        with pytest.raises(EmulatorError, match="is not a world of this emulator") as caught:
            Emulator.open(path, None)
        assert "name another path" in caught.value.remedy
        if path is text:
            assert path.read_bytes() == before


def damaged(path: Path, statement: str) -> None:
    opened(path).emulator.close()
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE world SET format = 99",
        "UPDATE pages SET content = '\"5\"' WHERE kind = 'counter'",
        "UPDATE pages SET content = 'not json' WHERE kind = 'scripts'",
        "UPDATE pages SET kind = 'odd' WHERE kind = 'counter'",
        "UPDATE world SET rules = '{\"clusters\": [{}]}'",
        "INSERT INTO pages (kind, id, revision, content) VALUES ('versions', 'a', 0, '{}')",
        "DELETE FROM world",
    ],
)
def test_damaged_world_is_refused(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "world.db"
    damaged(path, statement)
    with pytest.raises(EmulatorError, match="is not a world of this emulator"):
        Emulator.open(path, None)


def test_world_of_an_older_format_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    damaged(path, "UPDATE world SET format = 1")
    with pytest.raises(EmulatorError, match="is not a world of this emulator") as caught:
        Emulator.open(path, None)
    assert caught.value.detail == "it is written in format 1, this version reads 2"
    assert "remove this one" in caught.value.remedy


def pages(path: Path) -> dict[str, int]:
    """The revision of each page, by its kind and id."""
    database = sqlite3.connect(path)
    found = database.execute("SELECT kind || ' ' || id, revision FROM pages").fetchall()
    database.close()
    return dict(found)


def test_turn_writes_only_what_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    account = opened(path, world(function_limit=100))
    targets = [account.create(f"f-{index}") for index in range(40)]
    for one in targets[:20]:
        account.deploy(one, spec(0, 1))
    account.emulator.advance(600)
    before = pages(path)
    account.deploy(targets[30], spec(0, 1))
    after = pages(path)
    changed = {name for name, revision in after.items() if before.get(name) != revision}
    assert {one for one in changed if one.startswith("versions")} == {
        f"versions {targets[30].version}"
    }
    for path_ in ("/v2/nvcf/functions", targets[0].deployment, targets[0].path):
        account.get(path_)
    assert pages(path) == after
    account.emulator.close()


def test_row_that_is_gone_is_gone_for_the_other_process_too(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    one, two = opened(path, world()), opened(path)
    first, second = one.create("a"), one.create("b")
    assert names(two) == ["a", "b"]
    one.call("DELETE", first.path)
    assert names(two) == ["b"]
    two.call("DELETE", second.path)
    third = two.create("c")
    assert names(one) == ["c"]
    assert one.post(third, spec()).status == 200
    for account in (one, two):
        account.emulator.close()


def test_traces_of_what_is_gone_are_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    one, two = opened(path, world()), opened(path)
    lasting = one.create("lasting")
    for index in range(1100):
        one.call("DELETE", one.create(f"f-{index}").path)
    assert len(pages(path)) < 1010
    assert names(two) == ["lasting"]
    assert two.post(lasting, spec()).status == 200
    assert one.status(lasting) == "DEPLOYING"
    for account in (one, two):
        account.emulator.close()


def half_a_turn(store: FileStore, version: str) -> None:
    with store.turn() as inner:
        for one in inner.instances.of("version", version):
            terminate(inner, one)
        del inner.versions[version]
        raise ZeroDivisionError


def test_turn_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    account = opened(path, world())
    target = account.deployed(spec(2, 4))
    before = account.emulator.snapshot()
    store = FileStore(path, world())
    with pytest.raises(ZeroDivisionError):
        half_a_turn(store, target.version)
    with store.turn() as inner:
        assert inner.held("lab-1", "H100") == 2
        assert [one.id for one in inner.versions.shown()] == [target.version]
    store.close()
    assert account.emulator.snapshot() == before
    account.emulator.close()


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "world.db"):
        with pytest.raises(EmulatorError, match="cannot be opened"):
            Emulator.open(path, None)


def test_removed_or_replaced_file_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    account = opened(path, world())
    account.create("gone")
    path.unlink()
    with pytest.raises(EmulatorError, match="was removed under it"):
        account.create("lost")
    another = opened(path, world())
    with pytest.raises(EmulatorError, match="was removed under it"):
        account.get("/v2/nvcf/functions")
    assert names(another) == []
    for one in (account, another):
        one.emulator.close()
