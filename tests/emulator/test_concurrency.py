"""Two hundred clients at one served emulator that is killed in their midst and started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.emulator.serving import Emulator
from tests.emulator.account import cluster, world
from tests.emulator.crowd import Client, Server, Unanswered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]
CLIENTS = 200
IS_LONG = bool(os.environ.get("NVCFPLAN_TORTURE"))
SECONDS, KILLS = (30.0, 6) if IS_LONG else (2.5, 1)
WRITES_BETWEEN_KILLS = 1500 if IS_LONG else 200


async def started(path: Path, port: int) -> tuple[asyncio.subprocess.Process, int]:
    """A server process and its port."""
    words = ("emulator", "serve", f"-port={port}", "-speed=120", str(path))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nvcfplan", *words), stderr=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    found = re.search(r"on http://[0-9.]+:(\d+)", line)
    assert found is not None, line
    return process, int(found[1])


@asynccontextmanager
async def running(
    path: Path, port: int = 0
) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """Killed in the end, if it has not ended."""
    process, port = await started(path, port)
    try:
        yield port, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Crowd:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.writes = 0
        self.server = Server(0)
        self.is_time = asyncio.Event()
        names = (f"c{index}" for index in range(CLIENTS))
        self.clients = [Client(name, self.server, told=self._told) for name in names]

    def _told(self) -> None:
        self.writes += 1
        if self.writes % WRITES_BETWEEN_KILLS == 0:
            self.is_time.set()

    async def live(self) -> None:
        """All clients at work, under `KILLS` kills, then all check what they were told."""
        until = asyncio.get_running_loop().time() + SECONDS
        tasks = [asyncio.create_task(self._work(one, until)) for one in self.clients]
        try:
            await self._survive(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for one in self.clients:
                one.close()

    async def _survive(self, tasks: list[asyncio.Task[None]]) -> None:
        port = 0
        for _ in range(KILLS):
            async with running(self.path, port) as (port, _):
                self.server.port = port
                self.server.is_up.set()
                await self._time_to_kill(tasks)
                self.is_time.clear()
                self.server.is_up.clear()
        async with running(self.path, port) as (_, process):
            self.server.is_up.set()
            await asyncio.gather(self._meddle(), *tasks)
            listed = await self.clients[0].listed()
            await asyncio.gather(*(one.check(listed) for one in self.clients))
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

    async def _time_to_kill(self, tasks: list[asyncio.Task[None]]) -> None:
        """Enough has been written, or all clients are done, or one has failed."""
        waiting = asyncio.create_task(self.is_time.wait())
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for one in tasks:
            if one.done():
                one.result()
        waiting.cancel()

    async def _work(self, client: Client, until: float) -> None:
        while asyncio.get_running_loop().time() < until:
            try:
                await client.act()
            except Unanswered:
                continue

    async def _meddle(self) -> None:
        """Another process at the same file, meanwhile."""
        words = ("emulator", "advance", "20m", str(self.path))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "nvcfplan", *words), stderr=asyncio.subprocess.PIPE, cwd=ROOT
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said


def test_nothing_answered_is_lost_by_a_kill_among_two_hundred_clients(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    rules = world(cluster(capacity=1_000_000), function_limit=1_000_000)
    Emulator.open(path, rules).close()

    async def main() -> None:
        await Crowd(path).live()

    asyncio.run(main())
