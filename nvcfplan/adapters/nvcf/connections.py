"""As many connections as requests may be in flight, each in a pool of its own.

A pool's upkeep grows with its connections and is paid with every request; of a pool of one it is
nothing. The connection used last is taken first, so that a few stay warm where few are needed.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import httpx2

from nvcfplan.adapters.nvcf.target import MOST_CONCURRENT, Target, stays_on_this_machine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ONE: Final = httpx2.Limits(max_connections=1, max_keepalive_connections=1)


class Connections:
    """`transport`: used for all instead, where requests do not leave this process."""

    def __init__(self, target: Target, transport: httpx2.AsyncBaseTransport | None) -> None:
        self._target = target
        self._transport = transport
        self._turns = asyncio.Semaphore(max(1, min(target.concurrency, MOST_CONCURRENT)))
        self._context: ssl.SSLContext | None = None
        self._made: list[httpx2.AsyncClient] = []
        self._free: list[httpx2.AsyncClient] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx2.AsyncClient]:
        """Waits for a turn; nobody else sends on it meanwhile."""
        async with self._turns:
            client = self._free.pop() if self._free else self._another()
            try:
                yield client
            finally:
                self._free.append(client)

    async def aclose(self) -> None:
        for client in self._made:
            await client.aclose()

    def _another(self) -> httpx2.AsyncClient:
        if self._transport is not None and self._made:
            return self._made[0]
        client = httpx2.AsyncClient(
            transport=self._transport,
            verify=self._shared_context(),
            limits=_ONE,
            follow_redirects=False,
            trust_env=not stays_on_this_machine(self._target),
        )
        self._made.append(client)
        return client

    def _shared_context(self) -> ssl.SSLContext:
        """Reading the authorities takes longer than a request: once, and only for TLS."""
        if self._context is None:
            if self._target.base_url.startswith("https:"):
                self._context = httpx2.create_ssl_context()
            else:
                self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._context
