"""One account, read once for all the stacks in it: what was asked is not asked again.

It serves one round of looks and is thrown away. A read that failed has failed for the whole round:
each stack would else wait through the same outage, one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from nvcfplan.applying import EVERYTHING, LiveReader
from nvcfplan.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence

    from nvcfplan.model import (
        Account,
        FunctionId,
        LiveDeployment,
        LiveFunction,
        LiveSharing,
        LiveVersion,
        Readable,
        VersionId,
    )

T = TypeVar("T")

_ROWS: Final = "rows"


class OneReading(LiveReader):
    """In front of another reader. Not for a run: what it tells is as old as the round."""

    def __init__(self, reader: LiveReader) -> None:
        self._reader = reader
        self._found: dict[Hashable, object] = {}
        self._rows: dict[VersionId, LiveDeployment | None] = {}

    async def account(self, wanted: Collection[Readable] = EVERYTHING) -> Account:
        asked = frozenset(wanted)
        return await self._once(("account", asked), lambda: self._reader.account(asked))

    async def functions(self) -> Sequence[LiveFunction]:
        return await self._once("functions", self._reader.functions)

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        """Of those already asked for, the rows that came then; the others are asked for now."""
        asked = {version for _, version in versions}
        new = tuple(one for one in versions if one[1] not in self._rows)
        if new:
            rows = await self._unless_failed(_ROWS, lambda: self._reader.deployments(new))
            self._rows |= {version: None for _, version in new} | dict(rows)
        found = ((version, self._rows.get(version)) for version in asked)
        return {version: row for version, row in found if row is not None}

    async def details(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        key = ("details", version)
        return await self._once(key, lambda: self._reader.details(function, version))

    async def sharing(self, function: FunctionId) -> LiveSharing | None:
        return await self._once(("sharing", function), lambda: self._reader.sharing(function))

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        key = ("version", version)
        return await self._once(key, lambda: self._reader.version(function, version))

    async def _once(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        if key not in self._found:
            self._found[key] = await self._unless_failed(key, ask)
        found: T = self._found[key]  # type: ignore[assignment] # of each key what its asker gave
        return found

    async def _unless_failed(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        failed = self._found.get((key, RemoteError))
        if isinstance(failed, RemoteError):
            raise failed.with_traceback(None)
        try:
            return await ask()
        except RemoteError as error:
            self._found[key, RemoteError] = error
            raise
