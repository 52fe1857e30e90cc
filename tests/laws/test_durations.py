"""Durations keep their length in the API's form, whatever their size."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvcfplan.model import iso_duration, parse_duration

LENGTHS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=200_000))


@given(LENGTHS)
def test_what_is_written_is_read_as_it_was(length: timedelta) -> None:
    found = parse_duration(iso_duration(length))
    assert found is not None
    assert abs(found - length) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(seconds=90), "PT1M30S"),
        (timedelta(hours=2), "PT2H"),
        (timedelta(milliseconds=500), "PT0.5S"),
        (timedelta(days=100_000), "PT2400000H"),
        (timedelta(seconds=60, microseconds=1), "PT1M0.000001S"),
    ],
)
def test_the_form_is_the_one_the_service_prints(length: timedelta, written: str) -> None:
    assert iso_duration(length) == written


@pytest.mark.parametrize("text", ["PT99999999999999999999H", "99999999999999999999h"])
def test_longer_than_any_age_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None
