"""What a look remembers of those before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nvcfplan.diagnostics import Severity
from nvcfplan.documents import decode_memory, encode_memory
from nvcfplan.drifting import FindingClass, recollect
from nvcfplan.model import Correspondence, Durations, Memory, Readable, StepKind, Told
from tests.drifting.findings import acknowledged, at, drift, finding

TAGS = finding("tags")
POOL = finding("pool", kind=FindingClass.CAPACITY)


def test_a_finding_is_new_once_and_stands_since_then() -> None:
    first = recollect(Memory(), drift(TAGS), at(0))
    second = recollect(first.memory, drift(TAGS), at(90))
    assert [one.is_new for one in (*first.standing, *second.standing)] == [True, False]
    assert second.standing[0].first_seen == at(0)
    assert second.standing[0].stood == timedelta(minutes=90)
    assert (first.previous, second.previous) == (None, at(0))


def test_what_has_cleared_is_said_once_and_forgotten_where_nobody_was_told() -> None:
    first = recollect(Memory(), drift(TAGS), at(0))
    second = recollect(first.memory, drift(), at(5))
    third = recollect(second.memory, drift(), at(10))
    assert [one.subject for one in second.cleared] == ["tags"]
    assert (second.memory.findings, third.cleared) == ((), ())


def test_what_has_cleared_is_kept_while_a_channel_waits_to_be_told_but_not_forever() -> None:
    first = recollect(Memory(), drift(TAGS), at(0)).memory
    told = Correspondence(channel="hook", told=(Told(TAGS.fingerprint, at(0)),), last_told=at(0))
    cleared = recollect(replace(first, correspondence=(told,)), drift(), at(5)).memory
    assert [one.cleared for one in cleared.findings] == [at(5)]
    much_later = at(5) + timedelta(days=91)
    assert recollect(cleared, drift(), much_later).memory.findings == ()


def test_cleared_and_back_is_new_again() -> None:
    told = Correspondence(channel="hook", told=(Told(TAGS.fingerprint, at(0)),), last_told=at(0))
    memory = replace(recollect(Memory(), drift(TAGS), at(0)).memory, correspondence=(told,))
    memory = recollect(memory, drift(), at(5)).memory
    back = recollect(memory, drift(TAGS), at(10))
    assert [(one.is_new, one.first_seen) for one in back.standing] == [(True, at(10))]


@pytest.mark.parametrize(
    ("kind", "unread", "is_unseen"),
    [
        (FindingClass.CAPACITY, Readable.CAPACITY, True),
        (FindingClass.CAPACITY, Readable.INVENTORY, True),
        (FindingClass.CAPACITY, Readable.QUOTA, False),
        (FindingClass.QUOTA, Readable.QUOTA, True),
        (FindingClass.INVENTORY, Readable.INVENTORY, True),
        (FindingClass.CONFIGURATION, Readable.INVENTORY, False),
    ],
)
def test_what_could_not_be_read_clears_nothing_that_rests_on_it(
    kind: FindingClass, unread: Readable, is_unseen: bool
) -> None:
    one = finding("it", kind=kind)
    first = recollect(Memory(), drift(one), at(0))
    blind = recollect(first.memory, drift(unread=[unread]), at(5))
    assert (len(blind.unseen), len(blind.cleared)) == ((1, 0) if is_unseen else (0, 1))
    if is_unseen:
        again = recollect(blind.memory, drift(one), at(10))
        assert [(one.is_new, one.first_seen) for one in again.standing] == [(False, at(0))]
        assert recollect(blind.memory, drift(), at(10)).cleared


def test_what_was_found_without_a_reading_can_clear_without_it() -> None:
    first = recollect(Memory(), drift(POOL, unread=[Readable.CAPACITY]), at(0))
    assert recollect(first.memory, drift(unread=[Readable.CAPACITY]), at(5)).cleared


def test_a_note_is_not_remembered_and_a_finding_that_becomes_one_has_cleared() -> None:
    note = replace(TAGS, severity=Severity.NOTE)
    assert recollect(Memory(), drift(note), at(0)).memory.findings == ()
    first = recollect(Memory(), drift(TAGS), at(0))
    assert recollect(first.memory, drift(note), at(5)).cleared


def test_an_acknowledgement_holds_until_its_date() -> None:
    memory = recollect(Memory(), drift(TAGS), at(0)).memory
    memory = replace(memory, acknowledgements=(acknowledged(TAGS, minutes=1, until=60),))
    (before,) = recollect(memory, drift(TAGS), at(59)).standing
    after = recollect(memory, drift(TAGS), at(60))
    assert (before.counts, after.standing[0].counts) == (False, True)
    assert after.memory.acknowledgements == ()
    assert after.memory.findings[0].counts_since == at(60)
    assert after.standing[0].first_seen == at(0)


@pytest.mark.parametrize(("until", "counts"), [(None, True), (60, False)])
def test_an_acknowledgement_without_a_date_ends_when_the_finding_clears(
    until: float | None, counts: bool
) -> None:
    memory = recollect(Memory(), drift(TAGS), at(0)).memory
    memory = replace(memory, acknowledgements=(acknowledged(TAGS, minutes=1, until=until),))
    memory = recollect(memory, drift(), at(5)).memory
    (back,) = recollect(memory, drift(TAGS), at(10)).standing
    assert back.counts is counts


def test_what_runs_have_taught_stays() -> None:
    kind = StepKind(task="await-active", gpu="H100", instance_type="x")
    taught = Memory(durations=(Durations(kind=kind, seconds=(5,)),))
    assert recollect(taught, drift(TAGS), at(0)).memory.durations == taught.durations


def test_a_memory_is_written_and_read_and_an_old_one_is_read() -> None:
    memory = recollect(Memory(), drift(TAGS, POOL), at(0)).memory
    memory = replace(memory, acknowledgements=(acknowledged(TAGS, minutes=1, until=60),))
    assert decode_memory(encode_memory(memory)) == memory
    assert decode_memory(b'{"memory":{"durations":[]},"schema_version":1}') == Memory()
