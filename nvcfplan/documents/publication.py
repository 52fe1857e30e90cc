"""What a running apply still will take, as other stacks read it."""

from __future__ import annotations

from typing import Final, cast

from nvcfplan.documents.reading import Unreadable, canonical_bytes, parse_object
from nvcfplan.documents.records import record_of
from nvcfplan.documents.shapes import ShapeError
from nvcfplan.errors import StoreError
from nvcfplan.model import Publication

VERSION: Final = 1


def encode_publication(publication: Publication) -> bytes:
    return canonical_bytes(
        {"version": VERSION, "publication": record_of(Publication).encode(publication)}
    )


def decode_publication(data: bytes, stack: str) -> Publication:
    """Raises: StoreError: what cannot be read cannot be counted."""
    try:
        document = parse_object(data)
        if document.get("version") != VERSION:
            raise _unreadable(stack, f"it is of version {document.get('version')!r:.20}")
        return cast("Publication", record_of(Publication).decode(document.get("publication")))
    except (Unreadable, ShapeError) as error:
        raise _unreadable(stack, str(error)) from error


def _unreadable(stack: str, why: str) -> StoreError:
    return StoreError(
        f"what the running apply of {stack} has published does not read",
        detail=why,
        remedy="wait until it has ended, or use one version of nvcfplan for both stacks",
    )
