"""That somebody knows of a finding: said, taken back, and found by the beginning of its print."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.drifting.recollection import counting_since

if TYPE_CHECKING:
    from datetime import datetime

    from nvcfplan.model import Acknowledgement, Digest, Memory, Remembered

LEAST_PREFIX: Final = 6
"""So many hexadecimal digits of a fingerprint name it; fewer would soon name two."""
_ALGORITHM: Final = "sha256:"


def hexadecimal(fingerprint: str) -> str:
    """What people type of it."""
    return fingerprint.removeprefix(_ALGORITHM)


def standing_like(memory: Memory, prefix: str) -> tuple[Remembered, ...]:
    """By the digits that their fingerprints begin with; sorted by these."""
    return tuple(
        one
        for one in memory.findings
        if one.cleared is None and hexadecimal(one.fingerprint).startswith(prefix)
    )


def acknowledged_like(memory: Memory, prefix: str) -> tuple[Acknowledgement, ...]:
    return tuple(
        one for one in memory.acknowledgements if hexadecimal(one.fingerprint).startswith(prefix)
    )


def acknowledge(memory: Memory, said: Acknowledgement) -> Memory:
    """In place of what was said of the same finding before."""
    others = (one for one in memory.acknowledgements if one.fingerprint != said.fingerprint)
    kept = sorted((*others, said), key=lambda one: one.fingerprint)
    return replace(memory, acknowledgements=tuple(kept))


def unacknowledge(memory: Memory, fingerprint: Digest, now: datetime) -> Memory:
    """If it stands still, it counts from now on, and is told of again."""
    return replace(
        memory,
        acknowledgements=tuple(
            one for one in memory.acknowledgements if one.fingerprint != fingerprint
        ),
        findings=tuple(
            counting_since(one, now if one.fingerprint == fingerprint else None)
            for one in memory.findings
        ),
    )
