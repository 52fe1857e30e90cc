"""No capacity at each step of a long plan that takes GPUs, over HTTP: back, blocked, or on.

The emulator is served by a process of its own, whose clock runs fast enough that nobody waits.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.ledger import Service
from nvcfplan.emulator.rules import Trouble
from nvcfplan.emulator.serving import Fault
from tests.scenarios import fleet
from tests.scenarios.conftest import Said, Workshop, as_before
from tests.scenarios.hands import reorganise
from tests.scenarios.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

IS_TORTURE = bool(os.environ.get("NVCFPLAN_TORTURE"))
SLEEPERS = tuple(f"sleeper-{number:02}" for number in range(25))
SPEED, SLOWER = 2000, 1500
"""Of the clock: a busy machine that stops for half a second must not miss a deadline by it."""
Account = list[dict[str, object]]


def _some(*keys: str, of: tuple[str, ...] = fleet.TAKING) -> tuple[str, ...]:
    """All of them under torture."""
    return of if IS_TORTURE else keys


class Lab(Workshop):
    """A workshop whose commands speak to a served emulator; cases begin alike, from `start`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.emulator_file = directory / "world.db"
        self.before: Account = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def say(self, command: str, *words: str) -> Said:
        address = f"--emulator=http://127.0.0.1:{self.port}"
        return self.type(command, *words, address, "stack.yaml")

    def roll(self, *words: str) -> Said:
        return self.say("apply", "-auto-approve", *words)

    def sleep(self, *keys: str) -> None:
        """Somebody undeploys these."""
        for one in self.account():
            if one["name"] in keys:
                path = f"deployments/functions/{one['id']}/versions/{one['versionId']}"
                self.ask(path, method="DELETE")
        self.emulator().advance(3600)

    def keep(self) -> None:
        self.before = self.account()
        shutil.copytree(self.directory, self.directory.with_suffix(".start"))

    def begin(self) -> None:
        """Everything is as it was kept."""
        shutil.rmtree(self.directory)
        shutil.copytree(self.directory.with_suffix(".start"), self.directory)
        os.chdir(self.directory)

    def served(self, *words: str, speed: float = SPEED) -> AbstractContextManager[str]:
        return serving(self, *words, str(self.emulator_file), speed=speed, port=self.port)


@contextmanager
def _begun(path: Path, before: str, *sleeping: str) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        path.mkdir()
        patch.chdir(path)
        lab = Lab(path)
        lab.write("world.yaml", fleet.WORLD)
        lab.write("stack.yaml", before)
        with lab.served("-world=world.yaml"):
            assert lab.roll().code == 0
        lab.sleep(*sleeping)
        lab.keep()
        yield lab


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    path = tmp_path_factory.mktemp("fleet") / "lab"
    with _begun(path, fleet.before(), "idler") as lab:
        yield lab


@pytest.fixture
def lab(started: Lab) -> Iterator[Lab]:
    """Before the change of the whole fleet."""
    started.begin()
    started.write("stack.yaml", fleet.after())
    with started.served():
        yield started


@pytest.fixture(scope="module")
def asleep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    path = tmp_path_factory.mktemp("sleepers") / "lab"
    with _begun(path, fleet.sleepers(len(SLEEPERS)), *SLEEPERS) as lab:
        yield lab


def _steps(said: Said) -> list[dict[str, object]]:
    plan = said.document["plan"]
    assert isinstance(plan, dict)
    found: list[dict[str, object]] = plan["steps"]
    return found


def _refuse(lab: Lab, key: str) -> None:
    """Each time the step asks; the old version of the function is let in."""
    kind = fleet.OLD if key in ("idler", *SLEEPERS) else fleet.NEW
    lab.emulator().add_fault(
        Fault(
            kind=Trouble.CAPACITY_SYNC,
            route="deploy",
            function=key,
            every=True,
            instance_type=kind,
        )
    )


def _starve(lab: Lab, key: str, *, is_silent: bool = False) -> None:
    """Taken, and nothing comes of it."""
    lab.emulator().add_fault(
        Fault(kind=Trouble.CAPACITY_ASYNC, route=_route(key), function=key, is_silent=is_silent)
    )


def _route(key: str) -> str:
    return "update-specification" if key == "grower" else "deploy"


def _is_as_before(lab: Lab) -> bool:
    return as_before(lab.account()) == as_before(lab.before)


def test_the_plan_has_fifty_steps_and_these_take_gpus(lab: Lab) -> None:
    """So that the cases below leave none out."""
    steps = _steps(lab.say("plan", "-json"))
    assert len(steps) >= 50
    taking = {
        re.sub(r".*function\.([a-z0-9-]+)@.*", r"\1", str(step["id"]))
        for step in steps
        if "'pool:" in str(step.get("acquire"))
    }
    assert taking == set(fleet.TAKING)
    kinds = {str(step["id"]).partition(":")[0] for step in steps}
    assert {"create-function", "create-version", "undeploy", "delete-version"} <= kinds


@pytest.mark.parametrize("key", _some("roll-3", of=fleet.TAKING[:-1]))
def test_refused_all_is_undone(lab: Lab, key: str) -> None:
    _refuse(lab, key)
    said = lab.roll("-on-failure=all")
    assert said.code == 3, said
    assert _is_as_before(lab)


@pytest.mark.parametrize(
    ("key", "is_silent"),
    [
        *((key, False) for key in _some("grower")),
        *((key, True) for key in _some("comer")),
    ],
)
def test_taken_and_never_served_all_is_undone(lab: Lab, key: str, is_silent: bool) -> None:
    _starve(lab, key, is_silent=is_silent)
    said = lab.roll("-on-failure=all")
    assert said.code == 3, said
    assert _is_as_before(lab)


def _grab(lab: Lab, key: str) -> str:
    """All that is free in its pool, the moment it asks. Returns the pool's cluster."""
    (place,) = (one for one, keys in fleet.POOLS.items() if key in keys)
    lab.emulator().add_fault(
        Fault(kind=Trouble.GRAB, route=_route(key), function=key, cluster=place, gpu="H100")
    )
    return place


def _lacking(lab: Lab, place: str) -> int:
    """Of H100, to begin the way back: counted from what the account and its pools show now.

    Those that are down need all of theirs; where none is, each goes back through room for one.
    """
    served = {str(one["name"]) for one in lab.before if one["status"] == "ACTIVE"}
    serving = {str(one["name"]) for one in lab.account() if one["status"] == "ACTIVE"}
    needs = [fleet.UNITS[key] for key in sorted(served - serving) if key in fleet.POOLS[place]]
    pools = lab.emulator().overview().pools
    free = next(one.free for one in pools if one.cluster == place)
    return (sum(needs) or 1) - free


@pytest.mark.parametrize("key", _some("swap-0", "roll-2"))
def test_with_the_room_grabbed_too_the_missing_gpus_are_named_and_enough(
    lab: Lab, key: str
) -> None:
    place = _grab(lab, key)
    said = lab.roll("-on-failure=all", "-json")
    if key in ("comer", "idler", "grower", "roll-0"):  # goes back through GPUs of the plan's own
        assert said.code == 3, said
        assert _is_as_before(lab)
        return
    assert said.code == 4, said
    blocked = said.document["blocked"]
    assert isinstance(blocked, dict)
    (shortage,) = blocked["missing"]
    missing = _lacking(lab, place)
    assert (shortage["resource"], shortage["missing"]) == (f"pool:{place}/H100", missing)
    assert blocked["step"] in blocked["remaining"]
    assert lab.roll().err.count("nvcfplan resume") == 1
    lab.emulator().give_back(place, "H100", missing - 1 or missing)
    if missing > 1:
        assert lab.say("resume").code == 4
        lab.emulator().give_back(place, "H100", 1)
    verb, code = ("resume", 3) if fleet.TAKING.index(key) % 2 else ("rollback", 0)
    back = lab.say(verb)
    assert back.code == code, back
    assert _is_as_before(lab)


def _is_as_wanted(lab: Lab) -> bool:
    """Nothing is left to do, and what the plan let go of is gone."""
    names = {str(one["name"]) for one in lab.account()}
    return lab.say("plan", "-detailed-exitcode").code == 0 and "leaver" not in names


@pytest.mark.parametrize("key", _some("mover"))
def test_a_fallback_carries_the_plan_through(lab: Lab, key: str) -> None:
    other = fleet.NEW if key == "idler" else fleet.OLD
    rung = f"fallback: {{ main: {{ clusters: [spare], instanceType: {other} }} }}"
    lab.write("stack.yaml", fleet.after({key: rung}))
    if key == "grower":
        _starve(lab, key)
    else:
        _refuse(lab, key)
    said = lab.roll()
    assert said.code == 0, said
    assert f"function.{key} is satisfied by fallback 1 of 1" in said.out
    assert _is_as_wanted(lab)


@pytest.mark.parametrize("key", _some("swap-1"))
def test_room_that_comes_while_a_rung_waits_carries_the_plan_through(lab: Lab, key: str) -> None:
    lab.write("stack.yaml", fleet.after({key: "wait: 1h"}))
    _starve(lab, key)
    said = lab.roll()
    assert said.code == 0, said
    assert "satisfied by" not in said.out
    assert _is_as_wanted(lab)


def test_gpus_that_are_free_later_than_ever_are_waited_for_at_every_step(started: Lab) -> None:
    """A quarter of an hour: the wait for their release is over by then, and they are refused."""
    started.begin()
    started.write("stack.yaml", fleet.after())
    reorganise(started, lambda world: replace(world, release_lag=900.0))
    with started.served(speed=SLOWER):
        known = len(started.ledger())
        said = started.roll()
        assert said.code == 0, said
        assert Service.REFUSED in {one.outcome for one in started.ledger()[known:]}
        assert _is_as_wanted(started)


@pytest.mark.parametrize("key", _some("sleeper-00", of=SLEEPERS))
def test_the_first_mutation_refused_has_changed_nothing(asleep: Lab, key: str) -> None:
    """One at a time: twenty-five deployments, and as many waits."""
    asleep.begin()
    with asleep.served():
        _refuse(asleep, key)
        said = asleep.roll("-on-failure=all", "-parallelism=1")
        assert said.code == (7 if key == SLEEPERS[0] else 3), said
        assert _is_as_before(asleep)
