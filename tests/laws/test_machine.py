"""Laws of the machine: it dies at any moment, is resumed or undone, and always ends well."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvcfplan.applying import Call, Intent, RunOutcome, resume, start, undo
from nvcfplan.plans import CreateFunction, CreateVersion, is_waiting
from tests.applying.builders import (
    CODEC,
    RUN,
    SETTINGS,
    Case,
    after,
    created,
    reshared,
    retagged,
    rolled,
    scaled,
    spec,
    swapped,
)
from tests.applying.driver import Drive, Killed
from tests.applying.service import Fault
from tests.budget import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.applying import ApplyMachine
    from nvcfplan.plans import Step


def _tied(first: tuple[Step, ...], second: tuple[Step, ...]) -> list[tuple[Step, ...]]:
    """The second begins once the first has come to its end."""
    return [first, (after(second[0], first[-1]), *second[1:])]


CASES = {
    "create": Case(4, [created("chat", spec())]),
    "roll": Case(4, [rolled("chat", spec(), spec())], {"chat": spec()}),
    "swap": Case(2, [swapped("chat", spec(low=2), spec(low=2))], {"chat": spec(low=2)}),
    "scale": Case(8, [scaled("chat", spec(), spec(low=3))], {"chat": spec()}),
    "lend": Case(
        4,
        [scaled("lender", spec(low=4, high=4), spec(low=2, high=2))],
        {"lender": spec(low=4, high=4)},
    ),
    "many": Case(
        20,
        [
            created("a", spec()),
            rolled("b", spec(), spec(low=2)),
            retagged("c", "after"),
            reshared("d", "nca-b"),
        ],
        {"b": spec(), "c": spec(), "d": spec()},
    ),
    "tied": Case(
        20,
        _tied(created("a", spec()), rolled("b", spec(), spec())),
        {"b": spec()},
    ),
}
names = st.sampled_from(sorted(CASES))
faults = st.dictionaries(
    st.integers(1, 8), st.sampled_from([Fault.DROPPED, Fault.SWALLOWED, Fault.LATE, Fault.BUSY]),
    max_size=2,
)  # fmt: skip


def picker(seed: int) -> Callable[[int], int]:
    """Chooses by a fixed, ill-behaved sequence: one interleaving per seed."""
    state = [seed]

    def pick(count: int) -> int:
        state[0] = (state[0] * 1_103_515_245 + 12_345) % 2**31
        return (state[0] >> 16) % count

    return pick


def drive(case: Case, seed: int = 0, **marks: int | None) -> Drive:
    machine = start(case.plan, RUN, SETTINGS, CODEC)
    return Drive(machine, case.service(), pick=picker(seed), **marks)  # type: ignore[arg-type]  # only marks


def planned_picture(case: Case) -> dict[str, object]:
    """What the service shows after a run without trouble, by what is deployed of which image."""
    done = drive(case)
    assert done.run() is RunOutcome.APPLIED
    return by_name(done)


def by_name(done: Drive) -> dict[str, object]:
    """Without ids of new versions, which depend on how often something was tried."""
    return {
        str(sorted_key): sorted(map(repr, versions))
        for sorted_key, versions in _grouped(done).items()
    }


def _grouped(done: Drive) -> dict[str, list[object]]:
    grouped: dict[str, list[object]] = {}
    for shown in done.service.picture().values():
        assert isinstance(shown, tuple)
        grouped.setdefault(shown[0].name, []).append(shown)
    return grouped


def go_on(
    done: Drive,
    way: Callable[..., ApplyMachine],
    *,
    seed: int = 0,
    dies_at: int | None = None,
) -> Drive:
    machine = way(tuple(done.records), RUN, SETTINGS, CODEC)
    return Drive(machine, done.service, list(done.records), picker(seed), dies_at=dies_at)


@settings(max_examples=examples(2000))
@given(names, st.integers(1, 60), st.integers(0, 2**31 - 1), faults)
def test_a_run_that_dies_anywhere_is_resumed_to_what_was_planned(
    name: str, moment: int, seed: int, trouble: dict[int, Fault]
) -> None:
    case = CASES[name]
    done = drive(case, seed, dies_at=moment)
    done.service.faults = trouble
    try:
        done.run()
    except Killed:
        done = go_on(done, resume, seed=seed)
        done.run()

    is_taken = len(done.records) > 2
    assert done.outcome is (RunOutcome.APPLIED if is_taken else RunOutcome.FAILED)
    assert by_name(done) == (planned_picture(case) if is_taken else before(case))


@settings(max_examples=examples(2000))
@given(names, st.integers(1, 60), st.integers(0, 2**31 - 1), faults)
@example("many", 26, 28, {2: Fault.LATE})
@example("many", 40, 61, {2: Fault.SWALLOWED, 6: Fault.BUSY})
@example("lend", 8, 0, {})
def test_a_run_that_dies_anywhere_can_be_undone_instead(
    name: str, moment: int, seed: int, trouble: dict[int, Fault]
) -> None:
    case = CASES[name]
    done = drive(case, seed, dies_at=moment)
    done.service.faults = trouble
    with contextlib.suppress(Killed):
        done.run()
    done = go_on(done, undo, seed=seed)
    done.run()

    assert done.outcome in (RunOutcome.ROLLED_BACK, RunOutcome.FAILED)
    assert by_name(done) == before(case)


@settings(max_examples=examples(1000))
@given(names, st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 2**31 - 1))
@example("roll", [8, 6, 8, 8], 0)
def test_dying_again_and_again_changes_nothing(name: str, moments: list[int], seed: int) -> None:
    case = CASES[name]
    done = drive(case, seed, dies_at=moments[0] + 4)
    for moment in [*moments[1:], None]:
        try:
            done.run()
        except Killed:
            done = go_on(done, resume, seed=seed, dies_at=moment)
        else:
            break
    else:
        done.run()

    assert done.outcome is RunOutcome.APPLIED
    assert by_name(done) == planned_picture(case)


@settings(max_examples=examples(500))
@given(names, st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**31 - 1))
def test_an_undo_that_dies_anywhere_is_gone_on_with(
    name: str, moment: int, later: int, seed: int
) -> None:
    case = CASES[name]
    done = drive(case, seed, dies_at=moment)
    with contextlib.suppress(Killed):
        done.run()
    done = go_on(done, undo, seed=seed, dies_at=later)
    try:
        done.run()
    except Killed:
        done = go_on(done, undo, seed=seed)
        done.run()

    assert by_name(done) == before(case)


@settings(max_examples=examples(500))
@given(names, st.integers(2, 40), st.integers(0, 2**31 - 1))
def test_an_interrupted_run_starts_nothing_new_and_is_resumed(
    name: str, written: int, seed: int
) -> None:
    case = CASES[name]
    done = drive(case, seed, interrupt_at=written)
    done.run()
    intents = [record for record in done.records[written + 1 :] if isinstance(record, Intent)]
    if done.outcome is RunOutcome.INTERRUPTED:
        # One that was being written when the word came may still be; it is not sent.
        assert len(intents) <= SETTINGS.parallelism
        sent = {call.operation for call in done.calls}
        assert not any(intent.operation in sent for intent in intents)
        done = go_on(done, resume, seed=seed)
        done.run()

    assert done.outcome is RunOutcome.APPLIED
    assert by_name(done) == planned_picture(case)


@settings(max_examples=examples(500))
@given(names, st.integers(0, 2**31 - 1), faults)
def test_the_same_results_ask_for_the_same_effects(
    name: str, seed: int, trouble: dict[int, Fault]
) -> None:
    case = CASES[name]
    runs = []
    for _ in range(2):
        done = drive(case, seed)
        done.service.faults = dict(trouble)
        done.run()
        runs.append(done)

    assert repr(runs[0].effects) == repr(runs[1].effects)
    assert repr(runs[0].events) == repr(runs[1].events)


@settings(max_examples=examples(500))
@given(names, st.integers(0, 2**31 - 1), faults)
def test_no_call_leaves_before_its_intent_is_durable(
    name: str, seed: int, trouble: dict[int, Fault]
) -> None:
    done = drive(CASES[name], seed)
    done.service.faults = trouble
    intents: list[str] = []

    def check(call: Call, _service: object) -> None:
        intents.extend(record.operation for record in done.records if isinstance(record, Intent))
        assert call.operation in intents
        assert not is_waiting(call.task)

    done.before_call = check
    done.run()
    creating = [
        call.operation
        for call in done.calls
        if isinstance(call.task, CreateFunction | CreateVersion)
    ]
    assert len(creating) == len(set(creating))


def before(case: Case) -> dict[str, object]:
    done = drive(case)
    return by_name(done)


def test_each_moment_of_a_delete_first_replacement_can_be_died_at() -> None:
    """Without chance: every boundary of the longest case, one after the other."""
    case = CASES["swap"]
    whole = drive(case)
    whole.run()
    for moment in range(1, whole.moments + 1):
        done = drive(case, dies_at=moment)
        with pytest.raises(Killed):
            done.run()
        done = go_on(done, resume)
        outcome = done.run()
        expected = RunOutcome.APPLIED if len(done.records) > 2 else RunOutcome.FAILED
        assert outcome is expected, moment
        assert by_name(done) == (planned_picture(case) if moment > 3 else before(case)), moment
        assert done.service.forced == []
