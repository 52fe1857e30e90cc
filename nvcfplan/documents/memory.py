"""The memory document. What does not read is nothing remembered: it can all be learnt again."""

from __future__ import annotations

from typing import Final

from nvcfplan.documents.reading import Unreadable, canonical_bytes, parse_object
from nvcfplan.documents.records import record_of
from nvcfplan.documents.shapes import ShapeError
from nvcfplan.model import Memory

MEMORY_VERSION: Final = 1


def encode_memory(memory: Memory) -> bytes:
    content = record_of(Memory).encode(memory)
    return canonical_bytes({"schema_version": MEMORY_VERSION, "memory": content})


def decode_memory(data: bytes) -> Memory:
    """Empty for a document that is damaged, or that a newer nvcfplan wrote."""
    try:
        document = parse_object(data)
        if document.get("schema_version") != MEMORY_VERSION:
            return Memory()
        memory = record_of(Memory).decode(document.get("memory"))
    except (Unreadable, ShapeError):
        return Memory()
    assert isinstance(memory, Memory)
    return memory
