"""Says of a finding that it is known, and takes that back: in memory alone, without the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.drifting import (
    acknowledge,
    acknowledged_like,
    hexadecimal,
    let_expire,
    standing_like,
    unacknowledge,
)
from nvcfplan.errors import NoSuchFinding
from nvcfplan.model import Acknowledgement, Remembered
from nvcfplan.workflows.memory import read_memory, revise_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying import StateStore
    from nvcfplan.model import Memory
    from nvcfplan.workflows.reading import Scope


T = TypeVar("T", Remembered, Acknowledgement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowing:
    """`prefix`: the digits that the finding's fingerprint begins with.

    `until` None: for as long as it stands.
    """

    prefix: str
    why: str
    by: str
    at: datetime
    until: datetime | None


async def acknowledge_finding(scope: Scope, store: StateStore, said: Knowing) -> Acknowledgement:
    """Raises: NoSuchFinding, StoreError."""

    def change(memory: Memory) -> tuple[Memory, Acknowledgement]:
        found = _the_one(standing_like(memory, said.prefix), scope, memory, said.prefix)
        made = Acknowledgement(
            fingerprint=found.fingerprint,
            summary=found.summary,
            why=said.why,
            by=said.by,
            at=said.at,
            until=said.until,
        )
        return acknowledge(memory, made), made

    return await revise_memory(scope, store, change)


async def take_back(
    scope: Scope, store: StateStore, *, prefix: str, now: datetime
) -> Acknowledgement:
    """Raises: NoSuchFinding, StoreError."""

    def change(memory: Memory) -> tuple[Memory, Acknowledgement]:
        found = _one_of(acknowledged_like(memory, prefix), prefix)
        if found is None:
            raise NoSuchFinding(
                f"no finding of {scope} whose fingerprint begins with {prefix} is acknowledged",
                remedy="see `nvcfplan drift ack -list`",
            )
        return unacknowledge(memory, found.fingerprint, now), found

    return await revise_memory(scope, store, change)


async def acknowledgements_of(
    scope: Scope, store: StateStore, *, now: datetime
) -> tuple[Acknowledgement, ...]:
    """Those in force."""
    return let_expire(await read_memory(scope, store), now).acknowledgements


def _the_one(alike: Sequence[Remembered], scope: Scope, memory: Memory, prefix: str) -> Remembered:
    found = _one_of(alike, prefix)
    if found is not None:
        return found
    if memory.last_look is None:
        raise NoSuchFinding(
            f"no look for drift of {scope} is remembered here",
            detail="a finding is acknowledged where the looks that find it keep their memory",
            remedy="look first, with `nvcfplan drift`, and the same -env and -state-dir",
        )
    standing = [one for one in memory.findings if one.cleared is None]
    known = "\n".join(f"{hexadecimal(one.fingerprint)[:12]} {one.summary}" for one in standing)
    raise NoSuchFinding(
        f"no finding of {scope} has a fingerprint that begins with {prefix}",
        detail=known or "at the last look nothing stood",
        remedy="`nvcfplan drift` shows what stands, and the fingerprint of each",
    )


def _one_of(alike: Sequence[T], prefix: str) -> T | None:
    if len(alike) > 1:
        raise NoSuchFinding(
            f"{len(alike)} findings have fingerprints that begin with {prefix}",
            detail="\n".join(f"{hexadecimal(one.fingerprint)} {one.summary}" for one in alike),
            remedy="type more of it",
        )
    return alike[0] if alike else None
