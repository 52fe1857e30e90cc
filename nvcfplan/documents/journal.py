"""Journal records: one JSON object each, framed by whoever stores them."""

from __future__ import annotations

from typing import Final, cast

from nvcfplan.applying import Mark, Record, Stamp, Stamped
from nvcfplan.documents.reading import Unreadable, canonical_bytes, parse_object
from nvcfplan.documents.records import choice_of, record_of
from nvcfplan.documents.shapes import ShapeError
from nvcfplan.errors import JournalCorrupt

VERSION: Final = 1
_REMEDY: Final = "look at the account with `nvcfplan plan`; the journal's file is kept as it is"


def encode_record(record: Record, stamp: Stamp | None = None) -> bytes:
    """Ends in a newline, has no other. No secret value can be in it."""
    encoded = choice_of(Record).encode(record)
    assert isinstance(encoded, dict)
    envelope: dict[str, object] = {"version": VERSION, "skippable": isinstance(record, Mark)}
    if stamp is not None:
        envelope["stamp"] = record_of(Stamp).encode(stamp)
    return canonical_bytes(encoded | envelope)


def decode_record(data: bytes) -> Record | None:
    """As `decode_stamped`, for whom who and when do not matter."""
    found = decode_stamped(data)
    return None if found is None else found.record


def decode_stamped(data: bytes) -> Stamped | None:
    """None: of a kind this version does not know, whose writer said that it may be left out.

    Raises: JournalCorrupt.
    """
    try:
        document = parse_object(data)
    except Unreadable as error:
        raise _corrupt(str(error)) from error
    version, is_skippable = document.pop("version", None), document.pop("skippable", None)
    stamp = document.pop("stamp", None)
    kind, choice = document.get("type"), choice_of(Record)
    is_known = version == VERSION and type(version) is int and kind in choice.records
    if not is_known and is_skippable is True:
        return None
    if not is_known:
        raise JournalCorrupt(
            "the journal has a record that this version of nvcfplan does not know",
            detail=f"version {version!r:.40}, kind {kind!r:.40}",
            remedy="go on with the version of nvcfplan that began the run, or a newer one",
        )
    try:
        record = cast("Record", choice.decode(document))
        stamped = None if stamp is None else cast("Stamp", record_of(Stamp).decode(stamp))
    except ShapeError as error:
        raise _corrupt(f"at `{error.path}`: expected {error.expected}") from error
    return Stamped(record=record, stamp=stamped)


def _corrupt(why: str) -> JournalCorrupt:
    return JournalCorrupt("a journal record cannot be read", detail=why, remedy=_REMEDY)
