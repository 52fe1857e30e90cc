"""Turns stand on a grid, begin a little late, and are left out rather than doubled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvcfplan.drifting import Rota, Turn

INTERVALS = st.floats(min_value=1, max_value=86_400)
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(every=INTERVALS, start=st.floats(0, 1e6), took=st.floats(0, 1e6), chance=CHANCES)
def test_the_next_turn_is_on_the_grid_not_before_now_and_hardly_late(
    every: float, start: float, took: float, chance: float
) -> None:
    rota = Rota(every=every)
    now = start + took
    turn = rota.next(rota.first(start), now, chance)

    assert turn.on_grid >= now - 1e-6
    assert turn.on_grid == pytest.approx(start + (turn.missed + 1) * every)
    assert turn.on_grid <= turn.begins <= turn.on_grid + min(every / 20, 30) + 1e-6


def test_the_first_turn_is_now() -> None:
    assert Rota(every=900).first(5.0) == Turn(on_grid=5.0, begins=5.0)


def test_a_look_that_takes_longer_than_the_interval_costs_turns_and_not_the_grid() -> None:
    rota = Rota(every=100)
    turn = rota.next(rota.first(0.0), 250.0, 0.5)
    assert (turn.on_grid, turn.begins, turn.missed) == (300.0, 302.5, 2)


@given(every=INTERVALS, chances=st.lists(CHANCES, max_size=50))
def test_lateness_does_not_add_up(every: float, chances: list[float]) -> None:
    rota = Rota(every=every)
    turn = rota.first(0.0)
    for chance in chances:
        turn = rota.next(turn, turn.begins, chance)
    assert turn.on_grid == pytest.approx(len(chances) * every)
    assert turn.missed == 0
