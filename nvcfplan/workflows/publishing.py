"""Applies of several stacks beside each other: each tells what it still will take, and counts what
the others told before it.

Who publishes first is served first: an apply publishes before it looks, and then counts those of
smaller numbers, so two that begin at once never both take the last room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    EVERYTHING,
    Event,
    LiveReader,
    RungWaiting,
    StepWaiting,
)
from nvcfplan.documents import decode_publication, encode_publication
from nvcfplan.errors import StoreError
from nvcfplan.model import Publication

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from nvcfplan.applying import Lease, NoticeBoard
    from nvcfplan.model import (
        Account,
        AccountIdentity,
        FunctionId,
        LiveDeployment,
        LiveFunction,
        LiveSharing,
        LiveVersion,
        Readable,
        VersionId,
    )
    from nvcfplan.workflows.ports import LookPorts
    from nvcfplan.workflows.reading import Scope
    from nvcfplan.workflows.runs import Shell


def counting_others(scope: Scope, ports: LookPorts, *, before: int | None = None) -> LookPorts:
    """Ports whose account holds what running applies of other stacks published.

    `before`: only those with a smaller number.
    """
    if ports.board is None:
        return ports
    reader = _CountingReader(ports.reader, _Others(str(scope), ports.board, ports.identity, before))
    return replace(ports, reader=reader)


Source = Callable[[], Publication]


class Publishing:
    """One run's notice. `number` None: nothing was published, for there is nothing to take.

    `source`: says what is still to take, whenever it is asked.
    """

    def __init__(self, source: Source, lease: Lease, ports: LookPorts) -> None:
        self._source = source
        self._lease = lease
        self._board = ports.board
        self._account = _label(ports.identity)
        self._told: Publication | None = None
        self._moved = asyncio.Event()
        self.number: int | None = None

    async def begin(self) -> None:
        """Raises: StoreError."""
        await self._tell()

    def heard(self, shell: Shell, source: Source) -> Shell:
        """As given, and listened to; from now on `source` says what is still to take."""
        self._source = source

        def listener(event: Event) -> None:
            if not isinstance(event, StepWaiting | RungWaiting):
                self._moved.set()
            shell.listener(event)

        return replace(shell, listener=listener)

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """While the run goes on. A notice that cannot be brought up to date claims too much."""
        task = asyncio.create_task(self._keep_up())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def end(self) -> None:
        if self._board is not None and self.number is not None:
            with suppress(StoreError):
                await self._board.withdraw(self._account, self._lease)

    async def _keep_up(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            with suppress(StoreError):
                await self._tell()

    async def _tell(self) -> None:
        found = self._source()
        is_first = self._told is None
        if self._board is None or found == self._told:
            return
        if is_first and not (found.claims or found.charges):
            return
        self.number = await self._board.publish(
            self._account, self._lease, encode_publication(found)
        )
        self._told = found


@asynccontextmanager
async def published(source: Source, lease: Lease, ports: LookPorts) -> AsyncIterator[Publishing]:
    """From before the first look to the end of the run, however it ends."""
    publishing = Publishing(source, lease, ports)
    await publishing.begin()
    try:
        yield publishing
    finally:
        await publishing.end()


def _label(identity: AccountIdentity) -> str:
    """Without the ncaId, which is not always known: pools are shared by all behind an endpoint."""
    return f"{identity.endpoint} {identity.org or ''}".strip()


class _Others:
    def __init__(
        self, scope: str, board: NoticeBoard, identity: AccountIdentity, before: int | None
    ) -> None:
        self._scope = scope
        self._board = board
        self._account = _label(identity)
        self._before = before

    async def read(self) -> tuple[Publication, ...]:
        """Raises: StoreError."""
        return tuple(
            decode_publication(one.content, one.stack)
            for one in await self._board.notices(self._account)
            if one.stack != self._scope and (self._before is None or one.number < self._before)
        )


class _CountingReader(LiveReader):
    """Another reader's account, with what others will take."""

    def __init__(self, reader: LiveReader, others: _Others) -> None:
        self._reader = reader
        self._others = others

    async def account(self, wanted: Collection[Readable] = EVERYTHING) -> Account:
        found = await self._reader.account(wanted)
        return replace(found, published=await self._others.read())

    async def functions(self) -> Sequence[LiveFunction]:
        return await self._reader.functions()

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        return await self._reader.deployments(versions)

    async def details(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        return await self._reader.details(function, version)

    async def sharing(self, function: FunctionId) -> LiveSharing | None:
        return await self._reader.sharing(function)

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        return await self._reader.version(function, version)
