"""Journal framing: what is cut off at the end is dropped, what is damaged in the middle is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nvcfplan.adapters.storage.framing import Damaged, Framed, frame, unframe

RECORDS = st.lists(st.binary(max_size=60), min_size=1, max_size=6)


@given(RECORDS)
def test_what_is_framed_is_read_back(records: list[bytes]) -> None:
    content = b"".join(map(frame, records))
    assert unframe(content) == Framed(tuple(records), len(content))


@given(RECORDS, st.data())
def test_a_file_cut_anywhere_loses_only_the_record_that_was_being_written(
    records: list[bytes], data: st.DataObject
) -> None:
    framed = [frame(one) for one in records]
    cut = data.draw(st.integers(0, len(b"".join(framed))))
    whole = 0
    while whole < len(framed) and len(b"".join(framed[: whole + 1])) <= cut:
        whole += 1
    length = len(b"".join(framed[:whole]))
    assert unframe(b"".join(framed)[:cut]) == Framed(tuple(records[:whole]), length)


@given(RECORDS, st.data())
def test_a_changed_byte_is_never_read_as_something_else(
    records: list[bytes], data: st.DataObject
) -> None:
    content = bytearray(b"".join(map(frame, records)))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    found = unframe(bytes(content))
    kept = 0
    while kept < len(records) and len(b"".join(map(frame, records[: kept + 1]))) <= at:
        kept += 1
    if isinstance(found, Damaged):
        assert found.line == kept + 1
    else:
        assert found.records == tuple(records[:kept])
        assert kept == len(records) - 1


def test_a_damaged_record_is_not_taken_for_a_torn_one() -> None:
    first, second, third = (frame(b'{"n":%d}' % one) for one in range(3))
    damaged = Damaged(2, (b'{"n":0}',))
    assert unframe(first + second.replace(b'"n":1', b'"n":7') + third) == damaged
    assert unframe(first + b"rubbish in between that was never a record\n" + third) == damaged
    assert unframe(first + second.replace(b'"n":1', b'"n":7')) == damaged


def test_pages_that_were_never_filled_are_a_torn_tail() -> None:
    content = frame(b"one")
    assert unframe(content + b"\0" * 512) == Framed((b"one",), len(content))
    half = frame(b"two")[:5] + b"\0" * 100
    assert unframe(content + half) == Framed((b"one",), len(content))
