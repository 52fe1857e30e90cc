"""Read once for all the stacks of a round, also where a read fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import EVERYTHING, LiveReader
from nvcfplan.errors import Unreachable
from nvcfplan.model import FunctionId, Readable, VersionId
from nvcfplan.workflows import OneReading
from tests.applying.service import Service

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from nvcfplan.model import Account, LiveDeployment, LiveFunction, LiveSharing, LiveVersion

FIRST, SECOND = (
    (FunctionId(f"f{one}"), VersionId(f"v{one}")) for one in ("1", "2")
)  # fmt: skip


class Asked(LiveReader):
    """Of an account with nothing in it: what was asked of it, in words. `is_down`: it fails."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.asked: list[str] = []
        self._is_down = is_down

    async def account(self, wanted: Collection[Readable] = EVERYTHING) -> Account:
        self._ask("account " + " ".join(sorted(wanted)))
        return Service({}).account()

    async def functions(self) -> Sequence[LiveFunction]:
        self._ask("functions")
        return ()

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        self._ask("rows " + " ".join(version for _, version in versions))
        return {}

    async def details(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        self._ask(f"details {function} {version}")
        return None

    async def sharing(self, function: FunctionId) -> LiveSharing | None:
        self._ask(f"sharing {function}")
        return None

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        self._ask(f"version {function} {version}")
        return None

    def _ask(self, words: str) -> None:
        self.asked.append(words)
        if self._is_down:
            raise Unreachable("nobody answers", route="GET /x")


async def _read_all(reader: LiveReader, *versions: tuple[FunctionId, VersionId]) -> None:
    await reader.functions()
    await reader.deployments(versions)
    await reader.account({Readable.INVENTORY})
    for function, version in versions:
        await reader.details(function, version)
        await reader.version(function, version)
        await reader.sharing(function)


def test_what_was_asked_for_one_stack_is_not_asked_for_the_next() -> None:
    asked = Asked()
    reader = OneReading(asked)
    asyncio.run(_read_all(reader, FIRST))
    alone = list(asked.asked)
    asyncio.run(_read_all(reader, FIRST))
    assert asked.asked == alone


def test_what_is_new_to_a_later_stack_is_asked_for_alone() -> None:
    asked = Asked()
    reader = OneReading(asked)
    asyncio.run(_read_all(reader, FIRST))
    before = len(asked.asked)
    asyncio.run(_read_all(reader, FIRST, SECOND))
    assert asked.asked[before:] == ["rows v2", "details f2 v2", "version f2 v2", "sharing f2"]


def test_a_read_that_failed_has_failed_for_the_round() -> None:
    asked = Asked(is_down=True)
    reader = OneReading(asked)
    for _ in range(3):
        with pytest.raises(Unreachable):
            asyncio.run(_read_all(reader, FIRST))
        with pytest.raises(Unreachable):
            asyncio.run(reader.deployments((FIRST,)))
    assert asked.asked == ["functions", "rows v1"]
