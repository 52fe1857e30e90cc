"""The state document: what is remembered between runs, with who wrote it and after what."""

from __future__ import annotations

import hashlib
from typing import Final

from nvcfplan import __version__
from nvcfplan.documents.reading import Unreadable, canonical_bytes, parse_object
from nvcfplan.documents.records import record_of
from nvcfplan.documents.shapes import ShapeError
from nvcfplan.errors import StateCorrupt
from nvcfplan.model import State

SCHEMA_VERSION: Final = 1
_FIELDS: Final = frozenset({"schema_version", "writer_version", "previous", "state", "digest"})
_REBUILD: Final = "put back an earlier copy, or move the file away and run `nvcfplan adopt`"


def encode_state(state: State, *, previous: bytes | None = None) -> bytes:
    """`previous`: the document this one takes the place of. No secret value can be in it."""
    document: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "writer_version": __version__,
        "previous": None if previous is None else _digest(previous),
        "state": record_of(State).encode(state),
    }
    return canonical_bytes({**document, "digest": _digest(canonical_bytes(document))})


def decode_state(data: bytes) -> State:
    """Raises: StateCorrupt, also when a newer nvcfplan wrote it."""
    try:
        document = parse_object(data)
    except Unreadable as error:
        raise _corrupt(str(error)) from error
    version = document.get("schema_version")
    if type(version) is not int or version < 1:
        raise _corrupt("it has no `schema_version`")
    if version > SCHEMA_VERSION:
        raise _newer(version, document.get("writer_version"))
    if document.keys() != _FIELDS:
        raise _corrupt(f"it is not an object with {', '.join(sorted(_FIELDS))}")
    rest = {name: value for name, value in document.items() if name != "digest"}
    if document["digest"] != _digest(canonical_bytes(rest)):
        raise _corrupt("its digest does not match: it was altered, or damaged on the disk")
    try:
        state = record_of(State).decode(document["state"])
    except ShapeError as error:
        where = f"`state.{error.path}`" if error.path else "`state`"
        raise _corrupt(f"at {where}: expected {error.expected}") from error
    assert isinstance(state, State)
    return state


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _newer(version: int, writer: object) -> StateCorrupt:
    who = f"nvcfplan {writer[:40]}" if isinstance(writer, str) else "a newer nvcfplan"
    return StateCorrupt(
        f"the state was written by {who}; this is {__version__}",
        detail=f"it has schema version {version}, and this one reads up to {SCHEMA_VERSION}",
        remedy=f"install {who} or later: an older one would lose what it does not know",
    )


def _corrupt(why: str) -> StateCorrupt:
    return StateCorrupt("the state cannot be read", detail=why, remedy=_REBUILD)
