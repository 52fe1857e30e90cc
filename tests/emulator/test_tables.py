"""Tables and the outlook against looking at every row; whatever is done, they must agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.emulator.quota import promise, used
from nvcfplan.emulator.reconcile import deadline
from nvcfplan.emulator.rules import QuotaRule
from nvcfplan.emulator.serving import Emulator
from nvcfplan.emulator.settling import settle
from nvcfplan.emulator.tables import Table
from nvcfplan.emulator.world import Phase, World
from tests.budget import examples
from tests.emulator.account import Account, cluster, spec, world

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import WorldFile


@dataclass(slots=True)
class Card:
    id: str
    suit: str
    value: int


IDS = st.sampled_from("abcdef")
ACTS = st.lists(
    st.tuples(st.sampled_from(["put", "drop"]), IDS, st.sampled_from("xyz"), st.integers(1, 9)),
    max_size=30,
)


@given(acts=ACTS)
@settings(max_examples=examples(300))
def test_table_agrees_with_a_plain_dictionary(acts: list[tuple[str, str, str, int]]) -> None:
    table: Table[Card] = Table(by=("suit",), counting=lambda one: (one.suit, one.value))
    plain: dict[str, Card] = {}
    for act, id_, suit, value in acts:
        if act == "put":
            card = Card(id_, plain[id_].suit if id_ in plain else suit, value)
            table.add(card)
            plain[id_] = card
        elif id_ in plain:
            del table[id_]
            del plain[id_]
    assert list(table.shown()) == list(plain.values())
    assert dict(table) == plain
    for suit in "xyz":
        of_suit = [one for one in plain.values() if one.suit == suit]
        assert (
            [one.value for one in table.shown_of("suit", suit)]
            == [one.value for one in of_suit]
            == [one.value for one in table.of("suit", suit)]
        )
        assert table.total(suit) == sum(one.value for one in of_suit)
    assert table.in_order(reversed(plain)) == list(plain.values())


def test_only_rows_that_were_handed_out_count_as_taken() -> None:
    table: Table[Card] = Table(by=("suit",))
    for id_, suit in (("a", "x"), ("b", "x"), ("c", "y")):
        table.add(Card(id_, suit, 1))
    table.taken.clear()
    list(table.shown())
    table.look("a")
    list(table.shown_of("suit", "x"))
    assert "a" in table
    assert list(table.taken) == []
    assert table["c"].value == 1
    assert [one.id for one in table.of("suit", "x")] == ["a", "b"]
    assert list(table.taken) == ["c", "a", "b"]


def test_absent_row_is_not_taken() -> None:
    table: Table[Card] = Table()
    assert table.get("a") is None
    with pytest.raises(KeyError):
        table["a"]
    with pytest.raises(KeyError):
        del table["a"]
    assert list(table.taken) == []


def small_world() -> WorldFile:
    quotas = (QuotaRule(gpu="H100", names=("lab",), limit=12),)
    rooms = (cluster("lab-1", 6), cluster("lab-2", 4))
    return world(*rooms, quotas=quotas, batch_size=2, queue_timeout=900.0)


def check(inner: World) -> None:
    """Everything kept on the side, against the rows themselves."""
    settle(inner)
    instances = list(inner.instances.shown())
    moving = [one.until for one in instances if one.phase is not Phase.RUNNING]
    assert inner.outlook.next_move() == min(moving, default=math.inf)
    versions = list(inner.versions.shown())
    deadlines = [at for one in versions if (at := deadline(one)) is not None]
    assert inner.outlook.next_deadline() == min(deadlines, default=math.inf)
    deployed = {one.deployment.id: one.id for one in versions if one.deployment is not None}
    assert inner.outlook.deployments == deployed
    (rule,) = inner.rules.quotas
    assert used(inner, rule) == sum(promise(inner.rules, one)[0] for one in versions)
    for name in ("lab-1", "lab-2"):
        held = sum(one.gpus for one in instances if one.cluster == name)
        assert inner.held(name, "H100") == held


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "deploy", "patch", "undeploy", "drain", "delete", "wait"]),
        st.integers(0, 3),
        st.integers(0, 4),
    ),
    max_size=25,
)


class Life:
    """Acts on the nth of the functions there are."""

    def __init__(self, account: Account | None = None) -> None:
        self.account = account or Account(Emulator.open(None, small_world()))
        self.targets = [self.account.create(f"f-{index}") for index in range(2)]

    def act(self, word: str, which: int, count: int) -> None:
        account = self.account
        if word == "wait":
            account.emulator.advance(150.0 * (count + 1))
            return
        if word == "create" or not self.targets:
            self.targets.append(account.create("more"))
            return
        target = self.targets[which % len(self.targets)]
        if word == "deploy":
            account.post(target, spec(count, count + 1, instance_type="LAB.H100_2x"))
        elif word == "patch" and account.get(target.deployment).status == 200:
            account.patch(target, "LAB.H100_2x", minInstances=count, maxInstances=count + 2)
        elif word == "drain":
            account.call("POST", "/emulator/queue", {"version": target.version, "depth": count})
            account.call("DELETE", f"{target.deployment}?graceful=true")
        elif word == "undeploy":
            account.call("DELETE", target.deployment)
        elif word == "delete":
            account.call("DELETE", target.path)
            self.targets.remove(target)


@given(steps=STEPS)
@settings(max_examples=examples(300), deadline=None)
def test_outlook_agrees_with_the_rows_whatever_happens(
    steps: list[tuple[str, int, int]],
) -> None:
    life = Life()
    for step in steps:
        life.act(*step)
        with life.account.emulator._store.turn() as inner:
            check(inner)


def looked_at_by_everyone(account: Account, seconds: float) -> None:
    """Time passes, and every tick looks at every version."""
    until = account.emulator.clock.monotonic() + seconds
    while account.emulator.clock.monotonic() < until:
        with account.emulator._store.turn() as inner:
            inner.outlook.restless.update(dict.fromkeys(inner.versions))
        account.emulator.advance(min(30.0, until - account.emulator.clock.monotonic()))


@given(steps=STEPS)
@settings(max_examples=examples(300), deadline=None)
def test_tick_misses_nothing_by_looking_only_where_something_may_move(
    steps: list[tuple[str, int, int]],
) -> None:
    life, other = Life(), Life()
    for word, which, count in steps:
        life.act(word, which, count)
        if word == "wait":
            looked_at_by_everyone(other.account, 150.0 * (count + 1))
        else:
            other.act(word, which, count)
        assert life.account.emulator.snapshot() == other.account.emulator.snapshot()
    assert life.account.emulator.events() == other.account.emulator.events()


@given(steps=STEPS)
@settings(max_examples=examples(200), deadline=None)
def test_two_processes_in_turns_make_of_a_world_what_one_makes(
    steps: list[tuple[str, int, int]],
) -> None:
    """Each reads what the other has written, and only that."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "world.db"
        both = [Account(Emulator.open(path, small_world())) for _ in range(2)]
        alone, shared = Life(), Life(both[0])
        for index, step in enumerate(steps):
            alone.act(*step)
            shared.account = both[index % 2]
            shared.act(*step)
        expected = alone.account.emulator.snapshot()
        for one in both:
            assert one.emulator.snapshot() == expected
            assert one.emulator.events() == alone.account.emulator.events()
            one.emulator.close()
